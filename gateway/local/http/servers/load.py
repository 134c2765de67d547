"""What one server has under way: what it tells, and what was sent to it since. Pure.

Names of the metrics: vLLM (docs.vllm.ai, "Production Metrics"), SGLang (docs.sglang.io, "Production Metrics"; it needs
`--enable-metrics`), llama-server (`tools/server/README.md` of llama.cpp; `/metrics` needs `--metrics`, `/slots` is
there without) and Text Generation Inference.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from gateway.upstream.moving_average import MovingAverage

_RUNNING = (
    "vllm:num_requests_running",
    "sglang:num_running_reqs",
    "llamacpp:requests_processing",
    "tgi_batch_current_size",
)
_WAITING = ("vllm:num_requests_waiting", "sglang:num_queue_reqs", "llamacpp:requests_deferred", "tgi_queue_size")
_WEIGHT = 0.2  # of the newest measurement
_OLD_SECONDS = 10.0  # after which what a server told says nothing any more
_MOST = 1_000_000  # requests: more is no count


class ToldLoad(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that a server says it has, whoever sent them."""

    running: int
    waiting: int = 0


def told_by_metrics(page: bytes) -> ToldLoad | None:
    """Return what a page of Prometheus metrics says; None: it has none of the names that are known.

    A server with several engines has a line for each.
    """
    lines = page.decode("utf-8", "replace").splitlines()
    running = list(_values(lines, _RUNNING))
    return ToldLoad(running=sum(running), waiting=sum(_values(lines, _WAITING))) if running else None


def told_by_slots(document: object) -> ToldLoad | None:
    """Return what llama-server's list of slots says; None: it is no such list."""
    slots = document if isinstance(document, list) else []
    busy = [slot.get("is_processing") for slot in slots if isinstance(slot, Mapping)]
    return ToldLoad(running=busy.count(True)) if any(isinstance(one, bool) for one in busy) else None


def _values(lines: list[str], names: tuple[str, ...]) -> Iterator[int]:
    for line in lines:
        name = next((name for name in names if line.startswith((name + "{", name + " "))), None)
        if name is None:
            continue
        rest = line[len(name) :].rpartition("}")[2].split()
        try:
            value = float(rest[0]) if rest else -1.0
        except ValueError:
            continue
        if 0 <= value <= _MOST:
            yield round(value)


class ServerLoad:
    """Count of what one server has. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._own = 0
        self._seconds = MovingAverage(_WEIGHT)
        self._told: ToldLoad | None = None
        self._told_at = 0.0
        self._own_then = 0

    @property
    def own(self) -> int:
        """Requests that this gateway has there."""
        return self._own

    @property
    def seconds(self) -> float | None:
        """What a request took there, on average; None: nothing was measured yet."""
        return self._seconds.value

    @property
    def waiting(self) -> int:
        """Requests that waited in the server's own queue when it was last asked; 0 where it does not tell."""
        told = self._fresh()
        return told.waiting if told is not None else 0

    @property
    def all(self) -> int:
        """Requests that it has, running and waiting, those of others included where it tells."""
        told = self._fresh()
        if told is None:
            return self._own
        return max(self._own, told.running + told.waiting + self._own - self._own_then)

    def begin(self) -> float:
        """Count one more request. Returns when it began, which `end` wants."""
        self._own += 1
        return self._clock()

    def end(self, begun: float, *, answered: bool) -> None:
        """Count one request less. One that failed says nothing about how long they take: failing is quick."""
        self._own -= 1
        if answered:
            self._seconds.add(self._clock() - begun)

    def hear(self, told: ToldLoad | None) -> None:
        """Note what the server says; None: it does not tell."""
        self._told, self._told_at, self._own_then = told, self._clock(), self._own

    def _fresh(self) -> ToldLoad | None:
        return self._told if self._clock() - self._told_at <= _OLD_SECONDS else None
