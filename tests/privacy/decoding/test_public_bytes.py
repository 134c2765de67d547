"""Certificates, public keys and icons may leave when all that is there parses; what is read in them counts."""

import base64
import datetime
import gzip
import random
import struct
import textwrap
import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from gateway.privacy import Inspector

DRAW = random.Random(7)
KEY = ec.derive_private_key(0xA5A5_1234_5678_9ABC_DEF0_1357_9BDF_2468, ec.SECP256R1())
SAID = b"DNI 12345678Z, password: Xk29fjQpw83!, card 4539 1488 0343 6467; "


def framed(name: str, data: bytes, *, lines: int = 1_000, end: bool = True) -> str:
    """PEM: 64 letters a line."""
    kept = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), 64)[:lines])
    return f"-----BEGIN {name}-----\n{kept}\n" + (f"-----END {name}-----\n" if end else "...")


def certificate(subject: str, *names: x509.GeneralName, held: bytes = b"") -> bytes:
    """DER of a certificate that signs itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 7, day, day + datetime.timedelta(90))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if held:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), held)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def packet(tag: int, data: bytes) -> bytes:
    """Old packet of OpenPGP, with two bytes for its length."""
    return bytes([0x80 | tag << 2 | 1]) + struct.pack(">H", len(data)) + data


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, *between: bytes, rows: bytes = b"", colour: int = 6) -> str:
    """Data URI of a square picture of noise."""
    rows = rows or b"".join(b"\0" + DRAW.randbytes(4 * side) for _ in range(side))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, colour, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + b"".join(between) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return f"a{{background:url(data:image/png;base64,{base64.b64encode(data).decode()})}}"


def gif(*frames: bytes, side: int = 8) -> str:
    head = b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\0\0\0\0\0\xff\xff\xff"
    drawn = b"".join(
        b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\2" + bytes([len(one)]) + one + b"\0" for one in frames
    )
    return f'<img src="data:image/gif;base64,{base64.b64encode(head + drawn + b";").decode()}">'


SITE = certificate("pool.example.org", x509.DNSName("pool.example.org"))
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
SSH = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
OPEN_PGP = packet(6, b"\4" + DRAW.randbytes(200)) + packet(13, b"Pool builds") + packet(2, b"\4" + DRAW.randbytes(90))
DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
HARMLESS = {
    "a certificate": framed("CERTIFICATE", SITE),
    "the first lines of a certificate": framed("CERTIFICATE", SITE, lines=3, end=False),
    "a certificate without its last line": framed("CERTIFICATE", SITE, lines=len(SITE) // 48 - 1),
    "a certificate in one line of JSON": base64.b64encode(SITE).decode(),
    "a public key": framed("PUBLIC KEY", PUBLIC),
    "a public key of SSH": SSH.public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    ).decode(),
    "a public key of OpenPGP": framed("PGP PUBLIC KEY BLOCK", OPEN_PGP),
    "a dot": f'<img src="data:image/gif;base64,{DOT}">',
    "an icon": png(12),
    "four icons": "\n".join(png(6) for _ in range(4)),
    "one icon many times": "\n".join([png(6)] * 9),
}
DOUBTS = {
    "noise in the frame of a certificate": framed("CERTIFICATE", DRAW.randbytes(300)),
    "noise behind a certificate's beginning": framed("CERTIFICATE", SITE[:16] + DRAW.randbytes(900)),
    "noise behind what says that it is longer": framed(
        "CERTIFICATE", b"\x30\x82\x09" + SITE[3:13] + DRAW.randbytes(900)
    ),
    "noise in the middle of a cut certificate": framed("CERTIFICATE", SITE[:90] + DRAW.randbytes(150), end=False),
    "more than a certificate says that it is": framed("CERTIFICATE", SITE + DRAW.randbytes(900)),
    "a key of OpenPGP that goes on as noise": framed("PGP PUBLIC KEY BLOCK", OPEN_PGP[:9] + DRAW.randbytes(300)),
    "a picture in a key of OpenPGP": framed("PGP PUBLIC KEY BLOCK", OPEN_PGP + packet(17, DRAW.randbytes(90))),
    "a picture that is large enough for words": png(32),
    "an icon with a comment": png(8, chunk(b"tEXt", DRAW.randbytes(60))),
    "an icon with an unknown chunk": png(8, chunk(b"prIV", DRAW.randbytes(60))),
    "an icon with a palette that is too long": png(8, chunk(b"PLTE", DRAW.randbytes(1_200))),
    "an icon with more pixels than its size": png(8, rows=DRAW.randbytes(900)),
    "an icon with something behind it": png(8).replace(")}", base64.b64encode(DRAW.randbytes(90)).decode() + ")}"),
    "an icon of two frames": gif(DRAW.randbytes(9), DRAW.randbytes(9)),
    "an icon with long pixels": gif(DRAW.randbytes(200)),
    "five icons": "\n".join(png(6) for _ in range(5)),
}
NAMED = {
    "the subject of a certificate": ("id.national", framed("CERTIFICATE", certificate("LOPEZ ANA - 12345678Z"))),
    "the subject of a cut one": (
        "id.national",
        framed("CERTIFICATE", certificate("LOPEZ ANA - 12345678Z"), lines=3, end=False),
    ),
    "the same without a frame": ("id.national", base64.b64encode(certificate("LOPEZ ANA - 12345678Z")).decode()),
    "another name of a certificate": (
        "contact.email",
        framed("CERTIFICATE", certificate("pool", x509.RFC822Name("ana.lopez@clinica-sol.es"))),
    ),
    "an extension": ("id.national", framed("CERTIFICATE", certificate("pool", held=SAID))),
    "an extension that is packed": (
        "id.national",
        framed("CERTIFICATE", certificate("pool", held=gzip.compress(SAID * 3))),
    ),
    "the user of a key of OpenPGP": (
        "contact.email",
        framed("PGP PUBLIC KEY BLOCK", OPEN_PGP + packet(13, b"Ana <ana.lopez@clinica-sol.es>")),
    ),
    "the pixels of an icon": ("id.national", png(16, rows=(b"\0" + SAID[:16] * 4) * 16)),
    "the palette of an icon": ("id.national", png(8, chunk(b"PLTE", SAID[:63]), rows=bytes(72), colour=3)),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_certificate_or_icon_may_leave(inspector: Inspector, name: str) -> None:
    """Whatever holds names of nobody, and has too few pixels for words."""
    inspection = inspector.inspect({"prompt": f"What is this?\n{HARMLESS[name]}\n"})
    assert (inspection.findings, inspection.doubts) == ((), ())


@pytest.mark.parametrize("name", DOUBTS)
def test_what_does_not_parse_is_a_doubt(inspector: Inspector, name: str) -> None:
    """A frame or a header alone is no reason."""
    assert inspector.inspect({"prompt": f"What is this?\n{DOUBTS[name]}\n"}).doubts


@pytest.mark.parametrize("name", NAMED)
def test_what_is_read_in_one_counts(inspector: Inspector, name: str) -> None:
    """Certificates of people hold their names and numbers, and any byte may hold text."""
    category, text = NAMED[name]
    assert category in {finding.category for finding in inspector.inspect({"prompt": text}).findings}


def test_icons_of_all_texts_are_counted_together(inspector: Inspector) -> None:
    """Also when they were seen before, each alone."""
    icons = [png(6) for _ in range(5)]
    assert not any(inspector.inspect({"prompt": icon}).doubts for icon in icons)
    assert inspector.inspect({f"p{number}": icon for number, icon in enumerate(icons)}).doubts
