"""How much memory a model will need: known before llama.cpp allocates anything."""

from pathlib import Path

import msgspec

from gateway.engine.llama.cache_size import cache_shape, layers_of
from gateway.engine.llama.draft_plan import draft_plan
from gateway.engine.llama.gguf import Header
from gateway.engine.settings import EngineSettings

_RANK = 4  # llama.h, llama_pooling_type
_PROJECTOR = 1.5  # times its file: weights, and room to compute a picture in
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


def footprint_of(
    header: Header, settings: EngineSettings, *, gpu: bool = False, draft: Header | None = None
) -> MemoryFootprint:
    """Estimate what a model takes: weights by the files' size, the KV cache by its formula.

    What the header does not say counts 0. The compute buffers are bounded from what llama.cpp printed for models of
    several shapes. `gpu`: layers may lie there. `draft`: header of the draft model, whose own memory does not count.
    """
    weights = sum(part.stat().st_size for part in header.parts)
    adapters = sum(Path(path).stat().st_size for path, _ in settings.lora if Path(path).is_file())
    generates = writes_text(header)
    shape = cache_shape(header, settings.kv_type_k, settings.kv_type_v)
    plan = draft_plan(header, settings, draft)
    cache = shape.bytes(settings, settings.slots if generates else 1) + plan.take_back * settings.slots * shape.state
    batch = settings.micro_batch_size if generates else settings.context  # whole texts are pooled at once
    compute = _compute(header, settings, batch, settings.outputs)
    if plan.head:
        compute += _compute(header, settings, batch, settings.slots)
    footprint = _placed(header, settings, weights + adapters, cache, compute, gpu=gpu)
    return msgspec.structs.replace(footprint, compute=compute + _PROCESS)


def projector_footprint(settings: EngineSettings, *, gpu: bool = False) -> MemoryFootprint:
    """Estimate what the projector for pictures and sound takes: all of it on one side, however many layers lie where.

    A file that is missing counts 0. `gpu`: it may lie there.
    """
    path = Path(settings.mmproj)
    size = int(_PROJECTOR * path.stat().st_size) if path.is_file() else 0
    on_card = gpu and settings.mmproj_offload and settings.gpu_layers != 0
    return MemoryFootprint(weights=size, gpu=size if on_card else 0)


def embedding_footprint(header: Header, settings: EngineSettings, *, gpu: bool = False) -> MemoryFootprint:
    """Estimate the second context of a generating model, for vectors, once it has grown to the whole window.

    Nothing for encoders and models that rank: their own estimate is of that context.
    """
    if not writes_text(header):
        return MemoryFootprint()
    batch = min(VECTORS_BATCH, settings.context)
    logits = 4 * batch * header.count("vocab_size")  # computed, and then copied
    compute = _compute(header, settings, batch, batch) + logits
    return _placed(header, settings, 0, cache_shape(header, "f16", "f16").bytes(settings, 1), compute, gpu=gpu)


def _placed(
    header: Header, settings: EngineSettings, weights: int, cache: int, compute: int, *, gpu: bool
) -> MemoryFootprint:
    layers = layers_of(header)
    share = _share_on_gpu(layers, settings) if gpu else 0.0
    experts = header.experts * min(1.0, settings.cpu_moe_layers / layers) if weights and layers else 0.0
    on_gpu = share * (weights - experts + (cache if settings.kv_offload else 0)) + (compute if share else 0)
    return MemoryFootprint(weights=weights, cache=cache, compute=compute, gpu=int(on_gpu))


def _compute(header: Header, settings: EngineSettings, batch: int, outputs: int) -> int:
    """Estimate the bytes of a micro-batch's intermediate values and of the logits of `outputs` tokens."""
    layers, width = layers_of(header), header.count("embedding_length")
    heads = max(header.each("attention.head_count", layers), default=0)
    if not (layers and width):
        return 0
    values = 4 * width + 3 * max(header.each("feed_forward_length", layers), default=4 * width)
    mask = 2 * settings.context
    scores = 4 * settings.context * heads if settings.flash_attention == "off" else 0
    return batch * (4 * values + mask + scores) + 4 * outputs * header.count("vocab_size")


def writes_text(header: Header) -> bool:
    """Say whether the model generates; others make vectors of texts, or rank them."""
    causal = header.metadata.get(f"{header.architecture}.attention.causal")
    return header.number("pooling_type") != _RANK and causal is not False


def _share_on_gpu(layers: int, settings: EngineSettings) -> float:
    if settings.gpu_layers < 0 or not layers:
        return 1.0
    return min(1.0, settings.gpu_layers / (layers + 1))  # llama.cpp counts the output as one more


def shortage(header: Header, settings: EngineSettings, available: int | None) -> str:
    """Explain why the model can't be loaded into `available` bytes, and what would fit.

    Empty: it can be loaded, or nobody knows.
    """
    need = footprint_of(header, settings) + projector_footprint(settings)
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
