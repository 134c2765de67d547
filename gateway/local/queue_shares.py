"""Fair shares of one target's queue: a flood under one key can't fill it. Pure.

The rule is that of shared packet buffers (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory
packet switches", 1998): a key may have no more waiting than twice the places that would still be free. So one key
alone takes at most two thirds of a queue, several take less each, and somebody new always finds a place.
"""

_TIMES_FREE = 2


class QueueShares:
    """Count of what each key has running and waiting at one target."""

    def __init__(self, *, slots: int, queue: int) -> None:
        """Begin with nothing. `slots` run at once, and `queue` may wait."""
        self.slots = slots
        self.queue = queue
        self._held: dict[str, int] = {}
        self._total = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return max(0, self._total - self.slots)

    def free(self, count: int = 1) -> bool:
        """Return whether `count` more would run at once, whoever asks."""
        return self._total + count <= self.slots

    def fits(self, key: str, count: int = 1) -> bool:
        """Return whether `count` more of a key may run or wait."""
        waiting = max(0, self._total + count - self.slots)
        if waiting == 0:
            return True
        if waiting > self.queue:
            return False
        own = self._waiting_of(key, self._held.get(key, 0) + count)
        return own <= max(1, _TIMES_FREE * (self.queue - waiting))

    def left(self, key: str) -> int:
        """Return how many more of a key may run or wait now."""
        held, free = self._held.get(key, 0), max(0, self.slots - self._total)
        places = self.slots + self.queue - self._total
        share = self._share(key)
        # `fits`, solved for the largest count: own + count - share wait, at most twice what stays free, or one.
        by_rule = (_TIMES_FREE * places + share - held) // (1 + _TIMES_FREE)
        return max(free, min(places, max(by_rule, share - held + 1)))

    @property
    def most(self) -> int:
        """How many of one key may run and wait where no other key has any."""
        places = self.slots + self.queue
        by_rule = (_TIMES_FREE * places + self.slots) // (1 + _TIMES_FREE)  # as in `left`, where nothing is held
        return max(self.slots, min(places, max(by_rule, self.slots + 1)))

    def take(self, key: str, count: int = 1) -> None:
        """Note that `count` more of a key run or wait."""
        self._held[key] = self._held.get(key, 0) + count
        self._total += count

    def give_back(self, key: str, count: int = 1) -> None:
        """Note that they ended."""
        self._held[key] -= count
        self._total -= count
        if not self._held[key]:
            del self._held[key]

    def ahead(self, key: str) -> int | None:
        """Return how many of those that wait come before a new one of this key. None: a slot is free.

        Keys take turns, so those of others that come first are no more than one for each of its own.
        """
        if self._total < self.slots:
            return None
        own = self._waiting_of(key, self._held.get(key, 0))
        return min(self.waiting, own + (own + 1) * self._others(key))

    def _waiting_of(self, key: str, held: int) -> int:
        """Return how many of `held` wait, where the slots are shared out evenly."""
        return max(0, held - self._share(key))

    def _share(self, key: str) -> int:
        """Return how many slots are a key's, where they are shared out evenly."""
        return max(1, self.slots // (1 + self._others(key)))

    def _others(self, key: str) -> int:
        return len(self._held) - (key in self._held)
