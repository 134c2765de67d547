"""`aduana.yaml` and `ADUANA_…` variables, read once and frozen. Every field says what it does.

Owns the outer shape of the configuration and its error messages. Rooms never see this: `app` hands each of them its
own small settings object.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.core.request import Endpoint
from gateway.core.target import Alias, Capability, Catalog, TargetInfo
from gateway.core.yaml_source import Source, parse_yaml
from gateway.settings_errors import explain_errors

DEFAULT_FILE = Path("aduana.yaml")
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Tag = Annotated[str, Field(pattern=NAME_PATTERN)]


def _secret_reference(value: str) -> str:
    kind, _, rest = value.partition(":")
    if kind not in ("env", "file") or not rest.strip():
        # The value itself may be a secret, so it is not repeated here.
        raise ValueError("write a secret as 'env:NAME' or 'file:PATH', never the secret itself")
    return value


SecretReference = Annotated[str, AfterValidator(_secret_reference)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


class ServerSettings(_Section):
    """Where the gateway listens and what it accepts."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs `keys`, or `anonymous: true`."""
    port: int = Field(default=8484, ge=0, le=65535)
    """TCP port; 0 takes a free one and prints it."""
    anonymous: bool | None = None
    """Answer without an API key. Default: yes on loopback as long as no `keys` are configured, else no."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names in the `Host` header that are ours (against DNS rebinding). Loopback and `host` always are."""
    allowed_origins: tuple[str, ...] = ()
    """Web pages (scheme://host:port) that may call the gateway from a browser. Default: none."""
    max_body_bytes: int = Field(default=32 * 2**20, ge=1024)
    """Largest request body, in bytes."""
    body_seconds: float = Field(default=30.0, gt=0)
    """Time for a client to send its body."""
    request_seconds: float = Field(default=600.0, gt=0)
    """Time for a whole request, answer included."""
    write_seconds: float = Field(default=30.0, gt=0)
    """A client that takes no byte for this long is cut off."""
    drain_seconds: float = Field(default=30.0, ge=0)
    """After SIGTERM, running answers may go on for this long."""
    max_connections: int = Field(default=1024, ge=1)
    """Connections served at once."""


class EmbeddedTarget(_Section):
    """A model that this gateway runs itself with llama.cpp, in a process of its own. Always local."""

    kind: Literal["embedded"]
    model: str
    """Name of a GGUF file in the model directory, without `.gguf`, or a path to one."""
    context: int = Field(default=8192, ge=64, le=4_194_304)
    """Window of one conversation in tokens, prompt and answer together."""
    slots: int = Field(default=8, ge=1, le=64)
    """Requests answered at once. Memory for the KV cache grows with `context` × `slots`."""
    threads: int | None = Field(default=None, ge=1, le=512)
    """CPU threads. Default: chosen for the machine."""
    gpu_layers: int = Field(default=-1, ge=-1)
    """Layers on the GPU; -1: all that llama.cpp can place there, 0: none."""
    flash_attention: Literal["auto", "on", "off"] = "auto"
    """llama.cpp's flash attention."""
    kv_type: Literal["f16", "q8_0", "q4_0"] = "f16"
    """Storage of the KV cache. `q8_0` halves its memory."""
    queue: int = Field(default=64, ge=0)
    """Requests that may wait for a slot; one more is answered with 429."""


