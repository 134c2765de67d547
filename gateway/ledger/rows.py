"""Records as rows. Everything is checked here: SQLite would turn NaN into NULL and choke on 10³⁰."""

import math
from collections.abc import Iterator, Sequence
from operator import itemgetter

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.core.record import Accrual, Receipt, RequestEnergy, Reservation, Settlement
from gateway.ledger.packing.facts import OWN, Pattern, packed
from gateway.ledger.packing.phrases import COLUMNS as SHARED
from gateway.ledger.packing.phrases import Phrases
from gateway.ledger.sql import ROWS, Connection

MAX_COUNT = 2**53
# A thousand million dollars: no request costs that, and sums of many stay inside 64 bits.
MAX_MICROS = 10**15

_json = msgspec.json.Encoder().encode

RECEIPT_COLUMNS = (
    "request_id", "received_at", "dialect", "endpoint", "key", "user", "model", "stream", "label", "label_source",
    "tags", "categories", "doubts", "rule", "permitted", "refusal", "prompt_tokens", "policy_digest", "facts", "shadow",
    "budget", "masked", "conversation",
)  # fmt: skip
_FACTS = RECEIPT_COLUMNS.index("facts")
_own = itemgetter(*[RECEIPT_COLUMNS.index(name) for name in OWN])
_SHARED = tuple(RECEIPT_COLUMNS.index(name) for name in SHARED)
_words = itemgetter(*_SHARED)
# `user` is a word of SQL's, so it is quoted.
RECEIPTS = f"""INSERT INTO receipts (seq, "{'", "'.join(RECEIPT_COLUMNS)}", pattern, phrase)"""
# INVARIANT: the number of a receipt that was removed is given to no other.
_NEXT_SQL = (
    "SELECT max(seq) + 1 FROM (SELECT coalesce(max(seq), 0) AS seq FROM receipts "
    "UNION ALL SELECT seq FROM removed_last) AS numbers"
)
RESERVATIONS = "INSERT INTO reservations"
RESERVATION_SQL = "INSERT INTO reservations VALUES (?, (SELECT count(*) FROM reservations WHERE seq = ?), ?, ?, ?)"
SETTLEMENTS = "INSERT INTO settlements"
SERVERS = "INSERT INTO answering_servers"
ATTEMPTS = "INSERT INTO attempts"
ENERGY_SQL = (
    "INSERT INTO energy VALUES (?,?,?,?,?,?,?) ON CONFLICT (hour, device, state, source) DO UPDATE SET "
    "microjoules = energy.microjoules + excluded.microjoules, "
    "electricity_micros = energy.electricity_micros + excluded.electricity_micros, "
    "hardware_micros = energy.hardware_micros + excluded.hardware_micros"
)
REQUEST_ENERGY_SQL = (
    "INSERT INTO request_energy SELECT seq, ?, ? FROM receipts WHERE request_id = ? ON CONFLICT (seq) DO UPDATE SET "
    "microjoules = request_energy.microjoules + excluded.microjoules, "
    "electricity_nanos = request_energy.electricity_nanos + excluded.electricity_nanos"
)


class InvalidRecord(LedgerUnavailable):
    """Error of a record with a number that can't be true; it was not written."""

    code = "ledger_invalid_record"


def _count(name: str, value: int, limit: int = MAX_COUNT) -> int:
    if type(value) is not int or not 0 <= value <= limit:
        raise InvalidRecord(f"The ledger refused a record: {name} is not a whole number from 0 to {limit}.")
    return value


def _seconds(name: str, value: float) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
        raise InvalidRecord(f"The ledger refused a record: {name} is not a finite number of seconds.")
    return float(value)


def _texts(values: Sequence[object]) -> str:
    if not values:
        return "[]"
    try:
        return _json(values).decode()
    except UnicodeEncodeError as error:  # half a character (a lone surrogate)
        raise InvalidRecord("The ledger refused a record: a text is not valid Unicode.") from error


def next_seq(connection: Connection) -> int:
    """Return the number of the next receipt: one more than the newest has, or had."""
    ((seq,),) = connection.execute(_NEXT_SQL).fetchall()
    return int(seq)


def settled_among(connection: Connection, seqs: Sequence[int]) -> frozenset[int]:
    """Return those of these receipts that have a settlement."""
    found: set[int] = set()
    for some, marks in _chunks(seqs):
        query = f"SELECT seq FROM settlements WHERE seq IN ({marks})"  # noqa: S608 - only question marks
        found.update(seq for (seq,) in connection.execute(query, some))
    return frozenset(found)


