"""`aduana reconcile invoice.csv`: the ledger beside a provider's usage export, by day and model."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import msgspec

from gateway.app.state.ledger_place import ledger_place
from gateway.cli.provider_exports import COLUMNS, Charged, Currency, plain_model, read_export
from gateway.core.errors import BadRequest
from gateway.core.usage import MICROS
from gateway.ledger import Database, Reader
from gateway.ledger.ledger import zone_of
from gateway.settings import load_settings


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one model in both accounts, in micro-dollars and tokens. What the export does not have is None."""

    day: date
    model: str
    ledger_micros: int = 0
    invoice_micros: int | None = None
    requests: int = 0
    unpriced: int = 0
    ledger_input: int = 0
    ledger_output: int = 0
    invoice_input: int | None = None
    invoice_output: int | None = None

    @property
    def drift_micros(self) -> int:
        """Return what the provider charges beyond our account."""
        return (self.invoice_micros or 0) - self.ledger_micros

    @property
    def ledger_tokens(self) -> int:
        """Return prompt and answer together."""
        return self.ledger_input + self.ledger_output

    @property
    def invoice_tokens(self) -> int:
        """Return prompt and answer together."""
        return (self.invoice_input or 0) + (self.invoice_output or 0)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    text = "Compare the ledger with a provider's usage export (CSV) by day and model, and print the drift."
    parser = subparsers.add_parser("reconcile", help="compare the ledger with a provider's invoice", description=text)
    parser.add_argument(
        "invoice", type=Path, metavar="CSV", help="the export: costs, or token counts where it has no costs"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument(
        "--currency",
        metavar="CODE",
        help="of the amounts, where no column says it (default: USD; else prices.currency)",
    )
    parser.add_argument("--timezone", default="UTC", help="zone of the export's days (default: UTC)")
    parser.add_argument(
        "--tolerance", type=float, default=1.0, metavar="PERCENT", help="drift of the total that is fine (default: 1)"
    )
    for name in COLUMNS:
        parser.add_argument(f"--{name}-column", metavar="NAME", help=f"column with the {name}, where it is not found")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Print the comparison, and return 0 when the total is within the tolerance, else 1.

    Raises:
        BadRequest: The currency is not in the configuration, or the export can't be read.
    """
    settings = load_settings(args.config)
    zone = zone_of(args.timezone)
    chosen = {name: getattr(args, f"{name}_column") for name in COLUMNS}
    prices = settings.prices
    known: tuple[Currency, ...] = (Currency(), Currency(name=prices.currency, per_usd=prices.usd_rate))
    if args.currency is not None:
        known = tuple(sorted(known, key=lambda one: one.name != args.currency))
        if known[0].name != args.currency:
            raise BadRequest(
                f"--currency {args.currency}: write it and its usd_rate under 'prices:' in the configuration."
            )
    invoice = read_export(args.invoice, chosen, zone, known)
    models = {name: target.model for name, target in settings.catalog().targets.items()}
    lines = compare(ledger_place(settings), invoice, models, zone)
    by_cost = any(charged.micros is not None for charged in invoice.values())
    if by_cost:
        ours, theirs = sum(line.ledger_micros for line in lines), sum(line.invoice_micros or 0 for line in lines)
    else:
        ours, theirs = sum(line.ledger_tokens for line in lines), sum(line.invoice_tokens for line in lines)
    drift = (theirs - ours) / theirs * 100 if theirs else (0.0 if not ours else 100.0)
    fine = abs(drift) <= args.tolerance
    if args.json:
        json.dump(_as_json(lines, drift, fine, by_cost), sys.stdout, indent=2)
        print()
    else:
        _show(lines, drift, args.tolerance, by_cost)
    return 0 if fine else 1


def compare(
    place: Path | Database, invoice: Mapping[tuple[date, str], Charged], models: Mapping[str, str], zone: tzinfo | None
) -> list[InvoiceLine]:
    """Return one line for each day and model that either account has, within the invoice's days."""
    first, last = min(day for day, _ in invoice), max(day for day, _ in invoice)
    since = datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()
    after = last + timedelta(days=1)
    until = datetime(after.year, after.month, after.day, tzinfo=zone).timestamp()
    lines = {
        key: InvoiceLine(
            day=key[0],
            model=key[1],
            invoice_micros=charged.micros,
            invoice_input=charged.input,
            invoice_output=charged.output,
        )
        for key, charged in invoice.items()
    }
    with Reader(place) as reader:
        for item in reader.cloud_days(since, until, zone):
            key = (item.day, plain_model(models.get(item.target, item.target)))
            line = lines.get(key, InvoiceLine(day=key[0], model=key[1]))
            lines[key] = msgspec.structs.replace(
                line,
                ledger_micros=line.ledger_micros + item.cost_micros,
                requests=line.requests + item.requests,
                unpriced=line.unpriced + item.unpriced,
                ledger_input=line.ledger_input + item.input + item.input_cached,
                ledger_output=line.ledger_output + item.output,
            )
    return [lines[key] for key in sorted(lines)]


def _as_json(lines: Sequence[InvoiceLine], drift: float, fine: bool, by_cost: bool) -> dict[str, Any]:
    return {
        "compared": "cost" if by_cost else "tokens",
        "drift_percent": round(drift, 4),
        "within_tolerance": fine,
        "lines": [
            {
                "day": line.day.isoformat(),
                "model": line.model,
                "requests": line.requests,
                "unpriced": line.unpriced,
                "ledger_usd": line.ledger_micros / MICROS,
                "invoice_usd": None if line.invoice_micros is None else line.invoice_micros / MICROS,
                "drift_usd": line.drift_micros / MICROS if by_cost else None,
                "ledger_tokens": [line.ledger_input, line.ledger_output],
                "invoice_tokens": [line.invoice_input, line.invoice_output],
            }
            for line in lines
        ],
    }


def _show(lines: Sequence[InvoiceLine], drift: float, tolerance: float, by_cost: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.cli.terminal import show_table

    title = "Ledger and invoice, US dollars" if by_cost else "Ledger and export, tokens (the export has no costs)"
    heads = (
        ("Ledger", "Invoice", "Drift") if by_cost else ("Prompt, ledger", "export", "Answer, ledger", "export", "Drift")
    )

    def table(*, requests: bool) -> Table:
        made = Table(title=title, title_justify="left")
        made.add_column("Day")
        made.add_column("Model")
        for head in ("Requests", *heads) if requests else heads:
            made.add_column(head, justify="right")
        made.add_column("Note")
        for line in lines:
            cells = _cells([line], by_cost)[not requests :]
            made.add_row(line.day.isoformat(), Text(line.model), *cells, _note(line, by_cost))
        made.add_section()
        made.add_row("Total", "", *_cells(lines, by_cost)[not requests :], "")
        return made

    console = Console(highlight=False)
    show_table(console, table(requests=True), table(requests=False))
    verdict = "within" if abs(drift) <= tolerance else "beyond"
    console.print(f"Drift of the total: {drift:+.2f} %, {verdict} the tolerance of {tolerance:g} %.")


def _cells(lines: Sequence[InvoiceLine], by_cost: bool) -> list[str]:
    requests = f"{sum(line.requests for line in lines):,}"
    if by_cost:
        ours, theirs = sum(line.ledger_micros for line in lines), sum(line.invoice_micros or 0 for line in lines)
        return [requests, *(f"{micros / MICROS:,.4f}" for micros in (ours, theirs, theirs - ours))]
    counts = [
        sum(line.ledger_input for line in lines),
        sum(line.invoice_input or 0 for line in lines),
        sum(line.ledger_output for line in lines),
        sum(line.invoice_output or 0 for line in lines),
    ]
    drift = sum(line.invoice_tokens - line.ledger_tokens for line in lines)
    return [requests, *(f"{count:,}" for count in counts), f"{drift:+,}"]


def _note(line: InvoiceLine, by_cost: bool) -> str:
    if line.unpriced and by_cost:
        return f"{line.unpriced} without a known price"
    if not line.requests:
        return "not in the ledger"
    charged = line.invoice_micros if by_cost else line.invoice_input
    return "" if charged else "not on the invoice"
