"""`targets:`: everything that can answer."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.core.request import Endpoint
from gateway.settings.llama import KvType, LlamaOptions
from gateway.settings.managed import ManagedTargetConfig
from gateway.settings.section import Section
from gateway.settings.servers import AnthropicTargetConfig, GeminiTargetConfig, OpenAITargetConfig
from gateway.settings.units import Bytes, Seconds, Slots, Window

TextEndpoint = Literal[
    Endpoint.CHAT,
    Endpoint.COMPLETIONS,
    Endpoint.EMBEDDINGS,
    Endpoint.RERANK,
    Endpoint.MODERATIONS,
    Endpoint.TOKENIZE,
]
"""What llama.cpp can serve: no pictures and no sound."""


class EngineConfig(Section):
    """Memory for all models on this machine together: embedded ones, and servers that the gateway starts."""

    memory: Bytes | None = None
    """As `22 GB`: weights, KV caches and computing of all loaded models, on GPUs and in RAM, estimated before a load;
    of servers, their `memory`. Of models that don't fit together, the one used longest ago is then evicted. Default: no
    limit; each load only looks at free RAM."""
    gpu_memory: Bytes | None = None
    """As `23 GB`: the part of it on GPUs, all cards together, for models of which some layers stay in RAM."""


class DraftConfig(Section):
    """Speculative decoding: the next tokens are drafted, and the model then checks several in one step.

    An answer is the same with and without; it only comes sooner. What a step with draft tokens costs is measured all
    the time, and where it does not pay nothing is drafted.
    """

    lookup: bool = True
    """Expect that a text repeats what stands in it already: for answers that quote, correct or rewrite their prompt."""
    head: Literal["auto", "off"] = "auto"
    """auto: the model drafts by its own draft head (MTP), where its file has one that can be used and `model` is not
    set. `aduana models show` says."""
    model: str | None = None
    """A small model of the same vocabulary (in practice: of the same family) that drafts too. Name or path."""
    tokens: int = Field(default=8, ge=1, le=32)
    """Most tokens drafted at once for one answer."""


class EmbeddedTargetConfig(LlamaOptions):
    """A model that this gateway runs itself with llama.cpp, in a process of its own. Always local."""

    kind: Literal["embedded"]
    model: str
    """Name of a GGUF file in the model directory, without `.gguf`, or a path to one."""
    context: Window = Field(default="auto", validate_default=True)
    """Window of one conversation in tokens, prompt and answer together. auto: as wide as the memory allows, at most
    what the model was trained for. `aduana models fit` says which."""
    slots: Slots = Field(default="auto", validate_default=True)
    """Requests answered at once. auto: four to eight, fewer where memory is short. Memory for the KV cache grows with
    `context` × `slots`."""
    kv_type: KvType = "f16"
    """Storage of the KV cache. `q8_0` halves its memory at little loss, `q4_0` quarters it."""
    kv_type_k: KvType | None = None
    """Storage of its keys alone. Default: as `kv_type`."""
    kv_type_v: KvType | None = None
    """Storage of its values alone. Default: as `kv_type`. Quantised types need flash attention."""
    lora: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(default_factory=dict)
    """LoRA adapters for this model, as GGUF: name in the model directory or path → scale, 1.0 for full strength."""
    mmproj: str | None = None
    """The projector that lets the model see or hear, as GGUF: name in the model directory or path. It must be the one
    that was published together with the model."""
    load: Literal["start", "on_demand"] = "start"
    """start: with the gateway; on_demand: for the first request that wants it."""
    unload_after: Seconds | None = None
    """As `30 min`: it gives its memory back after being idle for so long, and loads again for the next request.
    Default: it stays until another model needs the room (`engine.memory`)."""
    load_wait: Seconds = 300.0
    """As `2 min`: a request that wants it loaded waits so long for room and load, then gets 503."""
    endpoints: frozenset[TextEndpoint] = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS})
    """What it serves: chat (and with it moderations), completions, embeddings, rerank; tokenize always. A ranking
    model: `[rerank]`, an embedding model: `[embeddings]`, so that other requests don't come here."""
    queue: int = Field(default=64, ge=0)
    """Requests that may wait for a slot, two thirds of them of one key; one more is answered with 429."""
    queue_wait: Seconds = 120.0
    """As `2 min`: a request that would have to wait longer for a slot is answered with 429 at once."""
    spill_memory: int = Field(default=1024, ge=0)
    """Megabytes of RAM for conversations that left their slot and may come back; taken as it is needed."""
    spill_disk: int = Field(default=0, ge=0)
    """Megabytes on disk behind it, under the state directory. 0: no conversation is written to disk.

    Encrypted under a key that is never written; erased when the worker stops or starts again.
    """
    checkpoint_memory: int = Field(default=2048, ge=0)
    """Megabytes of RAM for checkpoints of models whose memory can't be cut back: recurrent and hybrid ones, sliding
    windows. Taken as it is needed; 0: none, so that what an app changes is read again from the beginning."""
    checkpoint_every: int = Field(default=4096, ge=64)
    """Most tokens of a prompt between two checkpoints; there is one at the ends of messages too."""
    draft: DraftConfig = DraftConfig()
    """Speculative decoding: `{model: NAME}` for a small model beside this one, `{lookup: false}` for none at all."""

    @model_validator(mode="after")
    def _quantised_values(self) -> "EmbeddedTargetConfig":
        if self.flash_attention == "off" and (self.kv_type_v or self.kv_type) not in ("f32", "f16", "bf16"):
            raise ValueError("quantised values in the KV cache need 'flash_attention': leave it at auto")
        return self


