"""From the whole configuration to each room's own small settings object. No room imports this."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from gateway.app.checkpoints.keeper import CheckpointSettings
from gateway.app.state.ledger_place import ledger_address
from gateway.core.document import JsonObject, freeze
from gateway.core.errors import ConfigurationError
from gateway.core.limits import NO_LIMITS, Limits, Scope
from gateway.core.request import Caller, Endpoint
from gateway.core.secret import Secret
from gateway.core.target import Catalog
from gateway.core.usage import MICROS
from gateway.ledger import LedgerSettings
from gateway.local.espeak.settings import EspeakSettings
from gateway.local.http.settings import HttpSettings, ServerAddress
from gateway.local.speech.settings import SpeechTargetSettings
from gateway.observe import EnergySettings, PicturePrice, PricedTarget, PriceSettings, Rate, SoundPrice, Tariff
from gateway.observe.traces import TraceSettings
from gateway.pipeline.rate_limits import LimitTable
from gateway.privacy import InspectionSettings, WordList
from gateway.settings import Settings, read_secret
from gateway.settings.limits import LimitConfig, default, own
from gateway.settings.managed import ManagedTargetConfig
from gateway.settings.servers import FOR_PICTURES, AskedTargetConfig, OpenAITargetConfig, ServerTargetConfig
from gateway.settings.targets import EspeakTargetConfig, SpeechTargetConfig
from gateway.speech.messages import SpeechSettings
from gateway.stored import StoreSettings
from gateway.upstream.media.workflow import problem_with

_SOUND = frozenset({Endpoint.TRANSCRIPTIONS, Endpoint.SPEECH})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def secret_of(target: ServerTargetConfig) -> Secret | None:
    """Read a target's API key from where the configuration says.

    Raises:
        ConfigurationError: It can't be read.
    """
    return Secret(read_secret(target.api_key)) if target.api_key is not None else None


def http_settings(config: OpenAITargetConfig) -> HttpSettings:
    """Return a local server's address, key and limits."""
    return HttpSettings(
        base_url=config.base_url,
        servers=tuple(
            [ServerAddress(name=one.label, base_url=one.base_url, weight=one.weight) for one in config.servers]
        ),
        api_key=secret_of(config),
        trusted_host=config.trusted_host,
        ca_file=config.ca_file,
        connect_seconds=config.connect_seconds,
        header_seconds=config.effective_header_seconds,
        idle_seconds=config.idle_seconds,
        retries=config.retries,
        slots=config.slots,
        queue=config.queue,
        queue_wait=config.queue_wait,
        workflow=None if config.workflow is None else workflow_of(config.workflow),
    )


def workflow_of(file: Path) -> JsonObject:
    """Read a workflow of ComfyUI.

    Raises:
        ConfigurationError: It can't be read, or is none that can be used.
    """
    try:
        found = freeze(msgspec.json.decode(file.read_bytes()))
    except OSError as error:
        raise ConfigurationError((f"{file}: the workflow can't be read: {error.strerror}.",)) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError((f"{file}: the workflow is no JSON.",)) from error
    problem = problem_with(found)
    if problem or not isinstance(found, Mapping):
        raise ConfigurationError((f"{file}: the workflow {problem}.",))
    return found


def managed_http_settings(config: ManagedTargetConfig) -> HttpSettings:
    """Return how a managed server is asked: below which path, within which limits; the rest comes with each start.

    Raises:
        ConfigurationError: The workflow can't be used.
    """
    return HttpSettings(
        base_url="" if config.api in FOR_PICTURES else "/v1",
        header_seconds=config.effective_header_seconds,
        idle_seconds=config.idle_seconds,
        retries=config.retries,
        slots=config.slots,
        queue=config.queue,
        queue_wait=config.queue_wait,
        workflow=None if config.workflow is None else workflow_of(config.workflow),
    )


def speech_settings(config: SpeechTargetConfig, folder: Path) -> SpeechTargetSettings:
    """Return the model of a target that hears, its queue and its worker's life."""
    return SpeechTargetSettings(
        worker=SpeechSettings(
            model=str(folder),
            device=config.device,
            compute_type=config.compute_type,
            threads=config.threads,
            slots=config.slots,
            beam=config.beam,
            skip_silence=config.skip_silence,
            most_seconds=config.max_seconds,
        ),
        language=config.language,
        queue=config.queue,
        queue_wait=config.queue_wait,
        load=config.load,
        unload_after=config.unload_after,
        load_wait=config.load_wait,
    )


