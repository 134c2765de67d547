"""Reads sums from the ledger for reports. A connection of its own that can't write; the gateway may run meanwhile."""

import enum
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, assert_never

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.core.record import Savings
from gateway.ledger.ledger import FILE_NAME
from gateway.ledger.schema import VERSION, identify
from gateway.ledger.writer import describe


class GroupBy(enum.StrEnum):
    """What the lines of a report stand for."""

    APP = "app"
    MODEL = "model"
    RULE = "rule"
    TARGET = "target"
    LABEL = "label"


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, tokens and money of one group. Money in micro-dollars."""

    name: str
    requests: int = 0
    local: int = 0
    cloud: int = 0
    refused: int = 0
    failed: int = 0  # error, cancelled, unknown
    local_input: int = 0
    local_output: int = 0
    cloud_input: int = 0
    cloud_output: int = 0
    cost_micros: int = 0
    avoided_micros: int = 0
    unpriced: int = 0  # requests whose cost or avoided cost is not known
    microjoules: int = 0  # what their tokens drew
    electricity_nanos: int = 0  # what that cost, in billionths of a dollar
    sensitive: int = 0  # requests with that label
    sensitive_left: int = 0  # of them, answered by a cloud: 0, or something is very wrong


class Energy(msgspec.Struct, frozen=True, kw_only=True):
    """Energy of a period and what it cost."""

    microjoules: int = 0
    request_microjoules: int = 0
    electricity_micros: int = 0
    hardware_micros: int = 0


class CloudDay(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of one cloud target on one day."""

    day: date
    target: str
    requests: int
    input: int
    input_cached: int
    output: int
    cost_micros: int
    unpriced: int


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """One request for the status page: where it went and why. No content."""

    received_at: float
    app: str
    model: str
    label: str
    rule: str
    target: str | None
    zone: str | None
    outcome: str | None  # None: still running
    error: str | None
    tokens: int
    duration_seconds: float | None
    cost_micros: int | None
    avoided_micros: int | None


# An answer that failed, that a crash cut off, or that was only a comparison saved nothing; what it cost, it cost.
_SUMS = """
sum(NOT r.shadow), sum(NOT r.shadow AND coalesce(s.zone = 'local', 0)),
sum(NOT r.shadow AND coalesce(s.zone = 'cloud', 0)), sum(NOT r.shadow AND s.outcome = 'refused'),
sum(NOT r.shadow AND s.outcome IN ('error', 'cancelled', 'unknown')),
sum(CASE s.zone WHEN 'local' THEN s.input + s.input_cached ELSE 0 END),
sum(CASE s.zone WHEN 'local' THEN s.output + s.reasoning ELSE 0 END),
sum(CASE s.zone WHEN 'cloud' THEN s.input + s.input_cached ELSE 0 END),
sum(CASE s.zone WHEN 'cloud' THEN s.output + s.reasoning ELSE 0 END),
sum(coalesce(s.cost_micros, 0)),
sum(CASE WHEN s.outcome IN ('ok', 'cancelled') AND NOT r.shadow THEN coalesce(s.avoided_micros, 0) ELSE 0 END),
sum(CASE WHEN s.zone = 'cloud' THEN s.cost_micros IS NULL
         WHEN s.zone = 'local' AND s.outcome IN ('ok', 'cancelled') AND NOT r.shadow THEN s.avoided_micros IS NULL
         ELSE 0 END),
sum(coalesce(e.microjoules, 0)), sum(coalesce(e.electricity_nanos, 0)),
sum(r.label = 2 AND NOT r.shadow), sum(r.label = 2 AND coalesce(s.zone = 'cloud', 0))
"""
_FROM = (
    "FROM receipts r JOIN settlements s USING (seq) LEFT JOIN request_energy e USING (seq) "
    "WHERE s.settled_at >= ? AND s.settled_at < ?"
)
_RECENT = """
SELECT r.received_at, r.key, r.model, CASE r.label WHEN 0 THEN 'public' WHEN 1 THEN 'internal' ELSE 'sensitive' END,
       r.rule, s.target, s.zone, s.outcome, coalesce(s.error, r.refusal),
       coalesce(s.input + s.input_cached + s.output + s.reasoning, 0), s.duration_seconds, s.cost_micros,
       s.avoided_micros
FROM receipts r LEFT JOIN settlements s USING (seq) WHERE NOT r.shadow ORDER BY r.seq DESC LIMIT ?
"""
_COLUMNS = {
    GroupBy.APP: "r.key",
    GroupBy.MODEL: "r.model",
    GroupBy.RULE: "r.rule",
    GroupBy.TARGET: "coalesce(s.target, '-')",
    GroupBy.LABEL: "CASE r.label WHEN 0 THEN 'public' WHEN 1 THEN 'internal' ELSE 'sensitive' END",
}


