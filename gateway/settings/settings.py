"""The whole configuration: its outer shape, what must hold between sections, and how the file is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.core.request import Endpoint
from gateway.core.target import Alias, Api, Capability, Catalog, TargetInfo
from gateway.core.yaml_source import Source, parse_yaml
from gateway.settings.batches import BatchesConfig
from gateway.settings.energy import EnergyConfig
from gateway.settings.environment import EnvironmentSource
from gateway.settings.errors import ELSEWHERE, explain_errors
from gateway.settings.inspection import LEAST_CONTEXT, InspectionConfig
from gateway.settings.money import BudgetConfig, PriceConfig
from gateway.settings.paths import placed
from gateway.settings.responses import ResponsesConfig
from gateway.settings.section import Files, Name
from gateway.settings.server import ApiKey, LogConfig, ModelAlias, ServerSettings, TraceConfig
from gateway.settings.servers import origin_of
from gateway.settings.targets import AnyTarget, EmbeddedTargetConfig, EngineConfig

_CREDENTIAL_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "api-key", "x-aduana-key", "cookie"}
)
DEFAULT_FILE = Path("aduana.yaml")


class Settings(BaseSettings):
    """The whole configuration. Precedence: environment over file over defaults."""

    model_config = SettingsConfigDict(
        env_prefix="ADUANA_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    server: ServerSettings = ServerSettings()
    """Listening, limits and access."""
    state_dir: Path = Path("~/.local/state/aduana")
    """Directory for the ledger, models and caches."""
    models_dir: Path | None = None
    """Directory of GGUF files. Default: `models` in the state directory."""
    policy: Files = ()
    """Policy files, relative to this file. Default: the built-in `home` policy."""
    candidate: Files = ()
    """Files of a policy that decides every request too and sends nothing; a metric and `aduana diff` show the rest."""
    targets: dict[Name, AnyTarget] = Field(default_factory=lambda: _starter())
    """Everything that can answer. Default: the starter model, local only."""
    models: dict[str, ModelAlias] | None = None
    """What clients may ask for. Default: `auto` and the name of each target."""
    engine: EngineConfig = EngineConfig()
    """Memory for embedded models."""
    unknown_model: str | None = "auto"
    """The alias for model names that are not listed; null refuses them. A name that looks like a listed one, or has it
    as a word (`doctr`, `home/doctor-2`), also keeps that one's default label and tags, where they are stricter."""
    keys: dict[Name, ApiKey] = {}
    """API keys by name."""
    header_facts: tuple[str, ...] = ()
    """Header names that policies may look at."""
    inspection: InspectionConfig = InspectionConfig()
    """Search for sensitive data."""
    energy: EnergyConfig = EnergyConfig()
    """Electricity and hardware."""
    prices: PriceConfig = PriceConfig()
    """What tokens cost, and the comparison with the cloud."""
    budgets: BudgetConfig = BudgetConfig()
    """Limits of cloud spending."""
    responses: ResponsesConfig = ResponsesConfig()
    """Stored answers."""
    batches: BatchesConfig = BatchesConfig()
    """Files and batches."""
    timezone: str = ""
    """IANA zone in which days, months and tariffs begin, as `Europe/Madrid`. Default: the machine's own."""
    traces: TraceConfig = TraceConfig()
    """Traces."""
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
        """Put the environment above the file, which arrives as init values; read no .env file."""
        return EnvironmentSource(settings_cls), init_settings

    @field_validator("state_dir", "models_dir")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else value

    @field_validator("header_facts")
    @classmethod
    def _no_credentials(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name.lower() in _CREDENTIAL_HEADERS:
                raise ValueError(f"{name!r} holds a credential, which no policy looks at and no receipt has")
        return value

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
        self._secrets_differ()
        self._one_provider_for_clients()
        if self.inspection.topics is not None:
            self._can_judge(self.inspection.topics.target)
        return self

    def _secrets_differ(self) -> None:
        """Refuse two keys that read one secret. Different places with the same secret are seen when they are read.

        Raises:
            PydanticCustomError: There are two such keys.
        """
        first: dict[str, str] = {}
        for name, key in self.keys.items():
            other = first.setdefault(key.secret, name)
            if other != name:
                reason = (
                    f"{name!r} has the same secret as the key {other!r}: a request with it could be either one's. "
                    "Give each key a secret of its own"
                )
                raise PydanticCustomError(ELSEWHERE, "{reason}", {"reason": reason, "place": ("keys", name, "secret")})

    def _one_provider_for_clients(self) -> None:
        """Refuse two providers that one and the same key of a client could go to, as after a fallback.

        Raises:
            PydanticCustomError: There are two targets with `credential: client` at different addresses, which take a
                key from the same header.
        """
        first: dict[bool, tuple[str, str]] = {}
        for name, target in self.targets.items():
            if isinstance(target, EmbeddedTargetConfig) or target.credential != "client":
                continue
            origin = origin_of(target.base_url)
            other, known = first.setdefault(target.api_spoken is Api.MESSAGES, (name, origin))
            if known != origin:
                reason = (
                    f"{name!r} and {other!r} both want the client's own key, at different addresses: one key could "
                    "reach the wrong provider. Give one of them a key of yours (api_key)"
                )
                place = ("targets", name, "credential")
                raise PydanticCustomError(ELSEWHERE, "{reason}", {"reason": reason, "place": place})

    def _can_judge(self, name: str) -> None:
        reason = self._no_judge(name)
        if reason is not None:
            place = ("inspection", "topics", "target")
            raise PydanticCustomError(ELSEWHERE, "{reason}", {"reason": f"{name!r} {reason}", "place": place})

    def _no_judge(self, name: str) -> str | None:
        if name not in self.targets:
            return "is a target which 'targets' does not have"
        info = _info(name, self.targets[name])
        if info.zone is not Zone.LOCAL:
            return "is a cloud target: what may have to stay would leave to be judged. Name a local one"
        if info.ceiling < Label.SENSITIVE:
            return f"may not see what may turn out to be sensitive: its ceiling is {info.ceiling.word}"
        if Endpoint.CHAT not in info.endpoints:
            return "does not answer chats"
        if Capability.JSON_SCHEMA not in info.capabilities:
            return "can't be held to one word: its 'capabilities' lack json_schema"
        if info.context is not None and info.context < LEAST_CONTEXT:
            return f"has a 'context' of {info.context}, which is too small: it takes {LEAST_CONTEXT} tokens"
        return None

    def aliases(self) -> Mapping[str, Alias]:
        """Return the model names that clients may ask for."""
        if self.models is None:
            return {"auto": Alias(name="auto")} | {
                name: Alias(name=name, targets=(name,)) for name in self.targets if name != "auto"
            }
        return {name: Alias(name=name, targets=model.targets, tags=model.tags) for name, model in self.models.items()}

    def catalog(self) -> Catalog:
        """Return targets, aliases and keys as the policy sees them."""
        return Catalog(
            targets={name: _info(name, target) for name, target in self.targets.items()},
            aliases=self.aliases(),
            unknown_model=self.unknown_model,
            keys=frozenset(self.keys),
            key_tags=frozenset(tag for key in self.keys.values() for tag in key.tags),
            tags_of_keys={name: key.tags for name, key in self.keys.items()},
        )

    @property
    def model_directory(self) -> Path:
        """Return the directory in which GGUF files are looked for."""
        return self.models_dir or self.state_dir / "models"


def _starter() -> dict[str, AnyTarget]:
    return {"home": EmbeddedTargetConfig(kind="embedded", model="smollm2")}


def _info(name: str, target: AnyTarget) -> TargetInfo:
    match target:
        case EmbeddedTargetConfig():
            return TargetInfo(
                name=name,
                kind=target.kind,
                zone=Zone.LOCAL,
                ceiling=Label.SENSITIVE,
                model=Path(target.model).name.removesuffix(".gguf"),  # clients see it: never a path of this machine
                context=target.context,
                endpoints=target.endpoints | {Endpoint.TOKENIZE},
                capabilities=frozenset(
                    {Capability.TOOLS, Capability.JSON_SCHEMA, Capability.GRAMMAR, Capability.LOGPROBS}
                ),
            )
        case _:
            return TargetInfo(
                name=name,
                kind=target.kind,
                zone=Zone(target.zone),
                ceiling=target.effective_ceiling,
                model=target.model,
                context=target.context,
                endpoints=target.effective_endpoints,
                capabilities=target.capabilities,
                api=target.api_spoken,
                marks=target.takes_marks,
                client_credential=target.credential == "client",
            )


def load_settings(path: Path | None = None) -> Settings:
    """Read the configuration: `path`, else `aduana.yaml` here if there is one, else defaults; then the environment.

    Raises:
        ConfigurationError: Something in it is wrong. Its problems name file, line and column.
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
    """Return the settings of a parsed file and the environment. Relative paths count from the file's directory.

    Raises:
        ConfigurationError: Something in it is wrong. Its problems name file, line and column.
    """
    if not isinstance(source.value, dict):
        raise ConfigurationError((f"{source.where(())}: the configuration must be a mapping (key: value).",))
    values: dict[str, Any] = placed(source.value, Path(source.file).parent)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(explain_errors(error, source, Settings)) from error


def read_secret(reference: str) -> str:
    """Return the secret behind `env:NAME` or `file:PATH`.

    Raises:
        ConfigurationError: It can't be had. The message names the reference, never the secret.
    """
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
