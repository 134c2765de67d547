"""Read a GGUF file's header, and refuse what would crash llama.cpp or is cut off in the middle of a tensor.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian). Reads the header
only; every error is one sentence about what is wrong, and the caller names the file.

Why not the `gguf` package (0.19 was compared): its reader makes an array of every element of every field and of every
tensor. It took 3 s and 190 MB for the starter model's header where this takes 0.1 s and no memory worth speaking of,
and 28 s and 1.6 GB for a hostile file of 8 MB. It has no limits: a string that claims a terabyte in a file of 50 bytes
is accepted, nested arrays end in RecursionError, and a file that is cut off ends in numpy's errors, which no person can
act on. It also brings `requests`, `tqdm` and PyYAML along. Here every count is bounded before it is believed, because a
model file comes from strangers and is read in the gateway's own process.
"""

import os
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

from gateway.core.errors import ConfigurationError

Value: TypeAlias = "int | float | bool | str | tuple[Value, ...] | None"

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_KEYS = 65_536
_MOST_TENSORS = 1_000_000
_LONGEST_STRING = 64 * 2**20
_LONGEST_ARRAY = 16_000_000
_MOST_SENSIBLE = 2**24  # layers, heads, widths, tokens: no model has more of anything that is counted here
_KEPT_ARRAY = 256  # one value a layer; longer arrays (vocabularies) are skipped, not kept

# Tensor types of ggml.h: type → (values in a block, bytes of a block). Missing numbers were removed from the format.
BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18),
}  # fmt: skip


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Content of a GGUF header. `metadata` holds scalars, strings and short arrays."""

    metadata: Mapping[str, Value]
    tensors: int
    size: int  # bytes of this file
    experts: int = 0  # bytes of expert weights (mixture of experts), in all files
    heads: int = 0  # draft heads (multi-token prediction), in all files
    first_layer: bool = False  # the first of the model's own layers is there
    parts: tuple[Path, ...]  # all files of a split model, this one included

    @property
    def architecture(self) -> str:
        """Kind of model, such as `llama` or `qwen3`; empty where the file does not say."""
        return str(self.metadata.get("general.architecture") or "")

    @property
    def head_only(self) -> bool:
        """Whether the file holds a draft head and none of the model's own layers."""
        return self.heads > 0 and not self.first_layer

    def number(self, key: str) -> int | None:
        """Return the architecture's integer `key`, such as `context_length`. None: the header has none."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def count(self, key: str, most: int = _MOST_SENSIBLE) -> int:
        """Return the architecture's integer `key` where a model can have so many, else 0: a header can lie."""
        return _sensible(self.number(key), most)

    def each(self, key: str, layers: int) -> tuple[int, ...]:
        """Return the integer `key` of each of so many layers; 0 for a value that no model has.

        The header has one number for all layers, or an array. Empty: it has neither, or its one number is absurd.
        """
        value = self.metadata.get(f"{self.architecture}.{key}")
        if isinstance(value, tuple):
            return tuple(_sensible(item) for item in value[:layers])
        number = self.number(key)
        return () if number is None or number != _sensible(number) else (number,) * layers


