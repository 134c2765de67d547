"""`aduana diff`: where two policies decide differently on the requests that the ledger has recorded."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.app.models.plan import catalog_of
from gateway.app.state.ledger_place import ledger_place
from gateway.cli.options import add_since_option, moment
from gateway.cli.policies import chosen_windows, load_with
from gateway.cli.terminal import show_table
from gateway.ledger.ledger import zone_of
from gateway.ledger.reading.recorded import recorded
from gateway.policy import Policy, decide_whole, evidence_from_facts
from gateway.policy.evaluation.compare import Change, compare
from gateway.settings import Settings, load_settings

_MEANING = {
    Change.KEPT_HOME: "no longer may leave",
    Change.SENT_OUT: "[red]may leave now[/]",
    Change.REFUSED: "[red]refused now[/]",
    Change.ANSWERED: "answered now",
    Change.ZONE: "another zone first",
    Change.TARGET: "another target first",
    Change.LABEL: "another label",
    Change.NONE: "the same",
}


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "diff",
        help="compare the decisions of two policies on recorded requests",
        description="Decides every recorded request again under the policy in force and a new one, and shows where "
        "they differ. Only the facts that were recorded are used: no content is stored, and none is needed.",
        epilog="Exit status: 0 no difference, 1 some differ, 2 something can't be read.",
    )
    parser.add_argument("policies", nargs="+", type=Path, metavar="POLICY", help="files of the new policy")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument("--policy", type=Path, action="append", default=[], metavar="FILE", help="old policy; default: "
                        "the configured one")  # fmt: skip
    add_since_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print where the two policies decide differently, and return 1 where they do, else 0."""
    settings = load_settings(args.config)
    catalog = catalog_of(settings)
    before, after = load_with(settings, catalog, args.policy), load_with(settings, catalog, args.policies)
    counts, total, money = _compare(
        settings, before, after, moment(args.since, time.time(), zone_of(settings.timezone))
    )
    console = Console(file=sys.stdout, highlight=False)
    different = sum(counts.values())
    console.print(f"{total} recorded requests, {different} decided differently "
                  f"({before.digest} → {after.digest})")  # fmt: skip
    if windows := chosen_windows(settings, catalog):
        console.print(escape(windows), soft_wrap=True)
    if different:
        table = Table("requests", "change", "before", "after")
        for (change, old, new), count in counts.most_common(50):
            table.add_row(str(count), _MEANING[change], escape(old), escape(new))
        show_table(console, table)
        rate, currency = settings.prices.usd_rate, settings.prices.currency
        console.print(f"estimated cloud cost: {money * rate:+.4f} {currency}")
        console.print(
            "An upper estimate: the most that each request could have cost on the first target of either policy, by "
            "the prices of that moment. 'aduana replay' begins with what was really paid, so its difference is another."
        )
    return 1 if different else 0


def _compare(
    settings: Settings, before: Policy, after: Policy, since: float
) -> tuple[Counter[tuple[Change, str, str]], int, float]:
    counts: Counter[tuple[Change, str, str]] = Counter()
    total, money = 0, 0.0
    for row in recorded(ledger_place(settings), since):
        try:
            evidence = evidence_from_facts(row.facts)
        except ValueError:
            continue
        total += 1
        difference = compare(decide_whole(evidence, before), decide_whole(evidence, after), evidence.snapshot)
        money += difference.money or 0.0
        if difference.change is not Change.NONE:
            counts[difference.change, difference.before, difference.after] += 1
    return counts, total, money
