"""What the ledger has of a key, a user or a conversation, and how it is erased, also beside a running gateway.

The memory of what is sensitive stays: keyed hashes that name nobody and lead back to nothing, without which what was
told in confidence could leave. It goes by itself when it was not seen for long.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from gateway.ledger import chain
from gateway.ledger.keeping.removal import remove
from gateway.ledger.sql import Connection, Database

_STEP = 200  # requests erased in one transaction: some milliseconds, for which a running gateway waits
_PAUSE = 0.05  # seconds between two of them
_NOTE = (
    "INSERT INTO erasures (number, at, what, requests) "
    "VALUES ((SELECT coalesce(max(number), 0) + 1 FROM erasures), ?, ?, ?)"
)
_CHUNK = 500  # SQLite's oldest limit of variables in a statement is 999


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose records are meant: those of a key, of a user, of both at once; or of conversations and requests.

    A user may stand there by several names: by a pseudonym, where the configuration says so.
    """

    key: str = ""
    users: tuple[str, ...] = ()
    conversations: frozenset[bytes] = frozenset()
    requests: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """Return what it is: `key`, `user` or `conversation`."""
        return "user" if self.users else "key" if self.key else "conversation"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of somebody. Times in Unix seconds."""

    seqs: tuple[int, ...] = ()  # settled requests
    requests: tuple[tuple[str, str], ...] = ()  # id and key of each of them
    conversations: frozenset[bytes] = frozenset()
    running: int = 0  # requests that have not ended
    oldest: float | None = None
    newest: float | None = None
    masks: tuple[bytes, ...] = ()  # names of mappings of pseudonyms


def find(connection: Connection, subject: Subject) -> Found:
    """Return what the ledger has of somebody."""
    seqs: list[int] = []
    requests: list[tuple[str, str]] = []
    conversations: set[bytes] = set(subject.conversations)
    times: list[float] = []
    running = 0
    for seq, request_id, key, at, conversation, settled in _receipts(connection, subject):
        if conversation is not None:
            conversations.add(conversation)
        if not settled:
            running += 1
            continue
        seqs.append(seq)
        requests.append((request_id, key))
        times.append(at)
    return Found(
        seqs=tuple(seqs),
        requests=tuple(requests),
        conversations=frozenset(conversations),
        running=running,
        oldest=min(times, default=None),
        newest=max(times, default=None),
        masks=tuple(_masks(connection, subject)),
    )


def erase(database: Database, connection: Connection, found: Found, kind: str, now: float) -> None:
    """Erase what was found; in a file it is overwritten. What was erased stays so, should a later piece fail.

    The connection is one that writes to this database, outside of a transaction.
    """
    for start in range(0, len(found.seqs), _STEP):
        with _transaction(database, connection):
            remove(connection, found.seqs[start : start + _STEP], now, chain.ERASED)
        time.sleep(_PAUSE)
    with _transaction(database, connection):
        connection.executemany("DELETE FROM masks WHERE name = ?", [(name,) for name in found.masks])
        connection.execute(_NOTE, (now, kind, len(found.seqs)))


def _receipts(connection: Connection, subject: Subject) -> Iterator[tuple[int, str, str, float, bytes, int]]:
    query = (
        "SELECT r.seq, r.request_id, r.key, r.received_at, r.conversation, s.seq IS NOT NULL "
        "FROM receipts r LEFT JOIN settlements s USING (seq) WHERE"
    )
    if subject.key or subject.users:
        condition, values = _person(subject)
        yield from connection.execute(f"{query} {condition} ORDER BY r.seq", values)
        return
    seen: set[int] = set()
    requests = [name for one in subject.requests for name in (one, f"{one}-shadow")]
    for column, named in (("conversation", sorted(subject.conversations)), ("request_id", sorted(requests))):
        for some in _chunks(named):
            for row in connection.execute(f"{query} r.{column} IN ({_marks(some)}) ORDER BY r.seq", some):
                if row[0] not in seen:
                    seen.add(row[0])
                    yield row


def _masks(connection: Connection, subject: Subject) -> Iterator[bytes]:
    if subject.key or subject.users:
        condition, values = _person(subject)
        query = f"SELECT name FROM masks WHERE {condition}"  # noqa: S608 - names of columns and question marks
        yield from (name for (name,) in connection.execute(query, values))
        return
    for some in _chunks(sorted(subject.conversations)):
        query = f"SELECT name FROM masks WHERE conversation IN ({_marks(some)})"  # noqa: S608 - only question marks
        yield from (name for (name,) in connection.execute(query, some))


def _person(subject: Subject) -> tuple[str, tuple[str, ...]]:
    """Return a condition for the rows of a key, of a user, or of both at once, and its values."""
    conditions = ["key = ?"] if subject.key else []
    conditions += [f'"user" IN ({_marks(subject.users)})'] if subject.users else []
    return " AND ".join(conditions), (*((subject.key,) if subject.key else ()), *subject.users)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


@contextmanager
def _transaction(database: Database, connection: Connection) -> Iterator[None]:
    database.begin(connection)
    try:
        yield
        database.flush(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    database.commit(connection)


def _chunks(values: Sequence[object]) -> Iterator[Sequence[object]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
