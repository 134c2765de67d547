"""The first layers of a model as a model of its own: quick, and with the same vocabulary. Reads and writes GGUF 3."""

import struct
from pathlib import Path

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of GGUF's fixed value types
_STRING, _ARRAY, _ALIGNMENT = 8, 9, 32


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self, code: str) -> int:
        (value,) = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize(code)
        return int(value)

    def text(self) -> str:
        size = self.number("Q")
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def skip(self, kind: int) -> None:
        if kind == _STRING:
            self.text()
        elif kind == _ARRAY:
            item, count = self.number("I"), self.number("Q")
            for _ in range(count if item in (_STRING, _ARRAY) else 0):
                self.skip(item)
            self.at += 0 if item in (_STRING, _ARRAY) else count * _SIZES[item]
        else:
            self.at += _SIZES[kind]


def truncate(source: Path, target: Path, layers: int, *, rename_token: bytes = b"") -> Path:
    """Writes `target` with the first `layers` of `source`. `rename_token`: a token whose text is changed."""
    reader = _Reader(source.read_bytes())
    reader.at = 8
    tensors, values = reader.number("Q"), reader.number("Q")
    start = reader.at
    head = bytearray(reader.data)
    for _ in range(values):
        key, kind = reader.text(), reader.number("I")
        if key.endswith(".block_count"):
            struct.pack_into("<I", head, reader.at, layers)
        begin = reader.at
        reader.skip(kind)
        if key == "tokenizer.ggml.tokens" and rename_token:
            place = head.index(struct.pack("<Q", len(rename_token)) + rename_token, begin, reader.at)
            head[place + 8] ^= 1
    metadata = bytes(head[start : reader.at])
    kept: list[tuple[str, bytes, int]] = []
    offsets: list[int] = []
    for _ in range(tensors):
        name = reader.text()
        begin = reader.at
        dimensions = reader.number("I")
        reader.at += 8 * dimensions + 4
        shape = reader.data[begin : reader.at]
        offsets.append(reader.number("Q"))
        if not name.startswith("blk.") or int(name.split(".")[1]) < layers:
            kept.append((name, shape, offsets[-1]))
    base = -(-reader.at // _ALIGNMENT) * _ALIGNMENT
    ends = dict(zip(sorted(offsets), [*sorted(offsets)[1:], len(reader.data) - base], strict=True))
    infos, data = b"", bytearray()
    for name, shape, offset in kept:
        infos += struct.pack("<Q", len(name)) + name.encode() + shape + struct.pack("<Q", len(data))
        data += reader.data[base + offset : base + ends[offset]]
        data += b"\0" * (-len(data) % _ALIGNMENT)
    start_of_file = b"GGUF" + struct.pack("<IQQ", 3, len(kept), values) + metadata + infos
    target.write_bytes(start_of_file + b"\0" * (-len(start_of_file) % _ALIGNMENT) + data)
    return target
