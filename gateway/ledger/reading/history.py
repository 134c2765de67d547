"""Finds single requests in the ledger, for people who ask what became of them. Reads only."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.packing.facts import unpacked
from gateway.ledger.reading.reports import Reader

_SEARCH_SECONDS = 4.0
RUNNING = "running"
"""Outcome to search for of a request that has none yet."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for. Empty: everything."""

    outcome: str = ""
    label: int | None = None
    target: str = ""
    key: str = ""
    users: tuple[str, ...] = ()  # one of them: a name may stand there by a pseudonym
    category: str = ""
    before: int | None = None  # only older ones than the request of this number
    count: int = 50


class PastRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request in a list. No content."""

    seq: int
    request_id: str
    received_at: float
    endpoint: str
    key: str
    user: str | None
    model: str
    label: int
    label_source: str
    rule: str
    refusal: str | None
    budget: str | None
    categories: tuple[tuple[str, int], ...]
    masked: tuple[tuple[str, int], ...]
    outcome: str | None  # None: still running
    target: str | None
    zone: str | None
    error: str | None
    tokens: int
    duration_seconds: float | None
    cost_micros: int | None
    avoided_micros: int | None


class PastDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the ledger has of one request. No content."""

    request: PastRequest
    dialect: str
    stream: bool
    tags: tuple[str, ...]
    doubts: tuple[str, ...]
    permitted: tuple[str, ...]
    prompt_tokens: int | None
    policy_digest: str
    facts: bytes
    first_token_seconds: float | None
    input: int
    input_cached: int
    output: int
    reasoning: int
    attempts: tuple[tuple[str, str], ...]  # (target, error code) of each failed try
    microjoules: int | None  # None: nothing was measured
    electricity_nanos: int | None
    server: str | None  # which of the target's several servers answered; None: it has one


_LISTED = """
r.seq, r.request_id, r.received_at, r.endpoint, r.key, r.user, r.model, r.label, r.label_source, r.rule, r.refusal,
r.budget, r.categories, r.masked, s.outcome, s.target, s.zone, s.error,
coalesce(s.input + s.input_cached + s.output + s.reasoning, 0), s.duration_seconds, s.cost_micros, s.avoided_micros
"""
_WHOLE = """
r.dialect, r.stream, r.tags, r.doubts, r.permitted, r.prompt_tokens, r.policy_digest, r.facts,
(SELECT content FROM fact_patterns WHERE number = r.pattern),
s.first_token_seconds, coalesce(s.input, 0), coalesce(s.input_cached, 0), coalesce(s.output, 0),
coalesce(s.reasoning, 0), e.microjoules, e.electricity_nanos, v.server
"""
_FROM = (
    "FROM whole_receipts r LEFT JOIN settlements s USING (seq) LEFT JOIN request_energy e USING (seq) "
    "LEFT JOIN answering_servers v USING (seq)"
)


class History(Reader):
    """Reader that finds single requests. A search that takes too long is given up."""

    def find(self, search: Search) -> list[PastRequest]:
        """Return requests, the newest first; those that were only compared are left out.

        Raises:
            LedgerUnavailable: The ledger can't be read, or the search took too long.
        """
        where, values = _conditions(search)
        query = f"SELECT {_LISTED} {_FROM} WHERE {where} ORDER BY r.seq DESC LIMIT ?"
        return [_listed(row) for row in self._searched(query, *values, search.count)]

    def one(self, request_id: str) -> PastDecision | None:
        """Return everything about one request; None: the ledger does not have it.

        Raises:
            LedgerUnavailable: The ledger can't be read.
        """
        query = f"SELECT {_LISTED}, {_WHOLE} {_FROM} WHERE r.request_id = ?"
        for row in self._searched(query, request_id):
            tries = "SELECT target, error FROM attempts WHERE seq = ? ORDER BY number"
            return _whole(row, tuple((target, error) for target, error in self._searched(tries, row[0])))
        return None

    def _searched(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        connection = self._open(_SEARCH_SECONDS)
        try:
            yield from connection.execute(query, values).fetchall()
        except self._database.failures as error:
            if not self._database.too_long(error):
                raise self.unreadable(error) from error
            raise LedgerUnavailable("The search took too long. Ask for less, or for newer requests.") from error
        finally:
            connection.close()


def _conditions(search: Search) -> tuple[str, list[object]]:
    found: list[tuple[str, tuple[object, ...]]] = [("r.shadow = 0", ())]
    if search.before is not None:
        found.append(("r.seq < ?", (search.before,)))
    if search.outcome == RUNNING:
        found.append(("s.seq IS NULL", ()))
    elif search.outcome:
        found.append(("s.outcome = ?", (search.outcome,)))
    if search.label is not None:
        found.append(("r.label = ?", (search.label,)))
    if search.target:
        found.append(("s.target = ?", (search.target,)))
    if search.key:
        found.append(("r.key = ?", (search.key,)))
    if search.users:
        found.append((f"r.user IN ({', '.join('?' * len(search.users))})", search.users))
    if search.category:
        found.append(("instr(r.categories, ?) > 0", (json.dumps(search.category)[:-1],)))
    return " AND ".join(text for text, _ in found), [value for _, values in found for value in values]


def _listed(row: tuple[Any, ...]) -> PastRequest:
    fields = dict(zip(PastRequest.__struct_fields__, row[: len(PastRequest.__struct_fields__)], strict=True))
    return PastRequest(**fields | {"categories": _pairs(fields["categories"]), "masked": _pairs(fields["masked"])})


def _whole(row: tuple[Any, ...], attempts: tuple[tuple[str, str], ...]) -> PastDecision:
    first = len(PastRequest.__struct_fields__)
    dialect, stream, tags, doubts, permitted, tokens, digest, facts, pattern, seconds, *rest = row[first:]
    fresh, cached, output, reasoning, joules, nanos, server = rest
    request = _listed(row)
    return PastDecision(
        request=request,
        dialect=dialect,
        stream=bool(stream),
        tags=tuple(json.loads(tags)),
        doubts=tuple(json.loads(doubts)),
        permitted=tuple(json.loads(permitted)),
        prompt_tokens=tokens,
        policy_digest=digest,
        facts=_readable(facts, (request.request_id, request.key, request.user, request.model, tags), pattern),
        first_token_seconds=seconds,
        input=fresh,
        input_cached=cached,
        output=output,
        reasoning=reasoning,
        attempts=attempts,
        microjoules=joules,
        electricity_nanos=nanos,
        server=server,
    )


def _readable(facts: bytes, own: Sequence[object], pattern: bytes | None) -> bytes:
    """Return facts as they came; none where they are damaged, so that everything else is shown."""
    try:
        return unpacked(facts, own, pattern)
    except ValueError:
        return b"{}"


def _pairs(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, count) for name, count in json.loads(text))
