"""Compressed answers are read where they can be, and never beyond their limit."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import TargetProtocolError
from gateway.upstream.framing.decompression import Inflater


@given(st.binary(max_size=5000), st.integers(1, 700), st.sampled_from(["gzip", "deflate", "identity", ""]))
def test_what_was_packed_comes_out(data: bytes, size: int, encoding: str) -> None:
    """What was packed comes out, however its bytes are cut."""
    packed = {"gzip": gzip.compress(data), "deflate": zlib.compress(data)}.get(encoding, data)
    inflater = Inflater(encoding, 10_000)
    out = b"".join(piece for at in range(0, len(packed), size) for piece in inflater.feed(packed[at : at + size]))
    inflater.finish()
    assert out == data


@pytest.mark.parametrize("encoding", ["gzip", ""])
def test_the_limit_holds(encoding: str) -> None:
    """Pieces come out until the limit, then an error, long before everything is unpacked."""
    data = b"x" * (8 * 2**20)
    pieces: list[bytes] = []
    with pytest.raises(TargetProtocolError, match="larger"):
        pieces.extend(Inflater(encoding, 2**20).feed(gzip.compress(data) if encoding else data))
    assert sum(map(len, pieces)) <= 2**20


def test_a_large_piece_is_not_lost_at_a_step() -> None:
    """A small input that unpacks to more than one step of output comes out whole."""
    data = b"x" * (3 * 2**18)
    inflater = Inflater("gzip", 2**30)
    assert b"".join(inflater.feed(gzip.compress(data))) == data
    inflater.finish()


TEXT = b'data: {"choices":[]}\n\n' * 300
_raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
RAW = _raw.compress(TEXT) + _raw.flush()
PACKED: dict[str, tuple[str, bytes, bytes]] = {
    "other spelling": (" GZip ", gzip.compress(TEXT), TEXT),
    "with identity": ("identity, gzip", gzip.compress(TEXT), TEXT),
    "two members": ("gzip", gzip.compress(TEXT) * 2, TEXT * 2),
    "padding behind the end": ("gzip", gzip.compress(TEXT) + b"\0" * 20, TEXT),
    "raw deflate": ("deflate", RAW, TEXT),
    "deflate that is gzip": ("deflate", gzip.compress(TEXT), TEXT),
    "gzip that is zlib": ("gzip", zlib.compress(TEXT), TEXT),
    "gzip that is plain": ("gzip", TEXT, TEXT),
    "deflate that is plain JSON": ("deflate", b'{"a":1}', b'{"a":1}'),
    "a charset": ("UTF-8", TEXT, TEXT),
    "none": ("none", TEXT, TEXT),
}


@pytest.mark.parametrize("size", [1, 2, 3, 100_000])
@pytest.mark.parametrize("name", PACKED)
def test_odd_names_and_forms_are_read(name: str, size: int) -> None:
    """What can be read is read, although its header is wrong or unusual."""
    encoding, data, expected = PACKED[name]
    inflater = Inflater(encoding, 100_000)
    out = b"".join(piece for at in range(0, len(data), size) for piece in inflater.feed(data[at : at + size]))
    inflater.finish()
    assert out == expected


@pytest.mark.parametrize("data", [b"this is not gzip", b"<html>", b"\x1f\x8bnonsense"])
def test_neither_packed_nor_an_answer(data: bytes) -> None:
    """Bytes that are not what the header says, and no plain answer either, are an error."""
    with pytest.raises(TargetProtocolError, match="Content-Encoding"):
        list(Inflater("gzip", 1000).feed(data))


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "gzip, br"])
def test_other_encodings_are_refused(encoding: str) -> None:
    """An answer in an encoding that was not asked for is refused."""
    with pytest.raises(TargetProtocolError):
        Inflater(encoding, 100)


def test_a_cut_stream_is_an_error() -> None:
    """Bytes that end before the compressed stream ends are an error."""
    inflater = Inflater("gzip", 1000)
    list(inflater.feed(gzip.compress(b"hello")[:-4]))
    with pytest.raises(TargetProtocolError, match="cut"):
        inflater.finish()
