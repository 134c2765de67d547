"""A model of Llama's shape with meaningless weights, written in a moment, so that a build of llama.cpp can be tried.

Format: GGUF 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Its large matrices are quantised as those of
ordinary files are (Q4_0, and Q8_0 for the output), so that trying it runs the kernels that a real model runs.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LAYERS, WIDTH, INNER, HEADS, WINDOW = 2, 256, 512, 4, 512
_BYTES = 256
_F32, _Q4_0, _Q8_0 = 0, 2, 8  # types of ggml.h
_BLOCK = 32  # values of a block of either quantised type


def write_tiny_model(path: Path) -> Path:
    """Write the model, about 1.5 MB, and return its path."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(_BYTES))]
    metadata = b"".join((
        _text("general.architecture", "llama"),
        _number("llama.context_length", WINDOW),
        _number("llama.embedding_length", WIDTH),
        _number("llama.feed_forward_length", INNER),
        _number("llama.block_count", LAYERS),
        _number("llama.attention.head_count", HEADS),
        _string("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-5),
        _text("tokenizer.ggml.model", "llama"),
        _string("tokenizer.ggml.tokens") + _head(8, len(tokens)) + b"".join(map(_string, tokens)),
        _array("tokenizer.ggml.scores", 6, "f", [0.0] * len(tokens)),
        _array("tokenizer.ggml.token_type", 5, "i", [2, 3, 3] + [6] * _BYTES),
        _number("tokenizer.ggml.bos_token_id", 1),
        _number("tokenizer.ggml.eos_token_id", 2),
        _number("tokenizer.ggml.unknown_token_id", 0),
    ))  # fmt: skip
    tensors = _tensors(len(tokens))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 14) + metadata
    data = b""
    for name, kind, shape, content in tensors:
        head += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), kind, len(data))
        data += content + b"\0" * (-len(content) % _BLOCK)
    path.write_bytes(head + b"\0" * (-len(head) % _BLOCK) + data)
    return path


def _tensors(vocabulary: int) -> list[tuple[str, int, tuple[int, ...], bytes]]:
    """Return name, type, shape (rows first) and content of each tensor."""
    draw = np.random.default_rng(1)

    def some(name: str, rows: int, columns: int, kind: int = _Q4_0) -> tuple[str, int, tuple[int, ...], bytes]:
        return name, kind, (rows, columns), _blocks(draw, rows * columns // _BLOCK, kind)

    def ones(name: str) -> tuple[str, int, tuple[int, ...], bytes]:
        return name, _F32, (WIDTH,), np.ones(WIDTH, "<f4").tobytes()

    tensors = [some("token_embd.weight", vocabulary, WIDTH), some("output.weight", vocabulary, WIDTH, _Q8_0)]
    tensors.append(ones("output_norm.weight"))
    for layer in (f"blk.{number}" for number in range(LAYERS)):
        tensors += [some(f"{layer}.attn_{part}.weight", WIDTH, WIDTH) for part in ("q", "k", "v", "output")]
        tensors += [some(f"{layer}.ffn_{part}.weight", INNER, WIDTH) for part in ("gate", "up")]
        tensors += [some(f"{layer}.ffn_down.weight", WIDTH, INNER)]
        tensors += [ones(f"{layer}.{part}_norm.weight") for part in ("attn", "ffn")]
    return tensors


def _blocks(draw: np.random.Generator, count: int, kind: int) -> bytes:
    """Return quantised blocks: a scale as float16, then 32 values of 4 or 8 bits."""
    width = 2 + (_BLOCK // 2 if kind == _Q4_0 else _BLOCK)
    blocks: NDArray[np.uint8] = draw.integers(0, 256, (count, width), np.uint8)
    scale = np.float16(0.02 if kind == _Q4_0 else 0.001)
    blocks[:, :2] = np.frombuffer(scale.tobytes(), np.uint8)
    return blocks.tobytes()


def _string(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _text(key: str, value: str) -> bytes:
    return _string(key) + struct.pack("<I", 8) + _string(value)


def _number(key: str, value: int) -> bytes:
    return _string(key) + struct.pack("<II", 4, value)


def _head(kind: int, count: int) -> bytes:
    return struct.pack("<IIQ", 9, kind, count)


def _array(key: str, kind: int, code: str, values: Sequence[float]) -> bytes:
    return _string(key) + _head(kind, len(values)) + struct.pack(f"<{len(values)}{code}", *values)
