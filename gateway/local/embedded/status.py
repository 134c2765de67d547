"""State of an embedded target, as the policy's facts have it. Pure."""

from gateway.core.target import TargetState
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.local.models.residency import ModelResidency
from gateway.local.throughput import Throughput


def state_of(
    worker: WorkerSupervisor, slots: int, throughput: Throughput, model: ModelResidency, now: float
) -> TargetState:
    """Give its facts at `now` (monotonic seconds).

    The expected wait includes the load that a request waits for.
    """
    ready = worker.ready is not None
    outstanding = worker.outstanding + model.waiting
    wait = 0.0 if outstanding < slots else throughput.expected_wait(outstanding - slots, slots, now)
    to_load = 0.0 if ready and model.open else model.expected_wait
    return TargetState(
        healthy=not worker.problem,
        queue_depth=max(model.waiting, outstanding - slots, 0),
        queue_wait_seconds=None if wait is None or to_load is None else wait + to_load,
        slots_busy=min(worker.outstanding, slots),
        slots_total=slots,
        loaded=ready,
        load_seconds=None if ready else model.load_seconds,
        loading=worker.progress if model.resident and not ready and not worker.failed else None,
        problem=worker.public_problem,
        retry_in=None if worker.retry_at is None else max(0.0, worker.retry_at - now),
        memory=model.footprint.total or None,
        kv_used=worker.cells / (worker.ready.context * slots) if worker.ready is not None else None,
        tokens_per_second=throughput.tokens_per_second,
        latency_seconds=throughput.latency_seconds,
    )
