"""`aduana check`: the configuration and policies load, their claims are proved, their expectations met."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape

from gateway.app.attachments import told
from gateway.app.inspection import build_inspector
from gateway.app.keys.stored_keys import names_elsewhere
from gateway.app.models.plan import catalog_of
from gateway.app.preflight.examination import examined
from gateway.app.room_settings import limit_table, price_settings, priced_targets
from gateway.app.state.ledger_place import ledger_place
from gateway.cli.policies import chosen_windows, load_with
from gateway.cli.terminal import show_sentence
from gateway.core.errors import LedgerUnavailable
from gateway.core.target import Catalog
from gateway.core.yaml_source import suggest
from gateway.ledger import LedgerSettings, examine, lock_holder
from gateway.observe import Prices
from gateway.policy import Policy
from gateway.policy.proof.check import check
from gateway.policy.proof.verdict import PolicyCheck, ProofOutcome, Verdict
from gateway.settings import Settings, load_settings
from gateway.settings.limits import DEFAULT

_SIGNS = {
    ProofOutcome.PROVED: "[green]proved[/]",
    ProofOutcome.REFUTED: "[red]REFUTED[/]",
    ProofOutcome.NOT_PROVED: "[red]NOT PROVED[/]",
}

_NOTE = "  [yellow]note[/]    "
_BESIDE = " " * 11

_COUNTED = {"full": "those of private people (full)", "any": "all (any)", "ignore": "none (ignore)"}


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "check",
        help="check configuration and policies, prove their claims",
        description="Loads the configuration, looks for everything for which 'serve' would refuse to start, proves "
        "every claim of the policy for all requests that could come, and runs the 'expect' tables. With policy files "
        "named here, looks at those alone. Sends nothing.",
        epilog="Exit status: 0 everything holds; 1 a claim or an expectation fails, or a model can't be used; 2 the "
        "gateway would not start.",
    )
    parser.add_argument(
        "policies", nargs="*", type=Path, metavar="POLICY", help="policy files instead of the configured"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument(
        "--files-only",
        action="store_true",
        help="look at the files alone, not at keys, models, ports and memory of this machine: for one that is served "
        "elsewhere",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Check, print the result, and return 0 only where everything holds.

    Raises:
        ConfigurationError: The gateway would not start with this configuration.
    """
    settings = load_settings(args.config)
    with settings.places.told():
        return _check(settings, args)


def _check(settings: Settings, args: argparse.Namespace) -> int:
    looks = not args.policies and not args.files_only
    holder = lock_holder(settings.state_dir) if looks else None
    warnings = _examined(settings, running=holder is not None) if looks else []
    policy = load_with(settings, catalog_of(settings), args.policies)
    if settings.candidate and not args.policies:
        load_with(settings, policy.catalog, settings.candidate)
    build_inspector(settings)  # raises for a word, a pattern or a list with which the gateway would not start
    result = check(policy)
    closed = _closed_by_budgets(settings, policy.catalog)
    idle = _idle_limits(settings, policy)
    if args.json:
        report = {
            "passed": result.passed and not warnings,
            "warnings": warnings,
            "unpriced": closed,
            "idle_limits": idle,
            "names": _counted(settings),
            "attachments": told(settings, None),
            **{name: value for name, value in msgspec.structs.asdict(result).items() if name != "passed"},
        }
        print(msgspec.json.encode(report).decode())
        return 0 if report["passed"] else 1
    console = Console(file=sys.stdout, highlight=False)
    names = ", ".join(str(path) for path in args.policies or settings.policy) or "built-in home policy"
    sizes = f" · digest {result.digest} · {_some(result.rules, 'rule')} · {_some(len(settings.targets), 'target')}"
    show_sentence(console, "", names + sizes)
    show_sentence(console, "  ", f"names of people are {_names(settings)}")
    show_sentence(console, "  ", f"attachments are {told(settings, None)}")
    if windows := chosen_windows(settings, policy.catalog):
        show_sentence(console, "  ", windows)
    if holder is not None:
        who = f" (process {holder})" if holder else ""
        show_sentence(console, "  ", f"a gateway{who} runs with this state directory, so its ports were not tried")
    _show(console, result, _options(args))
    for warning in warnings:
        show_sentence(console, "  [red]PROBLEM[/] ", warning)
    for note in idle:
        show_sentence(console, _NOTE, note)
    for target in closed:
        show_sentence(
            console,
            _NOTE,
            f"the price of {target} is not known, so no budget allows for it and it is never asked: name its rate "
            "(prices.overrides), or write budgets.unpriced: allow",
        )
    return 0 if result.passed and not warnings else 1


