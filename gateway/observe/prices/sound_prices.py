"""What speech costs: minutes of a recording and characters of a text, as the configuration names their prices. Pure."""

from gateway.core.usage import micros
from gateway.observe.settings import SoundPrice

_MILLION = 1_000_000


def cost_of_sound(price: SoundPrice, seconds: float, characters: int) -> int | None:
    """Return micro-dollars for a recording of so many seconds, or for so many characters; None: tokens count."""
    if seconds and price.minute is not None:
        return micros(price.minute * seconds / 60)
    if characters and price.characters is not None:
        return micros(price.characters * characters / _MILLION)
    return None


def covers(price: SoundPrice, *, hears: bool, speaks: bool) -> bool:
    """Say whether a price is all that a target needs which does this and nothing else."""
    known = (not hears or price.minute is not None) and (not speaks or price.characters is not None)
    return (hears or speaks) and known
