"""How many bytes the memory of sequences takes: keys and values of each position, and running states. By the header.

Source of the formulas: llama.cpp, llama-kv-cache.cpp, llama-kv-cache-iswa.cpp, llama-hparams.cpp (n_embd_r, n_embd_s).
What the header does not say counts as an ordinary attention layer, so the estimate is rather too high than too low.
"""

from collections.abc import Mapping

import msgspec

from gateway.engine.llama.gguf import BLOCKS, Header
from gateway.engine.settings import EngineSettings, KvType

# ggml's numbers for the types that a KV cache can have.
KV_TYPES: Mapping[str, int] = {
    "f32": 0, "f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2, "iq4_nl": 20,
}  # fmt: skip
_CELL = 48  # bytes that llama.cpp keeps for each position besides keys and values
_MOST_LAYERS = 10_000
# Every n-th layer attends to the whole text, the others to a window, where the file does not say it by itself.
_PATTERNS: Mapping[str, int] = {
    "gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "cohere2": 4, "olmo2": 4, "exaone4": 4, "llama4": 4,
}  # fmt: skip
_INTERVAL = 4  # of Qwen's hybrids: every fourth layer has attention, where the file does not say it
_INTERVALS = ("qwen3next", "qwen35", "qwen35moe", "qwen4exp")


class CacheShape(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of one model's memory of sequences, in bytes."""

    position: float  # of each position, in the layers that attend to the whole text
    window_position: float  # of each position in the layers with a sliding window
    window: int  # tokens of that window; 0: there are no such layers
    state: int  # of each sequence, whatever its length: layers with a running state

    def bytes(self, settings: EngineSettings, slots: int) -> int:
        """Return what so many sequences of the settings' window take."""
        length = cells = settings.context
        if self.window and not settings.swa_full:
            cells = min(length, -(-(self.window + settings.micro_batch_size) // 256) * 256)
        return int(slots * (length * self.position + cells * self.window_position + self.state))


def cache_shape(header: Header, kind_k: KvType, kind_v: KvType) -> CacheShape:
    """Return the sizes for a model, with keys and values of these types."""
    layers = layers_of(header)
    heads = header.each("attention.head_count", layers)
    kv_heads = header.each("attention.head_count_kv", layers) or heads
    recurrent = _recurrent(header, layers, kv_heads)
    alone = recurrent if len(recurrent) < layers else frozenset()  # where all have a state, heads are beside it
    own = layers - header.count("attention.shared_kv_layers", layers)
    full = windowed = 0
    for layer, count in enumerate(kv_heads[:own]):
        if layer not in alone:
            slides = _slides(header, layer)
            full, windowed = full + count * (not slides), windowed + count * slides
    width = header.count("embedding_length")
    bits = _head_bytes(header, kind_k, kind_v, width // max(heads, default=0) if max(heads, default=0) else 0)
    return CacheShape(
        position=_CELL + full * bits,
        window_position=windowed * bits,
        window=header.count("attention.sliding_window"),
        state=4 * len(recurrent) * _state_values(header, width, max(heads, default=0)),
    )


def layers_of(header: Header) -> int:
    """Return the number of layers in the file; 0: the header has no sensible one."""
    if header.head_only:
        return header.heads
    return header.count("block_count", _MOST_LAYERS)


def _head_bytes(header: Header, kind_k: KvType, kind_v: KvType, width: int) -> float:
    """Return the bytes of one position's key and value of one head. `width`: of a head, where the file does not say."""
    key = header.count("attention.key_length") or width
    value = header.count("attention.value_length") or width
    if header.number("attention.key_length_mla"):
        value = 0  # multi-head latent attention: values are a part of the keys
    return _bytes(kind_k) * key + _bytes(kind_v) * value


def _slides(header: Header, layer: int) -> bool:
    """Say whether a layer attends to a sliding window only."""
    if not header.number("attention.sliding_window"):
        return False
    said = header.metadata.get(f"{header.architecture}.attention.sliding_window_pattern")
    if isinstance(said, tuple):
        return layer < len(said) and bool(said[layer])
    every = said if isinstance(said, int) and said > 0 else _PATTERNS.get(header.architecture, 1)
    return layer % every < every - 1


def _recurrent(header: Header, layers: int, kv_heads: tuple[int, ...]) -> frozenset[int]:
    """Return the layers with a running state."""
    if not any(header.number(key) for key in ("ssm.conv_kernel", "shortconv.l_cache", "wkv.head_size", "kda.head_dim")):
        return frozenset()
    every = header.number("full_attention_interval") or (_INTERVAL if header.architecture in _INTERVALS else 0)
    if every > 1:
        heads = header.count("nextn_predict_layers", layers)  # draft heads behind the layers have attention
        return frozenset(layer for layer in range(layers - heads) if (layer + 1) % every)
    inner = header.each("feed_forward_length", layers)
    mixed = len(inner) == layers and 0 in inner  # Nemotron-H: some layers have neither attention nor state
    without = frozenset(layer for layer, count in enumerate(kv_heads) if count == 0 and not (mixed and inner[layer]))
    return without or frozenset(range(layers))  # Mamba: every layer; Falcon-H1: every layer has both


def has_running_state(header: Header) -> bool:
    """Say whether some layers have a running state."""
    layers = layers_of(header)
    heads = header.each("attention.head_count", layers)
    return bool(_recurrent(header, layers, header.each("attention.head_count_kv", layers) or heads))


def _state_values(header: Header, width: int, heads: int) -> int:
    """Return how many numbers a layer keeps for each sequence."""
    if header.count("wkv.head_size"):
        return width * ((header.count("token_shift_count") or 2) + header.count("wkv.head_size"))
    if header.count("shortconv.l_cache"):
        return width * (header.count("shortconv.l_cache") - 1)
    kernel = max(0, header.count("ssm.conv_kernel") - 1)
    if header.count("kda.head_dim"):
        return heads * header.count("kda.head_dim") * (3 * kernel + header.count("kda.head_dim"))
    inner, state = header.count("ssm.inner_size"), header.count("ssm.state_size")
    return kernel * (inner + 2 * header.count("ssm.group_count") * state) + inner * state


def _bytes(kv_type: str) -> float:
    values, block = BLOCKS[KV_TYPES[kv_type]]
    return block / values
