"""Writers of tiny models of random weights, one for each kind of memory that a model can have. Names follow llama.cpp.

A text is read byte by byte: token 3 + b is the byte b, 259 begins a message and 260 ends one. Weights are drawn so that
an answer depends on all that was read: a sequence that was continued from a wrong state answers otherwise.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tests.engine.tiny import Floats, Value, write_gguf

WIDTH, INNER, HEADS, KV_HEADS, HEAD = 32, 48, 4, 2, 16
STATE, STATE_INNER, STATE_HEADS, STATE_GROUPS = 16, 2 * WIDTH, 4, 1
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

    def state_heads(self, layer: str) -> None:
        """The weights of a running state of heads (Mamba 2)."""
        mixed = STATE_INNER + 2 * STATE_GROUPS * STATE
        self.some(f"{layer}.ssm_in.weight", STATE_INNER + mixed + STATE_HEADS, WIDTH)
        self.some(f"{layer}.ssm_conv1d.weight", mixed, 4)
        self.some(f"{layer}.ssm_conv1d.bias", mixed)
        self.some(f"{layer}.ssm_dt.bias", STATE_HEADS)
        self.negative(f"{layer}.ssm_a", STATE_HEADS, 1)
        self.some(f"{layer}.ssm_d", STATE_HEADS, 1)
        self.ones(f"{layer}.ssm_norm.weight", STATE_GROUPS, STATE_INNER // STATE_GROUPS)
        self.some(f"{layer}.ssm_out.weight", WIDTH, STATE_INNER)

    def feed_forward(self, layer: str) -> None:
        """The weights of a dense feed-forward part."""
        self.some(f"{layer}.ffn_gate.weight", INNER, WIDTH)
        self.some(f"{layer}.ffn_up.weight", INNER, WIDTH)
        self.some(f"{layer}.ffn_down.weight", WIDTH, INNER)

    def experts(self, layer: str, count: int) -> None:
        """The weights of experts, and of one that is always asked."""
        self.some(f"{layer}.ffn_gate_inp.weight", count, WIDTH)
        for part, out, inner in (("gate", INNER, WIDTH), ("up", INNER, WIDTH), ("down", WIDTH, INNER)):
            self.some(f"{layer}.ffn_{part}_exps.weight", count, out, inner)
            self.some(f"{layer}.ffn_{part}_shexp.weight", out, inner)

    def next_token(self, layer: str) -> None:
        """The weights that make a layer a draft head: it sees the token and what the layers before said."""
        self.some(f"{layer}.nextn.eh_proj.weight", WIDTH, 2 * WIDTH)
        self.ones(f"{layer}.nextn.enorm.weight", WIDTH)
        self.ones(f"{layer}.nextn.hnorm.weight", WIDTH)
        self.ones(f"{layer}.nextn.shared_head_norm.weight", WIDTH)

    def leave_head(self) -> None:
        """Leave out the model's own layers."""
        own = ("blk.0.", "blk.1.")
        self.tensors = {name: tensor for name, tensor in self.tensors.items() if not name.startswith(own)}

    def forget(self) -> None:
        """Let no layer add anything, so that the last token alone says what follows, for the draft head as well."""
        for name, tensor in self.tensors.items():
            if ".attn_output." in name or ".ssm_out." in name or ".ffn_down" in name:
                self.tensors[name] = np.zeros_like(tensor)
            if name.endswith(".nextn.eh_proj.weight"):
                self.tensors[name] = np.eye(WIDTH, 2 * WIDTH, dtype=np.float32)


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

