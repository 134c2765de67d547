"""How much memory a model will need, and how much this machine has: known before llama.cpp allocates anything."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.engine.llama.gguf import BLOCKS, Header
from gateway.engine.settings import EngineSettings

# ggml's numbers for the types that a KV cache can have.
KV_TYPES: Mapping[str, int] = {
    "f32": 0, "f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2, "iq4_nl": 20,
}  # fmt: skip
_CELL = 48  # bytes that llama.cpp keeps for each position besides keys and values
_RANK = 4  # llama.h, llama_pooling_type
_MOST_LAYERS = 10_000
_PROCESS = 64 * 2**20  # Python, numpy and llama.cpp themselves, as seen
VECTORS_BATCH = 256  # tokens of a generating model computed at once for vectors; each gets logits as well


class MemoryFootprint(msgspec.Struct, frozen=True, kw_only=True):
    """Estimate of the memory that a model will take, in bytes. `gpu` of them lie on GPUs, the rest in RAM."""

    weights: int = 0
    cache: int = 0
    compute: int = 0  # buffers for one step, and the worker process itself
    gpu: int = 0

    @property
    def total(self) -> int:
        """All bytes, in RAM and on GPUs."""
        return self.weights + self.cache + self.compute

    def __add__(self, other: "MemoryFootprint") -> "MemoryFootprint":
        """Return what both take together."""
        return MemoryFootprint(
            weights=self.weights + other.weights,
            cache=self.cache + other.cache,
            compute=self.compute + other.compute,
            gpu=self.gpu + other.gpu,
        )


def footprint_of(header: Header, settings: EngineSettings, *, gpu: bool = False) -> MemoryFootprint:
    """Estimate what a model takes: weights by the files' size, the KV cache by its formula.

    What the header does not say counts 0. The compute buffers are bounded from what llama.cpp printed for models of
    several shapes. `gpu`: layers may lie there.
    """
    weights = sum(part.stat().st_size for part in header.parts)
    adapters = sum(Path(path).stat().st_size for path, _ in settings.lora if Path(path).is_file())
    generates = _generates(header)
    slots = settings.slots if generates else 1
    cache = _cache(header, settings.context * slots, settings.kv_type_k, settings.kv_type_v)
    batch = settings.micro_batch_size if generates else settings.context  # whole texts are pooled at once
    compute = _compute(header, settings, batch, settings.outputs)
    footprint = _placed(header, settings, weights + adapters, cache, compute, gpu=gpu)
    return msgspec.structs.replace(footprint, compute=compute + _PROCESS)


def embedding_footprint(header: Header, settings: EngineSettings, *, gpu: bool = False) -> MemoryFootprint:
    """Estimate the second context of a generating model, for vectors, once it has grown to the whole window.

    Nothing for encoders and models that rank: their own estimate is of that context.
    """
    if not _generates(header):
        return MemoryFootprint()
    batch = min(VECTORS_BATCH, settings.context)
    logits = 4 * batch * _sane(header.number("vocab_size"))  # computed, and then copied
    compute = _compute(header, settings, batch, batch) + logits
    return _placed(header, settings, 0, _cache(header, settings.context, "f16", "f16"), compute, gpu=gpu)


def _placed(
    header: Header, settings: EngineSettings, weights: int, cache: int, compute: int, *, gpu: bool
) -> MemoryFootprint:
    share = _share_on_gpu(_sane(header.number("block_count"), _MOST_LAYERS), settings) if gpu else 0.0
    on_gpu = share * (weights + (cache if settings.kv_offload else 0)) + (compute if share else 0)
    return MemoryFootprint(weights=weights, cache=cache, compute=compute, gpu=int(on_gpu))


def _cache(header: Header, positions: int, kind_k: str, kind_v: str) -> int:
    """Estimate the bytes of a KV cache: a position holds the keys and values of each layer's KV heads.

    Source: llama.cpp, llama-kv-cache.cpp.
    """
    layers, width = _sane(header.number("block_count"), _MOST_LAYERS), _sane(header.number("embedding_length"))
    heads = header.each("attention.head_count", layers)
    if not (layers and width and max(heads, default=0)):
        return positions * _CELL
    key = _sane(header.number("attention.key_length")) or width // max(heads)
    value = _sane(header.number("attention.value_length")) or width // max(heads)
    bits = _bytes(kind_k) * key + _bytes(kind_v) * value
    return positions * _CELL + int(positions * sum(header.each("attention.head_count_kv", layers) or heads) * bits)


def _compute(header: Header, settings: EngineSettings, batch: int, outputs: int) -> int:
    """Estimate the bytes of a micro-batch's intermediate values and of the logits of `outputs` tokens."""
    layers, width = _sane(header.number("block_count"), _MOST_LAYERS), _sane(header.number("embedding_length"))
    heads = max(header.each("attention.head_count", layers), default=0)
    if not (layers and width and heads):
        return 0
    values = 4 * width + 3 * max(header.each("feed_forward_length", 1), default=4 * width)
    mask = 2 * settings.context
    scores = 4 * settings.context * heads if settings.flash_attention == "off" else 0
    return batch * (4 * values + mask + scores) + 4 * outputs * _sane(header.number("vocab_size"))


def _generates(header: Header) -> bool:
    causal = header.metadata.get(f"{header.architecture}.attention.causal")
    return header.number("pooling_type") != _RANK and causal is not False


def _share_on_gpu(layers: int, settings: EngineSettings) -> float:
    if settings.gpu_layers < 0 or not layers:
        return 1.0
    return min(1.0, settings.gpu_layers / (layers + 1))  # llama.cpp counts the output as one more


def _sane(value: int | None, most: int = 2**24) -> int:
    """Return 0 for a value that no model has.

    A header can lie, and the estimate is made in the gateway's own process.
    """
    return value if value is not None and 0 < value <= most else 0


def _bytes(kv_type: str) -> float:
    values, block = BLOCKS[KV_TYPES[kv_type]]
    return block / values


def available_memory() -> int | None:
    """Return the bytes of RAM that can be taken without swapping, within the control group's limit. None: unknown."""
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
    """Explain why the model can't be loaded into `available` bytes, and what would fit.

    Empty: it can be loaded, or nobody knows.
    """
    need = footprint_of(header, settings)
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
