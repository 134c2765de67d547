"""Writers of tiny models of random weights, one for each kind of memory that a model can have. Names follow llama.cpp.

A text is read byte by byte: token 3 + b is the byte b, 259 begins a message and 260 ends one. Weights are drawn so that
an answer depends on all that was read: a sequence that was continued from a wrong state answers otherwise.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tests.engine.tiny import Floats, Value, write_gguf

WIDTH, INNER, HEADS, KV_HEADS, HEAD = 32, 48, 4, 2, 16
WINDOW = 24  # of sliding windows, in tokens
BEGIN, END = 259, 260
VOCABULARY = 261
CONTEXT = 4096


class _Draw:
    """Random weights under their names in the file."""

    def __init__(self) -> None:
        self.draw = np.random.default_rng(5)
        self.tensors: dict[str, Floats] = {}

    def some(self, name: str, *shape: int, scale: float = 0.35) -> None:
        """Weights around zero. The last number of the shape is the input's size."""
        self.tensors[name] = self.draw.normal(0, scale, shape).astype(np.float32)

    def ones(self, name: str, *shape: int) -> None:
        """The weights of a norm."""
        self.tensors[name] = np.ones(shape, np.float32)

    def negative(self, name: str, *shape: int) -> None:
        """How fast a running state forgets."""
        self.tensors[name] = -np.exp(self.draw.normal(-2.0, 0.5, shape)).astype(np.float32)

    def ends(self) -> None:
        """What stands before and behind the layers."""
        self.some("token_embd.weight", VOCABULARY, WIDTH, scale=1.0)
        self.some("output.weight", VOCABULARY, WIDTH, scale=1.0)
        self.ones("output_norm.weight", WIDTH)

    def attention(self, layer: str, head: int = HEAD, *, gate: int = 1) -> None:
        """The weights of attention. `gate` 2: a query brings a gate along."""
        self.some(f"{layer}.attn_q.weight", HEADS * head * gate, WIDTH)
        self.some(f"{layer}.attn_k.weight", KV_HEADS * head, WIDTH)
        self.some(f"{layer}.attn_v.weight", KV_HEADS * head, WIDTH)
        self.some(f"{layer}.attn_output.weight", WIDTH, HEADS * head)

    def feed_forward(self, layer: str) -> None:
        """The weights of a dense feed-forward part."""
        self.some(f"{layer}.ffn_gate.weight", INNER, WIDTH)
        self.some(f"{layer}.ffn_up.weight", INNER, WIDTH)
        self.some(f"{layer}.ffn_down.weight", WIDTH, INNER)


def _vocabulary() -> dict[str, Value]:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "<|begin|>", "<|im_end|>"]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * len(tokens),
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, 3, 3],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": END,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
    }


def _write(path: Path, kind: str, draw: _Draw, layers: int, values: Mapping[str, Value]) -> Path:
    own: dict[str, Value] = {
        "context_length": CONTEXT,
        "embedding_length": WIDTH,
        "block_count": layers,
        "feed_forward_length": INNER,
        "attention.layer_norm_rms_epsilon": 1e-5,
        **values,
    }
    metadata = {"general.architecture": kind, "general.name": f"tiny {kind}"}
    return write_gguf(
        path, metadata | {f"{kind}.{key}": value for key, value in own.items()} | _vocabulary(), draw.tensors
    )


_HEADS: dict[str, Value] = {
    "attention.head_count": HEADS,
    "attention.head_count_kv": KV_HEADS,
    "attention.key_length": HEAD,
    "attention.value_length": HEAD,
}


def write_llama(path: Path) -> Path:
    """Attention over everything."""
    draw = _Draw()
    draw.ends()
    for number in range(2):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        draw.attention(layer)
        draw.ones(f"{layer}.ffn_norm.weight", WIDTH)
        draw.feed_forward(layer)
    return _write(path, "llama", draw, 2, {**_HEADS, "rope.dimension_count": HEAD})


def write_gemma3(path: Path) -> Path:
    """Attention that sees the last tokens only, in every layer but the last."""
    draw = _Draw()
    draw.ends()
    for number in range(2):
        layer = f"blk.{number}"
        for norm in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            draw.ones(f"{layer}.{norm}.weight", WIDTH)
        draw.attention(layer)
        draw.ones(f"{layer}.attn_k_norm.weight", HEAD)
        draw.ones(f"{layer}.attn_q_norm.weight", HEAD)
        draw.feed_forward(layer)
    window: dict[str, Value] = {"attention.sliding_window": WINDOW, "attention.sliding_window_pattern": 2}
    return _write(path, "gemma3", draw, 2, {**_HEADS, **window})


def write_mamba(path: Path) -> Path:
    """A running state in every layer."""
    draw = _Draw()
    draw.ends()
    inner, state, rank = 2 * WIDTH, 8, 4
    for number in range(2):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        draw.some(f"{layer}.ssm_in.weight", 2 * inner, WIDTH)
        draw.some(f"{layer}.ssm_conv1d.weight", inner, 4)
        draw.some(f"{layer}.ssm_conv1d.bias", inner)
        draw.some(f"{layer}.ssm_x.weight", rank + 2 * state, inner)
        draw.some(f"{layer}.ssm_dt.weight", inner, rank)
        draw.some(f"{layer}.ssm_dt.bias", inner)
        draw.negative(f"{layer}.ssm_a", inner, state)
        draw.some(f"{layer}.ssm_d", inner)
        draw.some(f"{layer}.ssm_out.weight", WIDTH, inner)
    values: dict[str, Value] = {
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": inner,
        "ssm.state_size": state,
        "ssm.time_step_rank": rank,
    }
    return _write(path, "mamba", draw, 2, values)


WRITERS: Mapping[str, Callable[[Path], Path]] = {
    "llama": write_llama,
    "gemma3": write_gemma3,
    "mamba": write_mamba,
}
