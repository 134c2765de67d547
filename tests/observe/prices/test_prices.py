"""Prices: the list's own answers, cliffs, overrides, and what is not known."""

import random
from datetime import UTC, datetime
from pathlib import Path

import genai_prices
import msgspec
import pytest
from genai_prices.data_snapshot import get_snapshot

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Zone
from gateway.core.usage import MostUse, Usage
from gateway.observe import PricedTarget, Prices, PriceSettings, Rate
from gateway.observe.prices.price_list import PriceList
from tests.observe.conftest import NOON

OPENAI = "https://api.openai.com/v1"
HOME = PricedTarget(name="home", zone=Zone.LOCAL, model="qwen3-32b")


def cloud(model: str, base_url: str | None = OPENAI, name: str = "big") -> PricedTarget:
    return PricedTarget(name=name, zone=Zone.CLOUD, model=model, base_url=base_url)


def prices(*targets: PricedTarget, **settings: object) -> Prices:
    return Prices(PriceSettings(**settings), (HOME, *targets), wall=lambda: NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "base_url", "provider"),
    [
        ("gpt-4.1-mini", OPENAI, "openai"),
        ("gpt-5.4", OPENAI, "openai"),
        ("claude-sonnet-4-5", "https://api.anthropic.com/v1", "anthropic"),
        ("gemini-2.5-pro", "https://generativelanguage.googleapis.com/v1beta/openai/", "google"),
        ("deepseek-chat", "https://api.deepseek.com/v1", "deepseek"),
        ("mistral-large-latest", "https://api.mistral.ai/v1", "mistral"),
        ("gpt-5.4", "http://10.0.0.9:4000/v1", "openai"),  # somebody's proxy in front of it
    ],
)
def test_costs_are_those_of_the_list(model: str, base_url: str, provider: str) -> None:
    """To the micro-dollar what genai-prices itself computes, on both sides of every long-context cliff."""
    table = prices(cloud(model, base_url))
    assert table.providers == {"big": provider}
    draw = random.Random(7)
    for _ in range(200):
        total = draw.choice([0, 10, 5000, 199_999, 200_000, 200_001, 271_999, 272_000, 272_001, 900_000])
        cached = draw.randint(0, total)
        usage = Usage(input=total - cached, input_cached=cached, output=draw.randint(0, 9000), reasoning=7)
        theirs = genai_prices.calc_price(
            genai_prices.Usage(
                input_tokens=total, cache_read_tokens=cached, output_tokens=usage.output + usage.reasoning
            ),
            model_ref=model,
            provider_id=provider,
            genai_request_timestamp=datetime.fromtimestamp(NOON, UTC),
        )
        assert abs(table.cost("big", usage) - theirs.total_price * 1_000_000) <= 0.5, usage


@pytest.mark.parametrize(
    ("model", "base_url", "provider", "kinds"),
    [
        (
            "claude-sonnet-4-5",
            "https://api.anthropic.com",
            "anthropic",
            {"cache_write_tokens": 900, "cache_write_1h_tokens": 400},
        ),
        ("gpt-4o-audio-preview", OPENAI, "openai", {"input_audio_tokens": 300, "output_audio_tokens": 50}),
    ],
)
def test_every_kind_of_tokens_has_its_own_price(
    model: str, base_url: str, provider: str, kinds: dict[str, int]
) -> None:
    """Tokens written to a cache and tokens of sound cost what genai-prices says, below and above a step."""
    table = prices(cloud(model, base_url))
    for prompt in (2_000, 300_000):
        usage = Usage(
            input=prompt - 100,
            input_cached=100,
            output=200,
            input_written=kinds.get("cache_write_tokens", 0),
            input_written_long=kinds.get("cache_write_1h_tokens", 0),
            input_audio=kinds.get("input_audio_tokens", 0),
            output_audio=kinds.get("output_audio_tokens", 0),
        )
        theirs = genai_prices.calc_price(
            genai_prices.Usage(input_tokens=prompt, cache_read_tokens=100, output_tokens=200, **kinds),
            model_ref=model,
            provider_id=provider,
            genai_request_timestamp=datetime.fromtimestamp(NOON, UTC),
        )
        assert abs(table.cost("big", usage) - theirs.total_price * 1_000_000) <= 0.5, usage
        most = table.estimate("big", MostUse(prompt=prompt, answers=1, limit=200))
        assert kinds.keys() & {"input_audio_tokens"} or (most is not None and most >= table.cost("big", usage))


