"""`aduana keys usage`: requests, tokens and money of each key, from the ledger. Reads only."""

import argparse
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.app.keys.stored_keys import database_for
from gateway.cli.options import moment
from gateway.cli.terminal import show_table
from gateway.core.errors import BadRequest
from gateway.core.usage import MICROS
from gateway.ledger import Reader
from gateway.ledger.ledger import zone_of
from gateway.ledger.reading.reports import GroupBy, Sums
from gateway.settings import load_settings


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a key used in a period. `period`: a day, a month, or empty for all of it. Money in US dollars."""

    key: str
    period: str
    requests: int
    refused: int
    failed: int
    tokens_in: int
    tokens_out: int
    cost_usd: float


def run(args: argparse.Namespace) -> int:
    """Print what keys used, and return 0.

    Raises:
        BadRequest: A time can't be read, or there is no such key.
        LedgerUnavailable: There is no ledger, or it can't be read.
    """
    settings = load_settings(args.config)
    zone, now = zone_of(settings.timezone), time.time()
    since = moment(args.since, now, zone)
    found: list[Used] = []
    with Reader(database_for(settings)) as reader:
        stored = reader.stored_keys()
        for period, start, end in _periods(since, now, zone, args.by):
            found += [_used(sums, period) for sums in reader.groups(GroupBy.APP, start, end)]
    known = {one.key for one in found}
    counting = [key.name for key in stored if key.revoked_at is None]
    found += [_used(Sums(name=name), "") for name in (*settings.keys, *counting) if name not in known]
    if args.name is not None:
        found = _only(args.name, found, {*known, *settings.keys, *(key.name for key in stored)})
    if args.json:
        print(msgspec.json.encode(found).decode())
        return 0
    console = Console(file=sys.stdout, highlight=False)
    days = f"{datetime.fromtimestamp(since, zone):%Y-%m-%d} to {datetime.fromtimestamp(now, zone):%Y-%m-%d}"
    if not found:
        console.print(f"No key asked for anything from {days}.", soft_wrap=True)
        return 0
    rate, currency = settings.prices.usd_rate, settings.prices.currency
    show_table(console, _table(found, rate, days, whole=True), _table(found, rate, days, whole=False))
    console.print(f"Paid: to clouds, in {currency}.", soft_wrap=True)
    return 0


def _only(name: str, found: Sequence[Used], names: Collection[str]) -> list[Used]:
    """Return what one key used.

    Raises:
        BadRequest: There is no such key, and nothing of one in this time.
    """
    if name not in names:
        there = ", ".join(sorted(names)) or "none"
        raise BadRequest(
            f"There is no key {name!r}, and the ledger has nothing of one in this time. There are: {there}."
        )
    return [one for one in found if one.key == name]


def _periods(since: float, until: float, zone: tzinfo | None, by: str | None) -> Iterator[tuple[str, float, float]]:
    """Yield the days or months from one moment to another, each with its name, its begin and its end."""
    if by is None:
        yield "", since, until + 1
        return
    start = datetime.fromtimestamp(since, zone)
    while start.timestamp() < until:
        if by == "day":
            name, following = f"{start:%Y-%m-%d}", (start + timedelta(days=1)).date()
        else:
            name, following = f"{start:%Y-%m}", (start.replace(day=1) + timedelta(days=32)).date().replace(day=1)
        end = datetime(following.year, following.month, following.day, tzinfo=zone)
        yield name, start.timestamp(), min(end.timestamp(), until + 1)
        start = end


def _used(sums: Sums, period: str) -> Used:
    return Used(
        key=sums.name,
        period=period,
        requests=sums.requests,
        refused=sums.refused,
        failed=sums.failed,
        tokens_in=sums.local_input + sums.cloud_input,
        tokens_out=sums.local_output + sums.cloud_output,
        cost_usd=sums.cost_micros / MICROS,
    )


def _table(found: Sequence[Used], rate: float, days: str, *, whole: bool) -> Table:
    periods = any(one.period for one in found)
    table = Table(title=days, title_justify="left")
    table.add_column("Key")
    if periods:
        table.add_column("Period")
    heads = ("Requests", "Refused", "Failed", "Tokens in", "Tokens out", "Paid")
    for head in heads if whole else ("Requests", "Tokens in", "Tokens out", "Paid"):
        table.add_column(head, justify="right")
    for one in found:
        counts = [one.requests, one.refused, one.failed] if whole else [one.requests]
        cells = [f"{count:,}" for count in (*counts, one.tokens_in, one.tokens_out)]
        middle = [one.period or "-"] if periods else []
        table.add_row(Text(one.key), *middle, *cells, f"{one.cost_usd * rate:,.2f}")
    return table
