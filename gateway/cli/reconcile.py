"""`aduana reconcile invoice.csv`: the ledger beside a provider's usage export, by day and model."""

import argparse
import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.errors import BadRequest
from gateway.core.usage import MICROS
from gateway.ledger import Reader
from gateway.ledger.ledger import zone_of
from gateway.settings import load_settings

# Column names of the exports that we know; others can be named on the command line.
_COLUMNS = {
    "date": ("date", "day", "usage_date", "usage_date_utc", "start_time_iso", "start_time", "timestamp"),
    "model": ("model", "model_name", "model_version", "snapshot_id", "line_item"),
    "cost": ("cost_usd", "cost", "amount_value", "amount", "amount_usd", "total_cost", "usd"),
}
_SNAPSHOT = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one model, in micro-dollars."""

    day: date
    model: str
    ledger_micros: int = 0
    invoice_micros: int = 0
    requests: int = 0
    unpriced: int = 0

    @property
    def drift_micros(self) -> int:
        """What the provider charges beyond our account."""
        return self.invoice_micros - self.ledger_micros


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    text = "Compare the ledger with a provider's usage export (CSV) by day and model, and print the drift."
    parser = subparsers.add_parser("reconcile", help="compare the ledger with a provider's invoice", description=text)
    parser.add_argument("invoice", type=Path, metavar="CSV", help="the export; costs in US dollars")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml here, if any)")
    parser.add_argument("--timezone", default="UTC", help="zone of the export's days (default: UTC)")
    parser.add_argument(
        "--tolerance", type=float, default=1.0, metavar="PERCENT", help="drift of the total that is fine (default: 1)"
    )
    for name in _COLUMNS:
        parser.add_argument(f"--{name}-column", metavar="NAME", help=f"column with the {name}, where it is not found")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Prints the comparison. Returns 0 when the total is within the tolerance, else 1."""
    settings = load_settings(args.config)
    zone = zone_of(args.timezone)
    chosen = {name: getattr(args, f"{name}_column") for name in _COLUMNS}
    invoice = read_invoice(args.invoice, chosen, zone)
    models = {name: target.model for name, target in settings.targets.items()}
    lines = compare(settings.state_dir, invoice, models, zone)
    ours, theirs = sum(line.ledger_micros for line in lines), sum(line.invoice_micros for line in lines)
    drift = (theirs - ours) / theirs * 100 if theirs else (0.0 if not ours else 100.0)
    fine = abs(drift) <= args.tolerance
    if args.json:
        json.dump(_as_json(lines, drift, fine), sys.stdout, indent=2)
        print()
    else:
        _show(lines, ours, theirs, drift, args.tolerance)
    return 0 if fine else 1


def read_invoice(file: Path, chosen: Mapping[str, str | None], zone: tzinfo | None) -> dict[tuple[date, str], int]:
    """Micro-dollars by day and model. Raises BadRequest with file and line."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = list(csv.DictReader(text))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadRequest(f"{file}: can't be read: {error}.") from error
    if not rows:
        raise BadRequest(f"{file}: has no lines.")
    columns = {name: _column(file, list(rows[0]), name, chosen.get(name)) for name in _COLUMNS}
    sums: dict[tuple[date, str], int] = {}
    for number, row in enumerate(rows, 2):
        try:
            day = _day(row[columns["date"]], zone)
            micros = int((Decimal(row[columns["cost"]].strip().lstrip("$") or "0") * MICROS).to_integral_value())
        except (ValueError, InvalidOperation, AttributeError) as error:
            raise BadRequest(f"{file}:{number}: the date or the cost can't be read.") from error
        key = (day, plain_model(row[columns["model"]] or ""))
        sums[key] = sums.get(key, 0) + micros
    return sums


def plain_model(name: str) -> str:
    """`gpt-5.4` for `gpt-5.4-2026-03-05, input` and `openai/gpt-5.4`."""
    name = name.split(",", 1)[0].strip().lower().rsplit("/", 1)[-1]
    return _SNAPSHOT.sub("", name)


def compare(
    directory: Path, invoice: Mapping[tuple[date, str], int], models: Mapping[str, str], zone: tzinfo | None
) -> list[Line]:
    """One line for each day and model that either side has, within the invoice's days."""
    first, last = min(day for day, _ in invoice), max(day for day, _ in invoice)
    since = datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()
    after = last + timedelta(days=1)
    until = datetime(after.year, after.month, after.day, tzinfo=zone).timestamp()
    lines = {key: Line(day=key[0], model=key[1], invoice_micros=micros) for key, micros in invoice.items()}
    with Reader(directory) as reader:
        for item in reader.cloud_days(since, until, zone):
            key = (item.day, plain_model(models.get(item.target, item.target)))
            line = lines.get(key, Line(day=key[0], model=key[1]))
            lines[key] = msgspec.structs.replace(
                line,
                ledger_micros=line.ledger_micros + item.cost_micros,
                requests=line.requests + item.requests,
                unpriced=line.unpriced + item.unpriced,
            )
    return [lines[key] for key in sorted(lines)]


def _column(file: Path, heads: Sequence[str], name: str, chosen: str | None) -> str:
    wanted = (chosen,) if chosen is not None else _COLUMNS[name]
    folded = {head.strip().lower().replace(" ", "_"): head for head in heads if head is not None}
    for word in wanted:
        if word.lower().replace(" ", "_") in folded:
            return folded[word.lower().replace(" ", "_")]
    found = ", ".join(heads)
    raise BadRequest(f"{file}: has no column for the {name} (it has: {found}). Name it with --{name}-column.")


def _day(text: str, zone: tzinfo | None) -> date:
    text = text.strip()
    if text.isdigit():
        return datetime.fromtimestamp(int(text), zone or UTC).date()
    if len(text) == 10:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    return moment.astimezone(zone).date() if moment.tzinfo is not None else moment.date()


def _as_json(lines: Sequence[Line], drift: float, fine: bool) -> dict[str, Any]:
    return {
        "drift_percent": round(drift, 4),
        "within_tolerance": fine,
        "lines": [
            {
                "day": line.day.isoformat(),
                "model": line.model,
                "requests": line.requests,
                "unpriced": line.unpriced,
                "ledger_usd": line.ledger_micros / MICROS,
                "invoice_usd": line.invoice_micros / MICROS,
                "drift_usd": line.drift_micros / MICROS,
            }
            for line in lines
        ],
    }


def _show(lines: Sequence[Line], ours: int, theirs: int, drift: float, tolerance: float) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Ledger and invoice, US dollars", title_justify="left")
    table.add_column("Day")
    table.add_column("Model")
    for head in ("Requests", "Ledger", "Invoice", "Drift"):
        table.add_column(head, justify="right")
    table.add_column("")
    for line in lines:
        note = "not in the ledger" if not line.requests else ("not on the invoice" if not line.invoice_micros else "")
        if line.unpriced:
            note = f"{line.unpriced} without a known price"
        money = (line.ledger_micros, line.invoice_micros, line.drift_micros)
        table.add_row(
            line.day.isoformat(), Text(line.model), f"{line.requests:,}", *(f"{m / MICROS:,.4f}" for m in money), note
        )
    table.add_section()
    totals = (ours, theirs, theirs - ours)
    requests = sum(line.requests for line in lines)
    table.add_row("Total", "", f"{requests:,}", *(f"{micros / MICROS:,.4f}" for micros in totals), "")
    console = Console(highlight=False)
    console.print(table)
    verdict = "within" if abs(drift) <= tolerance else "beyond"
    console.print(f"Drift of the total: {drift:+.2f} %, {verdict} the tolerance of {tolerance:g} %.")
