"""`aduana savings`: what local answers saved, from the ledger. Reads only; the gateway may run meanwhile."""

import argparse
import csv
import json
import re
import sys
import time
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.errors import BadRequest
from gateway.core.record import Savings
from gateway.core.usage import MICROS
from gateway.ledger import Reader
from gateway.ledger.ledger import zone_of
from gateway.ledger.reports import GroupBy, Sums
from gateway.settings import load_settings

_UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_WIDE = 130  # columns of a terminal that shows everything
_BARS = "▁▂▃▄▅▆▇█"
_TITLES = {
    GroupBy.APP: "App",
    GroupBy.MODEL: "Asked for",
    GroupBy.RULE: "Rule",
    GroupBy.TARGET: "Target",
    GroupBy.LABEL: "Label",
}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the command shows."""

    since: datetime
    until: datetime
    by: GroupBy
    total: Savings
    groups: list[Sums]
    days: list[Sums]
    currency: str = "USD"
    rate: float = 1.0
    reference_model: str = ""
    token_ratio: float | None = 1.0  # None: measured by the reference model's tokenizer


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    text = "What local answers saved, what clouds, electricity and hardware cost. Read from the ledger."
    parser = subparsers.add_parser("savings", help="what local answers saved, from the ledger", description=text)
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml here, if any)")
    parser.add_argument(
        "--since", default="30d", metavar="TIME", help="30d, 12h, 2w, or a day like 2026-11-01 (default: 30d)"
    )
    parser.add_argument("--by", choices=[by.value for by in GroupBy], default="app", help="one line for each")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="for programs; money in US dollars")
    shape.add_argument("--csv", action="store_true", help="for spreadsheets; money in US dollars")


def run(args: argparse.Namespace) -> int:
    """Print the report, and return 0."""
    settings = load_settings(args.config)
    zone = zone_of(settings.timezone)
    report = build(
        settings.state_dir,
        since=args.since,
        by=GroupBy(args.by),
        zone=zone,
        now=time.time(),
        currency=settings.prices.currency,
        rate=settings.prices.usd_rate,
        reference_model=settings.prices.reference_model,
        token_ratio=None if settings.prices.reference_tokenizer else settings.prices.token_ratio,
    )
    if args.json:
        json.dump(as_json(report), sys.stdout, indent=2)
        print()
    elif args.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows(as_csv(report))
    else:
        show(report)
    return 0


def build(
    directory: Path,
    *,
    since: str,
    by: GroupBy,
    zone: tzinfo | None,
    now: float,
    currency: str = "USD",
    rate: float = 1.0,
    reference_model: str = "",
    token_ratio: float | None = 1.0,
) -> Report:
    """Read the ledger, and return the report.

    Raises:
        LedgerUnavailable: There is no ledger, or it can't be read.
        BadRequest: A time can't be read.
    """
    start = moment(since, now, zone)
    with Reader(directory) as reader:
        days = [sums for _, sums in reader.days(start, now, zone)]
        return Report(
            since=datetime.fromtimestamp(start, zone),
            until=datetime.fromtimestamp(now, zone),
            by=by,
            total=reader.savings(start, now),
            groups=reader.groups(by, start, now),
            days=days,
            currency=currency,
            rate=rate,
            reference_model=reference_model,
            token_ratio=token_ratio,
        )


def estimated(report: Report) -> str:
    """Say why the avoided cost is an estimate: the reference model counts its tokens otherwise than the local one."""
    if report.token_ratio is None:
        ratio = "tokens as its own tokenizer counts a sample of the answers (prices.reference_tokenizer)"
    else:
        ratio = f"{report.token_ratio:g} of its tokens for each local one (prices.token_ratio)"
    return f"estimated: local answers at the prices of {report.reference_model or 'the reference model'}, {ratio}"


def moment(text: str, now: float, zone: tzinfo | None) -> float:
    """Return the Unix time of `30d`, `12h` or `2w` before now, or of the beginning of a day.

    Raises:
        BadRequest: The text is no such time.
    """
    match = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if match:
        return now - int(match[1]) * _UNITS[match[2]]
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError as error:
        raise BadRequest(f"--since {text!r} is not a time. Write 30d, 12h, 2w or a day like 2026-11-01.") from error
    return min(day.timestamp(), now)


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as plain data; money in US dollars."""
    total = report.total
    return {
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "requests": total.requests,
        "local": total.local,
        "cloud": total.cloud,
        "refused": total.refused,
        "unpriced": total.unpriced,
        "avoided_usd": total.avoided_micros / MICROS,
        "avoided_is_estimated": True,
        "reference_model": report.reference_model,
        "token_ratio": report.token_ratio,
        "cloud_usd": total.cloud_micros / MICROS,
        "electricity_usd": total.electricity_micros / MICROS,
        "hardware_usd": total.hardware_micros / MICROS,
        "saved_usd": total.saved_micros / MICROS,
        "sensitive": total.sensitive,
        "sensitive_left": total.sensitive_left,
        "by": report.by.value,
        "groups": [_plain(sums) for sums in report.groups],
        "days": [_plain(sums) for sums in report.days],
    }