def _sensible(value: Value, most: int = _MOST_SENSIBLE) -> int:
    """Return an integer that a model can have, else 0: estimates are computed in the gateway's own process."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most else 0


class _Broken(Exception):
    """Fault of a file, told as the end of a sentence."""


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size

    def take(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) < count:
            raise _Broken("it ends in the middle of its header, so it was not downloaded or copied completely")
        return data

    def number(self, code: str) -> int:
        return int(struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0])

    def bounded(self, code: str, most: int, what: str) -> int:
        value = self.number(code)
        if value > most:
            raise _Broken(f"its header is corrupt ({what}: {value})")
        return value

    def string(self) -> str:
        return self.take(self.bounded("Q", _LONGEST_STRING, "length of a string")).decode("utf-8", "replace")

    def value(self, kind: int) -> Value:
        if kind in _SCALARS:
            code = "<" + _SCALARS[kind]
            result: int | float | bool = struct.unpack(code, self.take(struct.calcsize(code)))[0]
            return result
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self.array(self.number("I"), self.bounded("Q", _LONGEST_ARRAY, "length of an array"))
        raise _Broken(f"its header is corrupt (value type {kind})")

    def array(self, kind: int, count: int) -> Value:
        if kind == _STRING:
            if count <= _KEPT_ARRAY:
                return tuple(self.string() for _ in range(count))
            for _ in range(count):
                self.take(self.bounded("Q", _LONGEST_STRING, "length of a string"))
            return None
        if kind not in _SCALARS:
            raise _Broken(f"its header is corrupt (array of type {kind})")
        code = _SCALARS[kind]
        data = self.take(count * struct.calcsize("<" + code))
        return struct.unpack(f"<{count}{code}", data) if count <= _KEPT_ARRAY else None


def read_header(path: Path) -> Header:
    """Read the header of a GGUF file whose tensors all lie within the file; of a split model, of all its parts.

    Raises:
        ConfigurationError: the file can't be used; names the file and what to do.
    """
    header = _read(path)
    parts = [header, *(_read(part, first=False) for part in header.parts[1:])]
    heads, layers = sum(part.heads for part in parts), any(part.first_layer for part in parts)
    return msgspec.structs.replace(header, experts=sum(part.experts for part in parts), heads=heads, first_layer=layers)


def _read(path: Path, *, first: bool = True) -> Header:
    try:
        if not path.is_file():
            raise ConfigurationError((_missing(path),))
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            metadata, tensors, found = _parse(_Reader(file, size))
    except OSError as error:
        problem = f"The model file {path} can't be read: {error.strerror or error}. Check its permissions."
        raise ConfigurationError((problem,)) from error
    except _Broken as error:
        problem = f"The model file {path} can't be used: {error}. Replace it with a complete GGUF file."
        raise ConfigurationError((problem,)) from error
    if first and not isinstance(metadata.get("general.architecture"), str):
        raise ConfigurationError(
            (f"The model file {path} does not say what kind of model it holds (general.architecture). Use another.",)
        )
    parts = _parts(path, metadata) if first else (path,)
    return Header(
        metadata=metadata,
        tensors=tensors,
        size=size,
        experts=found.experts,
        heads=found.heads,
        first_layer=found.first_layer,
        parts=parts,
    )


def _missing(path: Path) -> str:
    what = "is a directory, not a file" if path.is_dir() else "does not exist"
    return (
        f"The model file {path} {what}. Put a GGUF file there or correct 'model' in the configuration; "
        "'aduana models starter' unpacks the starter model."
    )


class _Tensors(msgspec.Struct):
    """What is counted of the tensors: bytes of expert weights, draft heads, and whether there is a first layer."""

    experts: int = 0
    heads: int = 0
    first_layer: bool = False


def _parse(reader: _Reader) -> tuple[dict[str, Value], int, _Tensors]:
    magic = reader.file.read(4)
    if magic != b"GGUF":
        hint = ""
        if magic in (b"GGML", b"ggjt", b"tjgg", b"fmgg", b"ggmf", b"lmgg"):
            hint = " (it is in llama.cpp's older format from before August 2023)"
        elif magic[:2] == b"PK" or magic[:1] == b"{":
            hint = " (it looks like a PyTorch or JSON file: convert it with llama.cpp's convert_hf_to_gguf.py)"
        elif magic.lower() in (b"<!do", b"<htm", b"<hea", b"<?xm") or magic.lstrip()[:1] == b"<":
            hint = " (it is a web page: a hub or proxy sent that instead of the file; download it again)"
        elif magic[:4] == b"vers":
            hint = " (it is a Git LFS pointer, not the file itself: run 'git lfs pull')"
        raise _Broken(f"it is not a GGUF file{hint}")
    version = reader.number("I")
    if version & 0xFFFF == 0:
        raise _Broken("it is a big-endian GGUF file, and this machine is little-endian")
    if version not in (2, 3):
        raise _Broken(f"its GGUF version is {version}; versions 2 and 3 are supported")
    tensors = reader.bounded("Q", _MOST_TENSORS, "number of tensors")
    metadata: dict[str, Value] = {}
    for _ in range(reader.bounded("Q", _MOST_KEYS, "number of keys")):
        key = reader.string()
        metadata[key] = reader.value(reader.number("I"))
    return metadata, tensors, _check_tensors(reader, tensors, metadata)


def _check_tensors(reader: _Reader, count: int, metadata: Mapping[str, Value]) -> _Tensors:
    """Check that the tensors lie within the file, and count what is asked of them.

    Raises:
        _Broken: they don't, or one is of a type that there is not.
    """
    furthest, found = 0, _Tensors()
    for _ in range(count):
        name = reader.string()
        shape = [reader.number("Q") for _ in range(reader.bounded("I", 4, "dimensions of a tensor"))]
        kind = reader.number("I")
        offset = reader.number("Q")
        if kind not in BLOCKS:
            raise _Broken(f"its tensor {name!r} has type {kind}, which this build of llama.cpp does not know")
        values, block = BLOCKS[kind]
        elements = 1
        for side in shape:
            elements *= side
        if not shape or elements == 0 or elements > 2**48 or shape[0] % values:
            raise _Broken(f"its tensor {name!r} has an impossible shape")
        length = elements // values * block
        furthest = max(furthest, offset + length)
        found.experts += length * ("_exps." in name)
        found.heads += name.endswith(".nextn.eh_proj.weight")
        found.first_layer |= name.startswith("blk.0.")
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise _Broken(f"its alignment {alignment!r} is not a power of two")
    start = -(-reader.file.tell() // alignment) * alignment
    if count and start + furthest > reader.size:
        missing = start + furthest - reader.size
        raise _Broken(f"it is cut off: {missing} bytes of its {start + furthest} are missing")
    return found


def _parts(path: Path, metadata: Mapping[str, Value]) -> tuple[Path, ...]:
    count = metadata.get("split.count")
    if not isinstance(count, int) or count <= 1:
        return (path,)
    match = re.fullmatch(r"(.*)-00001-of-(\d{5})\.gguf", path.name)
    if match is None or int(match[2]) != count:
        raise ConfigurationError(
            (f"The model file {path} is one of {count} parts: name the first one (…-00001-of-{count:05d}.gguf).",)
        )
    return tuple(path.with_name(f"{match[1]}-{part:05d}-of-{count:05d}.gguf") for part in range(1, count + 1))
