"""Settings that a worker needs to load and run one model. Frozen; sent to the worker once, at its start."""

from typing import Literal

import msgspec

MAX_DRAFT_TOKENS = 32  # tokens drafted in one step, for all its sequences
KvType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one model on this machine.

    Names follow llama.cpp's `llama_model_params` and `llama_context_params` (include/llama.h) where there is a
    counterpart; that is named in brackets. Everything about GPUs follows llama.cpp's own documentation and was not run
    on a card here.
    """

    model: str
    """Path of the GGUF file; for a split model, of its first part."""
    context: int = 8192
    """Tokens of one sequence, prompt and answer together [n_ctx / n_seq_max]. KV memory grows with it times `slots`."""
    slots: int = 8
    """Sequences decoded in one batch [n_seq_max], 1 to 64."""
    threads: int | None = None
    """CPU threads while generating [n_threads]. None: chosen for the machine, one core stays free for the gateway."""
    threads_batch: int | None = None
    """CPU threads while reading prompts [n_threads_batch]. None: as `threads`."""
    thread_wait: Literal["auto", "spin", "sleep"] = "auto"
    """How CPU threads wait for each other (OpenMP's OMP_WAIT_POLICY, which wins if it is set). Spinning is quickest on
    cores of their own and collapses when others want the same cores: measured here, a step of 61 ms took 1,400 ms
    spinning and 130 ms sleeping. auto: sleep when `threads` take every core, else spin for a fraction of a millisecond.
    """
    batch: int = 512
    """Most tokens in one step [n_batch]. Larger reads prompts faster on a GPU, and costs compute memory:
    512 suits 24 GB cards and CPUs alike."""
    micro_batch: int | None = None
    """Most tokens that llama.cpp computes at once within a step [n_ubatch]; compute memory grows with it. None: as
    `batch`, for steps are planned so that splitting them again gains nothing."""
    prefill_between_decodes: int = 2048
    """Most prompt tokens read between two decode steps, so that running answers don't stall."""
    gpu_layers: int = -1
    """Layers kept on the GPU [n_gpu_layers]; -1: all. Without a GPU build it has no effect."""
    cpu_moe_layers: int = 0
    """The expert weights of this many layers stay in RAM [tensor_buft_overrides, llama-server's --n-cpu-moe]: how a
    mixture-of-experts model larger than the card still runs with attention on the GPU."""
    flash_attention: Literal["auto", "on", "off"] = "auto"
    """[flash_attn_type] A quantised V cache needs it."""
    kv_type_k: KvType = "f16"
    """Storage of keys [type_k]. q8_0 halves its memory against f16 at little loss; q4_0 quarters it."""
    kv_type_v: KvType = "f16"
    """Storage of values [type_v]. Quantised types need flash attention."""
    kv_offload: bool = True
    """Keep the KV cache on the GPU [offload_kqv]."""
    op_offload: bool = True
    """Let the GPU help with weights that lie in RAM, where a batch is large enough to pay [op_offload]."""
    split_mode: Literal["none", "layer", "row", "tensor"] = "layer"
    """How several GPUs share the model [split_mode]."""
    main_gpu: int = 0
    """The GPU for everything when `split_mode` is none [main_gpu]."""
    tensor_split: tuple[float, ...] = ()
    """Share of the model for each GPU [tensor_split]; empty: by free memory."""
    mmap: bool = True
    """Map the file into memory [load_mode]: pages are shared with other processes and load on demand."""
    direct_io: bool = False
    """Read the file past the page cache [load_mode], where the file system can; instead of `mmap` and `mlock`."""
    mlock: bool = False
    """Keep the model from being swapped out [load_mode]; needs a sufficient memlock limit (ulimit -l)."""
    repack: bool = True
    """Repack weights for this CPU [use_extra_bufts]: faster prompts; those tensors then take memory of their own."""
    swa_full: bool = True
    """Full-size cache for sliding-window models [swa_full]; without it prompts are reused from checkpoints only."""
    numa: Literal["off", "distribute", "isolate", "numactl"] = "off"
    """How threads are laid over the nodes of a machine with several [llama_numa_init]: evenly, on the node that the
    worker started on, or as numactl says."""
    rope_scaling: Literal["model", "none", "linear", "yarn", "longrope"] = "model"
    """How positions beyond the trained window are scaled [rope_scaling_type]. model: as the file says."""
    rope_freq_base: float = 0.0
    """[rope_freq_base] 0: from the model."""
    rope_freq_scale: float = 0.0
    """[rope_freq_scale] 0: from the model."""
    yarn_ext_factor: float = -1.0
    """[yarn_ext_factor] Mix of extrapolation; negative: from the model, 0: interpolation only."""
    yarn_attn_factor: float = -1.0
    """[yarn_attn_factor] Scale of attention; negative: from the model."""
    yarn_beta_fast: float = -1.0
    """[yarn_beta_fast] Low correction dimension; negative: from the model."""
    yarn_beta_slow: float = -1.0
    """[yarn_beta_slow] High correction dimension; negative: from the model."""
    yarn_orig_ctx: int = 0
    """[yarn_orig_ctx] The window that the model was trained with; 0: from the model."""
    mmproj: str = ""
    """Path of the projector (GGUF) that lets the model see or hear [mtmd_init_from_file]; empty: it reads text only."""
    mmproj_offload: bool = True
    """Run the projector on the GPU [use_gpu]."""
    image_max_tokens: int = 0
    """Most tokens of one picture, where a model takes pictures of any size [image_max_tokens]; 0: as it says itself."""
    lora: tuple[tuple[str, float], ...] = ()
    """LoRA adapters (GGUF files) with their scale, applied to every request [llama_set_adapters_lora]."""
    prefix_minimum: int = 16
    """Shortest common prefix, in tokens, worth copying from another sequence."""
    spill_memory: int = 1024
    """Megabytes of RAM for conversations that had to leave their slot; they come back without being computed again.
    0: none. Memory is taken as it is needed."""
    spill_disk: int = 0
    """Megabytes on disk for conversations that `spill_memory` has no room for either. 0: nothing is written to disk.
    Encrypted under a key that only the running worker knows, erased when it stops and when the next one starts."""
    spill_directory: str = ""
    """The directory for them, of no other worker; made if it is missing, for this user alone."""
    checkpoint_memory: int = 2048
    """Megabytes of RAM for checkpoints of sequences in slots, of models whose memory can't be cut back (recurrent and
    hybrid models, sliding windows). 0: none. Memory is taken as it is needed."""
    checkpoint_every: int = 4096
    """Most tokens of a prompt between two checkpoints; there is one at the ends of messages too."""
    draft_lookup: bool = True
    """Draft that a text repeats itself: tokens that followed the last three before are read ahead in one step, where
    that is measured to pay. Answers are the same with and without."""
    draft_head: bool = True
    """Draft by the model's own draft head (multi-token prediction), where its file has one and `draft_model` is not
    set."""
    draft_model: str = ""
    """Path of a small GGUF model of the same vocabulary that drafts what the model will say; empty: none."""
    draft_tokens: int = 8
    """Most tokens drafted for one sequence in one step."""
    draft_always: bool = False
    """Draft also where it does not pay: for measurements."""
    check_tensors: bool = False
    """Let llama.cpp validate the tensor data at load [check_tensors]; slow."""

    @property
    def outputs(self) -> int:
        """Most tokens of one step that get logits."""
        return self.slots + MAX_DRAFT_TOKENS

    @property
    def micro_batch_size(self) -> int:
        """Tokens that llama.cpp computes at once within a step."""
        return min(self.micro_batch or self.batch, self.batch)
