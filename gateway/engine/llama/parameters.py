"""Translate `EngineSettings` to llama.cpp's parameters, after checking them: absurd values would abort the process.

Names and meanings follow include/llama.h and, for expert weights in RAM, common/common.h of llama.cpp.
"""

import ctypes
from pathlib import Path
from typing import Any

from gateway.engine.llama.bindings import C
from gateway.engine.llama.cache_size import KV_TYPES
from gateway.engine.settings import EngineSettings

MOST_SLOTS = 64
MOST_CONTEXT = 4_194_304
_MOST_LORA = 16
_FLASH = {"auto": -1, "on": 1, "off": 0}
_SPLIT = {"none": 0, "layer": 1, "row": 2, "tensor": 3}
_ROPE = {"model": -1, "none": 0, "linear": 1, "yarn": 2, "longrope": 3}
_NUMA = {"off": 0, "distribute": 1, "isolate": 2, "numactl": 3}
_EXPERTS = r"blk\.%d\.ffn_(up|down|gate|gate_up)_(ch|)exps"
_UNQUANTISED = frozenset({"f32", "f16", "bf16"})


class _Override(ctypes.Structure):
    """llama.cpp's `llama_model_tensor_buft_override`."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


def problem_of(settings: EngineSettings, threads: int) -> str:
    """Explain in a sentence the first setting that is impossible; empty: all are possible."""
    limits = (
        ("slots", settings.slots, 1, MOST_SLOTS),
        ("context", settings.context, 64, MOST_CONTEXT),
        ("batch", settings.batch, 32, 16_384),
        ("micro_batch", settings.micro_batch or settings.batch, 1, 16_384),
        ("threads", threads, 1, 512),
        ("threads_batch", settings.threads_batch or threads, 1, 512),
        ("gpu_layers", settings.gpu_layers, -1, 100_000),
        ("cpu_moe_layers", settings.cpu_moe_layers, 0, 1_000),
        ("yarn_orig_ctx", settings.yarn_orig_ctx, 0, MOST_CONTEXT),
        ("lora", len(settings.lora), 0, _MOST_LORA),
        ("main_gpu", settings.main_gpu, 0, max(0, C.llama_max_devices() - 1)),
        ("tensor_split", len(settings.tensor_split), 0, C.llama_max_devices()),
    )
    for name, value, least, most in limits:
        if not least <= value <= most:
            return f"'{name}' is {value}; it must be between {least} and {most}."
    if settings.batch < settings.slots:
        return f"'batch' is {settings.batch}; it must not be less than 'slots' ({settings.slots})."
    if settings.tensor_split and not (min(settings.tensor_split) >= 0 and 0 < sum(settings.tensor_split) < 1e9):
        return "'tensor_split' needs shares that are not negative, and one above zero."
    if settings.flash_attention == "off" and settings.kv_type_v not in _UNQUANTISED:
        return f"A V cache of type {settings.kv_type_v} needs 'flash_attention': leave it at auto, or use f16."
    if settings.flash_attention == "off" and settings.split_mode == "tensor":
        return "'split_mode: tensor' needs 'flash_attention': leave it at auto."
    if settings.direct_io and settings.mlock:
        return "'direct_io' and 'mlock' exclude each other: llama.cpp has one way of reading a file."
    return ""


class ModelParameters:
    """llama.cpp's `llama_model_params` and the memory that it points to; to be kept while the model is loading."""

    def __init__(self, settings: EngineSettings, progress: Any, *, head: bool = False) -> None:
        if settings.numa != "off":
            C.llama_numa_init(_NUMA[settings.numa])
        parameters = self.handle = C.llama_model_default_params()
        parameters.n_gpu_layers = settings.gpu_layers
        parameters.split_mode = _SPLIT[settings.split_mode]
        parameters.main_gpu = settings.main_gpu
        parameters.load_mode = _load_mode(settings)
        parameters.use_extra_bufts = settings.repack
        parameters.check_tensors = settings.check_tensors
        parameters.progress_callback = progress
        parameters.load_mtp = head
        if settings.tensor_split:
            count = C.llama_max_devices()
            self._shares = (ctypes.c_float * count)(*settings.tensor_split)
            parameters.tensor_split = self._shares
        if settings.cpu_moe_layers:
            ram = C._lib.ggml_backend_cpu_buffer_type
            ram.restype = ctypes.c_void_p
            patterns = [(_EXPERTS % layer).encode() for layer in range(settings.cpu_moe_layers)]
            rows = [*(_Override(pattern, ram()) for pattern in patterns), _Override()]  # an empty row ends the list
            self.overrides = (_Override * len(rows))(*rows)
            parameters.tensor_buft_overrides = ctypes.cast(self.overrides, ctypes.c_void_p)


def _load_mode(settings: EngineSettings) -> int:
    if settings.direct_io:
        return int(C.LLAMA_LOAD_MODE_DIRECT_IO)
    return int(settings.mmap * C.LLAMA_LOAD_MODE_MMAP + settings.mlock * C.LLAMA_LOAD_MODE_MLOCK)


def context_parameters(settings: EngineSettings, threads: int) -> "C.llama_context_params":
    """Make the parameters of the context that generates: one KV stream a slot."""
    parameters = C.llama_context_default_params()
    parameters.n_ctx = settings.context * settings.slots
    parameters.n_seq_max = settings.slots
    parameters.kv_unified = False
    parameters.n_batch = settings.batch
    parameters.n_ubatch = settings.micro_batch_size
    parameters.n_threads = threads
    parameters.n_threads_batch = settings.threads_batch or threads
    shape_of(parameters, settings)
    parameters.type_k = KV_TYPES[settings.kv_type_k]
    parameters.type_v = KV_TYPES[settings.kv_type_v]
    parameters.swa_full = settings.swa_full
    return parameters


def shape_of(parameters: "C.llama_context_params", settings: EngineSettings) -> None:
    """Set what every context of a model shares: where it computes, and how positions are rotated."""
    parameters.flash_attn_type = _FLASH[settings.flash_attention]
    parameters.offload_kqv = settings.kv_offload
    parameters.op_offload = settings.op_offload
    parameters.rope_scaling_type = _ROPE[settings.rope_scaling]
    parameters.rope_freq_base = settings.rope_freq_base
    parameters.rope_freq_scale = settings.rope_freq_scale
    parameters.yarn_ext_factor = settings.yarn_ext_factor
    parameters.yarn_attn_factor = settings.yarn_attn_factor
    parameters.yarn_beta_fast = settings.yarn_beta_fast
    parameters.yarn_beta_slow = settings.yarn_beta_slow
    parameters.yarn_orig_ctx = settings.yarn_orig_ctx


class Adapters:
    """LoRA adapters of one model, freed by llama.cpp together with it."""

    def __init__(self, model: Any, wanted: tuple[tuple[str, float], ...]) -> None:
        """Load the adapters, each a path and its scale.

        Raises:
            OSError: names the file that can't be used.
        """
        self._handles: list[Any] = []
        self._scales = [scale for _, scale in wanted]
        for path, _ in wanted:
            handle = C.llama_adapter_lora_init(model, path.encode()) if Path(path).is_file() else None
            if not handle:
                raise OSError(f"The LoRA adapter {path} can't be used: it must be a GGUF adapter made for this model.")
            self._handles.append(handle)

    def apply(self, context: Any) -> None:
        """Apply the adapters to every computation of a context."""
        if self._handles:
            count = len(self._handles)
            handles = (C.llama_adapter_lora_p_ctypes * count)(*self._handles)
            C.llama_set_adapters_lora(context, handles, count, (ctypes.c_float * count)(*self._scales))
