"""`aduana replay`: what a policy would have done with the recorded requests, beside what really happened."""

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from gateway.app.models.plan import catalog_of
from gateway.cli.policies import chosen_windows, load_with
from gateway.cli.recorded_requests import Recorded, recorded, since_seconds
from gateway.core.labels import Zone
from gateway.core.snapshot import Snapshot
from gateway.core.usage import MICROS
from gateway.policy import Decision, Policy, decide_whole, evidence_from_facts
from gateway.policy.evaluation.compare import may_leave, price_of
from gateway.settings import load_settings


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


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "replay",
        help="decide recorded requests again under another policy",
        description="Decides every recorded request again under POLICY and sets it beside what happened: what would "
        "have stayed at home, what it would have cost, how long it would have taken. Header values and conversations "
        "are not recorded: conditions on headers count as unknown.",
    )
    parser.add_argument("policies", nargs="+", type=Path, metavar="POLICY", help="policy files")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml here, if any)")
    parser.add_argument("--since", default="30d", metavar="PERIOD", help="how far back: 30d, 12h, 2w (default: 30d)")
    parser.add_argument("--json", action="store_true", help="print the sums as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what another policy would have done, and return the exit status."""
    settings = load_settings(args.config)
    policy = load_with(settings, catalog_of(settings), args.policies)
    rows = list(recorded(settings.state_dir, since_seconds(args.since)))
    totals = replay(rows, policy)
    if args.json:
        print(msgspec.json.encode(totals).decode())
        return 0
    _show(totals, settings.prices.usd_rate, settings.prices.currency)
    if windows := chosen_windows(settings, policy.catalog):
        print(windows)
    return 0


def replay(rows: list[Recorded], policy: Policy) -> Totals:
    """Return the sums over all rows."""
    typical = _typical(rows)
    totals = Totals()
    for row in rows:
        try:
            evidence = evidence_from_facts(row.facts)
        except ValueError:
            totals.unreadable += 1
            continue
        _add(totals, row, decide_whole(evidence, policy), evidence.snapshot, typical)
    return totals


def _typical(rows: list[Recorded]) -> dict[str, float]:
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


def _show(totals: Totals, rate: float, currency: str) -> None:
    table = Table("", "happened", "would have", "difference")
    lines: tuple[tuple[str, float, float, str], ...] = (
        ("answered by the cloud", totals.went_out, totals.would_go_out, "{:.0f}"),
        ("refused", totals.refused, totals.would_refuse, "{:.0f}"),
        (f"cloud cost, {currency}", totals.cost * rate, totals.would_cost * rate, "{:.4f}"),
        (
            "mean time to first token, s",
            _mean(totals.seconds, totals.timed),
            _mean(totals.would_take, totals.timed),
            "{:.2f}",
        ),
    )
    for name, before, after, shape in lines:
        sign = shape.replace("{:", "{:+")
        table.add_row(name, shape.format(before), shape.format(after), sign.format(after - before))
    console = Console(file=sys.stdout, highlight=False)
    console.print(f"{totals.requests} recorded requests")
    console.print(table)
    console.print(f"went out, and would not have been let: {totals.leaks_stopped}")
    console.print(f"stayed, and would have gone out: {totals.new_ways_out}")
    if totals.unpriced:
        console.print(f"without a known price: {totals.unpriced}")
    if totals.unreadable:
        console.print(f"recorded facts that can't be read: {totals.unreadable}")


def _mean(total: float, count: int) -> float:
    return total / count if count else 0.0
