"""The disguises in which the audit plants its canaries: what inspection has to see through, or to doubt."""

import base64
import bz2
import gzip
import html
import json
import lzma
import quopri
import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from urllib.parse import quote

import msgspec

from gateway.cli.audit.planted.media import data_uri, docx, zipped

Encode = Callable[[str], str]


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    """Planted value. An `identifier` is one value, not words, so gaps and breaks inside can't hide it either."""

    name: str
    category: str
    text: str
    identifier: bool = True


CANARIES = (
    Canary(name="dni", category="id.national", text="DNI 12345678Z"),
    Canary(name="iban", category="financial.iban", text="ES91 2100 0418 4502 0005 1332"),
    Canary(name="card", category="financial.card", text="4111 1111 1111 1111"),
    Canary(name="e-mail", category="contact.email", text="maria.lopez@clinica-sol.es"),
    Canary(name="vendor key", category="secret.api_key", text="ghp_" + "a8Kd93jfLq02mZx71PwVn5RtYbCs4EuGh6Jo"),
    Canary(name="password", category="secret.password", text="la contraseña es Verano2291!", identifier=False),
    Canary(name="diagnosis", category="health", text="Me han diagnosticado VIH y no lo sabe nadie", identifier=False),
)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(form: str, gap: str = "") -> Encode:
    return lambda text: gap.join(form.format(byte) for byte in text.encode())


def _characters(form: str) -> Encode:
    return lambda text: "".join(form.format(ord(character)) for character in text)


def _deflated(text: str) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text.encode()) + packer.flush()


def _letter(text: str) -> str:
    """Return a letter around the text: where an encoding has no marks of its own, length has to give it away."""
    return (
        f"Buenos días. Le escribo por lo que hablamos la semana pasada en la oficina; le dejo aquí el dato: {text}. "
        "Quedo a la espera de lo que me diga, y le agradezco mucho su tiempo. Un saludo cordial."
    )


def _in_letter(encode: Encode) -> Encode:
    return lambda text: encode(_letter(text))


