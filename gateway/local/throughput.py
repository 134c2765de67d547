"""Speed of a target, for the policy's facts and for honest waits. Pure; the owner says when things happened."""

from collections import deque

from gateway.upstream.moving_average import MovingAverage

_WEIGHT = 0.2  # of the newest measurement
_ENDS = 32  # that the rate is taken from
_FEWEST = 4  # that make a rate


class Throughput:
    """Averages over recent answers: seconds, and tokens a second. None: nothing measured yet."""

    def __init__(self) -> None:
        self._latency = MovingAverage(_WEIGHT)
        self._speed = MovingAverage(_WEIGHT)
        self._service = MovingAverage(_WEIGHT)
        self._ends: deque[float] = deque(maxlen=_ENDS)  # while others waited: how fast a queue empties

    @property
    def latency_seconds(self) -> float | None:
        """Seconds from a request to its first token."""
        return self._latency.value

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens a second, while an answer is generated."""
        return self._speed.value

    def started(self, seconds: float) -> None:
        """Note that a first token came `seconds` after its request."""
        self._latency.add(seconds)

    def generated(self, tokens: int, seconds: float) -> None:
        """Note that an answer of so many tokens took `seconds` from its first to its last."""
        if tokens > 1 and seconds > 0:
            self._speed.add((tokens - 1) / seconds)

    def ended(self, now: float, seconds: float, *, waiting: bool) -> None:
        """Note that an answer ended at `now` (monotonic) after `seconds` in its slot; `waiting`: others wait for it."""
        self._service.add(seconds)
        if not waiting:
            self._ends.clear()
        self._ends.append(now)

    def expected_wait(self, ahead: int, slots: int, now: float) -> float | None:
        """Estimate the seconds until a place is free for a request with `ahead` others before it in the queue.

        By the rate at which answers end while all slots are taken, else by the time that one takes. None: nothing was
        measured yet.
        """
        if len(self._ends) >= _FEWEST:
            # The time since the last end counts where it is longer than usual: an engine that hangs is no fast one.
            usual = (self._ends[-1] - self._ends[0]) / (len(self._ends) - 1)
            each = max(usual, (now - self._ends[0]) / len(self._ends))
            return each * (ahead + 1)
        service = self._service.value
        return None if service is None else service * (ahead + 1) / slots
