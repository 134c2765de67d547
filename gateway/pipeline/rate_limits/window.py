"""Requests and tokens of the last minute: a sliding-window log. Pure: the caller brings the time, in seconds.

Everything counts for a minute from the moment it was admitted. Tokens are counted at their upper estimate then, and
corrected when the answer has ended. INVARIANT: while nothing uses more than its estimate, no sixty seconds, wherever
they begin, hold more than what fitted into a limit when each part was taken.
"""

from collections import deque

SECONDS = 60.0
_TOGETHER = 0.05  # seconds; what comes closer together is one entry, and counts from the last of it on


class Entry:
    """Requests that came together, and their tokens."""

    __slots__ = ("at", "begun", "counts", "requests", "tokens")

    def __init__(self, at: float) -> None:
        self.begun = self.at = at
        self.requests = self.tokens = 0
        self.counts = True


class Window:
    """What was admitted in the last sixty seconds: at most 1,200 entries, however many requests those were."""

    def __init__(self) -> None:
        self.requests = 0
        self.tokens = 0
        self._entries: deque[Entry] = deque()

    def advance(self, now: float) -> None:
        """Forget what is a minute old."""
        while self._entries and self._entries[0].at + SECONDS <= now:
            old = self._entries.popleft()
            old.counts = False
            self.requests -= old.requests
            self.tokens -= old.tokens

    def add(self, now: float, tokens: int, *, requests: int = 1) -> Entry:
        """Count a request with its estimated tokens from now on, and return the entry that has them."""
        last = self._entries[-1] if self._entries else None
        if last is None or now - last.begun >= _TOGETHER:
            last = Entry(now)
            self._entries.append(last)
        last.at = max(last.at, now)
        last.requests += requests
        last.tokens += tokens
        self.requests += requests
        self.tokens += tokens
        return last

    def undo(self, entry: Entry, tokens: int) -> None:
        """Take back a request that was not admitted after all."""
        if entry.counts:
            entry.requests -= 1
            entry.tokens -= tokens
            self.requests -= 1
            self.tokens -= tokens

    def correct(self, entry: Entry, estimated: int, used: int, now: float) -> None:
        """Put the tokens that were used in place of those that were estimated.

        What goes beyond the estimate counts from now on: it may be more than a minute since that was made.
        """
        less = max(0, estimated - used)
        if entry.counts:
            entry.tokens -= less
            self.tokens -= less
        if used > estimated:
            self.add(now, used - estimated, requests=0)

    def wait_for_request(self, limit: int, now: float) -> float:
        """Return the seconds until one more request fits below a limit; 0: it fits now; infinite: it never does."""
        return self._wait(self.requests + 1 - limit, now, tokens=False)

    def wait_for_tokens(self, limit: int, wanted: int, now: float) -> float:
        """Return the seconds until so many more tokens fit below a limit; 0: they fit now; infinite: they never do."""
        return self._wait(self.tokens + wanted - limit, now, tokens=True)

    def reset(self, now: float) -> float:
        """Return the seconds until nothing is counted any more."""
        return max(0.0, self._entries[-1].at + SECONDS - now) if self._entries else 0.0

    @property
    def empty(self) -> bool:
        """Return whether nothing is counted."""
        return not self._entries

    def _wait(self, excess: int, now: float, *, tokens: bool) -> float:
        if excess <= 0:
            return 0.0
        for entry in self._entries:
            excess -= entry.tokens if tokens else entry.requests
            if excess <= 0:
                return max(0.0, entry.at + SECONDS - now)
        return float("inf")
