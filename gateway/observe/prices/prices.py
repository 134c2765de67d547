"""Money for tokens. Rates are found when the configuration is loaded; a request costs a few integer products.

INVARIANT: what has no price is counted as unpriced, never priced at 0.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Zone
from gateway.core.usage import MostUse, Usage, micros
from gateway.observe.prices.answer_limits import longest_answer, picture_tokens
from gateway.observe.prices.picture_prices import cost_of_pictures, tokens_of_picture
from gateway.observe.prices.price_list import STEPS, ListedModel, Price, PriceList, Rates
from gateway.observe.prices.sound_prices import cost_of_sound, covers
from gateway.observe.prices.tokenizer_ratio import TokenizerRatio
from gateway.observe.settings import PicturePrice, PricedTarget, PriceSettings, Rate, SoundPrice

_MINUTE = 60


class Prices:
    """Money for tokens of each target.

    Build it off the event loop: looking prices up takes a fraction of a second, and raises ConfigurationError where a
    file can't be used.
    """

    def __init__(
        self, settings: PriceSettings, targets: Iterable[PricedTarget], *, wall: Callable[[], float] = time.time
    ) -> None:
        _check(settings)
        self._settings = settings
        self._wall = wall
        prices = PriceList(settings.data_file)
        self.timestamp = prices.timestamp  # Unix seconds
        self._zones: dict[str, Zone] = {}
        self._rated: dict[str, _Rated | None] = {}
        self._bounds: dict[str, tuple[int, int]] = {}  # most tokens of an answer and of a picture in the prompt
        self._pictures: dict[str, tuple[PicturePrice, ...]] = {}
        self._picture_tokens: dict[str, int | None] = {}  # most tokens of a picture that is made
        self._only_pictures: set[str] = set()
        self._sounds: dict[str, SoundPrice] = {}
        self._only_sounds: set[str] = set()
        providers: dict[str, str] = {}
        for target in targets:
            self._zones[target.name] = target.zone
            if target.zone is Zone.CLOUD:
                rows = settings.pictures.get(target.name) or settings.pictures.get(target.model)
                if rows:
                    self._pictures[target.name] = rows
                    self._only_pictures |= {target.name} if target.only_pictures else set()
                sound = settings.sounds.get(target.name) or settings.sounds.get(target.model)
                if sound is not None:
                    self._sounds[target.name] = sound
                    enough = covers(sound, hears=target.hears, speaks=target.speaks)
                    self._only_sounds |= {target.name} if enough else set()
                self._picture_tokens[target.name] = tokens_of_picture(target.model)
                rated = _rated(settings, prices, target.model, target.base_url, target.name)
                self._rated[target.name] = rated
                providers[target.name] = rated.provider if rated is not None else "unknown"
                window = target.context or (rated.window if rated is not None else None)
                self._bounds[target.name] = (
                    target.answer_tokens or longest_answer(target.model, window),
                    picture_tokens(target.model, settings.picture_tokens),
                )
        self.providers: Mapping[str, str] = MappingProxyType(providers)
        self._reference = _rated(settings, prices, settings.reference_model, batch=settings.reference_batch)
        self._recount = (
            TokenizerRatio(settings.reference_tokenizer) if settings.reference_tokenizer is not None else None
        )
        self._embedding = _rated(settings, prices, settings.reference_embedding_model)

    @property
    def unpriced(self) -> frozenset[str]:
        """Return the cloud targets whose price is not known."""
        return frozenset(
            name
            for name, rated in self._rated.items()
            if name not in self._only_pictures | self._only_sounds
            and (rated is None or rated.now(self._wall()) is None)
        )

    @property
    def has_reference(self) -> bool:
        """Tell whether local answers can be compared with a reference model."""
        return self._reference is not None

    def cost(self, target: str, usage: Usage) -> int:
        """Return micro-dollars that a request cost; 0 for local targets and for the `unpriced`, which are counted."""
        rows = self._pictures.get(target)
        if usage.pictures and rows:
            return cost_of_pictures(rows, usage.pictures, usage.picture_size, usage.picture_quality)
        sound = self._sound(target, usage.heard_seconds, usage.spoken_characters)
        if sound is not None:
            return sound
        price = self._price(target)
        if price is None:
            return 0
        if usage.pictures and not usage.output:  # it did not say: as many tokens as they may have
            made = usage.pictures * (self._picture_tokens[target] or 0)
            usage = msgspec.structs.replace(usage, output=made, output_image=made)
        return price.micros(usage)

    def avoided(self, target: str, usage: Usage) -> int | None:
        """Return micro-dollars that the reference model would have cost; None: not known, or no local target."""
        if self._zones.get(target) is not Zone.LOCAL:
            return None
        if usage.pictures:
            each = self._settings.reference_picture
            return None if each is None else usage.pictures * micros(each)
        if usage.heard_seconds or usage.spoken_characters:
            return None  # a chat model's price says nothing of it
        rated = self._reference if usage.completion_tokens else self._embedding
        price = rated.now(self._wall()) if rated is not None else None
        if price is None:
            return None
        measured = self._recount.ratio(target) if self._recount is not None else None
        ratio = self._settings.token_ratio if measured is None else measured
        fresh, cached = usage.input, usage.input_cached
        if not self._settings.reference_cached:
            fresh, cached = fresh + cached, 0
        output = round(usage.completion_tokens * ratio)
        return price.micros(Usage(input=round(fresh * ratio), input_cached=round(cached * ratio), output=output))

    def answered(self, target: str, text: str, tokens: int) -> None:
        """Take a local answer, to measure how the reference model would have counted it. Nothing of it is kept."""
        if self._recount is not None:
            self._recount.sample(target, text, tokens)

    def close(self) -> None:
        """Finish what is being measured."""
        if self._recount is not None:
            self._recount.close()

    def estimate(self, target: str, most: MostUse) -> int | None:
        """Return the most that a request may cost, in micro-dollars; None: no price is known.

        Nothing is taken to be cached, and every answer to be as long as it may be.
        """
        if self._zones.get(target) is Zone.LOCAL:
            return 0
        rows = self._pictures.get(target)
        if most.drawn and rows:
            return cost_of_pictures(rows, most.drawn, most.picture_size, most.picture_quality)
        sound = self._sound(target, most.heard_seconds, most.spoken_characters)
        if sound is not None:
            return sound
        price = self._price(target)
        if price is None:
            return None
        longest, picture = self._bounds[target]
        if most.drawn:
            made = self._picture_tokens[target]
            return None if made is None else price.most(most.prompt + most.pictures * picture, most.drawn * made)
        answer = longest if most.limit is None else most.limit
        return price.most(most.prompt + most.pictures * picture, most.answers * answer)

    def _sound(self, target: str, seconds: float, characters: int) -> int | None:
        """Return micro-dollars for speech in or out; None: it is none, or tokens count."""
        price = self._sounds.get(target)
        return None if price is None else cost_of_sound(price, seconds, characters)

    def _price(self, target: str) -> Price | None:
        rated = self._rated.get(target)
        return rated.now(self._wall()) if rated is not None else None


class _Rated:
    """Price that may change with the time of day; the list is asked at most once a minute."""

    def __init__(
        self, provider: str, listed: ListedModel | None, fixed: Price | None, window: int | None = None
    ) -> None:
        self.provider = provider
        self.window = window
        self._listed = listed
        self._price = fixed
        self._minute = -1

    def now(self, wall: float) -> Price | None:
        if self._listed is not None and int(wall // _MINUTE) != self._minute:
            self._minute = int(wall // _MINUTE)
            self._price = self._listed.price(wall)
        return self._price


def _rated(
    settings: PriceSettings,
    prices: PriceList,
    model: str,
    base_url: str | None = None,
    target: str | None = None,
    *,
    batch: bool = False,
) -> _Rated | None:
    listed = prices.find(model, base_url, batch=batch)
    provider = listed.provider if listed is not None else "unknown"
    window = listed.window if listed is not None else None
    for name in (target, model):
        if name is not None and name in settings.overrides:
            named = provider if listed is not None else "configured"
            return _Rated(named, None, _fixed(settings.overrides[name]), window)
    return _Rated(provider, listed, None, window) if listed is not None else None


def _fixed(rate: Rate) -> Price:
    """Return the price that the configuration names; what it leaves out costs as other tokens of its side do."""
    written = rate.input if rate.input_written is None else rate.input_written
    heard = rate.input if rate.input_audio is None else rate.input_audio
    spoken = rate.output if rate.output_audio is None else rate.output_audio
    cached = rate.input if rate.input_cached is None else rate.input_cached
    seen = rate.input if rate.input_image is None else rate.input_image
    drawn = rate.output if rate.output_image is None else rate.output_image
    base = _rates(rate.input, cached, rate.output, written, heard, spoken, seen, drawn)
    if rate.above is None:
        return Price(rates=base)
    fresh = rate.input if rate.above_input is None else rate.above_input
    output = rate.output if rate.above_output is None else rate.above_output
    cached = fresh if rate.above_input_cached is None else rate.above_input_cached
    above = _rates(
        fresh,
        cached,
        output,
        max(fresh, written),
        max(fresh, heard),
        max(output, spoken),
        max(fresh, seen),
        max(output, drawn),
    )
    return Price(rates=base, tiers=((rate.above, above),))


def _rates(
    fresh: float,
    cached: float,
    output: float,
    written: float,
    heard: float,
    spoken: float,
    seen: float,
    drawn: float,
) -> Rates:
    return Rates(
        input=_steps(fresh),
        cached=_steps(cached),
        output=_steps(output),
        written=_steps(written),
        written_long=_steps(written),
        input_audio=_steps(heard),
        output_audio=_steps(spoken),
        input_image=_steps(seen),
        output_image=_steps(drawn),
        reasoning=_steps(output),
    )


def _steps(usd_per_million: float) -> int:
    # Through the shortest decimal that means this float: 0.1 is a tenth, as it was written.
    return int((Decimal(repr(float(usd_per_million))) * STEPS).to_integral_value())


def _check(settings: PriceSettings) -> None:
    problems = []
    if not (math.isfinite(settings.token_ratio) and 0 < settings.token_ratio < 100):
        problems.append(f"The token ratio {settings.token_ratio} is not a positive number.")
    for name, rate in settings.overrides.items():
        values = [value for value in (getattr(rate, field) for field in rate.__struct_fields__) if value is not None]
        if not all(math.isfinite(value) and 0 <= value < 1e9 for value in values):
            problems.append(f"The price of {name!r} has a number that is negative or not finite.")
    if problems:
        raise ConfigurationError(tuple(problems))
