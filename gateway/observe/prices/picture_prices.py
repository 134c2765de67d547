"""What pictures cost: a price for each by size and quality, as the configuration names it, else by tokens. Pure."""

from collections.abc import Iterator, Sequence

from gateway.core.usage import micros
from gateway.observe.settings import PicturePrice

# The most tokens of one finished picture, at high quality and the largest size, and 100 for each of three previews.
# Source: OpenAI's guide "Image generation" ("Cost and latency"). The longest beginning of a model's name counts.
_TOKENS = {"gpt-image-1": 6_540, "chatgpt-image": 6_540}


def cost_of_pictures(prices: Sequence[PicturePrice], count: int, size: str, quality: str) -> int:
    """Return micro-dollars for pictures: the first price that fits. What is not known of them costs what it may most.

    Args:
        prices: The prices of one target, at least one.
        count: How many pictures.
        size: Of each, `WIDTHxHEIGHT`; empty: not known.
        quality: Of each; empty: not known.
    """
    fitting = list(_fitting(prices, size, quality)) or prices
    return count * max(micros(price.usd) for price in fitting)


def tokens_of_picture(model: str) -> int | None:
    """Return the most tokens that one picture of a model is counted as; None: it is not known."""
    name = model.rsplit("/", 1)[-1].lower()
    return next((tokens for begin, tokens in _TOKENS.items() if name.startswith(begin)), None)


def _fitting(prices: Sequence[PicturePrice], size: str, quality: str) -> Iterator[PicturePrice]:
    """Yield the prices that may be meant, up to the first that surely is: without a size it fits any.

    Where the size is not known any may fit; the same for quality.
    """
    for price in prices:
        if _fits(price, size or price.size, quality or price.quality):
            yield price
            if _fits(price, size, quality):
                return


def _fits(price: PicturePrice, size: str, quality: str) -> bool:
    return price.size in ("", size) and price.quality in ("", quality)