class OpenAITarget(_Section):
    """Any server that speaks the OpenAI API: a cloud, or llama-server, Ollama, vLLM, LM Studio on your own network."""

    kind: Literal["openai"]
    zone: Zone
    """`local` for your own machines, `cloud` for everybody else's."""
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
    endpoints: frozenset[Endpoint] = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS})
    """What it serves: chat, completions, embeddings."""
    capabilities: frozenset[Capability] = frozenset(
        {Capability.TOOLS, Capability.IMAGES, Capability.JSON_SCHEMA, Capability.LOGPROBS}
    )
    """What it can do besides text: tools, images, audio, files, json_schema, logprobs."""
    connect_seconds: float = Field(default=3.0, gt=0)
    """Time to connect."""
    idle_seconds: float = Field(default=60.0, gt=0)
    """Longest silence in a running answer."""
    retries: int = Field(default=2, ge=0, le=10)
    """Further tries of one request after a passing fault, before its first byte."""
    proxy: str | None = None
    """HTTP proxy for this target. The environment's proxy variables are never used."""
    trusted_host: bool = False
    """For `zone: local` only: the address is yours although it is a public one."""

    @field_validator("ceiling", mode="before")
    @classmethod
    def _label(cls, value: object) -> object:
        return Label.parse(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> "OpenAITarget":
        if self.zone is Zone.CLOUD and self.ceiling is Label.SENSITIVE:
            raise ValueError("a cloud target's ceiling can't be 'sensitive': sensitive data stays local")
        if self.zone is Zone.CLOUD and self.trusted_host:
            raise ValueError("'trusted_host' is for zone local only")
        return self

    @property
    def effective_ceiling(self) -> Label:
        """The ceiling, with the default for the zone."""
        if self.ceiling is not None:
            return self.ceiling
        return Label.PUBLIC if self.zone is Zone.CLOUD else Label.SENSITIVE


AnyTarget = Annotated[EmbeddedTarget | OpenAITarget, Field(discriminator="kind")]


class ModelAlias(_Section):
    """A model name that clients may ask for."""

    targets: tuple[Name, ...] | None = None
    """Targets that may answer under this name, still within the policy. Default: all."""
    tags: frozenset[Tag] = frozenset()
    """Tags that every request under this name carries."""


class ApiKey(_Section):
    """A key that clients present. Its name stands in the ledger and in policies, its secret nowhere."""

    secret: SecretReference
    """`env:NAME` or `file:PATH`."""
    user: str | None = None
    """Person or group for the ledger."""
    tags: frozenset[Tag] = frozenset()
    """Tags that every request with this key carries."""
    models: frozenset[str] | None = None
    """Model names that this key may ask for. Default: all."""
    admin: bool = False
    """May use /admin and see explanations."""


class InspectionConfig(_Section):
    """How requests are searched for sensitive data."""

    seconds: float = Field(default=1.0, gt=0)
    """Time for one request; beyond it the request counts as sensitive."""
    max_characters: int = Field(default=16_000_000, ge=1000)
    """Size of one request; beyond it the request counts as sensitive."""
    words: dict[Name, tuple[str, ...]] = {}
    """Your own words, by category: found text counts as `custom.<category>`."""
    patterns: dict[Name, tuple[str, ...]] = {}
    """Your own regular expressions (RE2 syntax), by category."""


class EnergyConfig(_Section):
    """What the hardware draws and what a kilowatt-hour costs."""

    price_per_kwh_usd: float | None = Field(default=None, ge=0)
    """Price of electricity, US dollars per kWh, taxes included."""
    idle_watts: float | None = Field(default=None, ge=0)
    """Estimate for hardware without a meter: watts when nothing runs."""
    busy_watts: float | None = Field(default=None, ge=0)
    """Estimate for hardware without a meter: watts under load."""
    hardware_usd: float | None = Field(default=None, ge=0)
    """What the hardware cost, for its amortisation."""
    hardware_years: float = Field(default=4.0, gt=0)
    """Years over which it is written off."""


class SavingsConfig(_Section):
    """What local answers are compared with."""

    reference_model: str = "gpt-4.1-mini"
    """Cloud model whose price local requests are compared with."""
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    """Display currency."""
    usd_rate: float = Field(default=1.0, gt=0)
    """How much one US dollar is in that currency."""


class LogConfig(_Section):
    """What is logged. Prompts, answers, keys and header values never are."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """The whole configuration. Precedence: environment over file over defaults."""

    model_config = SettingsConfigDict(
        env_prefix="ADUANA_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    server: ServerSettings = ServerSettings()
    """Listening, limits and access."""
    state_dir: Path = Path("~/.local/state/aduana")
    """Directory for the ledger, models and caches."""
    models_dir: Path | None = None
    """Directory of GGUF files. Default: `models` in the state directory."""
    policy: tuple[Path, ...] = ()
    """Policy files, relative to this file. Default: the built-in `home` policy."""
    targets: dict[Name, AnyTarget] = Field(default_factory=lambda: _starter())
    """Everything that can answer. Default: the starter model, local only."""
    models: dict[str, ModelAlias] | None = None
    """What clients may ask for. Default: `auto` and the name of each target."""
    unknown_model: str | None = "auto"
    """The alias for model names that are not listed; null refuses them."""
    keys: dict[Name, ApiKey] = {}
    """API keys by name."""
    header_facts: tuple[str, ...] = ()
    """Header names that policies may look at."""
    inspection: InspectionConfig = InspectionConfig()
    """Search for sensitive data."""
    energy: EnergyConfig = EnergyConfig()
    """Electricity and hardware."""
    savings: SavingsConfig = SavingsConfig()
    """The comparison with the cloud."""
    log: LogConfig = LogConfig()
    """Logging."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over the file (which arrives as init values); no .env file, no secrets directory."""
        return env_settings, init_settings

    @field_validator("state_dir", "models_dir")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else value

    @model_validator(mode="after")
    def _names_exist(self) -> "Settings":
        if not self.targets:
            raise ValueError("'targets' is empty: name at least one")
        aliases = self.aliases()
        for alias in aliases.values():
            for target in alias.targets or ():
                if target not in self.targets:
                    raise ValueError(f"models.{alias.name} names the target {target!r}, which 'targets' does not have")
        if self.unknown_model is not None and self.unknown_model not in aliases:
            raise ValueError(f"unknown_model is {self.unknown_model!r}, which 'models' does not have")
        return self

    def aliases(self) -> Mapping[str, Alias]:
        """What clients may ask for, by name."""
        if self.models is None:
            return {"auto": Alias(name="auto")} | {
                name: Alias(name=name, targets=(name,)) for name in self.targets if name != "auto"
            }
        return {name: Alias(name=name, targets=model.targets, tags=model.tags) for name, model in self.models.items()}

    def catalog(self) -> Catalog:
        """Targets, aliases and keys as the policy sees them."""
        return Catalog(
            targets={name: _info(name, target) for name, target in self.targets.items()},
            aliases=self.aliases(),
            unknown_model=self.unknown_model,
            keys=frozenset(self.keys),
            key_tags=frozenset(tag for key in self.keys.values() for tag in key.tags),
        )

    @property
    def model_directory(self) -> Path:
        """Where GGUF files are looked for."""
        return self.models_dir or self.state_dir / "models"


def _starter() -> "dict[str, EmbeddedTarget | OpenAITarget]":
    return {"home": EmbeddedTarget(kind="embedded", model="smollm2")}


def _info(name: str, target: EmbeddedTarget | OpenAITarget) -> TargetInfo:
    match target:
        case EmbeddedTarget():
            return TargetInfo(
                name=name,
                kind=target.kind,
                zone=Zone.LOCAL,
                ceiling=Label.SENSITIVE,
                model=target.model,
                context=target.context,
                capabilities=frozenset({Capability.TOOLS, Capability.JSON_SCHEMA, Capability.LOGPROBS}),
            )
        case OpenAITarget():
            return TargetInfo(
                name=name,
                kind=target.kind,
                zone=target.zone,
                ceiling=target.effective_ceiling,
                model=target.model,
                context=target.context,
                endpoints=target.endpoints,
                capabilities=target.capabilities,
            )


def load_settings(path: Path | None = None) -> Settings:
    """Read the configuration: `path`, else `aduana.yaml` here if there is one, else defaults; then the environment.

    Raises ConfigurationError whose problems name file, line and column.
    """
    chosen = path if path is not None else (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    source = Source("", {}, {})
    if chosen is not None:
        try:
            text = chosen.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError((f"{chosen}: can't be read: {error}.",)) from error
        source = parse_yaml(text, str(chosen))
    return settings_from(source)


def settings_from(source: Source) -> Settings:
    """Settings from a parsed file and the environment. Relative policy paths count from the file's directory."""
    if not isinstance(source.value, dict):
        raise ConfigurationError((f"{source.where(())}: the configuration must be a mapping (key: value).",))
    values: dict[str, Any] = dict(source.value)
    policy = values.get("policy")
    if isinstance(policy, str):
        values["policy"] = policy = [policy]
    if isinstance(policy, list):
        folder = Path(source.file).parent
        values["policy"] = [folder / Path(item).expanduser() if isinstance(item, str) else item for item in policy]
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(explain_errors(error, source, Settings)) from error


def read_secret(reference: str) -> str:
    """The secret behind `env:NAME` or `file:PATH`. Raises ConfigurationError that names the reference only."""
    import os

    kind, _, rest = reference.partition(":")
    if kind == "env":
        value = os.environ.get(rest, "")
        if not value:
            raise ConfigurationError((f"the environment variable {rest} (for {reference!r}) is not set.",))
    else:
        try:
            value = Path(rest).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError((f"the file of {reference!r} can't be read: {type(error).__name__}.",)) from error
    if not value or any(ord(character) < 33 or ord(character) > 126 for character in value):
        raise ConfigurationError((f"the secret behind {reference!r} is empty or has blanks or control characters.",))
    return value
