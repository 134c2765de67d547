"""Reads the usage and cost exports of providers, for `aduana reconcile`. Knows columns by their names; no ledger here.

Known shapes: OpenAI's costs (`start_time_iso`, `line_item`, `amount_value`, `amount_currency`) and completions usage
(`model`, `num_model_requests`, `input_tokens` …), Anthropic's cost (`usage_date_utc`, `model`, `cost_usd`) and usage
(`model_version`, `usage_input_tokens_no_cache` …). Other columns can be named on the command line.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from gateway.core.errors import BadRequest
from gateway.core.usage import MICROS

COLUMNS = {
    "date": ("date", "day", "usage_date", "usage_date_utc", "start_time_iso", "start_time", "timestamp"),
    "model": ("model", "model_name", "model_version", "snapshot_id", "line_item"),
    "cost": ("cost_usd", "cost", "amount_value", "amount", "amount_usd", "total_cost", "usd"),
}
_CURRENCY = ("amount_currency", "currency", "cost_currency")
# Prompt tokens, cached ones included: OpenAI's column has them all, Anthropic's are disjoint.
_INPUTS = (
    ("input_tokens",),
    (
        "usage_input_tokens_no_cache",
        "usage_input_tokens_cache_write_5m",
        "usage_input_tokens_cache_write_1h",
        "usage_input_tokens_cache_write",
        "usage_input_tokens_cache_read",
    ),
)
_OUTPUTS = ("output_tokens", "usage_output_tokens")
_SNAPSHOT = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")


class Charged(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one model as the provider counts it. `micros` and the tokens are None where the export has none."""

    micros: int | None = None
    input: int | None = None
    output: int | None = None


class Currency(msgspec.Struct, frozen=True, kw_only=True):
    """Currency of an export that does not say so itself: how many units of it are one US dollar."""

    name: str = "USD"
    per_usd: float = 1.0


def read_export(
    file: Path, chosen: Mapping[str, str | None], zone: tzinfo | None, known: Sequence[Currency] = (Currency(),)
) -> dict[tuple[date, str], Charged]:
    """Read an export, and return its costs and tokens by day and model.

    Args:
        file: The export.
        chosen: For `date`, `model` and `cost`, the name of the column that the user named, if any.
        zone: The zone in which days begin. None: the machine's own.
        known: Currencies that may occur; the first is assumed where no column names one.

    Raises:
        BadRequest: It can't be read. The message names the line.
    """
    rows = _rows(file)
    heads = {_folded(head): head for head in rows[0] if head is not None}
    day, model = (_column(file, heads, name, chosen.get(name)) for name in ("date", "model"))
    inputs = next(([heads[name] for name in names if name in heads] for names in _INPUTS if names[0] in heads), [])
    output = next((heads[name] for name in _OUTPUTS if name in heads), None)
    counts = bool(inputs) and output is not None
    cost = (
        None
        if counts and not _has(heads, "cost", chosen.get("cost"))
        else _column(file, heads, "cost", chosen.get("cost"))
    )
    currency = next((heads[name] for name in _CURRENCY if name in heads), None)
    sums: dict[tuple[date, str], Charged] = {}
    for number, row in enumerate(rows, 2):
        try:
            key = (_day(row[day], zone), plain_model(row[model] or ""))
            before = sums.get(key, Charged())
            charged = Charged(
                micros=None if cost is None else (before.micros or 0) + _micros(row, cost, currency, known),
                input=(before.input or 0) + sum(_count(row[name]) for name in inputs) if counts else None,
                output=(before.output or 0) + _count(row[str(output)]) if counts else None,
            )
        except _Foreign as error:
            raise BadRequest(f"{file}:{number}: {error}") from error
        except (ValueError, InvalidOperation, AttributeError, OverflowError) as error:
            what = "the date or the cost" if cost is not None else "the date or a count of tokens"
            raise BadRequest(f"{file}:{number}: {what} can't be read.") from error
        sums[key] = charged
    return sums


def plain_model(name: str) -> str:
    """Return a model's plain name: `gpt-5.4` for `openai/gpt-5.4` or `gpt-5.4-2026-03-05, input`."""
    name = name.split(",", 1)[0].strip().lower().rsplit("/", 1)[-1].replace(" ", "-")
    name = _SNAPSHOT.sub("", name)
    return name.replace(".", "-") if name.startswith("claude") else name


class _Foreign(Exception):
    """Error for an amount in a currency whose worth is not known."""


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            head = text.readline()
            text.seek(0)
            delimiter = max(",;\t", key=head.count)
            rows = list(csv.DictReader(text, delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadRequest(f"{file}: can't be read: {error}.") from error
    if not rows:
        raise BadRequest(f"{file}: has no lines.")
    return rows


def _folded(head: str) -> str:
    return head.strip().lower().replace(" ", "_")


def _has(heads: Mapping[str, str], name: str, chosen: str | None) -> bool:
    return chosen is not None or any(word in heads for word in COLUMNS[name])


def _column(file: Path, heads: Mapping[str, str], name: str, chosen: str | None) -> str:
    for word in (chosen,) if chosen is not None else COLUMNS[name]:
        if _folded(word) in heads:
            return heads[_folded(word)]
    found = ", ".join(heads.values())
    raise BadRequest(f"{file}: has no column for the {name} (it has: {found}). Name it with --{name}-column.")


def _micros(row: Mapping[str, str], cost: str, currency: str | None, known: Sequence[Currency]) -> int:
    amount = _number(row[cost])
    name = (row[currency] or "").strip().upper() if currency is not None else ""
    found = next((one for one in known if one.name == name), None) if name else known[0]
    if found is None:
        raise _Foreign(
            f"the amount is in {name}. Write under 'prices:' in the configuration: currency: {name}, and in usd_rate "
            "how much one US dollar is in it."
        )
    return int((amount / Decimal(repr(found.per_usd)) * MICROS).to_integral_value())


def _number(text: str) -> Decimal:
    """Return the number in a text such as `1,234.50`, `1.234,50`, `12,5` or `$3`; 0 for an empty one.

    Raises:
        ValueError: It is no number.
    """
    text = re.sub(r"[\s$€£]", "", text)
    if text.rfind(",") > text.rfind(".") and not re.fullmatch(r"-?\d{1,3}(,\d{3})+", text):
        text = text.replace(".", "").replace(",", ".")
    value = Decimal(text.replace(",", "") or "0")
    if not value.is_finite():
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    return int(_number(text or "0"))


def _day(text: str, zone: tzinfo | None) -> date:
    text = text.strip()
    if text.isdigit():
        return datetime.fromtimestamp(int(text), zone or UTC).date()
    if len(text) == 10:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    return moment.astimezone(zone).date() if moment.tzinfo is not None else moment.date()
