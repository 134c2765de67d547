"""How fast a target has been: moving averages for the policy's facts. Pure; the owner says when things happened."""

from gateway.engine.messages import End

_WEIGHT = 0.2  # of the newest measurement


class Pace:
    """Averages over recent answers. None: nothing measured yet. Seconds, and tokens a second."""

    def __init__(self) -> None:
        self.load_seconds: float | None = None
        self.latency_seconds: float | None = None
        self.tokens_per_second: float | None = None
        self._service: float | None = None

    def started(self, seconds: float) -> None:
        """A first token came `seconds` after its request."""
        self.latency_seconds = _mixed(self.latency_seconds, seconds)

    def ended(self, end: End) -> None:
        """A sequence ended by itself."""
        if end.generated > 1 and end.decode_seconds > 0:
            self.tokens_per_second = _mixed(self.tokens_per_second, (end.generated - 1) / end.decode_seconds)
        self._service = _mixed(self._service, end.prefill_seconds + end.decode_seconds)

    def expected_wait(self, outstanding: int, slots: int) -> float | None:
        """How long a request that comes now would wait for a slot, by the service time of recent ones."""
        if outstanding < slots:
            return 0.0
        return None if self._service is None else self._service * (outstanding - slots + 1) / slots


def _mixed(old: float | None, new: float) -> float:
    return new if old is None else old + _WEIGHT * (new - old)
