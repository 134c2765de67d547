"""What one key, user, tag or target uses now, held against its limits. Pure: the caller brings time and date."""

import enum
from datetime import date

import msgspec

from gateway.core.limits import Limits
from gateway.pipeline.rate_limits.window import Entry, Window

_NEVER = float("inf")
_WEIGHT = 0.2  # of the last request in the mean of how long they take


class Kind(enum.StrEnum):
    """What is limited, by the words of the configuration."""

    REQUESTS = "requests_per_minute"
    TOKENS = "tokens_per_minute"
    TOKENS_DAY = "tokens_per_day"
    PARALLEL = "parallel"


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that a request may take: those of its prompt, and the most of its answer."""

    prompt: int = 0
    answer: int = 0

    def within(self, limit: int | None) -> int:
        """Return the tokens to set aside below a limit.

        Clients allow for longer answers than they mean to get: such a request takes all of a limit, but not more.
        """
        whole = self.prompt + self.answer
        return whole if limit is None else min(whole, limit)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """The time: seconds of a clock that never jumps, the date, and the seconds until the next day begins."""

    seconds: float
    day: date
    until_tomorrow: float


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that has no room for a request now. `wait`: seconds until it has; infinite: it never will."""

    kind: Kind
    limit: int
    left: int
    wanted: int
    wait: float


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter counts for one running request."""

    entry: Entry
    tokens: int
    tokens_day: int | None  # None: the day's are not limited, so nobody counts them
    begun: float


class Meter:
    """Counts of one key, user, tag or target, and the limits that it has now."""

    def __init__(self, limits: Limits, day: date, tokens_today: int = 0) -> None:
        self.limits = limits
        self.window = Window()
        self.day = day
        self._spent = tokens_today
        self._held = 0
        self._running: dict[str, Hold] = {}
        self._mean: float | None = None  # seconds that a request takes
        self._closed: tuple[int, float] | None = None  # a limit of requests a minute, and until when it has no room

    @property
    def running(self) -> int:
        """Return how many requests run."""
        return len(self._running)

    @property
    def tokens_today(self) -> int:
        """Return the tokens of today, with those that are set aside for what runs."""
        return self._spent + self._held

    def idle(self, now: Moment) -> bool:
        """Return whether forgetting this meter would lose nothing."""
        self.advance(now)
        return self.window.empty and not self._running and not self._spent

    def advance(self, now: Moment) -> None:
        """Forget what does not count any more."""
        self.window.advance(now.seconds)
        if now.day > self.day:  # a clock that jumps back brings nothing back
            self.day = now.day
            self._spent = 0

    def shortage(self, need: Need, now: Moment) -> Shortage | None:
        """Return the limit for which a request would have to wait longest; None: all have room."""
        self.advance(now)
        found: list[Shortage] = []
        limits, window, seconds = self.limits, self.window, now.seconds
        if (limit := limits.parallel) is not None and self.running >= limit:
            wait = self.expected_end(seconds) if limit else _NEVER
            found.append(Shortage(kind=Kind.PARALLEL, limit=limit, left=0, wanted=1, wait=wait))
        if (limit := limits.requests_per_minute) is not None:
            wait = window.wait_for_request(limit, seconds)
            if self._closed is not None and limit <= self._closed[0]:
                wait = max(wait, self._closed[1] - seconds)
            if wait > 0:
                found.append(Shortage(kind=Kind.REQUESTS, limit=limit, left=0, wanted=1, wait=wait))
        if (limit := limits.tokens_per_minute) is not None:
            wait = _NEVER if need.prompt > limit else window.wait_for_tokens(limit, need.within(limit), seconds)
            if wait > 0:
                found.append(self._too_few(Kind.TOKENS, limit, window.tokens, need, wait))
        if (limit := limits.tokens_per_day) is not None:
            if need.prompt > limit:
                found.append(self._too_few(Kind.TOKENS_DAY, limit, self.tokens_today, need, _NEVER))
            elif self.tokens_today + need.within(limit) > limit:
                found.append(self._too_few(Kind.TOKENS_DAY, limit, self.tokens_today, need, now.until_tomorrow))
        return max(found, key=lambda one: one.wait, default=None)

    def take(self, request_id: str, need: Need, now: Moment) -> None:
        """Count a request from now on, until `give_back`."""
        day = self.limits.tokens_per_day
        tokens, tokens_day = need.within(self.limits.tokens_per_minute), None if day is None else need.within(day)
        entry = self.window.add(now.seconds, tokens)
        self._held += tokens_day or 0
        self._running[request_id] = Hold(entry=entry, tokens=tokens, tokens_day=tokens_day, begun=now.seconds)

    def undo(self, request_id: str) -> None:
        """Forget a request that was not admitted after all: it counts nowhere."""
        hold = self._running.pop(request_id, None)
        if hold is not None:
            self.window.undo(hold.entry, hold.tokens)
            self._held -= hold.tokens_day or 0

    def close(self, limit: int, until: float) -> None:
        """Note that a limit of requests a minute has no room until then, for other gateways have used it."""
        self._closed = limit, until

    def give_back(self, request_id: str, used: int, now: Moment) -> None:
        """Count what a request has really used, now that it has ended. A second time changes nothing."""
        hold = self._running.pop(request_id, None)
        if hold is None:
            return
        self.advance(now)
        self.window.correct(hold.entry, hold.tokens, used, now.seconds)
        if hold.tokens_day is not None:
            self._held -= hold.tokens_day
            self._spent += used
        took = now.seconds - hold.begun
        self._mean = took if self._mean is None else self._mean + _WEIGHT * (took - self._mean)

    def expected_end(self, seconds: float) -> float:
        """Return in how many seconds the first of the running requests should end, by how long they took so far."""
        oldest = next(iter(self._running.values()), None)
        if oldest is None or self._mean is None:
            return 1.0
        return max(1.0, self._mean - (seconds - oldest.begun))

    @staticmethod
    def _too_few(kind: Kind, limit: int, used: int, need: Need, wait: float) -> Shortage:
        wanted = need.prompt + need.answer
        return Shortage(kind=kind, limit=limit, left=max(0, limit - used), wanted=wanted, wait=wait)
