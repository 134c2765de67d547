"""The disguises in which the audit plants its canaries: every encoding that inspection claims to see through."""

import base64
import gzip
import html
import json
import quopri
import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from urllib.parse import quote

import msgspec

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
    "data URL": lambda text: f"data:text/plain;base64,{_base64(text.encode())}",
    "json in json": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "zero width": "\u200b".join,
    "combining": lambda text: "".join(f"{c}\u0332" if c.isalnum() else c for c in text),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "mathematical digits": lambda text: text.translate({ord("0") + n: chr(0x1D7CE + n) for n in range(10)}),
    "Arabic digits": lambda text: text.translate({ord("0") + n: chr(0x660 + n) for n in range(10)}),
    "look-alike letters": lambda text: text.translate(str.maketrans("aeopcxABEHKMOPT", "аеорсхАВЕНКМОРТ")),
    "in a sentence": lambda text: f"Por favor, mira esto ({text}), y dime algo.",
    "in code": lambda text: f'def f():\n    return ["{text}"]  # value',
    "in a table": lambda text: f"| a | b |\n|---|---|\n| 1 | {text} |",
    "in XML": lambda text: f"<r><v>{html.escape(text)}</v></r>",
}
_SINGLE: Mapping[str, Encode] = {**_PLAIN, **NESTING}
_GAPS: Mapping[str, Encode] = {
    "spaced out": lambda text: " ".join(text.replace(" ", "")),
    "broken over lines": lambda text: f"{text[: len(text) // 2]}\n{text[len(text) // 2 :]}",
}
_GAPPED = frozenset({"iban", "card"})  # the kinds that are written in groups anyway


def disguises() -> Iterator[tuple[Canary, str, str]]:
    """Yield every canary in every single encoding: canary, name of the encoding, text."""
    for canary in CANARIES:
        for name, encode in _SINGLE.items():
            yield canary, name, encode(canary.text)
        for name, encode in _GAPS.items():
            if canary.name in _GAPPED:
                yield canary, name, encode(canary.text)


def encoded(text: str, name: str) -> str:
    """Return the text in the encoding of that name."""
    return _SINGLE[name](text)


def compositions(triples: int = 60) -> Iterator[tuple[Canary, str, str]]:
    """Yield every pair of nesting encodings and some triples, always the same ones, with the canaries in turn."""
    draw = random.Random(2026)  # noqa: S311 - a fixed sample, no secret
    names = tuple(NESTING)
    chains = [*product(names, names), *(tuple(draw.choices(names, k=3)) for _ in range(triples))]
    for number, chain in enumerate(chains):
        canary = CANARIES[number % len(CANARIES)]
        text = canary.text
        for name in chain:
            text = NESTING[name](text)
        yield canary, " in ".join(chain), text
