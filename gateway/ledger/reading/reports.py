"""Reads sums from the ledger for reports. A connection of its own that can't write; the gateway may run meanwhile."""

import enum
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, assert_never

import msgspec

from gateway.accounts.keys import StoredKey
from gateway.core.errors import LedgerUnavailable
from gateway.core.record import Savings
from gateway.ledger.database.places import database_at
from gateway.ledger.keys import table
from gateway.ledger.sql import Connection, Database

NOBODY = "-"
"""Name of the group of requests of which no user is known."""


class GroupBy(enum.StrEnum):
    """What the lines of a report stand for."""

    APP = "app"
    MODEL = "model"
    RULE = "rule"
    TARGET = "target"
    LABEL = "label"
    USER = "user"


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
    """One request in a list: where it went and why. No content."""

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


_BUCKET = 900  # seconds: every time zone's days begin with a quarter of an hour
# An answer that failed, that a crash cut off, or that was only a comparison saved nothing; what it cost, it cost.
_SUMS = """
count(*) FILTER (WHERE r.shadow = 0), count(*) FILTER (WHERE r.shadow = 0 AND s.zone = 'local'),
count(*) FILTER (WHERE r.shadow = 0 AND s.zone = 'cloud'),
count(*) FILTER (WHERE r.shadow = 0 AND s.outcome = 'refused'),
count(*) FILTER (WHERE r.shadow = 0 AND s.outcome IN ('error', 'cancelled', 'unknown')),
sum(CASE s.zone WHEN 'local' THEN s.input + s.input_cached ELSE 0 END),
sum(CASE s.zone WHEN 'local' THEN s.output + s.reasoning ELSE 0 END),
sum(CASE s.zone WHEN 'cloud' THEN s.input + s.input_cached ELSE 0 END),
sum(CASE s.zone WHEN 'cloud' THEN s.output + s.reasoning ELSE 0 END),
sum(coalesce(s.cost_micros, 0)),
sum(CASE WHEN s.outcome IN ('ok', 'cancelled') AND r.shadow = 0 THEN coalesce(s.avoided_micros, 0) ELSE 0 END),
count(*) FILTER (WHERE (s.zone = 'cloud' AND s.cost_micros IS NULL) OR (
    s.zone = 'local' AND s.outcome IN ('ok', 'cancelled') AND r.shadow = 0 AND s.avoided_micros IS NULL)),
sum(coalesce(e.microjoules, 0)), sum(coalesce(e.electricity_nanos, 0)),
count(*) FILTER (WHERE r.label = 2 AND r.shadow = 0), count(*) FILTER (WHERE r.label = 2 AND s.zone = 'cloud')
"""
_FROM = (
    "FROM whole_receipts r JOIN settlements s USING (seq) LEFT JOIN request_energy e USING (seq) "
    "WHERE s.settled_at >= ? AND s.settled_at < ?"
)
_RECENT = """
SELECT r.received_at, r.key, r.model, CASE r.label WHEN 0 THEN 'public' WHEN 1 THEN 'internal' ELSE 'sensitive' END,
       r.rule, s.target, s.zone, s.outcome, coalesce(s.error, r.refusal),
       coalesce(s.input + s.input_cached + s.output + s.reasoning, 0), s.duration_seconds, s.cost_micros,
       s.avoided_micros
FROM whole_receipts r LEFT JOIN settlements s USING (seq) WHERE r.shadow = 0 ORDER BY r.seq DESC LIMIT ?
"""
# Clocks jump, so the first one need not be the oldest.
_OLDEST = "SELECT min(received_at) FROM (SELECT received_at FROM receipts ORDER BY seq LIMIT 1000) AS first"
_COLUMNS = {
    GroupBy.APP: "r.key",
    GroupBy.MODEL: "r.model",
    GroupBy.RULE: "r.rule",
    GroupBy.TARGET: "coalesce(s.target, '-')",
    GroupBy.LABEL: "CASE r.label WHEN 0 THEN 'public' WHEN 1 THEN 'internal' ELSE 'sensitive' END",
    GroupBy.USER: f"coalesce(r.user, '{NOBODY}')",
}


