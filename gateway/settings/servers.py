"""Targets that are servers: clouds, and servers on the user's own network."""

import re
from math import inf
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gateway.core.labels import Label, Zone
from gateway.core.request import LOCAL_ENDPOINTS, Endpoint
from gateway.core.target import Api, Capability
from gateway.settings.section import SecretReference, Section
from gateway.settings.units import Seconds

_CLOUD_HEADER_SECONDS = 120.0
FOR_PICTURES = ("a1111", "comfyui")
_ADDRESS = r"^https?://[^\s/@]+(/[^\s@]*)?$"
# Ollama runs these on ollama.com, whatever machine is asked: gpt-oss:120b-cloud, glm-4.6:cloud.
RUNS_ELSEWHERE = re.compile(r"[:-]cloud\s*(:latest\s*)?\Z", re.IGNORECASE)
_SERVER_NAME = r"^[A-Za-z0-9\[][A-Za-z0-9._:\[\]-]{0,99}$"
_TAKE_MARKS = ("openrouter.ai",)  # providers that take marks for caches and signed thoughts in chat completions


class AskedTargetConfig(Section):
    """A server that answers over HTTP, wherever it runs and whoever starts it."""

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
    capabilities: frozenset[Capability] = frozenset(
        {Capability.TOOLS, Capability.IMAGES, Capability.JSON_SCHEMA, Capability.LOGPROBS}
    )
    """What it can do besides text: tools, images, audio, files, json_schema, logprobs, grammar for servers that
    heed `grammar` (llama-server), thinking for models that think (listings say so)."""
    header_seconds: float | None = Field(default=None, gt=0)
    """Time from the request to the beginning of the answer. Default: 120 in zone cloud; in zone local as long as the
    request may take and the server is there, for long prompts are read in silence."""
    idle_seconds: float = Field(default=60.0, gt=0)
    """Longest silence in a running answer."""
    retries: int = Field(default=2, ge=0, le=10)
    """Further tries of one request after a passing fault, before its first byte."""
    voices: tuple[Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")], ...] = ()
    """Names of voices, for servers that speak: what `/v1/audio/voices` lists."""

    @field_validator("ceiling", mode="before", json_schema_input_type=Literal["public", "internal", "sensitive"] | None)
    @classmethod
    def _label(cls, value: object) -> object:
        return Label.parse(value) if isinstance(value, str) else value


class ServerTargetConfig(AskedTargetConfig):
    """A server with an address, which somebody else runs: what all kinds of them have."""

    api_key: SecretReference | None = None
    """`env:NAME` or `file:PATH`."""
    credential: Literal["gateway", "client"] = "gateway"
    """For `zone: cloud`: whose key the provider is asked with. `gateway`: the one in `api_key`. `client`: the caller's
    own, from the request's `x-api-key` (Anthropic) or `Authorization: Bearer …`; a key of this gateway then comes in
    `x-aduana-key`. Without one the target is passed over, or the answer is 401. Read the provider's terms first."""
    connect_seconds: float = Field(default=3.0, gt=0)
    """Time to connect."""
    ca_file: str | None = None
    """Further certificate authorities (PEM), for a server behind a private one."""
    proxy: str | None = None
    """HTTP proxy for this target. The environment's proxy variables are never used."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.credential == "client" and self.api_key is not None:
            raise ValueError("'credential: client' and 'api_key' exclude each other: say whose key is used")
        return self


class CloudTargetConfig(ServerTargetConfig):
    """A provider that is always a cloud."""

    zone: Literal["cloud"] = "cloud"
    """Always `cloud`."""

    @model_validator(mode="after")
    def _stays_below(self) -> Self:
        if self.ceiling is Label.SENSITIVE:
            raise ValueError("a cloud target's ceiling can't be 'sensitive': sensitive data stays local")
        return self

    @property
    def effective_endpoints(self) -> frozenset[Endpoint]:
        """Return what it serves."""
        return frozenset({Endpoint.CHAT})

    @property
    def effective_header_seconds(self) -> float:
        """Return the time to the beginning of the answer, or the zone's default where none is set."""
        return _CLOUD_HEADER_SECONDS if self.header_seconds is None else self.header_seconds

    @property
    def effective_ceiling(self) -> Label:
        """Return the ceiling, or the zone's default where none is set."""
        return Label.PUBLIC if self.ceiling is None else self.ceiling


class AnthropicTargetConfig(CloudTargetConfig):
    """Anthropic, in its own API: thoughts keep their signatures, and prompts their marks for the provider's cache."""

    kind: Literal["anthropic"]
    base_url: str = Field(default="https://api.anthropic.com", pattern=_ADDRESS)
    """Address of the API, with or without `/v1`. Credentials don't belong in it."""
    version: str = Field(default="2023-06-01", pattern=r"^\d{4}-\d{2}-\d{2}$")
    """The `anthropic-version` that is spoken, as `2026-10-21`."""
    betas: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,100}$")], ...] = ()
    """Features under test (`anthropic-beta`) that are asked for with every request. What clients ask for in their own
    header does not leave; fields that are not known here do, where the client asks for no other features than these."""
    count_tokens: Literal["estimate", "native"] = "estimate"
    """Who counts where a client asks for a prompt's tokens (`/v1/messages/count_tokens`) and the policy would send the
    prompt here. `estimate`: this gateway, and nothing leaves for a mere count. `native`: Anthropic; the prompt is then
    inspected, decided on, written down and sent like any request, at no cost."""
    provider_tools: bool = False
    """Whether Anthropic may run tools itself that a client offers: searches and fetches of the web, programs. It then
    asks other people's servers in words of its model's choice. `mcp_servers` and `container` never leave."""
    capabilities: frozenset[Capability] = frozenset(
        {Capability.TOOLS, Capability.IMAGES, Capability.FILES, Capability.JSON_SCHEMA, Capability.THINKING}
    )
    """What it can do besides text: tools, images, files (PDF), json_schema, thinking (listings say so)."""

    @property
    def api_spoken(self) -> Api:
        """Return the API that it speaks."""
        return Api.MESSAGES

    @property
    def takes_marks(self) -> bool:
        """Say whether marks for caches and signed thoughts are sent to it."""
        return True


