"""How an embedded target is doing, as the policy's facts have it. Pure."""

from gateway.core.target import TargetState
from gateway.local.embedded_memory import ModelMemory
from gateway.local.embedded_pace import Pace
from gateway.local.embedded_seat import Seat
from gateway.local.embedded_worker import EngineWorker


def state_of(worker: EngineWorker, slots: int, pace: Pace, memory: ModelMemory, seat: Seat, now: float) -> TargetState:
    """Give its facts at `now` (monotonic seconds). The expected wait includes the load that a request waits for."""
    ready = worker.ready is not None
    outstanding = worker.outstanding + len(seat.waiting)
    wait = pace.expected_wait(outstanding, slots)
    to_load = 0.0 if ready and seat.open else memory.expected_wait(seat)
    return TargetState(
        healthy=not worker.problem,
        queue_depth=max(len(seat.waiting), outstanding - slots, 0),
        queue_wait_seconds=None if wait is None or to_load is None else wait + to_load,
        slots_busy=min(worker.outstanding, slots),
        slots_total=slots,
        loaded=ready,
        load_seconds=None if ready else memory.load_seconds(seat),
        loading=worker.progress if seat.resident and not ready and not worker.failed else None,
        problem=worker.public_problem,
        retry_in=None if worker.retry_at is None else max(0.0, worker.retry_at - now),
        memory=seat.need.total or None,
        kv_used=worker.cells / (worker.ready.context * slots) if worker.ready is not None else None,
        tokens_per_second=pace.tokens_per_second,
        latency_seconds=pace.latency_seconds,
    )
