"""From the whole configuration to each room's own small settings object. No room imports this."""

from gateway.core.request import Caller
from gateway.core.secret import Secret
from gateway.core.target import Catalog
from gateway.ledger import LedgerSettings
from gateway.local.http.settings import HttpSettings
from gateway.observe import EnergySettings, PricedTarget, PriceSettings, Rate, Tariff
from gateway.observe.traces import TraceSettings
from gateway.privacy import InspectionSettings, WordList
from gateway.settings import Settings, read_secret
from gateway.settings.servers import OpenAITargetConfig, ServerTargetConfig
from gateway.settings.targets import EmbeddedTargetConfig
from gateway.stored import StoreSettings

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
            model=config.model,
            base_url=None if isinstance(config, EmbeddedTargetConfig) else config.base_url,
            context=catalog.targets[name].context,
            answer_tokens=None if isinstance(config, EmbeddedTargetConfig) else config.answer_tokens,
        )
        for name, config in settings.targets.items()
    ]


def policy_rates(settings: Settings) -> dict[str, float]:
    """Return how many US dollars one unit of the display currency is, for amounts of money in policies."""
    return {settings.prices.currency: 1 / settings.prices.usd_rate}


def ledger_settings(settings: Settings, unpriced: frozenset[str]) -> LedgerSettings:
    """Return the ledger's settings. The ledger lies in the state directory."""
    budgets = settings.budgets
    return LedgerSettings(
        directory=settings.state_dir,
        timezone=settings.timezone,
        day_limit_usd=budgets.day_usd,
        month_limit_usd=budgets.month_usd,
        key_limits_usd=dict(budgets.keys_usd),
        unpriced_targets=unpriced,
        unpriced_allowed=budgets.unpriced == "allow",
    )


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
                above=rate.above,
                above_input=rate.above_input,
                above_output=rate.above_output,
                above_input_cached=rate.above_input_cached,
            )
            for name, rate in prices.overrides.items()
        },
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
    for name, key in settings.keys.items():
        caller = Caller(key=name, user=key.user, tags=key.tags, admin=key.admin, metrics=key.metrics, models=key.models)
        secrets[name] = (read_secret(key.secret), caller)
    return secrets


def anonymous_caller(settings: Settings) -> Caller | None:
    """Return the caller of a request without a key; None: a key is needed."""
    own_machine = settings.server.host in LOOPBACK and not settings.keys
    anonymous = own_machine if settings.server.anonymous is None else settings.server.anonymous
    # Without keys, whoever reaches loopback owns the machine, and may see how decisions come about.
    return Caller(admin=own_machine) if anonymous else None
