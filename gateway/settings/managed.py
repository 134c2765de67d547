"""Targets whose server the gateway starts and stops itself."""

from math import inf
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gateway.core.labels import Label, Zone
from gateway.core.request import Endpoint
from gateway.core.target import Api
from gateway.local.managed.command import PLACEHOLDERS, unknown_placeholders, uses
from gateway.settings.servers import FOR_PICTURES, RUNS_ELSEWHERE, AskedTargetConfig
from gateway.settings.units import Bytes, Seconds


def _words(value: object) -> object:
    if isinstance(value, str):
        raise ValueError("write the command as a list, program first, as [llama-server, --port, '{port}']: no shell")
    if value in ([], ()):
        raise ValueError("it is empty: name the program")
    return value


def _known(text: str) -> str:
    if "\0" in text:
        raise ValueError("it has a NUL character in it")
    unknown = unknown_placeholders([text])
    if unknown:
        known = ", ".join(f"{{{word}}}" for word in PLACEHOLDERS)
        raise ValueError(f"{{{unknown[0]}}} stands for nothing here; there are {known}. Write {{{{…}}}} for the text")
    return text


def _text(value: object) -> object:
    return str(value) if type(value) in (int, float) else value


_Filled = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int | float)]
_Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class ManagedTargetConfig(AskedTargetConfig):
    """A server that the gateway starts for its requests and stops when it is idle, on this machine. Always local."""

    kind: Literal["server"]
    command: Annotated[tuple[_Filled, ...], Field(json_schema_extra={"minItems": 1}), BeforeValidator(_words)]
    """Program and arguments, as a list: `[llama-server, -m, "{models}/qwen.gguf", --host, "{host}", --port, "{port}"]`.
    `{port}` is a free port on which it must listen, `{host}` is 127.0.0.1, `{model}` is `model`, `{models}` the model
    directory, `{key}` a secret of each start (better in `env`: others on this machine see commands)."""
    env: dict[_Variable, _Filled] = Field(default_factory=dict)
    """Further variables of its environment, with the same placeholders, as `LLAMA_API_KEY: "{key}"`. It gets few of the
    gateway's own (PATH, HOME, LANG, CUDA_…), and none of its keys."""
    cwd: Path | None = None
    """Directory in which it is started, from that of this file on."""
    log: Path | None = None
    """File to which all that it prints is added. It may hold prompts, so only its owner may read it. Default: what it
    prints before it is ready is told where it fails, and the rest goes nowhere."""
    health: str = Field(default="/health", pattern=r"^/[^\s]*$")
    """Path that answers with 200 once it is ready."""
    memory: Bytes | None = None
    """As `6 GB`: what it takes, on GPUs and in RAM together. It counts in `engine.memory`."""
    gpu_memory: Bytes | None = None
    """As `5 GB`: the part of it on GPUs. Default: none."""
    load: Literal["start", "on_demand"] = "on_demand"
    """When it is started: with the gateway, or for the first request that wants it."""
    unload_after: Seconds | None = None
    """As `30 min`: it is stopped after being idle for so long, and started again for the next request. Default: it
    runs until another model needs the room (`engine.memory`)."""
    load_wait: Seconds = 300.0
    """As `2 min`: a request waits so long for room and start, then gets 503. A start that takes longer has failed."""
    stop_seconds: float = Field(default=10.0, gt=0, le=600)
    """Time from SIGTERM to SIGKILL, when it is stopped."""
    api: Literal["chat", "a1111", "comfyui"] = "chat"
    """Which API the server is asked in: chat, OpenAI's below `/v1`, for every endpoint; for pictures also a1111, that
    of AUTOMATIC1111, Forge and sd-server, and comfyui, with a `workflow`."""
    workflow: Path | None = None
    """For `api: comfyui`: the file that ComfyUI saves by "Export (API)", with named places such as `{prompt}` in it."""
    endpoints: frozenset[Endpoint] | None = None
    """What it serves: as a target `kind: openai, zone: local`. Default: chat and completions; images where `api` says
    so."""
    slots: int = Field(default=4, ge=1, le=1024)
    """Requests that it gets at once; set it to what it computes at once (`--parallel`)."""
    queue: int = Field(default=64, ge=0)
    """Further requests that may wait here, in fair turns, two thirds of them of one key; one more gets 429."""
    queue_wait: Seconds = 120.0
    """As `2 min`: a request that would have to wait longer for a slot gets 429 at once."""

    @field_validator("command")
    @classmethod
    def _placeholders(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known(text) for text in value)

    @field_validator("env")
    @classmethod
    def _placeholders_in_values(cls, value: dict[str, str]) -> dict[str, str]:
        return {name: _known(text) for name, text in value.items()}

    @model_validator(mode="after")
    def _consistent(self) -> "ManagedTargetConfig":
        if not uses([*self.command, *self.env.values()], "port"):
            raise ValueError("neither 'command' nor 'env' has {port}: the gateway chooses the port, and must tell it")
        if self.gpu_memory is not None and self.gpu_memory > (self.memory or 0):
            raise ValueError("'gpu_memory' is a part of 'memory': give the whole as 'memory', too")
        if RUNS_ELSEWHERE.search(self.model):
            raise ValueError(
                f"the model {self.model!r} runs in Ollama's cloud, by its name, so it is no server on this machine. "
                "Choose a model that runs here"
            )
        if self.api in FOR_PICTURES and self.effective_endpoints != {Endpoint.IMAGES}:
            raise ValueError(f"'api: {self.api}' makes pictures alone: 'endpoints: [images]'")
        if (self.api == "comfyui") is (self.workflow is None):
            raise ValueError("'workflow' belongs to 'api: comfyui', which needs one")
        if Endpoint.TOKENIZE in self.effective_endpoints:
            raise ValueError("tokenize: only embedded models are asked for their tokens, and always; leave it out")
        return self

    @property
    def zone(self) -> Zone:
        """Return the zone: it runs on this machine."""
        return Zone.LOCAL

    @property
    def effective_endpoints(self) -> frozenset[Endpoint]:
        """Return what it serves, or the default where nothing is set."""
        if self.endpoints is not None:
            return self.endpoints
        return frozenset({Endpoint.IMAGES} if self.api in FOR_PICTURES else {Endpoint.CHAT, Endpoint.COMPLETIONS})

    @property
    def effective_ceiling(self) -> Label:
        """Return the ceiling, or `sensitive` where none is set."""
        return Label.SENSITIVE if self.ceiling is None else self.ceiling

    @property
    def effective_header_seconds(self) -> float:
        """Return the time to the beginning of the answer."""
        return inf if self.header_seconds is None else self.header_seconds

    @property
    def api_spoken(self) -> Api:
        """Return the API that it speaks."""
        return Api(self.api)

    @property
    def takes_marks(self) -> bool:
        """Say whether marks for caches and signed thoughts are sent to it."""
        return False
