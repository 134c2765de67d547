"""Speech costs its minutes or characters where they have a price, and tokens where they have none."""

import pytest

from gateway.core.labels import Zone
from gateway.core.usage import MostUse, Usage
from gateway.observe import PricedTarget, Prices, PriceSettings, SoundPrice
from tests.observe.conftest import NOON


def prices(*, hears: bool = False, speaks: bool = False, model: str = "voice-1", **sounds: SoundPrice) -> Prices:
    """Return the prices of one target of a cloud, and of one at home."""
    cloud = PricedTarget(
        name="studio", zone=Zone.CLOUD, model=model, base_url="https://api.example.com/v1", hears=hears, speaks=speaks
    )
    home = PricedTarget(name="ear", zone=Zone.LOCAL, model="whisper")
    return Prices(PriceSettings(sounds=sounds), (home, cloud), wall=lambda: NOON)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(heard_seconds=90.0), 9_000),
        (Usage(heard_seconds=0.5, output=5), 50),
        (Usage(spoken_characters=2_000, output=2_800), 30_000),
        (Usage(), 0),
    ],
)
def test_minutes_and_characters_cost_what_they_cost(usage: Usage, cost: int) -> None:
    """By the target's name; what is set aside is counted alike."""
    table = prices(hears=True, speaks=True, studio=SoundPrice(minute=0.006, characters=15.0))
    assert table.cost("studio", usage) == cost
    most = MostUse(heard_seconds=usage.heard_seconds, spoken_characters=usage.spoken_characters)
    assert table.estimate("studio", most) == (cost or None)
    assert table.unpriced == frozenset()


@pytest.mark.parametrize(
    ("hears", "speaks", "price", "known"),
    [
        (True, False, SoundPrice(minute=0.006), True),
        (False, True, SoundPrice(characters=15.0), True),
        (True, True, SoundPrice(minute=0.006), False),
        (True, False, SoundPrice(characters=15.0), False),
        (False, False, SoundPrice(minute=0.006, characters=15.0), False),
    ],
)
def test_a_target_is_priced_where_all_that_it_does_is(
    hears: bool, speaks: bool, price: SoundPrice, known: bool
) -> None:
    """Else a budget keeps it out."""
    assert ("studio" not in prices(hears=hears, speaks=speaks, studio=price).unpriced) is known


def test_speech_at_home_is_free_and_avoids_nothing_that_is_known() -> None:
    """The reference model's tokens say nothing of it."""
    table = prices()
    assert table.cost("ear", Usage(output=50, heard_seconds=60.0)) == 0
    assert table.avoided("ear", Usage(output=50, heard_seconds=60.0)) is None
