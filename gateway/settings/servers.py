"""Targets that are servers: clouds, and servers on the user's own network."""

import re
from math import inf
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from gateway.core.labels import Label, Zone
from gateway.core.request import LOCAL_ENDPOINTS, Endpoint
from gateway.core.target import Api, Capability
from gateway.settings.section import SecretReference, Section
from gateway.settings.units import Seconds

_CLOUD_HEADER_SECONDS = 120.0
_ADDRESS = r"^https?://[^\s/@]+(/[^\s@]*)?$"
# Ollama runs these on ollama.com, whatever machine is asked: gpt-oss:120b-cloud, glm-4.6:cloud.
_ELSEWHERE = re.compile(r"[:-]cloud\s*(:latest\s*)?\Z", re.IGNORECASE)
_TAKE_MARKS = ("openrouter.ai",)  # providers that take marks for caches and signed thoughts in chat completions


class ServerTargetConfig(Section):
    """A server that answers over HTTP: what all kinds of them have."""

    api_key: SecretReference | None = None
    """`env:NAME` or `file:PATH`."""
    credential: Literal["gateway", "client"] = "gateway"
    """For `zone: cloud`: whose key the provider is asked with. `gateway`: the one in `api_key`. `client`: the caller's
    own, from the request's `x-api-key` (Anthropic) or `Authorization: Bearer …`; a key of this gateway then comes in
    `x-aduana-key`. Without one the target is passed over, or the answer is 401. Read the provider's terms first."""
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
    proxy: str | None = None
    """HTTP proxy for this target. The environment's proxy variables are never used."""

    @field_validator("ceiling", mode="before", json_schema_input_type=Literal["public", "internal", "sensitive"] | None)
    @classmethod
    def _label(cls, value: object) -> object:
        return Label.parse(value) if isinstance(value, str) else value

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
    header does not leave."""
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


class OpenAITargetConfig(ServerTargetConfig):
    """Any server that speaks the OpenAI API: a cloud, or llama-server, Ollama, vLLM, LM Studio on your own network."""

    kind: Literal["openai"]
    zone: Zone
    """`local` for your own machines, `cloud` for everybody else's. A model that a server at home runs elsewhere, as
    Ollama its `…-cloud` models, is not local: its name is refused here, and a server that says so gets nothing."""
    base_url: str = Field(pattern=_ADDRESS)
    """Base URL with its `/v1`. Credentials don't belong in it."""
    api: Literal["chat", "responses"] = "chat"
    """For `zone: cloud`: which of OpenAI's APIs is asked. `responses` keeps sealed thoughts between turns and stores
    nothing there."""
    api_version: str | None = Field(default=None, pattern=r"^[\w.-]{1,40}$")
    """For `zone: cloud`, services like Azure's: the `api-version` of each request, as `2025-04-01-preview`. The key is
    then sent as `api-key`."""
    endpoints: frozenset[Endpoint] | None = None
    """What it serves: chat, completions, embeddings; in zone local also rerank, and moderations with chat. Default:
    chat, and in zone local completions."""
    slots: int = Field(default=16, ge=1, le=1024)
    """For `zone: local`: requests that the server gets at once; set it to what it computes at once (`--parallel`)."""
    queue: int = Field(default=64, ge=0)
    """For `zone: local`: further requests that may wait here, in fair turns, two thirds of them of one key; one more
    is answered with 429."""
    queue_wait: Seconds = 120.0
    """For `zone: local`, as `2 min`: a request that would have to wait longer for a slot gets 429 at once."""
    trusted_host: bool = False
    """For `zone: local` only: the address is yours although it is a public one."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
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
        if Endpoint.TOKENIZE in self.effective_endpoints:
            raise ValueError("tokenize: only embedded models are asked for their tokens, and always; leave it out")
        waiting = {"slots", "queue", "queue_wait"} & self.model_fields_set
        if self.zone is Zone.CLOUD and waiting:
            raise ValueError(f"{_listed(waiting)}: for zone local only; a cloud says itself when it is full")
        if self.zone is Zone.LOCAL and self.proxy is not None:
            raise ValueError("'proxy' is for zone cloud only: a local target is asked directly")
        if self.zone is Zone.LOCAL and (self.api_version is not None or self.api != "chat"):
            raise ValueError("'api' and 'api_version' are for zone cloud only")
        if self.credential == "client" and (self.zone is Zone.LOCAL or self.api_version is not None):
            raise ValueError("'credential: client' is for zone cloud only, and not together with 'api_version'")
        if self.api == "responses" and Endpoint.COMPLETIONS in self.effective_endpoints:
            raise ValueError("'api: responses' serves chat and embeddings, no completions")
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
