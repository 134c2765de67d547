"""The price list of genai-prices: the only file that imports it (0.2 s), used when the configuration is loaded.

A rate is looked up once; what it costs at a certain moment (some providers are cheaper at night) is asked of the
found model, at most once a minute.
"""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.core.usage import Usage

# US dollars per million tokens are micro-dollars per token; a millionth of that is the finest step of any list.
STEPS = 1_000_000


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Rates as integers, in millionths of a micro-dollar per token."""

    input: int
    cached: int
    output: int
    written: int  # to the provider's cache
    written_long: int  # to be kept there for an hour
    input_audio: int
    output_audio: int
    input_image: int
    output_image: int
    reasoning: int

    def steps(self, usage: Usage) -> int:
        """Return what tokens cost, in millionths of a micro-dollar."""
        long = min(usage.input_written_long, usage.input_written)
        heard = min(usage.input_audio, max(0, usage.input - usage.input_written))
        spoken = min(usage.output_audio, usage.output)
        seen = min(usage.input_image, max(0, usage.input - usage.input_written - heard))
        drawn = min(usage.output_image, usage.output - spoken)
        return (
            (usage.input - usage.input_written - heard - seen) * self.input
            + (usage.input_written - long) * self.written
            + long * self.written_long
            + heard * self.input_audio
            + seen * self.input_image
            + usage.input_cached * self.cached
            + (usage.output - spoken - drawn) * self.output
            + spoken * self.output_audio
            + drawn * self.output_image
            + usage.reasoning * self.reasoning
        )


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """Rates of a model. `tiers`: (above so many prompt tokens, rates), ascending."""

    rates: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()

    def micros(self, usage: Usage) -> int:
        """Return micro-dollars, rounded half up. A tier is a cliff: it prices all tokens of the request."""
        rates = self.rates
        for above, tier in self.tiers:
            if usage.prompt_tokens > above:
                rates = tier
        return (rates.steps(usage) + STEPS // 2) // STEPS

    def most(self, prompt: int, answers: int) -> int:
        """Return the most micro-dollars that so many tokens can cost: nothing is cached, and all is written to one."""
        usages = (
            Usage(input=prompt, output=answers),
            Usage(input=prompt, input_written=prompt, reasoning=answers),
            Usage(input=prompt, input_written=prompt, input_written_long=prompt, output=answers),
            Usage(input=prompt, input_image=prompt, output=answers, output_image=answers),
        )
        return max(map(self.micros, usages))


class ListedModel:
    """Model that the price list knows."""

    def __init__(self, provider: str, model: Any, *, batch: bool = False) -> None:
        """Take a model of the list.

        Args:
            provider: The provider's name in the list.
            model: The model's entry in the list.
            batch: Use the price of the provider's batch interface, where the list has one.
        """
        self.provider = provider
        self.window: int | None = getattr(model, "context_window", None)  # tokens; None: the list does not say
        self._model = model
        self._context = {"processing": "batch"} if batch else None

    def price(self, now: float) -> Price | None:
        """Return its price at that moment (Unix seconds); None if the list has no rate for prompt tokens."""
        listed = self._model.get_prices(datetime.fromtimestamp(now, UTC), self._context)
        if listed.input_mtok is None:
            return None
        starts = sorted({tier.start for rate in vars(listed).values() for tier in getattr(rate, "tiers", ())})
        return Price(rates=_rates(listed, 0), tiers=tuple([(start, _rates(listed, start + 1)) for start in starts]))


class PriceList:
    """Price list that came with the package, or a newer one from a file."""

    def __init__(self, file: Path | None = None) -> None:
        from genai_prices.data_snapshot import DataSnapshot

        providers = _bundled() if file is None else _read(file)
        self._snapshot = DataSnapshot(providers=providers, from_auto_update=False)
        self.timestamp = file.stat().st_mtime if file is not None else _newest(self._snapshot.providers)

    def find(self, model: str, base_url: str | None = None, *, batch: bool = False) -> ListedModel | None:
        """Find a model by the provider's address, else by its name (`provider/model` works too); None: not known."""
        tries: list[tuple[str, str | None, str | None]] = []
        if base_url is not None:
            tries.append((model, None, base_url))
        provider, slash, rest = model.partition("/")
        if slash:
            tries.append((rest, provider, None))
        tries += [(model, None, None), (model, "openai", None)]
        for name, provider_id, url in tries:
            try:
                found, info = self._snapshot.find_provider_model(name, None, provider_id, url)
            except LookupError:
                continue
            return ListedModel(found.id, info, batch=batch)
        return None


def _bundled() -> list[Any]:
    """Return the list that came with the package; whoever has it alone keeps its 6 MB."""
    name = "genai_prices.data"
    providers: list[Any] = import_module(name).providers
    package = sys.modules["genai_prices"]
    if sys.modules.pop(name, None) is not None and hasattr(package, "data"):
        del package.data
    return providers


def _rates(listed: Any, prompt_tokens: int) -> Rates:
    """Return the rates for a prompt of that length. A kind of tokens that the list does not know costs as others do."""

    def rate(name: str, otherwise: int) -> int:
        found = getattr(listed, name, None)
        return otherwise if found is None else _at(found, prompt_tokens)

    fresh, output = rate("input_mtok", 0), rate("output_mtok", 0)
    written = rate("cache_write_mtok", fresh)
    return Rates(
        input=fresh,
        cached=rate("cache_read_mtok", fresh),
        output=output,
        written=written,
        written_long=rate("cache_write_1h_mtok", written),
        input_audio=rate("input_audio_mtok", fresh),
        output_audio=rate("output_audio_mtok", output),
        input_image=rate("input_image_mtok", fresh),
        output_image=rate("output_image_mtok", output),
        reasoning=rate("output_reasoning_mtok", output),
    )


def _at(rate: Any, prompt_tokens: int) -> int:
    """Return the rate that applies to a prompt of that length, in steps."""
    price: Decimal = rate if isinstance(rate, Decimal) else rate.base
    for tier in getattr(rate, "tiers", ()):
        if prompt_tokens > tier.start:
            price = tier.price
    return int((Decimal(price) * STEPS).to_integral_value())


def _read(file: Path) -> list[Any]:
    from genai_prices.types import _providers_from_raw

    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(raw, list):
            raise ValueError("it is not a list of providers")
        return list(_providers_from_raw(raw))
    except OSError as error:
        raise ConfigurationError((f"{file}: the price list can't be read: {error.strerror}.",)) from error
    except (ValueError, TypeError, KeyError) as error:
        problem = f"{file}: this is not a price list of genai-prices (its data.json): {type(error).__name__}."
        raise ConfigurationError((problem,)) from error


def _newest(providers: list[Any]) -> float | None:
    """Return the newest price change that the package knows of (Unix seconds): it carries no date of its own."""
    today = datetime.now(UTC).date()
    conditional = (
        price
        for provider in providers
        for model in provider.models
        for price in (*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ()))
    )
    dates = (getattr(price.constraint, "start_date", None) for price in conditional)
    newest = max((date for date in dates if date is not None and date <= today), default=None)
    return None if newest is None else datetime(newest.year, newest.month, newest.day, tzinfo=UTC).timestamp()