class Reader:
    """Connection for reports that can only read. Times are Unix seconds, `since` included, `until` not.

    As a context manager it keeps one connection; otherwise each question opens one of its own, in any thread. Every
    question raises LedgerUnavailable where the database can't be read.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE_NAME
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> "Reader":
        self._connection = self._open()
        return self

    def _open(self) -> sqlite3.Connection:
        if not self._file.is_file():
            raise LedgerUnavailable(f"There is no ledger at {self._file} yet. It begins with 'aduana serve'.")
        try:
            connection = sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
            connection.execute("PRAGMA query_only = ON")
            version = identify(connection, str(self._file))
            if version < VERSION:
                connection.close()
                raise LedgerUnavailable(
                    f"The ledger {self._file} is empty."
                    if version == 0
                    else f"The ledger {self._file} was written by an older Aduana. "
                    "Start the gateway once ('aduana serve'): it brings the ledger up to date."
                )
        except sqlite3.Error as error:
            raise LedgerUnavailable(describe(error, self._file)) from error
        return connection

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def total(self, since: float, until: float) -> Sums:
        """Return the sums of all requests of a period together."""
        for row in self._rows(f"SELECT 'all', {_SUMS} {_FROM} HAVING count(*) > 0", since, until):
            return _sums(row)
        return Sums(name="all")

    def savings(self, since: float, until: float) -> Savings:
        """Return the money of a period, electricity and hardware included."""
        sums, energy = self.total(since, until), self.energy(since, until)
        return Savings(
            requests=sums.requests,
            local=sums.local,
            cloud=sums.cloud,
            refused=sums.refused,
            unpriced=sums.unpriced,
            sensitive=sums.sensitive,
            sensitive_left=sums.sensitive_left,
            avoided_micros=sums.avoided_micros,
            cloud_micros=sums.cost_micros,
            electricity_micros=energy.electricity_micros,
            hardware_micros=energy.hardware_micros,
        )

    def groups(self, by: GroupBy, since: float, until: float) -> list[Sums]:
        """Return the sums of each group, the most valuable first."""
        query = f"SELECT {_column(by)}, {_SUMS} {_FROM} GROUP BY 1 ORDER BY 12 DESC, 2 DESC, 1"
        return [_sums(row) for row in self._rows(query, since, until)]

    def days(self, since: float, until: float, zone: tzinfo | None) -> list[tuple[date, Sums]]:
        """Return the sums of every day of the period, in order, with empty days."""
        result = []
        for day, start, end in _days(since, until, zone):
            sums = self.total(max(start, since), min(end, until))
            result.append((day, msgspec.structs.replace(sums, name=day.isoformat())))
        return result

    def energy(self, since: float, until: float) -> Energy:
        """Return the energy of the hours that begin in the period."""
        query = (
            "SELECT coalesce(sum(microjoules), 0), coalesce(sum(CASE state WHEN 'request' THEN microjoules END), 0), "
            "coalesce(sum(electricity_micros), 0), coalesce(sum(hardware_micros), 0) FROM energy "
            "WHERE hour >= ? AND hour < ?"
        )
        for joules, request, electricity, hardware in self._rows(query, since // 3600, until / 3600):
            return Energy(
                microjoules=joules,
                request_microjoules=request,
                electricity_micros=electricity,
                hardware_micros=hardware,
            )
        return Energy()

    def cloud_days(self, since: float, until: float, zone: tzinfo | None) -> list[CloudDay]:
        """Return cloud usage by day and target, for comparing with an invoice."""
        query = (
            "SELECT s.target, count(*), sum(s.input), sum(s.input_cached), sum(s.output + s.reasoning), "
            "sum(coalesce(s.cost_micros, 0)), sum(s.cost_micros IS NULL) "
            f"{_FROM} AND s.zone = 'cloud' AND s.target IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        result = []
        for day, start, end in _days(since, until, zone):
            for target, requests, fresh, cached, output, cost, unpriced in self._rows(
                query, max(start, since), min(end, until)
            ):
                result.append(
                    CloudDay(
                        day=day,
                        target=target,
                        requests=requests,
                        input=fresh,
                        input_cached=cached,
                        output=output,
                        cost_micros=cost,
                        unpriced=unpriced,
                    )
                )
        return result

    def recent(self, count: int) -> list[Recent]:
        """Return the newest requests, newest first."""
        names = Recent.__struct_fields__
        return [Recent(**dict(zip(names, row, strict=True))) for row in self._rows(_RECENT, count)]

    def _rows(self, query: str, *values: float) -> Iterator[tuple[Any, ...]]:
        connection = self._connection or self._open()
        try:
            yield from connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise LedgerUnavailable(describe(error, self._file)) from error
        finally:
            if connection is not self._connection:
                connection.close()


def _column(by: GroupBy) -> str:
    match by:
        case GroupBy.APP | GroupBy.MODEL | GroupBy.RULE | GroupBy.TARGET | GroupBy.LABEL:
            return _COLUMNS[by]
        case _:
            assert_never(by)


def _sums(row: tuple[Any, ...]) -> Sums:
    return msgspec.convert(dict(zip(Sums.__struct_fields__, row, strict=True)), Sums)


def _days(since: float, until: float, zone: tzinfo | None) -> Iterator[tuple[date, float, float]]:
    day = datetime.fromtimestamp(since, zone).date()
    while True:
        start = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
        following = day + timedelta(days=1)
        end = datetime(following.year, following.month, following.day, tzinfo=zone).timestamp()
        if start >= until:
            return
        yield day, start, end
        day = following
