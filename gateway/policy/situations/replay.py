"""Past requests, decided once more under another policy, beside what really happened. Pure."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from gateway.core.labels import Zone
from gateway.core.record import Recorded
from gateway.core.snapshot import Snapshot
from gateway.core.usage import MICROS
from gateway.policy.evaluation.compare import may_leave, price_of
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.decision import Decision
from gateway.policy.evaluation.masking import decide_whole
from gateway.policy.situations.recorded import evidence_from_facts


class Totals(msgspec.Struct, kw_only=True):
    """Sums over the period: money in US dollars, seconds to the first token."""

    requests: int = 0
    unreadable: int = 0
    went_out: int = 0
    would_go_out: int = 0
    leaks_stopped: int = 0  # went to the cloud; the policy would not have let them
    new_ways_out: int = 0  # stayed; the policy would send them out first
    refused: int = 0
    would_refuse: int = 0
    cost: float = 0.0
    would_cost: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0
    would_take: float = 0.0
    timed: int = 0


def replay(rows: Sequence[Recorded], policy: Policy, *, go_on: Callable[[], bool] = lambda: True) -> Totals:
    """Return the sums over all rows, or over those that were decided before `go_on` said no."""
    typical = _typical(rows)
    totals = Totals()
    for row in rows:
        if not go_on():
            break
        try:
            evidence = evidence_from_facts(row.facts)
        except ValueError:
            totals.unreadable += 1
            continue
        _add(totals, row, decide_whole(evidence, policy), evidence.snapshot, typical)
    return totals


def _typical(rows: Sequence[Recorded]) -> dict[str, float]:
    """Return the mean time to the first token of each target in the period."""
    seen: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.target is not None and row.first_token_seconds is not None:
            seen[row.target].append(row.first_token_seconds)
    return {target: sum(values) / len(values) for target, values in seen.items()}


def _add(totals: Totals, row: Recorded, decision: Decision, snapshot: Snapshot, typical: dict[str, float]) -> None:
    totals.requests += 1
    out = row.zone == Zone.CLOUD
    first = decision.candidates[0] if decision.candidates else None
    would = first is not None and first.zone is Zone.CLOUD
    totals.went_out += out
    totals.would_go_out += would
    totals.leaks_stopped += out and not may_leave(decision)
    totals.new_ways_out += would and not out
    totals.refused += row.outcome == "refused"
    totals.would_refuse += decision.refusal is not None
    price = _price(row, decision, snapshot)
    totals.cost += (row.cost_micros or 0) / MICROS
    totals.would_cost += price or 0.0
    totals.unpriced += price is None
    after = None if first is None else typical.get(first.target, _measured(first.target, snapshot))
    if row.first_token_seconds is not None and after is not None:
        same = first is not None and first.target == row.target
        totals.timed += 1
        totals.seconds += row.first_token_seconds
        totals.would_take += row.first_token_seconds if same else after


def _price(row: Recorded, decision: Decision, snapshot: Snapshot) -> float | None:
    """Return what a request really cost where it goes to the same target, else what was estimated then."""
    if decision.candidates and decision.candidates[0].target == row.target and row.cost_micros is not None:
        return row.cost_micros / MICROS
    return price_of(decision, snapshot)


def _measured(target: str, snapshot: Snapshot) -> float | None:
    state = snapshot.targets.get(target)
    return state.latency_seconds if state is not None else None