class GeminiTargetConfig(CloudTargetConfig):
    """Google's Gemini, in its OpenAI-compatible API. The signatures of its thoughts go to clients and come back."""

    kind: Literal["gemini"]
    base_url: str = Field(default="https://generativelanguage.googleapis.com/v1beta/openai", pattern=_ADDRESS)
    """Base URL of the OpenAI-compatible API. Credentials don't belong in it."""
    endpoints: frozenset[Endpoint] | None = None
    """What it serves: chat, embeddings. Default: chat."""

    @model_validator(mode="after")
    def _served(self) -> Self:
        if self.effective_endpoints - {Endpoint.CHAT, Endpoint.EMBEDDINGS}:
            raise ValueError("'endpoints' of this kind are chat and embeddings")
        return self

    @property
    def effective_endpoints(self) -> frozenset[Endpoint]:
        """Return what it serves."""
        return super().effective_endpoints if self.endpoints is None else self.endpoints

    @property
    def api_spoken(self) -> Api:
        """Return the API that it speaks."""
        return Api.CHAT

    @property
    def takes_marks(self) -> bool:
        """Say whether marks for caches and signed thoughts are sent to it."""
        return False


class ServerAddressConfig(Section):
    """One of several servers that run the same model."""

    base_url: str = Field(pattern=_ADDRESS)
    """Base URL with its `/v1`. Credentials don't belong in it."""
    name: str = Field(default="", pattern=_SERVER_NAME)
    """What receipts, metrics and the console call it. Default: its host and port."""
    weight: float = Field(default=1.0, ge=0.05, le=100, allow_inf_nan=False)
    """How much it can do, beside the others: with 2 it gets twice as many requests, and twice as many at once."""

    @property
    def label(self) -> str:
        """Return what it is called."""
        return self.name or urlsplit(self.base_url).netloc.lower()


def _server_of(given: object) -> object:
    return {"base_url": given} if isinstance(given, str) else given


_Server = Annotated[
    ServerAddressConfig,
    BeforeValidator(_server_of, json_schema_input_type=Annotated[str, Field(pattern=_ADDRESS)] | ServerAddressConfig),
]