def as_csv(report: Report) -> list[list[object]]:
    """Return CSV with one line for each group. Names that a spreadsheet would take for a formula are disarmed."""
    fields = list(_plain(Sums(name="")))
    lines: list[list[object]] = [[report.by.value, *fields[1:]]]
    for sums in report.groups:
        plain = _plain(sums)
        lines.append([_disarmed(str(plain["name"])), *(plain[name] for name in fields[1:])])
    return lines


def sparkline(values: Sequence[float]) -> str:
    """Return a row of bars, one for each value; the highest is full."""
    highest = max(values, default=0)
    if highest <= 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[round(max(value, 0) / highest * 7)] for value in values)


def show(report: Report) -> None:
    """Print the report as tables for a person."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    total = report.total

    def money(micros: float) -> str:
        return amount(micros, report.rate)

    console.print(f"Savings, {report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} ({report.currency})")
    summary = Table(show_header=False, box=None)
    summary.add_column()
    summary.add_column(justify="right")
    summary.add_row("All in the cloud would have cost*", money(total.avoided_micros + total.cloud_micros))
    summary.add_row("Paid to clouds", money(total.cloud_micros))
    summary.add_row("Electricity, idle time included", money(total.electricity_micros))
    summary.add_row("Hardware, loss of value", money(total.hardware_micros))
    style = "bold green" if total.saved_micros >= 0 else "bold red"
    summary.add_row(Text("Saved*", style), Text(money(total.saved_micros), style))
    console.print(summary)
    console.print(f"* {estimated(report)}", style="dim")
    console.print(
        f"\n{total.requests:,} requests: {total.local:,} local, {total.cloud:,} cloud, {total.refused:,} refused"
    )
    if total.requests:
        console.print(what_left(total))
    if total.unpriced:
        console.print(f"{total.unpriced:,} of them have no known price and are in no sum (prices.overrides)")
    if len(report.days) > 1 and total.requests:
        console.print(f"Avoided by day  {sparkline([day.avoided_micros for day in report.days])}")
        console.print(f"Paid by day     {sparkline([day.cost_micros for day in report.days])}")
    if not report.groups:
        return
    wide = console.width >= _WIDE
    table = Table(title=None)
    table.add_column(_TITLES[report.by], overflow="fold")
    for head, shown, _ in _cells(Sums(name=""), report.rate):
        if shown or wide:
            table.add_column(head, justify="right", no_wrap=True)
    for sums in report.groups:
        cells = _cells(sums, report.rate)
        table.add_row(Text(sums.name), *(text for _, shown, text in cells if shown or wide))
    console.print()
    console.print(table)


def amount(micros: float, rate: float) -> str:
    """Return money in the display currency; amounts below 1 get four digits, so that cents don't vanish."""
    value = micros / MICROS * rate
    if 0 < value < 0.0001:
        return "<0.0001"
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:,.4f}"


def what_left(total: Savings) -> str:
    """Return the sentence that says whether a sensitive request went to a cloud."""
    if not total.sensitive:
        return "No request was sensitive"
    left = "none of which left" if not total.sensitive_left else f"of which {total.sensitive_left:,} LEFT"
    return f"{total.sensitive:,} of them sensitive, {left}"


def _cells(sums: Sums, rate: float) -> tuple[tuple[str, bool, str], ...]:
    """Return each column's head, whether a narrow terminal shows it, too, and how to write it."""
    return (
        ("Requests", True, f"{sums.requests:,}"),
        ("Local", True, f"{sums.local:,}"),
        ("Cloud", True, f"{sums.cloud:,}"),
        ("Refused", False, f"{sums.refused:,}"),
        ("Local tokens", False, f"{sums.local_input + sums.local_output:,}"),
        ("Cloud tokens", False, f"{sums.cloud_input + sums.cloud_output:,}"),
        ("Paid", True, amount(sums.cost_micros, rate)),
        ("Avoided*", True, amount(sums.avoided_micros, rate)),
        ("Wh", True, f"{sums.microjoules / 3.6e9:,.2f}"),
        ("Electricity", True, amount(sums.electricity_nanos / 1000, rate)),
    )


def _plain(sums: Sums) -> dict[str, Any]:
    fields = msgspec.structs.asdict(sums)
    for name in ("cost", "avoided"):
        fields[f"{name}_usd"] = fields.pop(f"{name}_micros") / MICROS
    fields["energy_joules"] = fields.pop("microjoules") / 1e6
    fields["electricity_usd"] = fields.pop("electricity_nanos") / 1e9
    return fields


def _disarmed(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text != "-" else text
