"""`targets:`: everything that can answer."""

import re
from math import inf
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gateway.core.labels import Label, Zone
from gateway.core.request import LOCAL_ENDPOINTS, Endpoint
from gateway.core.target import Capability
from gateway.settings.llama import KvType, LlamaOptions
from gateway.settings.section import SecretReference, Section
from gateway.settings.units import Bytes, Seconds, Slots, Window

_CLOUD_HEADER_SECONDS = 120.0
# Ollama runs these on ollama.com, whatever machine is asked: gpt-oss:120b-cloud, glm-4.6:cloud.
_ELSEWHERE = re.compile(r"[:-]cloud\s*(:latest\s*)?\Z", re.IGNORECASE)


class EngineConfig(Section):
    """Memory for all embedded models together."""

    memory: Bytes | None = None
    """As `22 GB`: weights, KV caches and computing of all loaded models, on GPUs and in RAM, estimated before a load.
    Of models that don't fit together, the one used longest ago is then evicted. Default: no limit; each load only looks
    at free RAM."""
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
    endpoints: frozenset[Endpoint] = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS})
    """What it serves: chat (and with it moderations), completions, embeddings, rerank. A ranking model: `[rerank]`, an
    embedding model: `[embeddings]`, so that other requests don't come here."""
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


class OpenAITargetConfig(Section):
    """Any server that speaks the OpenAI API: a cloud, or llama-server, Ollama, vLLM, LM Studio on your own network."""

    kind: Literal["openai"]
    zone: Zone
    """`local` for your own machines, `cloud` for everybody else's. A model that a server at home runs elsewhere, as
    Ollama its `…-cloud` models, is not local: its name is refused here, and a server that says so gets nothing."""
    base_url: str = Field(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$")
    """Base URL with its `/v1`. Credentials don't belong in it."""
    api_key: SecretReference | None = None
    """`env:NAME` or `file:PATH`."""
    model: str
    """What that server calls its model."""
    ceiling: Label | None = None
    """Highest label this target may receive. Default: `sensitive` for local, `public` for cloud.

    Never `sensitive` for cloud: such a file does not load.
    """
    context: int | None = Field(default=None, ge=64)
    """Window in tokens. Default: unknown, never refused for length here."""
    answer_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of one answer, reasoning included: what budgets set aside for a request that sets no limit itself.
    Default: as providers document it for known models, else the window; 131072 at most."""
    endpoints: frozenset[Endpoint] | None = None
    """What it serves: chat, completions, embeddings; in zone local also rerank, and moderations with chat. Default:
    chat, and in zone local completions."""
    capabilities: frozenset[Capability] = frozenset(
        {Capability.TOOLS, Capability.IMAGES, Capability.JSON_SCHEMA, Capability.LOGPROBS}
    )
    """What it can do besides text: tools, images, audio, files, json_schema, logprobs, grammar for servers that
    heed `grammar` (llama-server), thinking for models that think (listings say so)."""
    connect_seconds: float = Field(default=3.0, gt=0)
    """Time to connect."""
    header_seconds: float | None = Field(default=None, gt=0)
    """Time from the request to the beginning of the answer. Default: 120 in zone cloud; in zone local as long as the
    request may take and the server is there, for long prompts are read in silence."""
    ca_file: str | None = None
    """Further certificate authorities (PEM), for a server behind a private one."""
    idle_seconds: float = Field(default=60.0, gt=0)
    """Longest silence in a running answer."""
    retries: int = Field(default=2, ge=0, le=10)
    """Further tries of one request after a passing fault, before its first byte."""
    slots: int = Field(default=16, ge=1, le=1024)
    """For `zone: local`: requests that the server gets at once; set it to what it computes at once (`--parallel`)."""
    queue: int = Field(default=64, ge=0)
    """For `zone: local`: further requests that may wait here, in fair turns, two thirds of them of one key; one more
    is answered with 429."""
    queue_wait: Seconds = 120.0
    """For `zone: local`, as `2 min`: a request that would have to wait longer for a slot gets 429 at once."""
    proxy: str | None = None
    """HTTP proxy for this target. The environment's proxy variables are never used."""
    trusted_host: bool = False
    """For `zone: local` only: the address is yours although it is a public one."""

    @field_validator("ceiling", mode="before", json_schema_input_type=Literal["public", "internal", "sensitive"] | None)
    @classmethod
    def _label(cls, value: object) -> object:
        return Label.parse(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> "OpenAITargetConfig":
        if self.zone is Zone.LOCAL and _ELSEWHERE.search(self.model):
            raise ValueError(
                f"the model {self.model!r} runs in Ollama's cloud, by its name, so the target can't be 'zone: local'. "
                "Use 'zone: cloud', or a model that runs on your own machine"
            )
        if self.zone is Zone.CLOUD and self.ceiling is Label.SENSITIVE:
            raise ValueError("a cloud target's ceiling can't be 'sensitive': sensitive data stays local")
        if self.zone is Zone.CLOUD and self.trusted_host:
            raise ValueError("'trusted_host' is for zone local only")
        homely = sorted(self.effective_endpoints & LOCAL_ENDPOINTS)
        if self.zone is Zone.CLOUD and homely:
            raise ValueError(f"{homely[0]} is for local targets: there is no road for it into a cloud")
        waiting = {"slots", "queue", "queue_wait"} & self.model_fields_set
        if self.zone is Zone.CLOUD and waiting:
            raise ValueError(f"{_listed(waiting)}: for zone local only; a cloud says itself when it is full")
        if self.zone is Zone.LOCAL and self.proxy is not None:
            raise ValueError("'proxy' is for zone cloud only: a local target is asked directly")
        return self

    @property
    def effective_endpoints(self) -> frozenset[Endpoint]:
        """Return what it serves, or the zone's default where nothing is set."""
        if self.endpoints is not None:
            return self.endpoints
        return frozenset({Endpoint.CHAT} if self.zone is Zone.CLOUD else {Endpoint.CHAT, Endpoint.COMPLETIONS})

    @property
    def effective_header_seconds(self) -> float:
        """Return the time to the beginning of the answer, or the zone's default where none is set."""
        if self.header_seconds is not None:
            return self.header_seconds
        return _CLOUD_HEADER_SECONDS if self.zone is Zone.CLOUD else inf

    @property
    def effective_ceiling(self) -> Label:
        """Return the ceiling, or the zone's default where none is set."""
        if self.ceiling is not None:
            return self.ceiling
        return Label.PUBLIC if self.zone is Zone.CLOUD else Label.SENSITIVE


def _listed(names: set[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


AnyTarget = Annotated[EmbeddedTargetConfig | OpenAITargetConfig, Field(discriminator="kind")]
