"""Fair shares between apps: who has been served least comes first. Pure.

A virtual token counter for each isolation key (Sheng et al., "Fairness in Serving Large Language Models", 2024):
tokens that were computed for a key raise its counter, generated ones twice as much; a key that comes back after a rest
starts at the lowest counter among those that are busy, so that resting earns no credit.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

_GENERATED = 2.0  # a generated token costs a whole step, a prompt token only its part of one
_MOST_KEYS = 1024


class Shares:
    """Counters of what each isolation key has been served, in virtual tokens."""

    def __init__(self) -> None:
        self._served: dict[str, float] = {}

    def of(self, key: str) -> float:
        """Return the counter of a key; the lowest is served next."""
        return self._served.get(key, 0.0)

    def arrived(self, key: str, busy: Iterable[str]) -> None:
        """Note that a request of `key` comes while those of `busy` keys wait or run."""
        others = set(busy)
        if key in others:
            return
        lowest = min((self.of(other) for other in others), default=0.0)
        if not others or len(self._served) > _MOST_KEYS:
            # Nobody to compare with: all start anew, and counters don't grow for ever.
            self._served = {other: self.of(other) - lowest for other in others}
            lowest = 0.0
        self._served[key] = max(self.of(key), lowest)

    def charge(self, key: str, tokens: int, *, generated: bool) -> None:
        """Charge `tokens` that were computed for `key`; `generated`: the last of them leads to a new token."""
        self._served[key] = self.of(key) + tokens + (_GENERATED - 1.0) * generated


def to_preempt(newcomer: str, running: Sequence[str]) -> str | None:
    """Return the key that must give a slot to one that has none.

    None: all keys have at most one slot, or the newcomer has one already.
    """
    if newcomer in running:
        return None
    crowd = Counter(running).most_common(1)
    return crowd[0][0] if crowd and crowd[0][1] > 1 else None
