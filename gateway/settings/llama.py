"""What llama.cpp offers for one model: where it lies, how it is computed. Names follow llama-server's options.

Everything about GPUs comes from llama.cpp's own documentation (include/llama.h, common/arg.cpp) and was not run on a
real card by us. The defaults suit a card of 24 GB that holds the whole model.
"""

from typing import Annotated, Literal

from pydantic import Field

from gateway.settings.section import Section

KvType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class LlamaOptions(Section):
    """The part of an embedded target that is handed to llama.cpp as it stands."""

    threads: int | None = Field(default=None, ge=1, le=512)
    """CPU threads. Default: chosen for the machine."""
    threads_batch: int | None = Field(default=None, ge=1, le=512)
    """CPU threads while reading prompts. Default: as `threads`."""
    batch: int = Field(default=512, ge=32, le=16_384)
    """Most tokens in one step. 2048 reads long prompts faster on a GPU and takes more memory there."""
    micro_batch: int | None = Field(default=None, ge=1, le=16_384)
    """Most tokens computed at once within a step (--ubatch-size). Default: as `batch`."""
    gpu_layers: int = Field(default=-1, ge=-1, le=100_000)
    """Layers on the GPU (--n-gpu-layers); -1: all, 0: none. Turn it down when the model does not fit the card."""
    cpu_moe_layers: int = Field(default=0, ge=0, le=1_000)
    """Expert weights of the first layers that stay in RAM (--n-cpu-moe): for mixture-of-experts models that are larger
    than the card. 999: those of all layers."""
    flash_attention: Literal["auto", "on", "off"] = "auto"
    """llama.cpp's flash attention. Quantised values in the KV cache need it."""
    mmproj_offload: bool = True
    """Run the projector for pictures and sound on the GPU. false: on the CPU, which saves memory of the card."""
    image_max_tokens: int = Field(default=0, ge=0, le=65_536)
    """Most tokens of one picture, for models that take pictures of any size; fewer are faster and see less. 0: as the
    model says."""
    kv_offload: bool = True
    """Keep the KV cache on the GPU. false frees memory of the card and costs much speed."""
    op_offload: bool = True
    """Let the GPU help with weights that lie in RAM, for large batches."""
    split_mode: Literal["none", "layer", "row", "tensor"] = "layer"
    """How several GPUs share the model. layer: whole layers each; row and tensor: parts of each layer (needs fast links
    between the cards; tensor also needs flash attention); none: all on `main_gpu`."""
    main_gpu: int = Field(default=0, ge=0, le=255)
    """The GPU for everything when `split_mode` is none."""
    tensor_split: tuple[Annotated[_Finite, Field(ge=0)], ...] = ()
    """Share of the model for each GPU, as [3, 1] for 24 and 8 GB. Default: by free memory."""
    mmap: bool = True
    """Map the file into memory: it loads on demand and its pages can be given back. false: read it whole."""
    mlock: bool = False
    """Keep the model from being swapped out; needs a sufficient memlock limit (ulimit -l)."""
    direct_io: bool = False
    """Read the file past the page cache, instead of `mmap`."""
    repack: bool = True
    """Repack weights for this CPU: faster prompts; those tensors then take memory of their own."""
    numa: Literal["off", "distribute", "isolate", "numactl"] = "off"
    """Layout of threads on machines with several memory nodes."""
    swa_full: bool = True
    """Full-size cache for sliding-window models. false saves much memory; prompts are reused from checkpoints then."""
    rope_scaling: Literal["model", "none", "linear", "yarn", "longrope"] = "model"
    """How positions beyond the trained window are scaled. Default: as the file says."""
    rope_freq_base: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Base frequency of RoPE. 0: from the model."""
    rope_freq_scale: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Frequency scale of RoPE; 0.5 doubles the window with linear scaling. 0: from the model."""
    yarn_ext_factor: _Finite = -1.0
    """YaRN: mix of extrapolation. Negative: from the model."""
    yarn_attn_factor: _Finite = -1.0
    """YaRN: scale of attention. Negative: from the model."""
    yarn_beta_fast: _Finite = -1.0
    """YaRN: low correction dimension. Negative: from the model."""
    yarn_beta_slow: _Finite = -1.0
    """YaRN: high correction dimension. Negative: from the model."""
    yarn_orig_ctx: int = Field(default=0, ge=0, le=4_194_304)
    """YaRN: the window that the model was trained with. 0: from the model."""
    check_tensors: bool = False
    """Let llama.cpp validate the weights at load; slow."""
