"""Small model files that tests write themselves: an encoder with random weights, a LoRA adapter. Format: GGUF 3."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WORDS = ("cat", "dog", "bank", "money", "sun", "moon", "red", "blue", "the", "a", "is", "what", "?")
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WIDTH, HEADS, INNER, WINDOW = 32, 2, 64, 128

Value = str | int | float | bool | Sequence[str] | Sequence[int] | Sequence[float]
Floats = NDArray[np.float32]


def write_gguf(path: Path, metadata: Mapping[str, Value], tensors: Mapping[str, Floats]) -> Path:
    """A file with these values and float32 tensors."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(_text(key) + _value(value) for key, value in metadata.items())
    data = b""
    for name, tensor in tensors.items():
        head += _text(name) + struct.pack("<I", tensor.ndim)
        head += struct.pack(f"<{tensor.ndim}Q", *reversed(tensor.shape))
        head += struct.pack("<IQ", 0, len(data))
        raw = np.ascontiguousarray(tensor, "<f4").tobytes()
        data += raw + b"\0" * (-len(raw) % 32)
    path.write_bytes(head + b"\0" * (-len(head) % 32) + data)
    return path


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Value) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _text(value)
    first = value[0]
    if isinstance(first, str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_text(str(item)) for item in value)
    kind, code = (6, "f") if isinstance(first, float) else (5, "i")
    return struct.pack(f"<IIQ{len(value)}{code}", 9, kind, len(value), *value)


def write_encoder(path: Path, pooling: int, *, layers: int = 2) -> Path:
    """An encoder of BERT's shape with random weights. `pooling`: 1 mean, 2 first token, 3 last token, 4 rank."""
    draw = np.random.default_rng(7)
    tokens = [*_SPECIAL, *("\u2581" + word for word in WORDS)]

    def some(*shape: int, scale: float = 0.3) -> Floats:
        return draw.normal(0, scale, shape).astype(np.float32)

    def norm(name: str) -> dict[str, Floats]:
        return {f"{name}.weight": np.ones(WIDTH, np.float32), f"{name}.bias": some(WIDTH)}

    tensors: dict[str, Floats] = {
        "token_embd.weight": some(len(tokens), WIDTH, scale=1.0),
        "token_types.weight": some(2, WIDTH),
        "position_embd.weight": some(WINDOW, WIDTH),
        **norm("token_embd_norm"),
    }
    for layer in range(layers):
        name = f"blk.{layer}"
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors |= {f"{name}.{part}.weight": some(WIDTH, WIDTH), f"{name}.{part}.bias": some(WIDTH)}
        tensors |= {f"{name}.ffn_up.weight": some(INNER, WIDTH), f"{name}.ffn_up.bias": some(INNER)}
        tensors |= {f"{name}.ffn_down.weight": some(WIDTH, INNER), f"{name}.ffn_down.bias": some(WIDTH)}
        tensors |= norm(f"{name}.attn_output_norm") | norm(f"{name}.layer_output_norm")
    if pooling == 4:
        tensors |= {"cls.weight": some(WIDTH, WIDTH), "cls.bias": some(WIDTH)}
        tensors |= {"cls.output.weight": some(1, WIDTH, scale=1.0), "cls.output.bias": some(1)}
    metadata: dict[str, Value] = {
        "general.architecture": "bert",
        "general.name": "tiny encoder",
        "bert.context_length": WINDOW,
        "bert.embedding_length": WIDTH,
        "bert.feed_forward_length": INNER,
        "bert.block_count": layers,
        "bert.attention.head_count": HEADS,
        "bert.attention.layer_norm_epsilon": 1e-5,
        "bert.attention.causal": False,
        "bert.pooling_type": pooling,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * len(tokens),
        "tokenizer.ggml.token_type": [3] * len(_SPECIAL) + [1] * len(WORDS),
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.unknown_token_id": 1,
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.cls_token_id": 2,
        "tokenizer.ggml.eos_token_id": 3,
        "tokenizer.ggml.seperator_token_id": 3,
        "tokenizer.ggml.mask_token_id": 4,
    }
    return write_gguf(path, metadata, tensors)


def write_lora(path: Path, *, width: int = 576, heads_width: int = 576, architecture: str = "llama") -> Path:
    """A LoRA adapter of rank 2 for the query weights of a model's first layer."""
    draw = np.random.default_rng(3)
    name = "blk.0.attn_q.weight"
    return write_gguf(
        path,
        {
            "general.architecture": architecture,
            "general.type": "adapter",
            "adapter.type": "lora",
            "adapter.lora.alpha": 2.0,
        },
        {
            f"{name}.lora_a": draw.normal(0, 1, (2, width)).astype(np.float32),
            f"{name}.lora_b": draw.normal(0, 1, (heads_width, 2)).astype(np.float32),
        },
    )


def write_generator(path: Path, *, added: Sequence[str] = (), layers: int = 1, window: int = 256) -> Path:
    """A model of Llama's shape with random weights. Its tokens are single bytes and `added`, which steer it."""
    return write_gguf(path, *generator_of("llama", added=added, layers=layers, window=window))


def generator_of(
    architecture: str, *, added: Sequence[str] = (), layers: int = 1, window: int = 256
) -> tuple[dict[str, Value], dict[str, Floats]]:
    """Metadata and tensors of such a model, under the names of an architecture."""
    draw = np.random.default_rng(11)
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *added]

    def some(*shape: int, scale: float = 0.3) -> Floats:
        return draw.normal(0, scale, shape).astype(np.float32)

    ones = np.ones(WIDTH, np.float32)
    tensors: dict[str, Floats] = {
        "token_embd.weight": some(len(tokens), WIDTH, scale=1.0),
        "output_norm.weight": ones,
    }
    for layer in range(layers):
        name = f"blk.{layer}"
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{name}.{part}.weight"] = some(WIDTH, WIDTH)
        tensors |= {f"{name}.ffn_{part}.weight": some(INNER, WIDTH) for part in ("up", "gate")}
        tensors |= {f"{name}.ffn_down.weight": some(WIDTH, INNER)}
        tensors |= {f"{name}.attn_norm.weight": ones, f"{name}.ffn_norm.weight": ones}
    metadata: dict[str, Value] = {
        "general.architecture": architecture,
        "general.name": "tiny generator",
        f"{architecture}.context_length": window,
        f"{architecture}.embedding_length": WIDTH,
        f"{architecture}.feed_forward_length": INNER,
        f"{architecture}.block_count": layers,
        f"{architecture}.attention.head_count": HEADS,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.dimension_count": WIDTH // HEADS,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * len(tokens),
        "tokenizer.ggml.token_type": [2, 3, 3] + [6] * 256 + [3] * len(added),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False,
    }
    return metadata, tensors