def release(connection: Connection, seqs: Sequence[int]) -> None:
    """Remove the reservations of these receipts."""
    for some, marks in _chunks(seqs):
        connection.execute(f"DELETE FROM reservations WHERE seq IN ({marks})", some)  # noqa: S608 - likewise


def _chunks(seqs: Sequence[int]) -> Iterator[tuple[Sequence[int], str]]:
    for start in range(0, len(seqs), ROWS):
        some = seqs[start : start + ROWS]
        yield some, ",".join("?" * len(some))


def kept_row(row: tuple[object, ...], facts: bytes, pattern: Pattern | None, phrases: Phrases) -> tuple[object, ...]:
    """Return a receipt's row as it is kept, without its number.

    Its facts are packed, words that have a phrase are left out, and behind stand the numbers of pattern and phrase.
    """
    kept = [*row]
    number, kept[_FACTS] = packed(facts, _own(row), pattern)
    phrase = phrases.number(_words(row))
    if phrase is not None:
        for place in _SHARED:
            kept[place] = ""
    return (*kept, number, phrase)


def receipt_row(receipt: Receipt) -> tuple[object, ...]:
    """Return the row of a receipt, without its number; its facts as they came.

    Raises:
        InvalidRecord: A number in it can't be true.
    """
    prompt = receipt.prompt_tokens
    return (
        receipt.request_id,
        _seconds("received_at", receipt.received_at),
        str(receipt.dialect),
        str(receipt.endpoint),
        receipt.key,
        receipt.user,
        receipt.model,
        int(receipt.stream),
        int(receipt.label),
        receipt.label_source,
        _texts(receipt.tags),
        _texts(receipt.categories),
        _texts(receipt.doubts),
        receipt.rule,
        _texts(receipt.permitted),
        receipt.refusal,
        None if prompt is None else _count("prompt_tokens", prompt),
        receipt.policy_digest,
        receipt.facts,
        int(receipt.shadow),
        receipt.budget,
        _texts(receipt.masked),
        receipt.conversation,
    )


def reservation_row(reservation: Reservation) -> tuple[str, str, int]:
    """Return the row of a reservation, without its receipt and its number there.

    Raises:
        InvalidRecord: Its amount can't be true.
    """
    micros = _count("reserved micro-dollars", reservation.micros, MAX_MICROS)
    return reservation.target, str(reservation.zone), micros


def check_cost(settlement: Settlement) -> None:
    """Check the cost of a settlement.

    Raises:
        InvalidRecord: It can't be true.
    """
    _count("cost in micro-dollars", settlement.cost_micros, MAX_MICROS)


def settlement_row(settlement: Settlement, *, unpriced: bool) -> tuple[object, ...]:
    """Return the row of a settlement, without its number.

    Raises:
        InvalidRecord: A number in it can't be true.
    """
    usage = settlement.usage
    first = settlement.first_token_seconds
    avoided = settlement.avoided_micros
    return (
        _seconds("settled_at", settlement.settled_at),
        str(settlement.outcome),
        settlement.target,
        str(settlement.zone) if settlement.zone is not None else None,
        settlement.error,
        _count("input tokens", usage.input),
        _count("cached input tokens", usage.input_cached),
        _count("output tokens", usage.output),
        _count("reasoning tokens", usage.reasoning),
        int(usage.estimated),
        None if unpriced else _count("cost in micro-dollars", settlement.cost_micros, MAX_MICROS),
        None if avoided is None else _count("avoided micro-dollars", avoided, MAX_MICROS),
        None if first is None else _seconds("first_token_seconds", first),
        _seconds("duration_seconds", settlement.duration_seconds),
    )


def energy_row(accrual: Accrual) -> tuple[object, ...]:
    """Return the row of the hour that an accrual belongs to."""
    return (
        int(accrual.at // 3600),
        accrual.device,
        accrual.state,
        accrual.source,
        accrual.microjoules,
        accrual.electricity_micros,
        accrual.hardware_micros,
    )


def request_energy_row(energy: RequestEnergy) -> tuple[object, ...]:
    """Return what a request's energy is written with; its id is the last."""
    return energy.microjoules, energy.electricity_nanos, energy.request_id