def test_rates_of_a_contract_for_every_kind_of_tokens() -> None:
    """A configured rate may name what writing to the cache and sound cost; what it does not name costs as the rest."""
    usage = Usage(input=10, output=10, input_written=4, input_audio=3, output_audio=2)
    named = Rate(input=1, output=10, input_written=2, input_audio=5, output_audio=20)
    assert prices(cloud("m"), overrides={"m": named}).cost("big", usage) == 3 * 1 + 4 * 2 + 3 * 5 + 8 * 10 + 2 * 20
    assert prices(cloud("m"), overrides={"m": Rate(input=1, output=10)}).cost("big", usage) == 10 + 100


def test_a_model_that_nobody_knows_is_unpriced() -> None:
    """A model without a price costs nothing in the sums and is listed as unpriced; there is no estimate for it."""
    table = prices(cloud("my-own-finetune-7b"))
    assert table.unpriced == {"big"}
    assert table.cost("big", Usage(input=1000)) == 0
    assert table.estimate("big", MostUse(prompt=1000)) is None
    assert prices(cloud("gpt-5.4")).unpriced == frozenset()


def test_an_unknown_reference_avoids_nothing() -> None:
    """With an unknown reference model the avoided cost is None, not 0, so that it is counted as unpriced."""
    table = prices(reference_model="no-such-model")
    assert not table.has_reference
    assert table.avoided("home", Usage(input=10, output=10)) is None


def test_the_comparison_uses_the_reference_model() -> None:
    """A local answer is priced as gpt-4.1-mini: 0.40 in, 0.10 cached, 1.60 out per million tokens."""
    usage = Usage(input=1_000_000, input_cached=1_000_000, output=500_000, reasoning=500_000)
    assert prices().avoided("home", usage) == 400_000 + 400_000 + 1_600_000
    assert prices(reference_cached=True).avoided("home", usage) == 400_000 + 100_000 + 1_600_000
    assert prices(token_ratio=1.1).avoided("home", Usage(input=1_000_000, output=1)) == 440_002
    assert prices(cloud("gpt-5.4")).avoided("big", usage) is None


def test_embeddings_are_compared_with_an_embedding_model() -> None:
    """A prompt without an answer at 0.02 per million tokens, not at a chat model's 0.40."""
    assert prices().avoided("home", Usage(input=1_000_000)) == 20_000


def test_overrides_come_before_the_list() -> None:
    """Prices of the configuration, by target or by model, come first, with a cliff of their own and exact decimals."""
    rate = Rate(input=0.1, output=0.3, input_cached=0.01, above=1000, above_input=0.2, above_output=0.6)
    for key in ("big", "gpt-5.4"):
        table = prices(cloud("gpt-5.4"), overrides={key: rate})
        assert table.cost("big", Usage(input=1000, output=1000)) == 100 + 300
        assert table.cost("big", Usage(input=1001, output=1000)) == 200 + 600
        assert table.cost("big", Usage(input=0, input_cached=1000, output=0)) == 10
    table = prices(cloud("mine"), overrides={"mine": rate})
    assert table.unpriced == frozenset()
    assert table.providers == {"big": "configured"}


def test_the_estimate_is_an_upper_one() -> None:
    """Every answer as long as the client allows, else as the provider does; local targets cost nothing."""
    table = prices(cloud("gpt-4.1-mini"))
    assert table.estimate("big", MostUse(prompt=1_000_000, answers=1, limit=1_000_000)) == 2_000_000
    assert table.estimate("big", MostUse(answers=5, limit=1_000_000)) == 8_000_000
    assert table.estimate("big", MostUse(answers=1)) == round(32_768 * 1.6)
    assert table.estimate("big", MostUse(pictures=2)) == round(2 * 5_000 * 0.4)
    assert table.estimate("home", MostUse(prompt=5, answers=5, limit=5)) == 0
    assert table.estimate("nobody", MostUse(prompt=5)) is None


