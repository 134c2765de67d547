"""The whole configuration: its outer shape, what must hold between sections, and how the file is read."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.core.request import Endpoint, Media
from gateway.core.target import Alias, Api, Capability, Catalog, TargetInfo
from gateway.core.yaml_source import Path as SettingPath
from gateway.core.yaml_source import Source, decoded, parse_yaml
from gateway.settings.attachments import AttachmentsConfig
from gateway.settings.egress import EgressConfig
from gateway.settings.energy import EnergyConfig
from gateway.settings.inspection import LEAST_CONTEXT, InspectionConfig
from gateway.settings.kept.batches import BatchesConfig
from gateway.settings.kept.ledger import Ledger, LedgerConfig
from gateway.settings.kept.responses import ResponsesConfig
from gateway.settings.limits import DEFAULT, LimitConfig, LimitsConfig
from gateway.settings.money import BudgetConfig, PriceConfig
from gateway.settings.reading.environment import EnvironmentSource
from gateway.settings.reading.errors import ELSEWHERE, explain_errors
from gateway.settings.reading.paths import placed
from gateway.settings.reading.places import Places
from gateway.settings.retention import RetentionConfig
from gateway.settings.section import Files, Name
from gateway.settings.server import ApiKey, LogConfig, ModelAlias, ServerSettings, TraceConfig
from gateway.settings.servers import AnthropicTargetConfig, ServerTargetConfig, origin_of
from gateway.settings.targets import (
    AnyTarget,
    EmbeddedTargetConfig,
    EngineConfig,
    EspeakTargetConfig,
    SpeechTargetConfig,
)
from gateway.settings.users import UsersConfig

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
    """Memory for models on this machine."""
    unknown_model: str | None = "auto"
    """The alias for model names that are not listed; null refuses them. A name that looks like a listed one, or has it
    as a word (`doctr`, `home/doctor-2`), also keeps that one's default label and tags, where they are stricter."""
    egress: EgressConfig = EgressConfig()
    """The way out to clouds."""
    keys: dict[Name, ApiKey] = {}
    """API keys by name."""
    users: UsersConfig = UsersConfig()
    """The people behind requests."""
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
    ledger: Ledger = LedgerConfig()
    """The record of every request, and what proves that it was not changed. An address alone is the database's:
    `ledger: "postgresql://aduana@db/aduana"`."""
    limits: LimitsConfig = LimitsConfig()
    """Limits of single keys, users, tags and targets."""
    retention: RetentionConfig = RetentionConfig()
    """How long requests stay in the ledger."""
    responses: ResponsesConfig = ResponsesConfig()
    """Stored answers."""
    batches: BatchesConfig = BatchesConfig()
    """Files and batches."""
    attachments: AttachmentsConfig = AttachmentsConfig()
    """Files, pictures and recordings in requests."""
    timezone: str = ""
    """IANA zone in which days, months and tariffs begin, as `Europe/Madrid`. Default: the machine's own."""
    traces: TraceConfig = TraceConfig()
    """Traces."""
    log: LogConfig = LogConfig()
    """Logging."""
    _places: Places = PrivateAttr(default_factory=Places)

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
        self._limits_are_plain()
        self._secrets_differ()
        self._users_are_told_apart()
        self._one_provider_for_clients()
        if self.inspection.topics is not None:
            self._can_judge(self.inspection.topics.target)
        if self.batches.price_up_to is not None and not self.energy.tariff.is_set:
            raise ValueError("batches.price_up_to needs a price to look at: set energy.tariff")
        return self

    def _limits_are_plain(self) -> None:
        """Refuse limits of a target that does not exist, and limits of a key in two places.

        Raises:
            PydanticCustomError: There are such limits.
        """
        for name in self.limits.targets:
            if name != DEFAULT and name not in self.targets:
                reason = f"{name!r} is a target which 'targets' does not have"
                raise PydanticCustomError(
                    ELSEWHERE, "{reason}", {"reason": reason, "place": ("limits", "targets", name)}
                )
        for name, key in self.keys.items():
            if key.limits != LimitConfig() and name in self.limits.keys:
                reason = f"{name!r} has limits here and below keys.{name}.limits. Write them in one place"
                raise PydanticCustomError(ELSEWHERE, "{reason}", {"reason": reason, "place": ("limits", "keys", name)})
        for name in self.budgets.keys_usd:
            own = self.keys[name].limits if name in self.keys else LimitConfig()
            if own.usd_month is not None or self.limits.keys.get(name, LimitConfig()).usd_month is not None:
                reason = f"{name!r} has a limit of the month here and one as 'usd_month'. Write it in one place"
                place = ("budgets", "keys_usd", name)
                raise PydanticCustomError(ELSEWHERE, "{reason}", {"reason": reason, "place": place})

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

    def _users_are_told_apart(self) -> None:
        """Refuse what would let one user or key pass for another.

        Raises:
            PydanticCustomError: A key has the name of those without one, a provider that of a key, two providers have
                one issuer, or a front end administers.
        """
        issuers: dict[str, str] = {}
        found: list[tuple[tuple[str, ...], str]] = []
        if "anonymous" in self.keys:
            what = "stands for whoever asks without a key: what this key stores would be theirs. Choose another name"
            found.append((("keys", "anonymous"), what))
        for name, provider in self.users.providers.items():
            if name in self.keys or name == "anonymous":
                what = f"is the name of a key too ({name!r}), and the ledger could not tell them apart. Choose another"
                found.append((("users", "providers", name), what))
            other = issuers.setdefault(provider.issuer, name)
            if other != name:
                what = f"is that of {other!r} too: a token could be either one's"
                found.append((("users", "providers", name, "issuer"), what))
        signed = self.users.front_end.header
        if self.users.front_end.secret is not None and signed.lower() in map(str.lower, self.header_facts):
            what = f"has {signed!r}, which holds a credential: no policy looks at it and no receipt has it"
            found.append((("header_facts",), what))
        for name, key in self.keys.items():
            if key.front_end and key.admin:
                what = "must not go with 'front_end: true': whoever signs in there would administer"
                found.append((("keys", name, "admin"), what))
        if found:
            place, reason = found[0]
            raise PydanticCustomError(ELSEWHERE, "{reason}", {"reason": reason, "place": place})

    def _one_provider_for_clients(self) -> None:
        """Refuse two providers that one and the same key of a client could go to, as after a fallback.

        Raises:
            PydanticCustomError: There are two targets with `credential: client` at different addresses, which take a
                key from the same header.
        """
        first: dict[bool, tuple[str, str]] = {}
        for name, target in self.targets.items():
            if not isinstance(target, ServerTargetConfig) or target.credential != "client":
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
            targets={name: _info(name, target, self._given_as_text) for name, target in self.targets.items()},
            aliases=self.aliases(),
            unknown_model=self.unknown_model,
            keys=frozenset(self.keys) | frozenset(self.users.providers),
            key_tags=frozenset().union(
                *(key.tags for key in self.keys.values()), *(group.tags for group in self.users.groups.values())
            ),
            tags_of_keys={name: key.tags for name, key in self.keys.items()},
            clean_attachments_leave=bool(self.attachments.clean_may_leave),
        )

    @property
    def places(self) -> Places:
        """Return where each setting stands."""
        return self._places

    def overridden(self, values: Mapping[str, Any], options: Mapping[SettingPath, str]) -> "Settings":
        """Return a copy with other sections, whose settings stand in these options of the command."""
        copy = self.model_copy(update=dict(values))
        copy._places = msgspec.structs.replace(self._places, options=options)
        return copy

    @property
    def _given_as_text(self) -> frozenset[Media]:
        return frozenset(Media) if self.attachments.for_text_models else frozenset()

    @property
    def model_directory(self) -> Path:
        """Return the directory in which GGUF files are looked for."""
        return self.models_dir or self.state_dir / "models"


