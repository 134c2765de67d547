"""Certificates, public keys and icons say nothing about anybody, also where they were cut off."""

import base64
import random
import struct
import textwrap
import zlib

import pytest

from gateway.privacy import Inspector

DRAW = random.Random(7)


def framed(name: str, data: bytes, *, end: bool = True) -> str:
    """PEM: 64 letters a line."""
    lines = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), 64))
    return f"-----BEGIN {name}-----\n{lines}\n" + (f"-----END {name}-----\n" if end else "...")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, *between: bytes) -> str:
    """Data URI of a square picture of noise."""
    rows = b"".join(b"\0" + DRAW.randbytes(4 * side) for _ in range(side))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + b"".join(between) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return f"a{{background:url(data:image/png;base64,{base64.b64encode(data).decode()})}}"


CERTIFICATE = bytes.fromhex("308205d2308204baa003020102") + DRAW.randbytes(900)
DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
HARMLESS = {
    "the first lines of a certificate": framed("CERTIFICATE", CERTIFICATE[:300], end=False),
    "a certificate": framed("CERTIFICATE", CERTIFICATE),
    "a public key of OpenPGP": framed(
        "PGP PUBLIC KEY BLOCK", bytes.fromhex("99018d0462a1b2c301") + DRAW.randbytes(200)
    ),
    "a dot": f'<img src="data:image/gif;base64,{DOT}">',
    "an icon": png(12),
}
DOUBTS = {
    "noise in the frame of a certificate": framed("CERTIFICATE", DRAW.randbytes(300)),
    "more than a certificate says that it is": framed("CERTIFICATE", CERTIFICATE + DRAW.randbytes(900)),
    "a certificate's beginning in another frame": framed("MESSAGE", CERTIFICATE),
    "a picture that is large enough for words": png(64),
    "an icon with a comment": png(8, chunk(b"tEXt", DRAW.randbytes(60))),
    "an icon with something behind it": png(8).replace(")}", base64.b64encode(DRAW.randbytes(90)).decode() + ")}"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_certificate_or_icon_may_leave(inspector: Inspector, name: str) -> None:
    """In its frame a certificate may be cut; an icon has too few pixels for words."""
    inspection = inspector.inspect({"prompt": f"What is this?\n{HARMLESS[name]}\n"})
    assert (inspection.findings, inspection.doubts) == ((), ())


@pytest.mark.parametrize("name", DOUBTS)
def test_what_only_looks_like_one_is_a_doubt(inspector: Inspector, name: str) -> None:
    """A frame or a header alone is no reason."""
    assert inspector.inspect({"prompt": f"What is this?\n{DOUBTS[name]}\n"}).doubts