class SpeechTargetConfig(Section):
    """A Whisper model that this gateway runs itself, in a process of its own: recordings become text. Always local.

    Needs `aduana extras install speech`. Nothing is downloaded: the model's folder must be there.
    """

    kind: Literal["speech"]
    model: str
    """A folder in faster-whisper's format (`model.bin`, `config.json`, `tokenizer.json`): its name in the model
    directory, a path, or `package:NAME` for one inside an installed Python package."""
    language: str = Field(default="", pattern=r"^([a-z]{2,3})?$")
    """Language of recordings where a request does not say, as `es`. Default: the model finds out."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: an NVIDIA card where there is one, else the CPU."""
    compute_type: Literal[
        "auto", "default", "int8", "int8_float16", "int8_float32", "float16", "bfloat16", "float32"
    ] = "auto"
    """How it computes. auto: the fastest that the device can; `float16` and `float32` are a little more exact."""
    threads: int = Field(default=0, ge=0, le=256)
    """CPU threads for each recording. 0: four, or as many as there are cores."""
    beam: int = Field(default=5, ge=1, le=20)
    """Readings that are followed at once. 1 is about twice as fast, and hears a little worse."""
    skip_silence: bool = True
    """Leave out what has no voice in it before the model hears it: of noise and music it makes up words."""
    max_seconds: Seconds = 7200.0
    """As `2 h`: a longer recording is refused at once."""
    slots: int = Field(default=1, ge=1, le=16)
    """Recordings at once."""
    queue: int = Field(default=64, ge=0)
    """Recordings that may wait for a slot, two thirds of them of one key; one more is answered with 429."""
    queue_wait: Seconds = 600.0
    """As `10 min`: a recording that would have to wait longer for a slot gets 429 at once."""
    load: Literal["start", "on_demand"] = "on_demand"
    """start: with the gateway; on_demand: for the first recording."""
    unload_after: Seconds | None = None
    """As `30 min`: it gives its memory back after being idle for so long. Default: it stays until another model needs
    the room (`engine.memory`)."""
    load_wait: Seconds = 120.0
    """As `2 min`: a recording that wants it loaded waits so long for room and load, then gets 503."""


class EspeakTargetConfig(Section):
    """The program espeak-ng: texts become recordings in a plain voice that is always there. Always local.

    It is installed apart from this gateway (`apt install espeak-ng`). It gives WAV; MP3, Opus, AAC, FLAC and PCM need
    `aduana extras install speech`.
    """

    kind: Literal["espeak"]
    program: str = "espeak-ng"
    """Its name, or a path to it."""
    voice: str = Field(default="en", pattern=r"^[A-Za-z0-9_+-]{1,40}$")
    """The voice for requests that name none which the program has, as `es`."""
    slots: int = Field(default=2, ge=1, le=64)
    """Texts at once."""
    queue: int = Field(default=64, ge=0)
    """Texts that may wait for a slot, two thirds of them of one key; one more is answered with 429."""
    queue_wait: Seconds = 120.0
    """As `2 min`: a text that would have to wait longer for a slot gets 429 at once."""


AnyTarget = Annotated[
    EmbeddedTargetConfig
    | SpeechTargetConfig
    | EspeakTargetConfig
    | ManagedTargetConfig
    | OpenAITargetConfig
    | AnthropicTargetConfig
    | GeminiTargetConfig,
    Field(discriminator="kind"),
]