def _starter() -> dict[str, AnyTarget]:
    return {"home": EmbeddedTargetConfig(kind="embedded", model="smollm2")}


def _info(name: str, target: AnyTarget, as_text: frozenset[Media] = frozenset()) -> TargetInfo:
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
                given_as_text=as_text,
            )
        case SpeechTargetConfig():
            return TargetInfo(
                name=name,
                kind=target.kind,
                zone=Zone.LOCAL,
                ceiling=Label.SENSITIVE,
                model=Path(target.model.removeprefix("package:")).name,  # clients see it: never a path of this machine
                endpoints=frozenset({Endpoint.TRANSCRIPTIONS}),
            )
        case EspeakTargetConfig():
            return TargetInfo(
                name=name,
                kind=target.kind,
                zone=Zone.LOCAL,
                ceiling=Label.SENSITIVE,
                model=Path(target.program).name,
                endpoints=frozenset({Endpoint.SPEECH}),
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
                client_credential=isinstance(target, ServerTargetConfig) and target.credential == "client",
                given_as_text=as_text if target.zone == Zone.LOCAL else frozenset(),
                betas=frozenset(target.betas) if isinstance(target, AnthropicTargetConfig) else frozenset(),
                counts_tokens=isinstance(target, AnthropicTargetConfig) and target.count_tokens == "native",
                provider_tools=isinstance(target, AnthropicTargetConfig) and target.provider_tools,
            )


def own_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of this person's settings, `~/.config/aduana`, whether it exists or not."""
    return Path(os.path.expanduser(environ.get("XDG_CONFIG_HOME") or "~/.config")) / "aduana"


def default_file() -> Path | None:
    """Return the configuration that is read where none is named: here, else in the person's own folder, else none."""
    return next((file for file in (DEFAULT_FILE, own_folder() / DEFAULT_FILE) if file.is_file()), None)


def load_settings(path: Path | None = None) -> Settings:
    """Read the configuration: `path`, else `aduana.yaml` here or in `~/.config/aduana`; then the environment.

    Raises:
        ConfigurationError: Something in it is wrong. Its problems name file, line and column.
    """
    chosen = path if path is not None else default_file()
    source = Source("", {}, {})
    if chosen is not None:
        try:
            data = chosen.read_bytes()
        except OSError as error:
            raise ConfigurationError((f"{chosen}: can't be read: {error.strerror}.",)) from error
        source = parse_yaml(decoded(data, str(chosen)), str(chosen))
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
        settings = Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(explain_errors(error, source, Settings)) from error
    settings._places = Places(source=source, sections=frozenset(Settings.model_fields))
    return settings
