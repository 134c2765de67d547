"""Limits of requests and tokens that all gateways of a shared ledger hold together, counted in its database.

INVARIANT: what is used is looked at and taken in the transaction of the receipt, under the one lock of all writers. So
never do more requests run at once, or begin in any sixty seconds by the server's clock, than a limit says. Places of a
gateway that died come back with its lease, for what is held goes with the open request.

A minute is counted in seconds: everything counts from its second on until that second is a minute old.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from gateway.core.limits import Claim, Full, Scope, Use
from gateway.ledger.sql import Connection, Database

_MINUTE = 60
_AHEAD = 120  # seconds: what stands further in the future comes from a clock that was set back
_TIDY_SECONDS = 10.0
_FRESH_SECONDS = 1.0  # for so long what was seen says what all gateways use
_MOST_SEEN = 10_000
_RECORD_SECONDS = 5.0  # for so long the sums of the record hold for those whom nobody has counted yet

_MINUTES = "SELECT place, slot, requests, tokens FROM limit_minutes WHERE place IN ({}) ORDER BY slot"
_RUNNING = "SELECT place, count(*), sum(coalesce(tokens_day, 0)) FROM limit_holds WHERE place IN ({}) GROUP BY place"
_DAYS = "SELECT place, tokens FROM limit_days WHERE day = ? AND place IN ({})"
_ADD_MINUTE = (
    "INSERT INTO limit_minutes VALUES (?, ?, ?, ?) ON CONFLICT (place, slot) DO UPDATE SET "
    "requests = limit_minutes.requests + excluded.requests, tokens = limit_minutes.tokens + excluded.tokens"
)
_LESS_IN_MINUTE = "UPDATE limit_minutes SET tokens = tokens - ? WHERE place = ? AND slot = ?"
_ADD_DAY = (
    "INSERT INTO limit_days VALUES (?, ?, ?) ON CONFLICT (place, day) DO UPDATE SET "
    "tokens = limit_days.tokens + excluded.tokens"
)
_HOLD = "INSERT INTO limit_holds VALUES (?, ?, ?, ?, ?, ?)"
_HELD = "SELECT place, slot, tokens, tokens_day FROM limit_holds WHERE seq = ? AND target >= ?"


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What is used of some limits at one moment."""

    slot: int
    day: str
    use: Mapping[bytes, Use]
    shortages: Mapping[bytes, Full]  # of places that have no room