@pytest.mark.parametrize(
    ("model", "changes", "tokens"),
    [
        ("gpt-4o-2024-08-06", {}, 16_384),
        ("openai/gpt-5-mini", {}, 128_000),
        ("claude-sonnet-4-5", {}, 64_000),
        ("mine", {}, 131_072),
        ("mine", {"context": 8_192}, 8_192),
        ("gpt-4o", {"context": 4_000}, 4_000),
        ("gpt-4o", {"answer_tokens": 500}, 500),
        ("mine", {"answer_tokens": 500_000}, 500_000),
    ],
)
def test_without_a_limit_an_answer_is_as_long_as_the_model_may_make_it(
    model: str, changes: dict[str, int], tokens: int
) -> None:
    """By what providers document, within the window; what the configuration says about the target comes first."""
    rate = Rate(input=0, output=1)
    table = prices(msgspec.structs.replace(cloud(model), **changes), overrides={model: rate})
    assert table.estimate("big", MostUse(answers=1)) == tokens


def test_pictures_of_a_model_that_counts_them_dearly() -> None:
    """One picture of gpt-4o-mini is up to 48,169 tokens."""
    table = prices(cloud("gpt-4o-mini"), overrides={"gpt-4o-mini": Rate(input=1, output=0)})
    assert table.estimate("big", MostUse(pictures=1)) == 48_169


@pytest.mark.parametrize("rate", [Rate(input=-1, output=0), Rate(input=float("nan"), output=0)])
def test_prices_that_cannot_be_are_refused(rate: Rate) -> None:
    """A price that can't be true is refused with the model's name."""
    with pytest.raises(ConfigurationError, match="'mine'"):
        prices(overrides={"mine": rate})


def test_a_newer_list_from_a_file(tmp_path: Path) -> None:
    """The format of genai-prices' data.json; anything else is refused with the file's name."""
    file = tmp_path / "data.json"
    model = {"id": "new-model", "match": {"equals": "new-model"}, "prices": {"input_mtok": 2, "output_mtok": 4}}
    provider = {
        "id": "acme",
        "name": "Acme",
        "api_pattern": r"https://api\.acme\.example",
        "model_match": {"starts_with": "new-"},
        "models": [model],
    }
    file.write_bytes(msgspec.json.encode([provider]))
    table = prices(cloud("new-model", "https://api.acme.example/v1"), data_file=file)
    assert table.cost("big", Usage(input=10, output=10)) == 60
    assert table.timestamp == file.stat().st_mtime
    file.write_text("{}")
    with pytest.raises(ConfigurationError, match=r"data\.json"):
        prices(data_file=file)
    with pytest.raises(ConfigurationError, match=r"gone\.json"):
        prices(data_file=tmp_path / "gone.json")


def test_the_list_has_a_date() -> None:
    """The list's date is a moment in the past, so that old price data can raise an alert."""
    timestamp = prices().timestamp
    assert timestamp is not None
    assert datetime(2025, 1, 1, tzinfo=UTC).timestamp() < timestamp <= datetime.now(UTC).timestamp()


@pytest.mark.parametrize(
    ("model", "usual", "batch"),
    [
        ("claude-haiku-4-5", 1000 * 1 + 100 * 5, 500 + 250),
        ("gpt-4", 1000 * 30 + 100 * 60, 1000 * 15 + 100 * 30),
        ("deepseek-chat", 270 + 110, 270 + 110),
    ],
)
def test_work_that_could_wait_is_compared_with_the_price_for_batches(model: str, usual: int, batch: int) -> None:
    """The comparison can use the price for batches; where the list has none it is the usual price."""
    usage = Usage(input=1000, output=100)
    assert prices(reference_model=model).avoided("home", usage) == usual
    assert prices(reference_model=model, reference_batch=True).avoided("home", usage) == batch


def test_the_lists_date_is_that_of_its_newest_change() -> None:
    """The list's date is that of the newest change of any kind of price."""
    table = PriceList()  # the one in the package, where none was fetched
    starts = {
        price.constraint.start_date
        for provider in get_snapshot().providers
        for model in provider.models
        for price in model.price_variants or ()
        if hasattr(price.constraint, "start_date")
    }
    today = datetime.now(UTC).date()
    newest = max(start for start in starts if start <= today)
    assert table.timestamp is not None
    assert table.timestamp >= datetime(newest.year, newest.month, newest.day, tzinfo=UTC).timestamp()
