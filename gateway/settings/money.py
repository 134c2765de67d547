"""`prices:` and `budgets:`: what tokens cost, and how much may be spent."""

from pathlib import Path
from typing import Annotated, Literal

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
    input_image: float | None = Field(default=None, ge=0)
    """Prompt tokens that are pictures, for models that make some. Default: as `input`."""
    output_image: float | None = Field(default=None, ge=0)
    """Generated tokens that are pictures. Default: as `output`."""
    above: int | None = Field(default=None, ge=1)
    """With more prompt tokens than this, all tokens of the request cost the `above_…` rates."""
    above_input: float | None = Field(default=None, ge=0)
    """As `input`, above the step."""
    above_output: float | None = Field(default=None, ge=0)
    """As `output`, above the step."""
    above_input_cached: float | None = Field(default=None, ge=0)
    """As `input_cached`, above the step."""


class PicturePriceConfig(Section):
    """US dollars for one picture."""

    usd: float = Field(ge=0, allow_inf_nan=False)
    """The price of one."""
    size: str = Field(default="", pattern=r"^([1-9][0-9]{0,4}x[1-9][0-9]{0,4})?$")
    """Of this size alone, as `1024x1024`. Default: of any."""
    quality: str = ""
    """Of this quality alone, as `hd`. Default: of any."""


class SoundPriceConfig(Section):
    """US dollars for recordings that a cloud writes down, and texts that it speaks."""

    minute: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """For a minute of a recording, as `0.006`. Default: tokens are counted."""
    characters: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """For a million characters that are spoken, as `15`. Default: tokens are counted."""


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
    Needs `aduana extras install tokenizer`."""
    picture_tokens: int = Field(default=5_000, ge=0)
    """The most tokens that a picture counts for, where budgets set money aside."""
    overrides: dict[str, RateConfig] = Field(default_factory=dict)
    """Rates by model name, before the price list."""
    pictures: dict[str, Annotated[tuple[PicturePriceConfig, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Prices of pictures that a cloud makes, by the target's name or the model's: a list, of which the first that fits
    counts. Without one, tokens are counted, where the price list and the answers tell them."""
    sounds: dict[str, SoundPriceConfig] = Field(default_factory=dict)
    """Prices of speech in and out, by the target's name or the model's: `whisper-1: {minute: 0.006}`, `tts-1:
    {characters: 15}`. Without one, tokens are counted."""
    reference_picture: float | None = Field(default=None, ge=0)
    """US dollars for one picture of a cloud: what each picture that was made at home avoids. Default: nothing is said
    about it."""
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
