"""`aduana check`: the configuration and policies load, their claims are proved, their expectations met."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape

from gateway.app.inspection import build_inspector
from gateway.app.room_settings import price_settings, priced_targets
from gateway.cli.policies import chosen_windows, load
from gateway.core.target import Catalog
from gateway.observe import Prices
from gateway.policy.proof.check import PolicyCheck, check
from gateway.policy.proof.prover import ProofOutcome, Verdict
from gateway.settings import Settings

_SIGNS = {
    ProofOutcome.PROVED: "[green]proved[/]",
    ProofOutcome.REFUTED: "[red]REFUTED[/]",
    ProofOutcome.NOT_PROVED: "[red]NOT PROVED[/]",
}

_COUNTED = {"full": "those of private people (full)", "any": "all (any)", "ignore": "none (ignore)"}


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "check",
        help="check configuration and policies, prove their claims",
        description="Loads the configuration and its policy (or the policy files named here), proves every claim for "
        "all requests that could come, and runs the 'expect' tables. Sends nothing.",
        epilog="Exit status: 0 everything holds, 1 a claim or an expectation fails, 2 a file can't be used.",
    )
    parser.add_argument(
        "policies", nargs="*", type=Path, metavar="POLICY", help="policy files instead of the configured"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml if there is one)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Check, print the result, and return 0 only where everything holds."""
    settings, policy = load(args.config, args.policies)
    build_inspector(settings)  # raises for a word, a pattern or a list with which the gateway would not start
    result = check(policy)
    closed = _closed_by_budgets(settings, policy.catalog)
    if args.json:
        told = {
            "passed": result.passed,
            "unpriced": closed,
            "names": _counted(settings),
            **msgspec.structs.asdict(result),
        }
        print(msgspec.json.encode(told).decode())
        return 0 if result.passed else 1
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    names = ", ".join(str(path) for path in args.policies or settings.policy) or "built-in home policy"
    console.print(f"[bold]{escape(names)}[/] · digest {result.digest} · {result.rules} rules · "
                  f"{len(settings.targets)} targets")  # fmt: skip
    console.print(f"  names of people are {_names(settings)}")
    if windows := chosen_windows(settings, policy.catalog):
        console.print(f"  {escape(windows)}")
    _show(console, result, _options(args))
    for target in closed:
        console.print(
            f"  [yellow]note[/]    the price of {escape(target)} is not known, so no budget allows for it and it is "
            "never asked: name its rate (prices.overrides), or write budgets.unpriced: allow"
        )
    return 0 if result.passed else 1


def _closed_by_budgets(settings: Settings, catalog: Catalog) -> tuple[str, ...]:
    """Return the cloud targets that are never asked, because a budget has a limit and their price is not known."""
    budgets = settings.budgets
    limited = bool(budgets.keys_usd) or budgets.day_usd is not None or budgets.month_usd is not None
    if not limited or budgets.unpriced == "allow":
        return ()
    return tuple(sorted(Prices(price_settings(settings), priced_targets(settings, catalog)).unpriced))


def _counted(settings: Settings) -> str:
    """Return which names count: `full`, `any`, `ignore`, or `off` where nobody looks for them."""
    names = settings.inspection.names_searched
    return names.count if names is not None else "off"


def _names(settings: Settings) -> str:
    counted = _counted(settings)
    if counted == "off":
        why = "inspection.names says so" if settings.inspection.names is not None else "install 'aduana[ner]'"
        return f"not searched for: {why}"
    told = "by default" if settings.inspection.names is None else "as inspection.names says"
    return f"searched for, {told}; by themselves count: {_COUNTED[counted]}"


def _options(args: argparse.Namespace) -> str:
    """Return the options with which `aduana explain` looks at the same policy."""
    config = f" --config {shlex.quote(str(args.config))}" if args.config else ""
    return config + "".join(f" --policy {shlex.quote(str(path))}" for path in args.policies)


def _show(console: Console, result: PolicyCheck, options: str) -> None:
    for verdict in result.proof.verdicts:
        console.print(f"  {_SIGNS[verdict.outcome]}  {escape(verdict.claim)}")
        if verdict.outcome is not ProofOutcome.PROVED:
            _show_case(console, verdict, options)
    met = result.expectations - len(result.failures)
    if result.expectations:
        console.print(f"  {met} of {result.expectations} expectations are met")
    for failure in result.failures:
        console.print(f"  [red]FAILED[/]  {escape(failure)}")
    for note in result.proof.notes:
        console.print(f"  [yellow]note[/]    {escape(note)}")


def _show_case(console: Console, verdict: Verdict, options: str) -> None:
    console.print(f"           at {escape(verdict.place)}")
    if verdict.remark:
        console.print(f"           {escape(verdict.remark)}")
    if verdict.case is not None:
        case = shlex.quote(msgspec.json.encode(verdict.case).decode())
        console.print("           the smallest such request; see it decided with:")
        console.print(escape(f"           echo {case} | aduana explain -{options}"))
