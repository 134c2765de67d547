"""Pictures cost what their size and quality cost; where something is not known, what they may cost at most."""

import pytest

from gateway.core.labels import Zone
from gateway.core.usage import MostUse, Usage
from gateway.observe import PicturePrice, PricedTarget, Prices, PriceSettings
from tests.observe.conftest import NOON

ROWS = (
    PicturePrice(usd=0.08, size="1792x1024", quality="standard"),
    PicturePrice(usd=0.12, size="1792x1024"),
    PicturePrice(usd=0.04, quality="standard"),
    PicturePrice(usd=0.06),
)
OPENAI = "https://api.openai.com/v1"


def prices(model: str = "studio-1", *, name: str = "studio", **settings: object) -> Prices:
    target = PricedTarget(name=name, zone=Zone.CLOUD, model=model, base_url=OPENAI, only_pictures=True)
    home = PricedTarget(name="home", zone=Zone.LOCAL, model="sd")
    return Prices(PriceSettings(**settings), (home, target), wall=lambda: NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "size", "quality", "cost"),
    [
        (1, "1792x1024", "standard", 80_000),
        (3, "1792x1024", "hd", 360_000),
        (1, "1024x1024", "standard", 40_000),
        (1, "512x512", "hd", 60_000),
        (1, "", "standard", 120_000),
        (2, "", "", 240_000),
    ],
)
@pytest.mark.parametrize("key", ["studio", "studio-1"])
def test_the_first_price_that_fits_counts(key: str, count: int, size: str, quality: str, cost: int) -> None:
    """By the target's name or the model's. What was set aside and what is settled agree where all is known."""
    table = prices(pictures={key: ROWS})
    assert table.cost("studio", Usage(pictures=count, picture_size=size, picture_quality=quality)) == cost
    assert table.estimate("studio", MostUse(drawn=count, picture_size=size, picture_quality=quality)) == cost
    assert table.unpriced == frozenset()


def test_a_model_without_any_price_is_not_free() -> None:
    """It counts as unpriced, so that a budget keeps it out."""
    table = prices()
    assert table.unpriced == {"studio"}
    assert table.estimate("studio", MostUse(drawn=1)) is None


def test_pictures_by_tokens() -> None:
    """A model that counts tokens costs what it reports, at the rate for pictures, and at most what it may report."""
    table = prices("gpt-image-1.5")
    cost = table.cost("studio", Usage(input=10, output=4_160, output_image=4_160, pictures=1))
    assert cost == (10 * 5 + 4_160 * 32)
    silent = table.cost("studio", Usage(input=10, pictures=1, estimated=True))
    assert cost < silent <= (table.estimate("studio", MostUse(prompt=10, drawn=1)) or 0)
    assert prices("gpt-image-2").estimate("studio", MostUse(drawn=1)) is None  # nobody documents its most


@pytest.mark.parametrize(("reference", "avoided"), [(None, None), (0.04, 120_000)])
def test_pictures_at_home_avoid_those_of_a_cloud(reference: float | None, avoided: int | None) -> None:
    """Only where the owner says what one costs there; never the price of some tokens."""
    assert prices(reference_picture=reference).avoided("home", Usage(input=9, pictures=3)) == avoided