class Reader:
    """Connection for reports that can only read. Times are Unix seconds, `since` included, `until` not.

    As a context manager it keeps one connection; otherwise each question opens one of its own, in any thread. Every
    question raises LedgerUnavailable where the database can't be read.
    """

    def __init__(self, place: Path | Database) -> None:
        """Open nothing yet. `place` is the state directory, or the database."""
        self._database = database_at(place)
        self._connection: Connection | None = None

    def __enter__(self) -> "Reader":
        self._connection = self._open()
        return self

    def _open(self, seconds: float | None = None) -> Connection:
        try:
            return self._database.reader(seconds)
        except self._database.failures as error:
            raise self.unreadable(error) from error

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
        spent = Savings(electricity_micros=energy.electricity_micros, hardware_micros=energy.hardware_micros)
        return added(_money(sums), spent)

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

    def savings_by_day(self, since: float, until: float, zone: tzinfo | None) -> list[tuple[date, Savings]]:
        """Return the money of every day of the period, in order, with empty days. Takes one pass over the records."""
        days = {day: Savings() for day, _, _ in _days(since, until, zone)}
        query = f"SELECT CAST(s.settled_at / {_BUCKET} AS INTEGER), {_SUMS} {_FROM} GROUP BY 1"
        for bucket, *sums in self._rows(query, since, until):
            day = datetime.fromtimestamp(bucket * _BUCKET, zone).date()
            days[day] = added(days.get(day, Savings()), _money(_sums(("", *sums))))
        query = (
            "SELECT hour, sum(electricity_micros), sum(hardware_micros) FROM energy WHERE hour >= ? AND hour < ? "
            "GROUP BY hour"
        )
        for hour, electricity, hardware in self._rows(query, since // 3600, until / 3600):
            day = datetime.fromtimestamp(hour * 3600, zone).date()
            if day in days:  # an hour that begins before the period belongs to the day before
                spent = Savings(electricity_micros=electricity, hardware_micros=hardware)
                days[day] = added(days[day], spent)
        return sorted(days.items())

    def begins(self) -> float | None:
        """Return when the oldest request of the ledger arrived; None: it has none."""
        for (oldest,) in self._rows(_OLDEST):
            return None if oldest is None else float(oldest)
        return None

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
            "sum(coalesce(s.cost_micros, 0)), count(*) FILTER (WHERE s.cost_micros IS NULL) "
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

    def stored_keys(self) -> tuple[StoredKey, ...]:
        """Return the API keys that commands made, the revoked ones too."""
        connection = self._connection or self._open()
        try:
            return table.everything(connection)
        except self._database.failures as error:
            raise self.unreadable(error) from error
        finally:
            if connection is not self._connection:
                connection.close()

    def last_requests(self) -> dict[str, float]:
        """Return when each key last asked for anything. Takes one pass over the records."""
        query = "SELECT key, max(received_at) FROM receipts WHERE shadow = 0 GROUP BY key"
        return {key: float(at) for key, at in self._rows(query)}

    def recent(self, count: int) -> list[Recent]:
        """Return the newest requests, newest first."""
        names = Recent.__struct_fields__
        return [Recent(**dict(zip(names, row, strict=True))) for row in self._rows(_RECENT, count)]

    def _rows(self, query: str, *values: float) -> Iterator[tuple[Any, ...]]:
        connection = self._connection or self._open()
        try:
            yield from connection.execute(query, values).fetchall()
        except self._database.failures as error:
            raise self.unreadable(error) from error
        finally:
            if connection is not self._connection:
                connection.close()

    def unreadable(self, error: Exception) -> LedgerUnavailable:
        """Return the error that says why the database can't be read."""
        return LedgerUnavailable(self._database.describe(error))


def added(*parts: Savings) -> Savings:
    """Return the sums of several periods or groups together."""
    return Savings(**{name: sum(getattr(part, name) for part in parts) for name in Savings.__struct_fields__})


def _money(sums: Sums) -> Savings:
    """Return the money of requests, without electricity and hardware."""
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
    )


def _column(by: GroupBy) -> str:
    match by:
        case GroupBy.APP | GroupBy.MODEL | GroupBy.RULE | GroupBy.TARGET | GroupBy.LABEL | GroupBy.USER:
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