_STATE_HEADS: dict[str, Value] = {
    "ssm.conv_kernel": 4,
    "ssm.inner_size": STATE_INNER,
    "ssm.state_size": STATE,
    "ssm.time_step_rank": STATE_HEADS,
    "ssm.group_count": STATE_GROUPS,
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


def write_mamba2(path: Path) -> Path:
    """A running state of heads in every layer."""
    draw = _Draw()
    draw.ends()
    for number in range(2):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        draw.state_heads(layer)
    return _write(path, "mamba2", draw, 2, {"feed_forward_length": 0, "attention.head_count": 0, **_STATE_HEADS})


def write_granite(path: Path) -> Path:
    """A running state of heads, and attention behind it (Granite 4 H)."""
    draw = _Draw()
    draw.ends()
    for number in range(2):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        if number == 0:
            draw.state_heads(layer)
        else:
            draw.attention(layer)
        draw.ones(f"{layer}.ffn_norm.weight", WIDTH)
        draw.feed_forward(layer)
    kinds: dict[str, Value] = {"attention.head_count_kv": [0, KV_HEADS], "rope.dimension_count": HEAD}
    return _write(path, "granitehybrid", draw, 2, {**_HEADS, **_STATE_HEADS, **kinds})


def write_lfm2(path: Path) -> Path:
    """A short convolution over the last tokens, and attention behind it."""
    draw = _Draw()
    draw.some("token_embd.weight", VOCABULARY, WIDTH, scale=1.0)
    draw.some("output.weight", VOCABULARY, WIDTH, scale=1.0)
    draw.ones("token_embd_norm.weight", WIDTH)
    head = WIDTH // HEADS
    for number in range(2):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        if number == 0:
            draw.some(f"{layer}.shortconv.conv.weight", WIDTH, 3)
            draw.some(f"{layer}.shortconv.in_proj.weight", 3 * WIDTH, WIDTH)
            draw.some(f"{layer}.shortconv.out_proj.weight", WIDTH, WIDTH)
        else:
            draw.attention(layer, head)
            draw.ones(f"{layer}.attn_k_norm.weight", head)
            draw.ones(f"{layer}.attn_q_norm.weight", head)
        draw.ones(f"{layer}.ffn_norm.weight", WIDTH)
        draw.feed_forward(layer)
    values: dict[str, Value] = {
        "shortconv.l_cache": 3,
        "attention.head_count": HEADS,
        "attention.head_count_kv": [0, KV_HEADS],
        "attention.key_length": head,
        "attention.value_length": head,
    }
    return _write(path, "lfm2", draw, 2, values)


def write_qwen35(
    path: Path, *, head: bool = False, markov: bool = False, alone: bool = False, experts: int = 0
) -> Path:
    """A gated delta net, and attention behind it (Qwen3.5, Qwen3-Next); `experts`: with so many.

    `head`: with a draft head in the file; `alone`: without the model. `markov`: each token follows from the one before
    it, and the head knows.
    """
    draw = _Draw()

    def feed_forward(layer: str) -> None:
        if not experts:
            draw.feed_forward(layer)
            return
        draw.experts(layer, experts)
        draw.some(f"{layer}.ffn_gate_inp_shexp.weight", WIDTH)

    draw.ends()
    size, keys, values = 16, 2, 4
    inner, mixed = values * size, 2 * keys * size + values * size
    for number in range(2):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        draw.ones(f"{layer}.post_attention_norm.weight", WIDTH)
        if number == 0:
            draw.some(f"{layer}.attn_qkv.weight", mixed, WIDTH)
            draw.some(f"{layer}.attn_gate.weight", inner, WIDTH)
            draw.some(f"{layer}.ssm_conv1d.weight", mixed, 4)
            draw.some(f"{layer}.ssm_dt.bias", values)
            draw.negative(f"{layer}.ssm_a", values)
            draw.some(f"{layer}.ssm_beta.weight", values, WIDTH)
            draw.some(f"{layer}.ssm_alpha.weight", values, WIDTH)
            draw.ones(f"{layer}.ssm_norm.weight", size)
            draw.some(f"{layer}.ssm_out.weight", WIDTH, inner)
        else:
            draw.attention(layer, gate=2)
            draw.ones(f"{layer}.attn_k_norm.weight", HEAD)
            draw.ones(f"{layer}.attn_q_norm.weight", HEAD)
        feed_forward(layer)
    if head:
        layer = "blk.2"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        draw.ones(f"{layer}.post_attention_norm.weight", WIDTH)
        draw.attention(layer, gate=2)
        draw.ones(f"{layer}.attn_k_norm.weight", HEAD)
        draw.ones(f"{layer}.attn_q_norm.weight", HEAD)
        feed_forward(layer)
        draw.next_token(layer)
    if markov:
        draw.forget()
    if alone:
        draw.leave_head()
    own: dict[str, Value] = {
        **({"nextn_predict_layers": 1} if head else {}),
        "full_attention_interval": 2,
        "rope.dimension_sections": [2, 2, 2, 0],
        "rope.dimension_count": 8,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": inner,
        "ssm.state_size": size,
        "ssm.time_step_rank": values,
        "ssm.group_count": keys,
    }
    if experts:
        own |= {
            "expert_count": experts,
            "expert_used_count": 2,
            "expert_feed_forward_length": INNER,
            "expert_shared_feed_forward_length": INNER,
        }
    return _write(path, "qwen35moe" if experts else "qwen35", draw, 2 + head, {**_HEADS, **own})


def write_qwen35moe(path: Path, *, head: bool = True, markov: bool = False) -> Path:
    """The same with experts."""
    return write_qwen35(path, head=head, markov=markov, experts=4)


def write_glm4moe(path: Path, *, head: bool = True, markov: bool = False, alone: bool = False) -> Path:
    """Experts behind a dense layer, and a draft head that has experts too (GLM 4.5)."""
    draw = _Draw()
    draw.ends()
    experts = 4
    for number in range(2 + head):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        draw.attention(layer)
        draw.ones(f"{layer}.post_attention_norm.weight", WIDTH)
        if number == 0:
            draw.feed_forward(layer)
            continue
        draw.experts(layer, experts)
        draw.some(f"{layer}.exp_probs_b.bias", experts)
        if number == 2:
            draw.next_token(layer)
    if markov:
        draw.forget()
    if alone:
        draw.leave_head()
    own: dict[str, Value] = {
        **({"nextn_predict_layers": 1} if head else {}),
        "rope.dimension_count": HEAD,
        "expert_count": experts,
        "expert_used_count": 2,
        "expert_shared_count": 1,
        "expert_feed_forward_length": INNER,
        "expert_weights_scale": 1.0,
        "expert_weights_norm": True,
        "leading_dense_block_count": 1,
    }
    return _write(path, "glm4moe", draw, 2 + head, {**_HEADS, **own})


def write_gpt_oss(path: Path) -> Path:
    """Experts, and attention with sinks that sees the last tokens only in every second layer."""
    draw = _Draw()
    draw.ends()
    experts = 4
    for number in range(2):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        draw.ones(f"{layer}.post_attention_norm.weight", WIDTH)
        draw.attention(layer)
        draw.some(f"{layer}.attn_output.bias", WIDTH)
        draw.some(f"{layer}.attn_sinks.weight", HEADS)
        draw.some(f"{layer}.ffn_gate_inp.weight", experts, WIDTH)
        draw.some(f"{layer}.ffn_gate_inp.bias", experts)
        for part, out, inner in (("gate", INNER, WIDTH), ("up", INNER, WIDTH), ("down", WIDTH, INNER)):
            draw.some(f"{layer}.ffn_{part}_exps.weight", experts, out, inner)
            draw.some(f"{layer}.ffn_{part}_exps.bias", experts, out)
    own: dict[str, Value] = {
        "attention.sliding_window": WINDOW,
        "expert_count": experts,
        "expert_used_count": 2,
        "expert_feed_forward_length": INNER,
    }
    return _write(path, "gpt-oss", draw, 2, {**_HEADS, **own})


def write_deepseek2(path: Path, *, head: bool = True, markov: bool = False) -> Path:
    """Latent attention, and experts behind a dense layer (DeepSeek V3, GLM 4.7 Flash)."""
    draw = _Draw()
    draw.ends()
    experts, latent, turned, plain = 4, 16, 8, 8
    for number in range(2 + head):
        layer = f"blk.{number}"
        draw.ones(f"{layer}.attn_norm.weight", WIDTH)
        draw.some(f"{layer}.attn_q_a.weight", latent, WIDTH)
        draw.ones(f"{layer}.attn_q_a_norm.weight", latent)
        draw.some(f"{layer}.attn_q_b.weight", HEADS * (plain + turned), latent)
        draw.some(f"{layer}.attn_kv_a_mqa.weight", latent + turned, WIDTH)
        draw.ones(f"{layer}.attn_kv_a_norm.weight", latent)
        draw.some(f"{layer}.attn_k_b.weight", HEADS, latent, plain)
        draw.some(f"{layer}.attn_v_b.weight", HEADS, HEAD, latent)
        draw.some(f"{layer}.attn_output.weight", WIDTH, HEADS * HEAD)
        draw.ones(f"{layer}.ffn_norm.weight", WIDTH)
        if number == 0:
            draw.feed_forward(layer)
            continue
        draw.experts(layer, experts)
        if number == 2:
            draw.next_token(layer)
    if markov:
        draw.forget()
    own: dict[str, Value] = {
        **({"nextn_predict_layers": 1} if head else {}),
        "attention.head_count": HEADS,
        "attention.head_count_kv": 1,
        "attention.key_length": latent + turned,
        "attention.value_length": latent,
        "attention.key_length_mla": plain + turned,
        "attention.value_length_mla": HEAD,
        "attention.q_lora_rank": latent,
        "attention.kv_lora_rank": latent,
        "rope.dimension_count": turned,
        "expert_count": experts,
        "expert_used_count": 2,
        "expert_shared_count": 1,
        "expert_feed_forward_length": INNER,
        "expert_weights_scale": 1.0,
        "expert_weights_norm": True,
        "leading_dense_block_count": 1,
    }
    return _write(path, "deepseek2", draw, 2 + head, own)


WRITERS: Mapping[str, Callable[[Path], Path]] = {
    "llama": write_llama,
    "gemma3": write_gemma3,
    "mamba": write_mamba,
    "mamba2": write_mamba2,
    "granite": write_granite,
    "lfm2": write_lfm2,
    "qwen35": write_qwen35,
    "gpt-oss": write_gpt_oss,
}