def _examined(settings: Settings, *, running: bool) -> list[str]:
    """Return what the gateway would start with, though a target can't answer then.

    Args:
        settings: The whole configuration.
        running: A gateway runs with it already, and holds its ports.

    Raises:
        ConfigurationError: It would not start.
        LedgerUnavailable: Nor with this ledger.
    """
    warnings = examined(settings, running=running)
    ledger = examine(ledger_place(settings), check_bytes=LedgerSettings(directory=settings.state_dir).check_bytes)
    if ledger is not None and ledger.problem:
        raise LedgerUnavailable(ledger.problem)
    return warnings


def _closed_by_budgets(settings: Settings, catalog: Catalog) -> tuple[str, ...]:
    """Return the cloud targets that are never asked, because a budget has a limit and their price is not known."""
    budgets, table = settings.budgets, limit_table(settings)
    limited = budgets.day_usd is not None or budgets.month_usd is not None or table.about_money
    if not limited or budgets.unpriced == "allow":
        return ()
    return tuple(sorted(Prices(price_settings(settings), priced_targets(settings, catalog)).unpriced))


def _idle_limits(settings: Settings, policy: Policy) -> tuple[str, ...]:
    """Return what is limited and does not exist: most often a typing error."""
    limits, tags = settings.limits, policy.labels.known_tags
    found = [
        f"limits.tags.{name}: no policy, key or model knows this tag.{suggest(name, tags)}"
        for name in limits.tags
        if name not in tags
    ]
    keys = {*policy.catalog.keys, *names_elsewhere(settings), "anonymous"}
    for place, names in (("limits.keys", limits.keys), ("budgets.keys_usd", settings.budgets.keys_usd)):
        strangers = [name for name in names if name not in (*keys, DEFAULT)]
        found += [f"{place}.{name}: there is no key of this name.{suggest(name, keys)}" for name in strangers]
    return tuple(found)


def _some(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _counted(settings: Settings) -> str:
    """Return which names count: `full`, `any`, `ignore`, or `off` where nobody looks for them."""
    names = settings.inspection.names_searched
    return names.count if names is not None else "off"


def _names(settings: Settings) -> str:
    counted = _counted(settings)
    if counted == "off":
        why = "inspection.names says so" if settings.inspection.names is not None else "run 'aduana extras install ner'"
        return f"not searched for: {why}"
    told = "by default" if settings.inspection.names is None else "as inspection.names says"
    return f"searched for, {told}; by themselves count: {_COUNTED[counted]}"


def _options(args: argparse.Namespace) -> str:
    """Return the options with which `aduana explain` looks at the same policy."""
    config = f" --config {shlex.quote(str(args.config))}" if args.config else ""
    return config + "".join(f" --policy {shlex.quote(str(path))}" for path in args.policies)


def _show(console: Console, result: PolicyCheck, options: str) -> None:
    for verdict in result.proof.verdicts:
        show_sentence(console, f"  {_SIGNS[verdict.outcome]}  ", verdict.claim)
        if verdict.outcome is not ProofOutcome.PROVED:
            _show_case(console, verdict, options)
    met = result.expectations - len(result.failures)
    if result.expectations:
        console.print(f"  {met} of {result.expectations} expectations are met")
    for failure in result.failures:
        show_sentence(console, "  [red]FAILED[/]  ", failure)
    for note in result.proof.notes:
        show_sentence(console, _NOTE, note)


def _show_case(console: Console, verdict: Verdict, options: str) -> None:
    show_sentence(console, _BESIDE, f"at {verdict.place}")
    if verdict.remark:
        show_sentence(console, _BESIDE, verdict.remark)
    if verdict.case is not None:
        case = shlex.quote(msgspec.json.encode(verdict.case).decode())
        show_sentence(console, _BESIDE, "the smallest such request; see it decided with:")
        console.print(escape(f"{_BESIDE}echo {case} | aduana explain -{options}"), soft_wrap=True)