class OpenAITargetConfig(ServerTargetConfig):
    """Any server that speaks the OpenAI API: a cloud, or llama-server, Ollama, vLLM, LM Studio on your own network."""

    kind: Literal["openai"]
    zone: Zone
    """`local` for your own machines, `cloud` for everybody else's. A model that a server at home runs elsewhere, as
    Ollama its `…-cloud` models, is not local: its name is refused here, and a server that says so gets nothing."""
    base_url: str = Field(default="", pattern=_ADDRESS)
    """Base URL with its `/v1`. Credentials don't belong in it. This or `servers` is required."""
    servers: tuple[_Server, ...] = Field(default=(), max_length=64)
    """For `zone: local`, in place of `base_url`: the base URLs of several servers that run the same model, or sections
    with `base_url`, `name` (default: host and port) and `weight` (default 1; 2 gets twice as many requests). A
    conversation stays at the server that has its beginning; docs/cluster.md says how."""
    api: Literal["chat", "responses", "a1111", "comfyui"] = "chat"
    """Which API the server is asked in. chat: OpenAI's, for every endpoint. responses (`zone: cloud`): OpenAI's newer
    one, which keeps sealed thoughts between turns; it stores nothing there. For pictures in zone local, with a
    `base_url` without `/v1`: a1111, that of AUTOMATIC1111, Forge and sd-server; comfyui, with a `workflow`."""
    workflow: Path | None = None
    """For `api: comfyui`: the file that ComfyUI saves by "Export (API)", with named places such as `{prompt}` in it.
    docs/pictures.md says which."""
    api_version: str | None = Field(default=None, pattern=r"^[\w.-]{1,40}$")
    """For `zone: cloud`, services like Azure's: the `api-version` of each request, as `2025-04-01-preview`. The key is
    then sent as `api-key`."""
    endpoints: frozenset[Endpoint] | None = None
    """What it serves: chat, completions, embeddings, images, transcriptions, speech; in zone local also rerank,
    decisions (models that answer questions and write no text), and moderations with chat. Default: chat, and in zone
    local completions."""
    slots: int = Field(default=16, ge=1, le=1024)
    """For `zone: local`: requests that the server gets at once; set it to what it computes at once (`--parallel`). Of
    several `servers`, each."""
    queue: int = Field(default=64, ge=0)
    """For `zone: local`: further requests that may wait here, in fair turns, two thirds of them of one key; one more
    is answered with 429."""
    queue_wait: Seconds = 120.0
    """For `zone: local`, as `2 min`: a request that would have to wait longer for a slot gets 429 at once."""
    trusted_host: bool = False
    """For `zone: local` only: the address is yours although it is a public one."""

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if not self.base_url and not self.servers:
            raise ValueError("'base_url' is missing; it is required here, or 'servers' with several of them")
        if self.servers and self.base_url:
            raise ValueError("'base_url' and 'servers' exclude each other: move the address into 'servers'")
        if self.servers and self.zone is Zone.CLOUD:
            raise ValueError("'servers' is for zone local only: a cloud has one address")
        names = [server.label for server in self.servers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two of 'servers' are called {name!r}: give each a 'name' of its own")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.zone is Zone.LOCAL and RUNS_ELSEWHERE.search(self.model):
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
        if Endpoint.TOKENIZE in self.effective_endpoints:
            raise ValueError("tokenize: only embedded models are asked for their tokens, and always; leave it out")
        waiting = {"slots", "queue", "queue_wait"} & self.model_fields_set
        if self.zone is Zone.CLOUD and waiting:
            raise ValueError(f"{_listed(waiting)}: for zone local only; a cloud says itself when it is full")
        if self.zone is Zone.LOCAL and self.proxy is not None:
            raise ValueError("'proxy' is for zone cloud only: a local target is asked directly")
        if self.zone is Zone.LOCAL and (self.api_version is not None or self.api == "responses"):
            raise ValueError("'api: responses' and 'api_version' are for zone cloud only")
        if self.api in FOR_PICTURES and (self.zone is Zone.CLOUD or self.effective_endpoints != {Endpoint.IMAGES}):
            raise ValueError(f"'api: {self.api}' is for zone local and makes pictures alone: 'endpoints: [images]'")
        if (self.api == "comfyui") is (self.workflow is None):
            raise ValueError("'workflow' belongs to 'api: comfyui', which needs one")
        if self.credential == "client" and (self.zone is Zone.LOCAL or self.api_version is not None):
            raise ValueError("'credential: client' is for zone cloud only, and not together with 'api_version'")
        if self.api == "responses" and Endpoint.COMPLETIONS in self.effective_endpoints:
            raise ValueError("'api: responses' serves chat and embeddings, no completions")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the base URL of each of its servers."""
        return tuple([server.base_url for server in self.servers]) or (self.base_url,)

    @property
    def effective_endpoints(self) -> frozenset[Endpoint]:
        """Return what it serves, or the zone's default where nothing is set."""
        if self.endpoints is not None:
            return self.endpoints
        if self.api in FOR_PICTURES:
            return frozenset({Endpoint.IMAGES})
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

    @property
    def api_spoken(self) -> Api:
        """Return the API that it speaks."""
        return Api(self.api)

    @property
    def takes_marks(self) -> bool:
        """Say whether marks for caches and signed thoughts are sent to it."""
        if self.api_spoken is Api.RESPONSES:
            return True
        host = urlsplit(self.base_url).hostname or ""
        return self.zone is Zone.CLOUD and any(host == one or host.endswith(f".{one}") for one in _TAKE_MARKS)


def origin_of(base_url: str) -> str:
    """Return scheme, host and port of an address."""
    url = urlsplit(base_url)
    return f"{url.scheme}://{url.hostname}:{url.port or (443 if url.scheme == 'https' else 80)}"


def _listed(names: set[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))
