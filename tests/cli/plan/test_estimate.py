"""What is expected of cards holds what others have seen on them, and adds up."""

import pytest

from gateway.cli.plan.asked import subject_of
from gateway.cli.plan.estimate import (
    DECODE_DENSE,
    DECODE_EXPERTS,
    PREFILL_DENSE,
    Load,
    Place,
    Wish,
    fit,
    speed,
    work,
)
from gateway.cli.plan.money import Price, cloud_cost, months_until_paid
from gateway.cli.plan.words import advised, told
from gateway.observe.prices.price_list import Rates
from gateway.setup.known_cards import known_cards
from gateway.setup.known_models import known_models

CARDS = {card.name: card for card in known_cards().cards}

# card, GB read for a token, tokens a second, experts; the sources are in docs/plan.md
SEEN = [
    ("rtx-4090", 2.0, 335, False),
    ("rtx-4090", 9.0, 92.5, False),
    ("rtx-4090", 9.0, 102.8, False),
    ("rtx-5090", 5.03, 221.7, False),
    ("rtx-5090", 17.0, 71.9, False),
    ("rtx-4090", 11.6 * 3.6 / 20.9, 279.7, True),
    ("rtx-4090", 18.6 * 3.3 / 30.5, 196, True),
    ("ryzen-ai-max-395", 13.8 * 3.6 / 20.9, 45.0, True),
]


@pytest.mark.parametrize(("card", "read", "seen", "experts"), SEEN)
def test_seen_speeds_are_plausible(card: str, read: float, seen: float, experts: bool) -> None:
    """Every speed that the page names lies between the least and the most that is told."""
    bounds = DECODE_EXPERTS if experts else DECODE_DENSE
    share = seen * read / CARDS[card].bandwidth
    assert bounds.low <= share <= bounds.high


@pytest.mark.parametrize(("card", "billions", "seen"), [("rtx-4090", 3.21, 20_323), ("rtx-3090", 27.0, 993)])
def test_seen_prompts_are_plausible(card: str, billions: float, seen: float) -> None:
    """The same of reading prompts, against the arithmetic that a card can do."""
    share = 2 * billions * 1e9 * seen / (CARDS[card].tflops * 1e12)
    assert PREFILL_DENSE.low <= share <= PREFILL_DENSE.high


@pytest.mark.parametrize(
    ("model", "card", "count", "fits"),
    [
        ("qwen3.5-4b-q4", "rtx-3060-12gb", 1, True),
        ("gpt-oss-20b", "rtx-4060-ti-16gb", 1, True),
        ("qwen3.6-27b-q4", "rtx-4060-ti-16gb", 1, False),
        ("qwen3.6-27b-q4", "rtx-4090", 1, True),
        ("qwen3.6-35b-a3b-q4", "rtx-5090", 1, True),
        ("gpt-oss-120b", "rtx-5090", 1, False),
        ("gpt-oss-120b", "rtx-3090", 3, True),
        ("gpt-oss-120b", "rtx-pro-6000", 1, True),
        ("gpt-oss-120b", "dgx-spark", 1, True),
    ],
)
def test_what_fits_where(tmp_path, model: str, card: str, count: int, fits: bool) -> None:
    """The models of the list lie on the cards that the list names for them, and not on those that are too small."""
    lies = fit(subject_of(model, tmp_path), Place(card=CARDS[card], count=count), Wish())
    assert lies.fits is fits
    assert (lies.need <= lies.room) is fits
    assert (lies.advice is None) is fits
    assert not fits or lies.context * lies.slots >= 8192


def test_what_to_turn_down(tmp_path) -> None:
    """A window that is too wide is told to be narrower, a cache that is too large to be stored smaller."""
    subject, place = subject_of("qwen3.6-27b-q4", tmp_path), Place(card=CARDS["rtx-4090"])
    wide = fit(subject, place, Wish(context=262_144, slots=8)).advice
    small = fit(subject, Place(card=CARDS["rtx-4080"]), Wish()).advice
    assert wide is not None
    assert small is not None
    assert "--context" in advised(wide)
    assert "at most 15" in advised(small)
    assert "gpu_layers" in advised(small)


def test_a_better_cache_makes_room(tmp_path) -> None:
    """With keys and values of 8 bits more fits than with 16."""
    subject, place = subject_of("qwen3.6-27b-q4", tmp_path), Place(card=CARDS["rtx-4090"])
    wide, narrow = fit(subject, place, Wish(kv="q8_0")), fit(subject, place, Wish())
    assert wide.context * wide.slots > narrow.context * narrow.slots


def test_the_roof_is_never_passed(tmp_path) -> None:
    """Whatever is expected is below what the bandwidth permits, for every model on every card."""
    for known in known_models().models:
        subject = subject_of(known.name, tmp_path)
        for card in CARDS.values():
            pace = speed(subject, Place(card=card), Wish())
            assert 0 < pace.answer.low < pace.answer.expected < pace.answer.high < pace.roof


def test_a_day_has_24_hours(tmp_path) -> None:
    """More work than fits needs requests at once, and costs no more hours of electricity than there are."""
    subject, place = subject_of("qwen3.6-27b-q4", tmp_path), Place(card=CARDS["rtx-4090"])
    pace = speed(subject, place, Wish())
    idle = work(place, pace, Load(prompt=1, answer=1), 24)
    busy = work(place, pace, Load(prompt=150e6, answer=50e6), 24)
    assert idle.at_once == 1
    assert idle.kwh == pytest.approx(24 * place.watts_idle / 1000, rel=0.01)
    assert busy.at_once > 1
    assert busy.kwh == pytest.approx(24 * place.watts_at_work / 1000)
    assert busy.kwh_idle == 0


def price(prompt: int, answer: int) -> Price:
    """Return a price in dollars for a million tokens."""
    other = dict.fromkeys(
        ("written", "written_long", "input_audio", "output_audio", "input_image", "output_image", "reasoning"), 0
    )
    return Price(rates=Rates(input=prompt * 10**6, cached=0, output=answer * 10**6, **other))


def test_money_adds_up() -> None:
    """3 dollars and 15 for a million each, three prompts to one answer: 6 a million; and in euros at 0.5."""
    load = Load(prompt=750_000, answer=250_000)
    assert cloud_cost("m", "p", price(3, 15), load, 1.0).million == pytest.approx(6.0)
    assert cloud_cost("m", "p", price(3, 15), load, 0.5).month == pytest.approx(3.0 * 365 / 12)
    assert cloud_cost("m", "", None, load, 1.0).month is None


@pytest.mark.parametrize(
    ("hardware", "cloud", "own", "words"),
    [
        (3000, 110, 10, "30 months"),
        (3000, 10, 10, "never"),
        (3000, 5, 10, "never"),
        (0, 11, 10, "1 month"),
        (3000, 30, 5, "10 years"),
        (3000, 10.1, 10, "over 100 years"),
    ],
)
def test_when_it_is_paid_back(hardware: float, cloud: float, own: float, words: str) -> None:
    """Months while they say something, then years, and never where a cloud costs less than the electricity."""
    assert told(months_until_paid(hardware, cloud, own)) == words
