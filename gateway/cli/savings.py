"""`aduana savings`: what local answers saved, from the ledger. Reads only; the gateway may run meanwhile."""

import argparse
import csv
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import msgspec

from gateway.accounts.names import PREFIX, pseudonym
from gateway.app.conversation_key import load_conversation_key
from gateway.app.state.ledger_place import ledger_place
from gateway.cli.options import add_since_option, moment
from gateway.core.record import Savings
from gateway.core.usage import MICROS
from gateway.ledger import Database, Reader
from gateway.ledger.ledger import zone_of
from gateway.ledger.reading.reports import GroupBy, Sums
from gateway.settings import load_settings

_TITLES = {
    GroupBy.APP: "App",
    GroupBy.MODEL: "Asked for",
    GroupBy.RULE: "Rule",
    GroupBy.TARGET: "Target",
    GroupBy.LABEL: "Label",
    GroupBy.USER: "User",
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
    microjoules: int = 0  # that meters have seen, idle time included
    tariff: bool = True  # the price of a kilowatt-hour is known

    @property
    def electricity_unknown(self) -> str:
        """Return why nobody knows what electricity cost; empty where it is known."""
        if self.total.electricity_micros:
            return ""
        if not self.microjoules:
            return "nothing here measured what the machine draws (energy in aduana.yaml)"
        return "" if self.tariff else "the price of a kilowatt-hour is not set (energy.tariff in aduana.yaml)"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    text = "What local answers saved, what clouds, electricity and hardware cost. Read from the ledger."
    parser = subparsers.add_parser("savings", help="what local answers saved, from the ledger", description=text)
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    add_since_option(parser)
    parser.add_argument("--by", choices=[by.value for by in GroupBy], default="app", help="one line for each")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="USER",
        help="with --by user: show this user's pseudonym (users.record) by name; may be repeated",
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="for programs; money in US dollars")
    shape.add_argument("--csv", action="store_true", help="for spreadsheets; money in US dollars")


def run(args: argparse.Namespace) -> int:
    """Print the report, and return 0."""
    settings = load_settings(args.config)
    zone = zone_of(settings.timezone)
    report = build(
        ledger_place(settings),
        since=args.since,
        by=GroupBy(args.by),
        zone=zone,
        now=time.time(),
        currency=settings.prices.currency,
        rate=settings.prices.usd_rate,
        reference_model=settings.prices.reference_model,
        token_ratio=None if settings.prices.reference_tokenizer else settings.prices.token_ratio,
        tariff=settings.energy.tariff.is_set,
    )
    if report.by is GroupBy.USER:
        report = with_names(report, [*args.name, *(key.user for key in settings.keys.values())], settings.state_dir)
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
    place: Path | Database,
    *,
    since: str,
    by: GroupBy,
    zone: tzinfo | None,
    now: float,
    currency: str = "USD",
    rate: float = 1.0,
    reference_model: str = "",
    token_ratio: float | None = 1.0,
    tariff: bool = True,
) -> Report:
    """Read the ledger, and return the report.

    Raises:
        LedgerUnavailable: There is no ledger, or it can't be read.
        BadRequest: A time can't be read.
    """
    start = moment(since, now, zone)
    with Reader(place) as reader:
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
            microjoules=reader.energy(start, now).microjoules,
            tariff=tariff,
        )


def with_names(report: Report, users: Sequence[str | None], state_dir: Path) -> Report:
    """Return the report with the names of these users where their pseudonyms stand."""
    if not any(sums.name.startswith(PREFIX) for sums in report.groups):
        return report
    key = load_conversation_key(state_dir)
    names = {pseudonym(user, key): user for user in users if user}
    groups = [
        msgspec.structs.replace(sums, name=f"{names[sums.name]} ({sums.name})") if sums.name in names else sums
        for sums in report.groups
    ]
    return msgspec.structs.replace(report, groups=groups)


def estimated(report: Report) -> str:
    """Say why the avoided cost is an estimate: the reference model counts its tokens otherwise than the local one."""
    if report.token_ratio is None:
        ratio = "tokens as its own tokenizer counts a sample of the answers (prices.reference_tokenizer)"
    else:
        ratio = f"{report.token_ratio:g} of its tokens for each local one (prices.token_ratio)"
    return f"estimated: local answers at the prices of {report.reference_model or 'the reference model'}, {ratio}"


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
        "electricity_usd": None if report.electricity_unknown else total.electricity_micros / MICROS,
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


