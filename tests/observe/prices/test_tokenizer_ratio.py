"""The reference model's own tokenizer, where its file is at hand."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from gateway.core.errors import ConfigurationError
from gateway.core.usage import Usage
from gateway.observe import Prices, PriceSettings
from tests.observe.conftest import NOON
from tests.observe.prices.test_prices import HOME

USAGE = Usage(input=1_000_000, output=1_000_000)


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """One token for each word."""
    made = Tokenizer(models.WordLevel({"word": 0, "?": 1}, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    file = tmp_path / "tokenizer.json"
    made.save(str(file))
    return file


def test_the_ratio_is_measured_on_answers(tokenizer: Path) -> None:
    """Two local tokens a word: half as many at the reference model; before enough was seen, the configured ratio."""
    prices = Prices(PriceSettings(reference_tokenizer=tokenizer, token_ratio=1.5), (HOME,), wall=lambda: NOON)
    assert prices.avoided("home", USAGE) == 1.5 * 2_000_000
    prices.answered("home", "word " * 1500, 3000)
    prices.close()
    assert prices.avoided("home", USAGE) == 0.5 * 2_000_000


def test_only_an_answer_now_and_then_is_counted(tokenizer: Path) -> None:
    """Short and long ones are left out, and so is what comes within the same second."""
    prices = Prices(PriceSettings(reference_tokenizer=tokenizer), (HOME,), wall=lambda: NOON)
    prices.answered("home", "word", 1)
    prices.answered("home", "word " * 100_000, 100_000)
    prices.answered("home", "word " * 100, 3000)
    prices.answered("home", "word " * 1000, 3000)
    prices.close()
    assert prices.avoided("home", USAGE) == pytest.approx(2_000_000 * 100 / 3000, abs=2)


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    """A file that is no tokenizer is named in an error at start, not at the first answer."""
    file = tmp_path / "tokenizer.json"
    file.write_text("{}")
    with pytest.raises(ConfigurationError, match=r"tokenizer\.json can't be read"):
        Prices(PriceSettings(reference_tokenizer=file), (HOME,))
