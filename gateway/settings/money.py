"""`prices:` and `budgets:`: what tokens cost, and how much may be spent."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from gateway.settings.section import Name, Section


class RateConfig(Section):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    """Prompt tokens that were not in the provider's cache."""
    output: float = Field(ge=0)
    """Generated tokens, reasoning included."""
    input_cached: float | None = Field(default=None, ge=0)
    """Prompt tokens from the provider's cache. Default: as `input`."""
    input_written: float | None = Field(default=None, ge=0)
    """Prompt tokens that were written to the provider's cache. Default: as `input`."""
    input_audio: float | None = Field(default=None, ge=0)
    """Prompt tokens that are sound. Default: as `input`."""
    output_audio: float | None = Field(default=None, ge=0)
    """Generated tokens that are sound. Default: as `output`."""
    above: int | None = Field(default=None, ge=1)
    """With more prompt tokens than this, all tokens of the request cost the `above_…` rates."""
    above_input: float | None = Field(default=None, ge=0)
    """As `input`, above the step."""
    above_output: float | None = Field(default=None, ge=0)
    """As `output`, above the step."""
    above_input_cached: float | None = Field(default=None, ge=0)
    """As `input_cached`, above the step."""


class PriceConfig(Section):
    """What tokens cost, and what local answers are compared with."""

    reference_model: str = "gpt-4.1-mini"
    """Cloud model whose price local requests are compared with."""
    reference_cached: bool = False
    """Whether the comparison grants the reference model's discount for cached prompt tokens."""
    reference_batch: bool = False
    """Compare with the reference model's price for batches, where the price list has one: for work that could wait."""
    token_ratio: float = Field(default=1.0, gt=0)
    """Tokens of the reference model for one token of the local model. What is avoided is an estimate by it."""
    reference_tokenizer: Path | None = None
    """The reference model's `tokenizer.json`. The ratio is then measured on answers (`token_ratio` is where it starts).
    Needs `pip install 'aduana[tokenizer]'`."""
    picture_tokens: int = Field(default=5_000, ge=0)
    """The most tokens that a picture counts for, where budgets set money aside."""
    overrides: dict[str, RateConfig] = Field(default_factory=dict)
    """Rates by model name, before the price list."""
    data_file: Path | None = None
    """A newer price list of genai-prices (`data.json`). Default: the one that came with the package."""
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    """Display currency."""
    usd_rate: float = Field(default=1.0, gt=0)
    """How much one US dollar is in that currency."""


class BudgetConfig(Section):
    """Limits of cloud spending, in US dollars.

    A request that could pass one stays at home, or is refused until the day or month is over. Policies see what is
    spent and what is left.
    """

    day_usd: float | None = Field(default=None, ge=0)
    """For one day."""
    month_usd: float | None = Field(default=None, ge=0)
    """For one calendar month."""
    keys_usd: dict[Name, float] = Field(default_factory=dict)
    """For one calendar month, by API key."""
    unpriced: Literal["refuse", "allow"] = "refuse"
    """Cloud targets without a known price, while a budget with a limit applies: `refuse` never asks them (name their
    rate under `prices.overrides`), `allow` asks them as long as anything is left, and counts nothing."""
