"""How much memory a model will need, and how much this machine has: asked before llama.cpp allocates anything."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.engine.gguf import BLOCKS, Header
from gateway.engine.settings import EngineSettings

# ggml's numbers for the types that a KV cache can have.
KV_TYPES: Mapping[str, int] = {
    "f32": 0, "f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2, "iq4_nl": 20,
}  # fmt: skip
_CELL = 48  # bytes that llama.cpp keeps for each position besides keys and values


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes."""

    weights: int
    cache: int

    @property
    def total(self) -> int:
        """Everything."""
        return self.weights + self.cache


def need_of(header: Header, settings: EngineSettings) -> Need:
    """Weights by the files' size, the KV cache by its formula; 0 for what the header does not say.

    A cache position holds, for each layer, the keys and values of the KV heads (llama.cpp, llama-kv-cache.cpp).
    """
    weights = sum(part.stat().st_size for part in header.parts)
    layers, heads = header.number("block_count"), header.number("attention.head_count")
    width = header.number("embedding_length")
    cache = settings.context * settings.slots * _CELL
    if layers and heads and width:
        kv_heads = header.number("attention.head_count_kv") or heads
        key = header.number("attention.key_length") or width // heads
        value = header.number("attention.value_length") or width // heads
        bits = _bytes(settings.kv_type_k) * key + _bytes(settings.kv_type_v) * value
        cache += int(settings.context * settings.slots * layers * kv_heads * bits)
    return Need(weights=weights, cache=cache)


def _bytes(kv_type: str) -> float:
    values, block = BLOCKS[KV_TYPES[kv_type]]
    return block / values


def available_memory() -> int | None:
    """Bytes of RAM that can be taken without swapping, within the control group's limit. None: unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        return min(free, limit - used)
    except (OSError, ValueError):
        return free


def shortage(header: Header, settings: EngineSettings, available: int | None) -> str:
    """Why the model can't be loaded into `available` bytes, and what would fit. Empty: it can, or nobody knows."""
    need = need_of(header, settings)
    # Mapped weights can be paged in again; the cache is touched at once and stays.
    if available is None or need.cache + (0 if settings.mmap else need.weights) <= available:
        return ""
    each = need.cache // (settings.context * settings.slots)
    context = max(0, available // (each * settings.slots) // 256 * 256)
    slots = available // (each * settings.context)
    fits = [f"'context: {context}'"] * (context >= 256) + [f"'slots: {slots}'"] * (slots >= 1)
    return (
        f"{settings.slots} sequences of {settings.context} tokens need {need.cache / 1e9:.1f} GB for their KV cache, "
        f"and {available / 1e9:.1f} GB are free. In the configuration turn down 'slots' or 'context'"
        f"{', for example ' + ' or '.join(fits) if fits else ''}, or set 'kv_type: q8_0', which halves it."
    )
