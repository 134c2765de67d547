"""Speed of a target: moving averages for the policy's facts. Pure; the owner says when things happened."""

from gateway.core.moving_average import MovingAverage
from gateway.engine.messages import End

_WEIGHT = 0.2  # of the newest measurement


class Throughput:
    """Averages over recent answers: seconds, and tokens a second. None: nothing measured yet."""

    def __init__(self) -> None:
        self._latency = MovingAverage(_WEIGHT)
        self._speed = MovingAverage(_WEIGHT)
        self._service = MovingAverage(_WEIGHT)

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

    def ended(self, end: End) -> None:
        """Note that a sequence ended by itself."""
        if end.generated > 1 and end.decode_seconds > 0:
            self._speed.add((end.generated - 1) / end.decode_seconds)
        self._service.add(end.prefill_seconds + end.decode_seconds)

    def expected_wait(self, outstanding: int, slots: int) -> float | None:
        """Estimate the seconds that a request which comes now waits for a slot, by the service time of recent ones.

        `outstanding`: sequences that have not ended. None: nothing was measured yet.
        """
        if outstanding < slots:
            return 0.0
        service = self._service.value
        return None if service is None else service * (outstanding - slots + 1) / slots
