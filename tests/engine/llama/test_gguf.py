"""What is refused before C sees it: missing, foreign, cut off and corrupt model files."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.errors import ConfigurationError
from gateway.engine.llama.gguf import Header, read_header


def text(value: str) -> bytes:
    """A GGUF string."""
    return struct.pack("<Q", len(value)) + value.encode()


def entry(key: str, kind: int, payload: bytes) -> bytes:
    """A key of the header."""
    return text(key) + struct.pack("<I", kind) + payload


ARCHITECTURE = entry("general.architecture", 8, text("llama"))


def gguf(
    *,
    magic: bytes = b"GGUF",
    version: int = 3,
    keys: tuple[bytes, ...] = (ARCHITECTURE,),
    tensors: tuple[tuple[str, tuple[int, ...], int, int], ...] = (("w", (32,), 0, 0),),
    data: int = 128,
) -> bytes:
    """A small file; each piece can be made wrong."""
    head = magic + struct.pack("<IQQ", version, len(tensors), len(keys)) + b"".join(keys)
    for name, shape, kind, offset in tensors:
        head += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        head += struct.pack("<IQ", kind, offset)
    return head + b"\0" * (-len(head) % 32) + b"\0" * data


def test_a_good_file_is_accepted(tmp_path: Path) -> None:
    """The smallest file that follows the format is accepted."""
    path = tmp_path / "good.gguf"
    path.write_bytes(gguf())
    assert read_header(path).architecture == "llama"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a GGUF file"),
        (b"GG", "not a GGUF file"),
        (b"PK\x03\x04" + b"\0" * 64, "PyTorch"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"ggjt" + b"\0" * 64, "older format"),
        (gguf(version=1), "version is 1"),
        (gguf(version=3)[:4] + struct.pack(">I", 3) + gguf()[8:], "big-endian"),
        (gguf()[:40], "not downloaded or copied completely"),
        (gguf(keys=()), "general.architecture"),
        (gguf(data=100), "28 bytes of its"),
        (gguf(tensors=(("w", (32,), 99, 0),)), "type 99"),
        (gguf(tensors=(("w", (31,), 2, 0),)), "impossible shape"),
        (gguf(tensors=(("w", (2**40, 2**40), 0, 0),)), "impossible shape"),
        (gguf(tensors=(("w", (0,), 0, 0),)), "impossible shape"),
        (gguf(tensors=(("w", (32,), 0, 2**50),)), "cut off"),
        (gguf(keys=(ARCHITECTURE, text("x" * 9)[:8] + b"\xff" * 8)), "header"),
        (gguf(keys=(struct.pack("<Q", 2**40),)), "corrupt"),
        (gguf(keys=(ARCHITECTURE, entry("a", 77, b""))), "corrupt"),
        (gguf(keys=(ARCHITECTURE, entry("a", 9, struct.pack("<IQ", 4, 2**40)))), "corrupt"),
        (gguf(keys=(ARCHITECTURE, entry("general.alignment", 4, struct.pack("<I", 3)))), "power of two"),
        (gguf(keys=(ARCHITECTURE, entry("split.count", 2, struct.pack("<H", 3)))), "one of 3 parts"),
        (gguf()[:8] + struct.pack("<QQ", 2**60, 1) + gguf()[24:], "number of tensors"),
    ],
)
def test_a_bad_file_is_refused_with_its_name(content: bytes, says: str, tmp_path: Path) -> None:
    """Each fault gets an error that names the file and says what is wrong."""
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_header(path)
    assert str(path) in caught.value.message
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is a directory"),
    ],
)
def test_no_file(make: Callable[[Path], None], says: str, tmp_path: Path) -> None:
    """The error for a missing file says what to do."""
    path = tmp_path / "none.gguf"
    make(path)
    with pytest.raises(ConfigurationError, match=says) as caught:
        read_header(path)
    assert "aduana models starter" in caught.value.message


def test_a_missing_part_of_a_split_model_is_named(tmp_path: Path) -> None:
    """Where the first part of a split model is there and the second is not, the error names the second."""
    first = tmp_path / "m-00001-of-00002.gguf"
    first.write_bytes(gguf(keys=(ARCHITECTURE, entry("split.count", 2, struct.pack("<H", 2)))))
    with pytest.raises(ConfigurationError, match="m-00002-of-00002"):
        read_header(first)
    (tmp_path / "m-00002-of-00002.gguf").write_bytes(gguf(keys=()))
    assert len(read_header(first).parts) == 2


@pytest.mark.model
@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5, 0.999])
def test_a_truncated_real_model_is_refused(share: float, starter: Path, tmp_path: Path) -> None:
    """The starter model is refused wherever it is cut off."""
    path = tmp_path / "cut.gguf"
    shutil.copy(starter, path)
    with path.open("r+b") as file:
        file.truncate(int(starter.stat().st_size * share))
    with pytest.raises(ConfigurationError, match="complete"):
        read_header(path)


# What the header says → how many that is, and of each of two layers.
SAID: dict[object, tuple[int, tuple[int, ...]]] = {
    4: (4, (4, 4)),
    0: (0, (0, 0)),
    -4: (0, ()),
    2**60: (0, ()),
    True: (0, ()),
    "4": (0, ()),
    (4, 8): (0, (4, 8)),
    (4, 8, 16): (0, (4, 8)),
    (2**60, "x", -1): (0, (0, 0)),
}


@pytest.mark.parametrize("said", SAID)
def test_numbers_that_no_model_has_count_nothing(said: object) -> None:
    """A header can lie: of layers, heads and tokens only so many are believed as a model can have."""
    metadata = {"general.architecture": "llama", "llama.heads": said}
    header = Header(metadata=metadata, tensors=0, size=0, parts=())  # type: ignore[arg-type]
    assert (header.count("heads"), header.each("heads", 2)) == SAID[said]
    assert header.count("heads", most=3) == 0


@pytest.mark.model
def test_the_starter_model_is_accepted(starter: Path) -> None:
    """The starter model, as its package ships it, is accepted."""
    header = read_header(starter)
    assert header.architecture == "llama"
    assert header.number("context_length") == 8192