def espeak_settings(config: EspeakTargetConfig) -> EspeakSettings:
    """Return the program of a target that speaks, and its queue."""
    return EspeakSettings(
        program=config.program,
        voice=config.voice,
        slots=config.slots,
        queue=config.queue,
        queue_wait=config.queue_wait,
    )


def inspection_settings(settings: Settings) -> InspectionSettings:
    """Return inspection's limits and the user's own words, patterns and lists."""
    inspection = settings.inspection
    return InspectionSettings(
        seconds=inspection.seconds,
        max_characters=inspection.max_characters,
        words=dict(inspection.words),
        patterns=dict(inspection.patterns),
        lists={
            name: WordList(
                entries=words.entries,
                whole_words=words.whole_words,
                match_case=words.match_case,
                match_accents=words.match_accents,
            )
            for name, words in inspection.lists.items()
        },
    )


def priced_targets(settings: Settings, catalog: Catalog) -> list[PricedTarget]:
    """Return what is needed to find each target's price."""
    return [
        PricedTarget(
            name=name,
            zone=catalog.targets[name].zone,
            model=catalog.targets[name].model,
            base_url=config.base_url if isinstance(config, ServerTargetConfig) else None,
            context=catalog.targets[name].context,
            answer_tokens=config.answer_tokens if isinstance(config, AskedTargetConfig) else None,
            only_pictures=catalog.targets[name].endpoints == {Endpoint.IMAGES},
            hears=Endpoint.TRANSCRIPTIONS in catalog.targets[name].endpoints <= _SOUND,
            speaks=Endpoint.SPEECH in catalog.targets[name].endpoints <= _SOUND,
        )
        for name, config in settings.targets.items()
    ]


def policy_rates(settings: Settings) -> dict[str, float]:
    """Return how many US dollars one unit of the display currency is, for amounts of money in policies."""
    return {settings.prices.currency: 1 / settings.prices.usd_rate}


def ledger_settings(settings: Settings, unpriced: frozenset[str]) -> LedgerSettings:
    """Return the ledger's settings.

    Raises:
        ConfigurationError: The address of its database, or the password, can't be read.
    """
    budgets, table = settings.budgets, limit_table(settings)
    named = [table.named(scope, name) for scope, name in table.names()]
    # What a user spent is known by how the user is recorded; the limit comes with each request of theirs.
    accounts = [account for one in named if one.scope is not Scope.USER for account in one.accounts()]
    address, password = ledger_address(settings)
    return LedgerSettings(
        directory=settings.state_dir,
        database=address,
        database_password=password,
        timezone=settings.timezone,
        day_limit_usd=budgets.day_usd,
        month_limit_usd=budgets.month_usd,
        key_limits_usd=dict(budgets.keys_usd),
        limits_usd={account.name: account.limit / MICROS for account in accounts if account.limit is not None},
        unpriced_targets=unpriced,
        unpriced_allowed=budgets.unpriced == "allow",
        keep_days=settings.retention.days,
        keep_bytes=settings.retention.max_bytes,
    )


def limit_table(settings: Settings, recorded: Callable[[str | None], str | None] = lambda user: user) -> LimitTable:
    """Return the limits of keys, users, tags and targets. `recorded` returns how a user stands in the ledger."""
    limits, money = settings.limits, settings.budgets.keys_usd
    keys = own(limits.keys) | {
        name: key.limits.limits() for name, key in settings.keys.items() if key.limits != LimitConfig()
    }
    for name, usd in money.items():
        keys[name] = Limits(usd_month=usd).over(keys.get(name, NO_LIMITS))
    return LimitTable(
        keys=keys,
        users=own(limits.users),
        tags=own(limits.tags),
        targets=_each(own(limits.targets), default(limits.targets), settings.targets),
        any_key=default(limits.keys),
        any_user=default(limits.users),
        recorded=recorded,
    )