def show(report: Report) -> None:
    """Print the report as tables for a person."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.cli.terminal import show_table

    console = Console(highlight=False)
    total, unknown = report.total, report.electricity_unknown

    def money(micros: float) -> str:
        return amount(micros, report.rate)

    console.print(f"Savings, {report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} ({report.currency})")
    summary = Table(show_header=False, box=None)
    summary.add_column()
    summary.add_column(justify="right")
    summary.add_row("All in the cloud would have cost*", money(total.avoided_micros + total.cloud_micros))
    summary.add_row("Paid to clouds", money(total.cloud_micros))
    summary.add_row("Electricity, idle time included", "unknown" if unknown else money(total.electricity_micros))
    summary.add_row("Hardware, loss of value", money(total.hardware_micros))
    style = "bold green" if total.saved_micros >= 0 else "bold red"
    saved = "Saved*, electricity not counted" if unknown else "Saved*"
    summary.add_row(Text(saved, style), Text(money(total.saved_micros), style))
    console.print(summary)
    console.print(f"* {estimated(report)}", style="dim")
    if unknown:
        console.print(f"Electricity is unknown: {unknown}.", style="dim")
    console.print(
        f"\n{total.requests:,} requests: {total.local:,} local, {total.cloud:,} cloud, {total.refused:,} refused"
    )
    if total.requests:
        console.print(what_left(total))
    if total.unpriced:
        console.print(f"{total.unpriced:,} of them have no known price and are in no sum (prices.overrides)")
    if len(report.days) > 1 and total.requests:
        for line in by_day(report, console.width):
            console.print(line)
    if report.groups:
        console.print()
        show_table(console, *(_table(report, wanted) for wanted in (_ALL, _USUAL, _MONEY, _LEAST)))


def by_day(report: Report, width: int) -> list[str]:
    """Return what was avoided and paid in the course of time, as bars on one scale, in lines of so many columns."""
    from gateway.cli.terminal import sparklines

    heads = ("Avoided*  ", "Paid      ")
    series = [[day.avoided_micros for day in report.days], [day.cost_micros for day in report.days]]
    bars = sparklines(series, width - len(heads[0]))
    if len(bars[0]) == len(report.days):
        highest = max(max(values) for values in series)
        title = f"By day, both on one scale; the highest bar is {amount(highest, report.rate)} {report.currency}"
    else:
        title = f"Over time, both on one scale; a bar is {-(-len(report.days) // len(bars[0]))} days"
    return [title, *(head + line for head, line in zip(heads, bars, strict=True))]


_MONEY = ("Requests", "Local", "Cloud", "Paid", "Avoided*")
_USUAL = (*_MONEY, "Wh", "Electricity")
_ALL = ("Requests", "Local", "Cloud", "Refused", "Local tokens", "Cloud tokens", *_USUAL[3:])
_LEAST = ("Requests", "Paid", "Avoided*")


def _table(report: Report, wanted: Sequence[str]) -> Any:
    """Return the groups with these columns; without those of energy where none was measured."""
    from rich.table import Table
    from rich.text import Text

    heads = [head for head in wanted if report.microjoules or head not in _USUAL[5:]]
    table = Table(title=None)
    table.add_column(_TITLES[report.by], overflow="fold")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for sums in report.groups:
        cells = _cells(sums, report)
        table.add_row(Text(sums.name), *(cells[head] for head in heads))
    return table


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


def _cells(sums: Sums, report: Report) -> dict[str, str]:
    """Return how to write each column of a group."""
    rate = report.rate
    electricity = amount(sums.electricity_nanos / 1000, rate)
    return {
        "Requests": f"{sums.requests:,}",
        "Local": f"{sums.local:,}",
        "Cloud": f"{sums.cloud:,}",
        "Refused": f"{sums.refused:,}",
        "Local tokens": f"{sums.local_input + sums.local_output:,}",
        "Cloud tokens": f"{sums.cloud_input + sums.cloud_output:,}",
        "Paid": amount(sums.cost_micros, rate),
        "Avoided*": amount(sums.avoided_micros, rate),
        "Wh": "unknown" if sums.local and not sums.microjoules else f"{sums.microjoules / 3.6e9:,.2f}",
        "Electricity": "unknown" if _unmeasured(sums, report) else electricity,
    }


def _unmeasured(sums: Sums, report: Report) -> bool:
    """Return whether nobody knows what the electricity of a group's answers cost; clouds' answers take none here."""
    return bool(sums.local) and (not sums.microjoules or bool(report.electricity_unknown))


def _plain(sums: Sums) -> dict[str, Any]:
    fields = msgspec.structs.asdict(sums)
    for name in ("cost", "avoided"):
        fields[f"{name}_usd"] = fields.pop(f"{name}_micros") / MICROS
    fields["energy_joules"] = fields.pop("microjoules") / 1e6
    fields["electricity_usd"] = fields.pop("electricity_nanos") / 1e9
    return fields


def _disarmed(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text != "-" else text
