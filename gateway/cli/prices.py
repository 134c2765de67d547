"""`aduana prices`: what the configured models cost, and how to take over a newer price list."""

import argparse
import http.client
import os
import sys
import time
import urllib.request
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path

import msgspec

from gateway.core.errors import BadRequest, ConfigurationError, Unavailable
from gateway.core.labels import Zone
from gateway.observe.prices.price_list import Price, PriceList
from gateway.observe.settings import Rate
from gateway.settings import Settings, load_settings
from gateway.settings.servers import ServerTargetConfig

_LARGEST = 64 * 2**20
_SECONDS = 30.0


class PriceRow(msgspec.Struct, frozen=True, kw_only=True):
    """Rates of one model, in US dollars for a million tokens. `price` is None where they are not known."""

    name: str
    model: str
    source: str
    price: Price | None = None
    rate: Rate | None = None


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    text = "Show what the configured cloud models and the reference model cost; take over a newer price list."
    parser = subparsers.add_parser("prices", help="show prices, take over a newer price list", description=text)
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument(
        "--update",
        metavar="SOURCE",
        help="a data.json of genai-prices: a file, or the URL of a mirror. It is checked, then stored where "
        "prices.data_file says (default: prices.json in the state directory)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the prices, and return 1 when one is not known."""
    settings = load_settings(args.config)
    file = settings.prices.data_file
    if args.update:
        file = update(args.update, file or settings.state_dir / "prices.json")
        print(f"stored in {file}", file=sys.stderr)
        if settings.prices.data_file is None:
            print(f"Use it: write under 'prices:' in the configuration: data_file: {file}", file=sys.stderr)
    prices = PriceList(file)
    found = rows(settings, prices)
    _show(found, prices.timestamp)
    return 0 if all(row.price is not None or row.rate is not None for row in found) else 1


def rows(settings: Settings, prices: PriceList, now: float | None = None) -> list[PriceRow]:
    """Return a row for the reference model, then one for every cloud target."""
    moment = time.time() if now is None else now
    wanted: list[tuple[str, str, str | None]] = [("(reference)", settings.prices.reference_model, None)]
    wanted += [
        (name, target.model, target.base_url)
        for name, target in settings.targets.items()
        if isinstance(target, ServerTargetConfig) and target.zone == Zone.CLOUD
    ]
    found = []
    for name, model, base_url in wanted:
        override = settings.prices.overrides.get(name) or settings.prices.overrides.get(model)
        if override is not None:
            rate = Rate(input=override.input, output=override.output, input_cached=override.input_cached)
            found.append(PriceRow(name=name, model=model, source="prices.overrides", rate=rate))
            continue
        listed = prices.find(model, base_url)
        price = listed.price(moment) if listed is not None else None
        found.append(PriceRow(name=name, model=model, source=listed.provider if listed else "not known", price=price))
    return found


def update(source: str, file: Path) -> Path:
    """Fetch or copy a price list, check that it is one, and put it in place.

    Raises:
        BadRequest: It is no price list, can't be read, or can't be written to its place.
        Unavailable: It can't be fetched.
    """
    remote = source.startswith(("http://", "https://"))
    content, made = _fetched(source) if remote else _copied(Path(source).expanduser())
    fresh = file.with_name(file.name + ".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(content)
        os.utime(fresh, (made, made))  # the list's age is what alerts and this command tell, not the copy's
        try:
            PriceList(fresh)
        except ConfigurationError as error:
            fresh.unlink()
            raise BadRequest(f"{source} is not a price list of genai-prices; nothing was changed.") from error
        fresh.replace(file)
    except OSError as error:
        raise BadRequest(f"{file}: can't be written: {error.strerror}.") from error
    return file


def _copied(file: Path) -> tuple[bytes, float]:
    try:
        return file.read_bytes(), file.stat().st_mtime
    except OSError as error:
        raise BadRequest(f"{file}: can't be read: {error.strerror}.") from error


def _fetched(url: str) -> tuple[bytes, float]:
    """Return the list, and when it was made as far as its server says so.

    Raises:
        BadRequest: It is too large.
        Unavailable: It can't be fetched.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the environment's proxies are not used
    try:
        with opener.open(url, timeout=_SECONDS) as answer:
            content: bytes = answer.read(_LARGEST + 1)
            made = parsedate_to_datetime(answer.headers["Last-Modified"] or formatdate()).timestamp()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unavailable(f"{url} can't be fetched: {error}.") from error
    if len(content) > _LARGEST:
        raise BadRequest(f"{url} is larger than {_LARGEST // 2**20} MiB; nothing was changed.")
    return content, min(made, time.time())


def _show(found: list[PriceRow], timestamp: float | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.cli.terminal import show_table

    table = Table(title="US dollars per million tokens", title_justify="left")
    for head in ("Target", "Model", "From"):
        table.add_column(head)
    for head in ("Prompt", "Cached", "Answer", "Long prompts"):
        table.add_column(head, justify="right")
    for row in found:
        table.add_row(Text(row.name), Text(row.model), Text(row.source), *_cells(row))
    console = Console(highlight=False)
    show_table(console, table)
    if timestamp is not None:
        console.print(f"The list is from {datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d} or later.")


def _cells(row: PriceRow) -> tuple[str, str, str, str]:
    if row.rate is not None:
        cached = row.rate.input if row.rate.input_cached is None else row.rate.input_cached
        return (f"{row.rate.input:g}", f"{cached:g}", f"{row.rate.output:g}", "")
    if row.price is None:
        return ("?", "?", "?", "")
    price = row.price
    steps = "; ".join(f"above {above:,}: {tier.input / 1e6:g}/{tier.output / 1e6:g}" for above, tier in price.tiers)
    rates = price.rates
    return (f"{rates.input / 1e6:g}", f"{rates.cached / 1e6:g}", f"{rates.output / 1e6:g}", steps)