def checkpoint_settings(settings: Settings) -> CheckpointSettings:
    """Return when checkpoints of the ledger are signed, and where they go."""
    ledger = settings.ledger
    return CheckpointSettings(
        file=ledger.checkpoints_to,
        requests=-(-ledger.checkpoint_requests // settings.server.workers),  # one of them signs, and sees its own
        seconds=ledger.checkpoint_minutes * 60,
    )


def _each(named: Mapping[str, Limits], default: Limits, names: Iterable[str]) -> dict[str, Limits]:
    """Return the limits of each of these names, so that what was spent of a default is known after a restart."""
    if default == NO_LIMITS:
        return dict(named)
    return {name: named.get(name, NO_LIMITS).over(default) for name in names}


def price_settings(settings: Settings) -> PriceSettings:
    """Return rates and the reference model."""
    prices = settings.prices
    return PriceSettings(
        reference_model=prices.reference_model,
        reference_cached=prices.reference_cached,
        reference_batch=prices.reference_batch,
        token_ratio=prices.token_ratio,
        reference_tokenizer=prices.reference_tokenizer,
        picture_tokens=prices.picture_tokens,
        overrides={
            name: Rate(
                input=rate.input,
                output=rate.output,
                input_cached=rate.input_cached,
                input_written=rate.input_written,
                input_audio=rate.input_audio,
                output_audio=rate.output_audio,
                input_image=rate.input_image,
                output_image=rate.output_image,
                above=rate.above,
                above_input=rate.above_input,
                above_output=rate.above_output,
                above_input_cached=rate.above_input_cached,
            )
            for name, rate in prices.overrides.items()
        },
        pictures={
            name: tuple([PicturePrice(usd=one.usd, size=one.size, quality=one.quality) for one in rows])
            for name, rows in prices.pictures.items()
        },
        sounds={name: SoundPrice(minute=one.minute, characters=one.characters) for name, one in prices.sounds.items()},
        reference_picture=prices.reference_picture,
        data_file=prices.data_file,
    )


def energy_settings(settings: Settings) -> EnergySettings:
    """Return meters, estimates and the tariff of electricity."""
    energy, tariff = settings.energy, settings.energy.tariff
    return EnergySettings(
        period_seconds=energy.period_seconds,
        nvml=energy.nvml,
        amd=energy.amd,
        rapl=energy.rapl,
        idle_watts=energy.idle_watts,
        busy_watts=energy.busy_watts,
        wall_offset_watts=energy.wall_offset_watts,
        prefill_weight=energy.prefill_weight,
        decode_weight=energy.decode_weight,
        share=1 / settings.server.workers,
        hardware_usd=energy.hardware_usd,
        hardware_years=energy.hardware_years,
        tariff=Tariff(
            fixed=tariff.fixed,
            hours=tariff.hours,
            file=tariff.file,
            rate=tariff.rate,
            tax=tariff.tax,
            timezone=settings.timezone,
        ),
    )


def stored_settings(settings: Settings) -> StoreSettings | None:
    """Return where responses are stored, and the bounds; None: they are not."""
    responses = settings.responses
    if responses.store == "off":
        return None
    return StoreSettings(
        directory=settings.state_dir,
        days=responses.days,
        most_bytes=responses.max_bytes,
        owner_bytes=responses.max_key_bytes,
        record_bytes=responses.max_response_bytes,
        chain_bytes=settings.server.max_body_bytes,
    )


def trace_settings(settings: Settings) -> TraceSettings:
    """Return where traces go, with the secrets in the collector's headers.

    Raises:
        ConfigurationError: A secret can't be read.
    """
    traces = settings.traces
    return TraceSettings(
        endpoint=traces.endpoint,
        headers={name: read_secret(reference) for name, reference in traces.headers.items()},
        ratio=traces.ratio,
    )


def key_secrets(settings: Settings) -> dict[str, tuple[str, Caller]]:
    """Read the API keys' secrets, and return them with their callers.

    Raises:
        ConfigurationError: A secret can't be read.
    """
    secrets: dict[str, tuple[str, Caller]] = {}
    problems: list[str] = []
    for name, key in settings.keys.items():
        caller = Caller(
            key=name,
            user=key.user,
            tags=key.tags,
            admin=key.admin,
            metrics=key.metrics,
            models=key.models,
            front_end=key.front_end,
        )
        try:
            secrets[name] = (read_secret(key.secret), caller)
        except ConfigurationError as error:
            problems += [f"keys.{name}.secret: {problem}" for problem in error.problems]
    if problems:
        raise ConfigurationError(tuple(problems))
    return secrets


def anonymous_caller(settings: Settings, stored: bool) -> Caller | None:
    """Return the caller of a request without a key; None: a key is needed.

    Args:
        settings: The whole configuration.
        stored: Whether commands have made keys, be they revoked since: whoever wanted keys once is not left open.
    """
    keys = settings.keys or settings.users.providers or stored
    own_machine = settings.server.host in LOOPBACK and not keys
    anonymous = own_machine if settings.server.anonymous is None else settings.server.anonymous
    # Without keys, whoever reaches loopback owns the machine, and may see how decisions come about.
    return Caller(admin=own_machine) if anonymous else None
