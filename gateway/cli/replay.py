"""`aduana replay`: what a policy would have done with the recorded requests, beside what really happened."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from gateway.app.models.plan import catalog_of
from gateway.app.state.ledger_place import ledger_place
from gateway.cli.options import add_since_option, moment
from gateway.cli.policies import chosen_windows, load_with
from gateway.cli.terminal import show_table
from gateway.ledger.ledger import zone_of
from gateway.ledger.reading.recorded import recorded
from gateway.policy.situations.replay import Totals, replay
from gateway.settings import load_settings


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
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    add_since_option(parser)
    parser.add_argument("--json", action="store_true", help="print the sums as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what another policy would have done, and return the exit status."""
    settings = load_settings(args.config)
    policy = load_with(settings, catalog_of(settings), args.policies)
    rows = list(recorded(ledger_place(settings), moment(args.since, time.time(), zone_of(settings.timezone))))
    totals = replay(rows, policy)
    if args.json:
        print(msgspec.json.encode(totals).decode())
        return 0
    _show(totals, settings.prices.usd_rate, settings.prices.currency)
    if windows := chosen_windows(settings, policy.catalog):
        print(windows)
    return 0


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
    show_table(console, table)
    console.print(f"went out, and would not have been let: {totals.leaks_stopped}")
    console.print(f"stayed, and would have gone out: {totals.new_ways_out}")
    console.print(
        "What happened is what was really paid. What would have happened is the same sum where the same target comes "
        "first, else the most that the request could have cost there. 'aduana diff' compares such upper estimates "
        "alone, so its difference is another."
    )
    if totals.unpriced:
        console.print(f"without a known price: {totals.unpriced}")
    if totals.unreadable:
        console.print(f"recorded facts that can't be read: {totals.unreadable}")


def _mean(total: float, count: int) -> float:
    return total / count if count else 0.0