# Each of these can wear another one.
NESTING: Mapping[str, Encode] = {
    "base64": lambda text: _base64(text.encode()),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64, UTF-16": lambda text: _base64(text.encode("utf-16-le")),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent": _bytes("%{:02X}"),
    "entities": _characters("&#{};"),
    "escapes": _characters("\\u{:04x}"),
    "gzip": lambda text: _base64(gzip.compress(text.encode(), mtime=0)),
    "zlib": lambda text: _base64(zlib.compress(text.encode())),
    "json": lambda text: json.dumps({"value": text}),
}
# Packed, or in an alphabet of many: each can wear one of the above, and one of the above can wear it.
PACKED: Mapping[str, Encode] = {
    "base64, cp1252": lambda text: _base64(text.encode("cp1252", "replace")),
    "base64, UTF-16-BE": lambda text: _base64(text.encode("utf-16-be")),
    "base64, UTF-16 with its mark": lambda text: _base64(text.encode("utf-16")),
    "base64, UTF-32": lambda text: _base64(text.encode("utf-32")),
    "hexadecimal, UTF-16": lambda text: text.encode("utf-16-le").hex(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base32, lower case": lambda text: base64.b32encode(text.encode()).decode().lower().rstrip("="),
    "base85": _in_letter(lambda text: base64.b85encode(text.encode()).decode()),
    "Ascii85": _in_letter(lambda text: base64.a85encode(text.encode(), adobe=True).decode()),
    "gzip, two members": _in_letter(
        lambda text: _base64(gzip.compress(b"Hola.", mtime=0) + gzip.compress(text.encode(), mtime=0))
    ),
    "raw deflate": _in_letter(lambda text: _base64(_deflated(text))),
    "bz2": _in_letter(lambda text: _base64(bz2.compress(text.encode()))),
    "bz2, hexadecimal": _in_letter(lambda text: bz2.compress(text.encode()).hex()),
    "xz": _in_letter(lambda text: _base64(lzma.compress(text.encode()))),
    "lzma": _in_letter(lambda text: _base64(lzma.compress(text.encode(), lzma.FORMAT_ALONE))),
    "zip": lambda text: _base64(zipped(text)),
    "docx": lambda text: _base64(docx(text)),
    "docx, data URI": lambda text: data_uri(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document", docx(text)
    ),
    "byte array": lambda text: json.dumps(list(text.encode())),
    "byte array, signed": lambda text: json.dumps([byte - 256 if byte > 127 else byte for byte in text.encode()]),
    "byte array, cp1252": lambda text: json.dumps(list(text.encode("cp1252", "replace"))),
    "bytes with gaps": lambda text: " ".join(str(byte) for byte in text.encode()),
    "Buffer": lambda text: json.dumps({"type": "Buffer", "data": list(text.encode())}),
    "octets, binary": _bytes("{:08b}", " "),
    "character numbers": lambda text: json.dumps([ord(character) for character in text]),
    "code of characters": lambda text: "String.fromCharCode(" + ",".join(str(ord(c)) for c in text) + ")",
}
_PLAIN: Mapping[str, Encode] = {
    "plain": str,
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "hexadecimal, spaced": _bytes("{:02x}", " "),
    "hexadecimal, colons": _bytes("{:02x}", ":"),
    "hexadecimal, 0x list": _bytes("0x{:02x}", ", "),
    "gzip, hexadecimal": lambda text: gzip.compress(text.encode(), mtime=0).hex(),
    "percent, where needed": quote,
    "entities, hexadecimal": _characters("&#x{:X};"),
    "entities, named": html.escape,
    "escapes, braces": _characters("\\u{{{:x}}}"),
    "escapes, bytes": _bytes("\\x{:02x}"),
    "escapes, octal": _bytes("\\{:03o}"),
    "escapes, long": _characters("\\U{:08x}"),
    "quoted printable": lambda text: quopri.encodestring(text.encode()).decode(),
    "quoted printable, all": _bytes("={:02X}"),
    "base64 on lines": lambda text: "\n".join(_base64(text.encode())[i : i + 16] for i in range(0, 400, 16)).rstrip(),
    "quoted printable, cp1252": lambda text: quopri.encodestring(text.encode("cp1252", "replace")).decode(),
    "encoded word": lambda text: f"=?utf-8?B?{_base64(text.encode())}?=",
    "data URI": lambda text: data_uri("text/plain", text.encode()),
    "data URI, cp1252": lambda text: data_uri("text/plain;charset=windows-1252", text.encode("cp1252", "replace")),
    "data URI, percent": lambda text: f"data:text/plain,{quote(text)}",
    "data URI, SVG": lambda text: data_uri("image/svg+xml", f"<svg><text>{html.escape(text)}</text></svg>".encode()),
    "json in json": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "zero width": "\u200b".join,
    "combining": lambda text: "".join(f"{c}\u0332" if c.isalnum() else c for c in text),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "mathematical digits": lambda text: text.translate({ord("0") + n: chr(0x1D7CE + n) for n in range(10)}),
    "Arabic digits": lambda text: text.translate({ord("0") + n: chr(0x660 + n) for n in range(10)}),
    "look-alike letters": lambda text: text.translate(str.maketrans("aeopcxABEHKMOPT", "аеорсхАВЕНКМОРТ")),
    "in a sentence": lambda text: f"Por favor, mira esto ({text}), y dime algo.",
    "in code": lambda text: f'def f():\n    return ["{text}"]  # value',
    "in a row": lambda text: f"7,Ana,{text},12/27,Soria",
    "in a table": lambda text: f"| a | b |\n|---|---|\n| 1 | {text} |",
    "in XML": lambda text: f"<r><v>{html.escape(text)}</v></r>",
}
SINGLE: Mapping[str, Encode] = {**_PLAIN, **NESTING, **PACKED}
_GAPS: Mapping[str, Encode] = {
    "spaced out": lambda text: " ".join(text.replace(" ", "")),
    "broken over lines": lambda text: f"{text[: len(text) // 2]}\n{text[len(text) // 2 :]}",
}
_GAPPED = frozenset({"iban", "card"})  # the kinds that are written in groups anyway


def disguises() -> Iterator[tuple[Canary, str, str]]:
    """Yield every canary in every single encoding: canary, name of the encoding, text."""
    for canary in CANARIES:
        for name, encode in SINGLE.items():
            yield canary, name, encode(canary.text)
        for name, encode in _GAPS.items():
            if canary.name in _GAPPED:
                yield canary, name, encode(canary.text)


def encoded(text: str, name: str) -> str:
    """Return the text in the encoding of that name."""
    return SINGLE[name](text)


def compositions(*, full: bool = False) -> Iterator[tuple[Canary, str, str]]:
    """Yield pairs of encodings and some triples, always the same ones, with the canaries in turn (full: each)."""
    draw = random.Random(2026)  # noqa: S311 - a fixed sample, no secret
    names = tuple(NESTING)
    pairs = [*product(names, names), *product(PACKED, names), *product(names, PACKED)]
    if not full:
        pairs = [*product(names, names), *draw.sample(pairs[len(names) ** 2 :], 120)]
    chains = [*pairs, *(tuple(draw.choices(names, k=3)) for _ in range(600 if full else 60))]
    for number, chain in enumerate(chains):
        for canary in CANARIES if full else (CANARIES[number % len(CANARIES)],):
            text = canary.text
            for name in chain:
                text = SINGLE[name](text)
            yield canary, " in ".join(chain), text
