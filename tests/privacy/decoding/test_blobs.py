"""An encoded piece inside a text is read, or it says nothing about anybody, or it is a doubt. There is no fourth."""

import base64
import binascii
import bz2
import gzip
import io
import json
import lzma
import quopri
import random
import tarfile
import uuid
import zipfile
import zlib
from collections.abc import Callable
from hashlib import md5, sha1, sha256, sha384, sha512
from pathlib import Path

import pytest

from gateway.privacy import Inspector

SAID = "mi DNI es 12345678Z, María Peña"
MAIL = "Buenos días:\nel DNI de María es 12345678Z y el de su niño está pendiente.\nUn saludo, José\n"
DRAW = random.Random(7)


def text64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return file.getvalue()


def tarred(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("note.txt")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def uuencoded(data: bytes) -> str:
    lines = [binascii.b2a_uu(data[at : at + 45]).decode() for at in range(0, len(data), 45)]
    return f"begin 644 note.txt\n{''.join(lines)}`\nend\n"


WORD = "<w:p><w:r><w:t>mi DNI es 1234</w:t></w:r><w:r><w:t>5678Z</w:t></w:r></w:p>"
UTF8 = SAID.encode()
READ: dict[str, str] = {
    "base64, ISO-8859-1": text64(SAID.encode("latin-1")),
    "base64, Windows-1252": text64(f"{SAID} 20 €".encode("cp1252")),
    "base64, code page of DOS": text64(SAID.encode("cp850")),
    "base64url, ISO-8859-1": base64.urlsafe_b64encode(SAID.encode("latin-1")).decode().rstrip("="),
    "base64 of a mail, in lines": base64.encodebytes(MAIL.encode("latin-1")).decode(),
    "base64, UTF-16": text64(SAID.encode("utf-16")),
    "base64, UTF-16 LE": text64(SAID.encode("utf-16-le")),
    "base64, UTF-16 BE": text64(SAID.encode("utf-16-be")),
    "base64, UTF-32": text64(SAID.encode("utf-32")),
    "base64, UTF-32 BE": text64(SAID.encode("utf-32-be")),
    "gzip": text64(gzip.compress(UTF8)),
    "the second member of gzip": text64(gzip.compress(b"nothing here") + gzip.compress(UTF8)),
    "behind gzip": text64(gzip.compress(b"nothing here") + UTF8),
    "zlib": text64(zlib.compress(UTF8)),
    "bare deflate": text64(deflated(UTF8)),
    "bzip2": text64(bz2.compress(UTF8)),
    "xz": text64(lzma.compress(UTF8)),
    "lzma": text64(lzma.compress(UTF8, lzma.FORMAT_ALONE)),
    "zip": text64(zipped(note=SAID)),
    "a name in a zip": text64(zipped(**{"DNI 12345678Z": "x"})),
    "zip in zip": text64(zipped(note=text64(zipped(note=SAID)))),
    "a document of Office": text64(zipped(word__document=f"<?xml version='1.0'?><w:document>{WORD}</w:document>")),
    "tar": text64(tarred(UTF8)),
    "tar.gz": text64(gzip.compress(tarred(UTF8))),
    "base32": base64.b32encode(UTF8).decode(),
    "base32, small": base64.b32encode(UTF8).decode().lower().rstrip("="),
    "base85": base64.b85encode(UTF8).decode(),
    "base85 of gzip": base64.b85encode(gzip.compress(UTF8)).decode(),
    "Ascii85": base64.a85encode(UTF8).decode(),
    "Ascii85, Adobe's": base64.a85encode(UTF8, adobe=True).decode(),
    "hexadecimal, ISO-8859-1": SAID.encode("latin-1").hex(),
    "hexadecimal of gzip": gzip.compress(UTF8).hex(),
    "bytes of C": ",\n    ".join(map(hex, UTF8)),
    "numbers of bytes": json.dumps(list(UTF8)),
    "numbers of bytes, ISO-8859-1, in lines": json.dumps(list(SAID.encode("latin-1")), indent=2),
    "numbers of bytes with signs": str([byte - 256 if byte > 127 else byte for byte in UTF8]),
    "quoted-printable": quopri.encodestring(UTF8, quotetabs=True).decode(),
    "quoted-printable, ISO-8859-1": quopri.encodestring(SAID.encode("latin-1"), quotetabs=True).decode(),
    "bits": " ".join(f"{byte:08b}" for byte in UTF8),
    "uuencode": uuencoded(UTF8),
}
AROUND: dict[str, Callable[[str], str]] = {
    "alone": lambda piece: piece,
    "in a sentence": lambda piece: f"mira esto: {piece} gracias",
    "in JSON": lambda piece: json.dumps({"data": piece}),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", READ)
def test_an_encoding_is_read(inspector: Inspector, name: str, around: str) -> None:
    """What is said in the encoding is found by its category, alone, in a sentence and in JSON inside a text."""
    inspection = inspector.inspect({"p": AROUND[around](READ[name])})
    assert any(finding.category == "id.national" for finding in inspection.findings)


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + DRAW.randbytes(60)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + DRAW.randbytes(90)
NOISE = DRAW.randbytes(90)
DOUBTED: dict[str, tuple[str, str]] = {
    "a picture": ("image", text64(PNG)),
    "a picture as an address": ("image", f"![chart](data:image/png;base64,{text64(PNG)})"),
    "a picture in a tool's JSON": (
        "image",
        json.dumps({"content": [{"type": "image", "data": text64(PNG), "mimeType": "image/png"}]}),
    ),
    "a picture in a tar": ("image", text64(tarred(PNG))),
    "a PDF as an address": ("file", f"data:application/pdf;base64,{text64(PDF)}"),
    "a recording": ("audio", text64(b"OggS\0\2" + DRAW.randbytes(60))),
    "encrypted": ("unreadable_blob", text64(NOISE)),
    "encrypted, in lines": ("unreadable_blob", base64.encodebytes(DRAW.randbytes(400)).decode()),
    "encrypted, in JSON in a text": ("unreadable_blob", json.dumps({"p": json.dumps({"data": text64(NOISE)})})),
    "encrypted, hexadecimal": ("unreadable_blob", NOISE.hex()),
    "encrypted, base32": ("unreadable_blob", base64.b32encode(NOISE).decode()),
    "encrypted, base85": ("unreadable_blob", base64.b85encode(NOISE).decode()),
    "encrypted, as numbers": ("unreadable_blob", str(list(NOISE))),
    "encrypted, uuencoded": ("unreadable_blob", uuencoded(NOISE)),
    "an OpenPGP message": ("unreadable_blob", text64(b"\xc1\xc0\x4c\x03" + DRAW.randbytes(120))),
    "Zstandard": ("unreadable_blob", text64(b"\x28\xb5\x2f\xfd" + DRAW.randbytes(20))),
    "7-Zip": ("unreadable_blob", text64(b"7z\xbc\xaf\x27\x1c" + DRAW.randbytes(40))),
    "a private key without its frame": ("unreadable_blob", text64(b"\x30\x82\x02\x5c\2\1\0\x30" + DRAW.randbytes(600))),
    "gzip with damage": ("unreadable_blob", text64(gzip.compress(UTF8)[:12] + DRAW.randbytes(40))),
    "what follows gzip": ("unreadable_blob", text64(gzip.compress(b"nothing here") + DRAW.randbytes(40))),
}


@pytest.mark.parametrize("name", DOUBTED)
def test_what_can_not_be_read_is_a_doubt(inspector: Inspector, name: str) -> None:
    """A picture, a recording or a file is the doubt of its kind, whatever it is wrapped in; the rest is unreadable."""
    reason, piece = DOUBTED[name]
    assert reason in {doubt.reason for doubt in inspector.inspect({"p": f"mira {piece} gracias"}).doubts}


def test_an_archive_with_more_than_its_directory_tells_is_a_doubt(inspector: Inspector) -> None:
    """A member that a zip's directory does not list is read by some programs, and by none here."""
    hidden, told = zipped(secret=SAID), zipped(note="nothing here")
    piece = text64(hidden[: hidden.index(b"PK\x01\x02")] + told)
    assert [doubt.reason for doubt in inspector.inspect({"p": piece}).doubts] == ["unreadable_blob"]


def test_archives_in_archives_end_somewhere(inspector: Inspector) -> None:
    """A piece that is packed more often than is looked at is a doubt."""
    data = UTF8
    for _ in range(7):
        data = gzip.compress(data, mtime=0)
    assert inspector.inspect({"p": text64(data)}).doubts


@pytest.mark.parametrize(
    "pack", [gzip.compress, zlib.compress, deflated, bz2.compress, lzma.compress, lambda data: zipped(a=data.decode())]
)
def test_a_bomb_is_a_doubt_in_every_packing(inspector: Inspector, pack: Callable[[bytes], bytes]) -> None:
    """What unpacks to more than a megabyte is not unpacked further, and counts as too large."""
    piece = text64(pack(b"a\n" * 4_000_000))
    assert "size" in {doubt.reason for doubt in inspector.inspect({"p": piece}).doubts}


def ssh_key(*fields: bytes) -> bytes:
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([tag]) + (bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")) + content


ALGORITHM = der(0x30, der(6, b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b") + b"\5\0")
PUBLIC_KEY = der(0x30, ALGORITHM + der(3, b"\0" + DRAW.randbytes(270)))
CERTIFICATE = der(
    0x30,
    der(0x30, der(2, DRAW.randbytes(20)) + der(3, b"\0" + DRAW.randbytes(500)))
    + ALGORITHM
    + der(3, b"\0" + DRAW.randbytes(256)),
)
PGP_KEY = b"\x99\x01\x0d\x04" + DRAW.randbytes(268) + b"\xb4\x10" + b"Releases of Acme"
RSA_KEY = ssh_key(b"ssh-rsa", b"\1\0\1", DRAW.randbytes(257))
FONT = b"wOF2\0\1\0\0" + (400).to_bytes(4, "big") + bytes(36) + DRAW.randbytes(352)


def framed(name: str, data: bytes) -> str:
    return f"-----BEGIN {name}-----\n{base64.encodebytes(data).decode()}-----END {name}-----\n"


def integrity(algorithm: str, data: bytes) -> str:
    return f"{algorithm}-{text64(data)}"


NOTHING: dict[str, str] = {
    "hashes, hexadecimal": " ".join(make(NOISE).hexdigest() for make in (md5, sha1, sha256, sha384, sha512)),
    "hashes, base64": " ".join(text64(make(NOISE).digest()) for make in (md5, sha1, sha256, sha384, sha512)),
    "integrity of packages": f'"integrity": "{integrity("sha512", sha512(NOISE).digest())}"',
    "several in one line": f"{integrity('sha1', sha1(NOISE).digest())} {integrity('sha512', sha512(NOISE).digest())}",
    "go.sum": f"golang.org/x/sys v0.27.0 h1:{text64(sha256(NOISE).digest())}",
    "UUIDs": " ".join(str(uuid.UUID(bytes=DRAW.randbytes(16))) for _ in range(4)),
    "ids of APIs": "call_Yq2t9Wc41LkZ0aPq7RsTuV8x chatcmpl-9f3aKq2t9Wc41LkZ0aPq7RsTuV8xB toolu_01A09q90qw90lq917835lq9",
    "a certificate": framed("CERTIFICATE", CERTIFICATE),
    "a certificate with an escape behind it": framed("CERTIFICATE", CERTIFICATE) + "\nWhy does a%20b stand behind it?",
    "a certificate in JSON": json.dumps({"crt": framed("CERTIFICATE", CERTIFICATE)}),
    "a certificate in one line, in JSON": json.dumps({"crt": f"x\n{text64(CERTIFICATE)}\n"}),
    "a public key": framed("PUBLIC KEY", PUBLIC_KEY),
    "a public key of OpenPGP": framed("PGP PUBLIC KEY BLOCK", PGP_KEY),
    "a key for SSH": f"ssh-ed25519 {text64(ssh_key(b'ssh-ed25519', DRAW.randbytes(32)))} deploy",
    "a long key for SSH": f"ssh-rsa {text64(RSA_KEY)} deploy",
    "a font": f"src: url(data:font/woff2;base64,{text64(FONT)})",
    "a drawing": "url(data:image/svg+xml;base64," + text64(b"<svg viewBox='0 0 9 9'><path d='M0 0h9v9z'/></svg>") + ")",
    "digits of pi": "314159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534",
    "DNA": "ACGTTGCAAGCTTGCATGCCTGCAGGTCGACTCTAGAGGATCCCCGGGTACCGAGCTCGAATTCACTGGCCGTCGTTTTACAACG" * 3,
    "a protein": "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVVHSLAKWKRQTLGQHDFSAGE",
    "names in code": "AbstractSingletonProxyFactoryBeanWithConfigurableInterceptorChainAndDefaultStrategyResolver2Impl",
    "a path": "/usr/lib/python3/dist-packages/Cython/Includes/cpython/datetimeFormatterImplementation3/Very/Long/Path2",
    "the alphabet": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "the alphabet of base85": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
    "a table of numbers": "12, 40, 33, 91, 7, 15, 22, 68, 54, 3, 17, 90, 41, 28, 66, 73, 5, 99, 81, 34\n" * 12,
    "minified code": "!function(e,t){var n=e.a1,r=t.b2;for(;n<r;n++)if(n%3===0)return{x:n>>>2,y:r|0};return null}(w,q);"
    * 8,
    "ones and noughts": "01" * 300,
    "a ruler": "A1" * 300,
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_says_nothing_about_anybody_is_no_doubt(inspector: Inspector, name: str) -> None:
    """Hashes, ids, certificates, public keys, fonts, code and long rows of letters or numbers may leave."""
    assert inspector.inspect({"p": f"see: {NOTHING[name]} end"}).doubts == ()


def test_lines_of_go_sum_are_no_secrets(inspector: Inspector) -> None:
    """The sums of modules are neither secrets nor doubts, line after line, also of modules that are called `api`."""
    modules = ("golang.org/x/sys v0.27.0", "k8s.io/api v0.24.3", "github.com/acme/token/api v1.13.1")
    line = "".join(f"{module} h1:{text64(sha256(module.encode()).digest())}\n" for module in modules)
    inspection = inspector.inspect({"messages": [{"role": "user", "content": line}]})
    assert (inspection.findings, inspection.doubts) == ((), ())


def test_a_soft_break_is_no_padding(inspector: Inspector) -> None:
    """A number that quoted-printable broke is found; padding of base64 at the end of a line joins nothing."""
    assert inspector.inspect({"p": "DNI 12345=\n678Z"}).findings
    sums = "".join(f"{text64(sha256(bytes([n])).digest())}\ngithub.com/acme/m{n} v1.0.0 " for n in range(9))
    assert inspector.inspect({"p": sums}).doubts == ()


@pytest.mark.parametrize("label", ["CERTIFICATE", "PUBLIC KEY", "PGP PUBLIC KEY BLOCK"])
def test_a_frame_alone_makes_no_certificate(inspector: Inspector, label: str) -> None:
    """Whatever stands between the lines of a certificate has to be one."""
    inspection = inspector.inspect({"p": framed(label, DRAW.randbytes(300))})
    assert "unreadable_blob" in {doubt.reason for doubt in inspection.doubts}


def test_what_a_certificate_says_is_read(inspector: Inspector) -> None:
    """The subject of a person's certificate has their number: it is found."""
    subject = der(0x30, DRAW.randbytes(200) + der(0x13, b"DNI 12345678Z") + DRAW.randbytes(100))
    piece = framed("CERTIFICATE", der(0x30, subject + ALGORITHM + der(3, b"\0" + DRAW.randbytes(256))))
    assert "id.national" in {finding.category for finding in inspector.inspect({"p": piece}).findings}


@pytest.mark.parametrize(
    ("message", "doubted"),
    [
        ({"role": "assistant", "content": "x", "signature": text64(NOISE)}, False),
        ({"role": "assistant", "content": "x", "encrypted_content": text64(NOISE)}, False),
        ({"role": "tool", "content": "x", "tool_call_id": text64(NOISE)}, False),
        ({"role": "assistant", "content": "x", "encrypted_content": text64(PNG)}, True),
        ({"role": "assistant", "content": "x", "note": text64(NOISE)}, True),
    ],
)
def test_what_a_provider_alone_can_read_is_no_doubt_in_its_place(
    inspector: Inspector, message: dict[str, object], doubted: bool
) -> None:
    """Signatures and encrypted reasoning come back to the provider as they came; elsewhere such a piece is a doubt."""
    assert bool(inspector.inspect({"messages": (message,)}).doubts) is doubted  # type: ignore[dict-item]


def test_a_doubt_is_remembered_with_its_text() -> None:
    """A piece that was doubted once is doubted again, wherever it stands."""
    inspector = Inspector()
    piece = f"see {text64(NOISE)}"
    first, second = inspector.inspect({"a": piece}), inspector.inspect({"b": piece})
    assert [(doubt.reason, doubt.path) for doubt in (*first.doubts, *second.doubts)] == [
        ("unreadable_blob", "$.a"),
        ("unreadable_blob", "$.b"),
    ]
    assert second.characters < first.characters


def test_source_code_is_no_doubt(inspector: Inspector) -> None:
    """The standard library's own modules about encodings are full of tables and of long names: they may leave."""
    for module in (base64, binascii, gzip, json, quopri, tarfile, uuid, zipfile):
        path = getattr(module, "__file__", None)
        if path is not None and path.endswith(".py"):
            inspection = inspector.inspect({"p": Path(path).read_text("utf-8")[:40_000]})
            assert {doubt.reason for doubt in inspection.doubts} <= {"time"}, path