class SharedLimits:
    """This gateway's side of shared limits. Used in the writer's thread, but for `seen`."""

    def __init__(
        self,
        database: Database,
        *,
        today: Callable[[], date],
        tokens_today: Callable[[Connection], Mapping[tuple[Scope, str], int]],
    ) -> None:
        """Count nothing yet.

        Args:
            database: Where the ledger lies.
            today: The day by which tokens count.
            tokens_today: Adds up from the settlements what was used today.
        """
        self._database = database
        self._today = today
        self._tokens_today = tokens_today
        self._seen: dict[bytes, tuple[float, Use]] = {}
        self._recorded: tuple[str, float, Mapping[tuple[Scope, str], int]] = ("", 0.0, {})
        self._written = False
        self._tidied = float("-inf")

    def look(self, connection: Connection, claims: Sequence[Claim]) -> Looked:
        """Return what all gateways use of these limits, and which have no room; one exchange with the database."""
        day = self._today().isoformat()
        places = [claim.place for claim in claims]
        marks = ",".join("?" * len(places))
        minutes = connection.execute(_MINUTES.format(marks), places)
        running = connection.execute(_RUNNING.format(marks), places)
        days = connection.execute(_DAYS.format(marks), (day, *places))
        now = self._database.now(connection)
        counted: dict[bytes, list[tuple[int, int, int]]] = {}
        for place, slot, requests, tokens in minutes:
            if slot + 1 + _MINUTE > now:
                counted.setdefault(bytes(place), []).append((slot, requests, tokens))
        held = {bytes(place): (int(count), int(tokens)) for place, count, tokens in running}
        spent = {bytes(place): int(tokens) for place, tokens in days}
        use: dict[bytes, Use] = {}
        shortages: dict[bytes, Full] = {}
        for claim, place in zip(claims, places, strict=True):
            slots = counted.get(place, [])
            count, held_tokens = held.get(place, (0, 0))
            use[place] = used = Use(
                requests=sum(requests for _, requests, _ in slots),
                tokens=sum(tokens for _, _, tokens in slots),
                tokens_day=self._of_day(connection, claim, day, spent) + held_tokens,
                running=count,
            )
            shortage = _shortage(claim, used, slots, now)
            if shortage is not None:
                shortages[place] = shortage
        self._note(use)
        return Looked(slot=math.floor(now), day=day, use=use, shortages=shortages)

    def take(self, connection: Connection, seq: int, claims: Sequence[Claim], looked: Looked) -> None:
        """Count an open request below these limits, which were looked at in this transaction."""
        self._written = True
        for claim in claims:
            place, slot = claim.place, looked.slot if claim.by_minute else None
            tokens_day = claim.tokens_day if claim.limits.tokens_per_day is not None else None
            if slot is not None:
                connection.execute(_ADD_MINUTE, (place, slot, 1, claim.tokens))
            target = int(claim.scope is Scope.TARGET)
            connection.execute(_HOLD, (seq, place, target, slot, claim.tokens, tokens_day))
            used = looked.use[place]
            self._note(
                {
                    place: Use(
                        requests=used.requests + 1,
                        tokens=used.tokens + claim.tokens,
                        tokens_day=used.tokens_day + claim.tokens_day,
                        running=used.running + 1,
                    )
                }
            )

    def leave_target(self, connection: Connection, seq: int) -> None:
        """Give back what a request held of its target's limits: that target has given no answer."""
        self._end(connection, seq, 0, only_target=True)

    def ended(self, connection: Connection, seq: int, tokens: int | None) -> None:
        """Count what a request has used; before its open request goes. None: nobody knows, so what was set aside."""
        self._end(connection, seq, tokens, only_target=False)

    def tend(self, connection: Connection) -> None:
        """Remove now and then what does not count any more, if this gateway has counted anything."""
        if not self._written or time.monotonic() - self._tidied < _TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        now = self._database.now(connection)
        connection.execute(
            "DELETE FROM limit_minutes WHERE slot < ? OR slot > ?",
            (math.floor(now) - _MINUTE - 1, math.floor(now) + _AHEAD),
        )
        before = (self._today() - timedelta(days=1)).isoformat()
        connection.execute("DELETE FROM limit_days WHERE day < ?", (before,))

    def seen(self, claim: Claim) -> Use | None:
        """Return what all gateways together used a moment ago; None: nobody looked lately. Any thread."""
        found = self._seen.get(claim.place)
        return None if found is None or time.monotonic() - found[0] > _FRESH_SECONDS else found[1]

    def _end(self, connection: Connection, seq: int, tokens: int | None, *, only_target: bool) -> None:
        held = connection.execute(_HELD, (seq, int(only_target))).fetchall()
        if not held:
            return
        connection.execute("DELETE FROM limit_holds WHERE seq = ? AND target >= ?", (seq, int(only_target)))
        day = self._today().isoformat()
        for place, slot, estimated, tokens_day in held:
            more = 0 if tokens is None else tokens - estimated
            if slot is not None and more < 0:
                connection.execute(_LESS_IN_MINUTE, (-more, place, slot))
            elif slot is not None and more:
                connection.execute(_ADD_MINUTE, (place, math.floor(self._database.now(connection)), 0, more))
            used = tokens_day if tokens is None else tokens
            if tokens_day is not None and used:
                connection.execute(_ADD_DAY, (place, day, used))

    def _of_day(self, connection: Connection, claim: Claim, day: str, spent: Mapping[bytes, int]) -> int:
        """Return the tokens of today; whose nobody has counted yet, of him they are added up from the record."""
        if claim.limits.tokens_per_day is None:
            return 0
        place = claim.place
        if place not in spent:
            before = self._on_record(connection, day).get((claim.scope, claim.name), 0)
            connection.execute(_ADD_DAY, (place, day, before))
            return before
        return spent[place]

    def _on_record(self, connection: Connection, day: str) -> Mapping[tuple[Scope, str], int]:
        """Return the tokens of today by the record, added up every few seconds at most.

        All writers wait for that, and in the morning many come whom nobody has counted yet. Whoever has a limit is
        counted from his first request on, so meanwhile none of his are missing.
        """
        known_day, until, found = self._recorded
        if known_day != day or time.monotonic() > until:
            found = self._tokens_today(connection)
            self._recorded = day, time.monotonic() + _RECORD_SECONDS, found
        return found

    def _note(self, use: Mapping[bytes, Use]) -> None:
        if len(self._seen) > _MOST_SEEN:
            self._seen = {}
        now = time.monotonic()
        for place, used in use.items():
            self._seen[place] = now, used


def _shortage(claim: Claim, used: Use, slots: Sequence[tuple[int, int, int]], now: float) -> Full | None:
    """Return the limit for which a request would have to wait longest; None: all have room."""
    limits = claim.limits
    found: list[Full] = []

    def full(kind: str, limit: int, used: int, wait: float | None) -> None:
        found.append(Full(scope=claim.scope, name=claim.name, kind=kind, limit=limit, used=used, wait=wait))

    if (limit := limits.parallel) is not None and used.running >= limit:
        full("parallel", limit, used.running, None)
    if (limit := limits.requests_per_minute) is not None and used.requests >= limit:
        wait = _wait(used.requests + 1 - limit, [(slot, requests) for slot, requests, _ in slots], now)
        full("requests_per_minute", limit, used.requests, wait)
    if (limit := limits.tokens_per_minute) is not None and used.tokens + claim.tokens > limit:
        wait = _wait(used.tokens + claim.tokens - limit, [(slot, tokens) for slot, _, tokens in slots], now)
        full("tokens_per_minute", limit, used.tokens, wait)
    if (limit := limits.tokens_per_day) is not None and used.tokens_day + claim.tokens_day > limit:
        return Full(scope=claim.scope, name=claim.name, kind="tokens_per_day", limit=limit, used=used.tokens_day)
    return max(found, key=lambda one: one.wait or 0.0, default=None)


def _wait(excess: int, slots: Sequence[tuple[int, int]], now: float) -> float:
    """Return the seconds until so much of the last minute does not count any more."""
    for slot, amount in slots:
        excess -= amount
        if excess <= 0:
            return min(_MINUTE + 1.0, slot + 1 + _MINUTE - now)
    return _MINUTE + 1.0
