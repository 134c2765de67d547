"""Which conversation turns are known to be sensitive: keyed hashes with a label, never text.

A hash that keeps coming is refreshed (at most once a day, so that reading stays cheap) and never expires. One that was
not seen for `taint_days` is forgotten, and beyond `taint_entries` the longest unseen go first.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from gateway.core.labels import Label
from gateway.ledger.sql import Connection

Causes: TypeAlias = "frozenset[str] | None"  # categories that alone made a turn sensitive; None: not known
_CHUNK = 500  # SQLite's oldest limit of variables in a statement is 999


def read(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, tuple[Label, Causes, int]]:
    """Return label, causes and day last seen (days since 1970) of the known ones of these hashes."""
    found: dict[bytes, tuple[Label, Causes, int]] = {}
    for start in range(0, len(hashes), _CHUNK):
        some = hashes[start : start + _CHUNK]
        marks = ",".join("?" * len(some))
        query = f"SELECT hash, label, causes, seen_day FROM taint WHERE hash IN ({marks})"  # noqa: S608 - only question marks
        for item, label, causes, day in connection.execute(query, some):
            found[item] = (Label(label), frozenset(causes.split(",")) if causes else None, day)
    return found


def write(connection: Connection, labels: Mapping[bytes, Label], today: int, causes: Causes = None) -> None:
    """Remember labels and what caused them.

    INVARIANT: a label never falls, the day never goes back, and causes once unknown stay unknown.
    """
    known = {item: (label, found) for item, (label, found, _) in read(connection, list(labels)).items()}
    rows: list[tuple[bytes, int, int, str | None]] = []
    for item, label in labels.items():
        before, found = known.get(item, (Label.PUBLIC, causes))
        merged = causes if label > before else found if label < before else joined(found, causes)
        rows.append((item, int(label), today, None if merged is None else ",".join(sorted(merged))))
    connection.executemany(
        "INSERT INTO taint (hash, label, seen_day, causes) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET "
        "label = CASE WHEN excluded.label > taint.label THEN excluded.label ELSE taint.label END, "
        "seen_day = CASE WHEN excluded.seen_day > taint.seen_day THEN excluded.seen_day ELSE taint.seen_day END, "
        "causes = excluded.causes",
        rows,
    )


def touch(connection: Connection, hashes: Iterable[bytes], today: int) -> None:
    """Note that these hashes were seen again."""
    connection.executemany(
        "UPDATE taint SET seen_day = ? WHERE hash = ? AND seen_day < ?", [(today, item, today) for item in hashes]
    )


def joined(one: Causes, other: Causes) -> Causes:
    """Return the causes of both together; not known where those of one are not."""
    return None if one is None or other is None else one | other


def everything(connection: Connection) -> Iterable[bytes]:
    """Yield all known hashes, to fill the Bloom filter."""
    return (item for (item,) in connection.execute("SELECT hash FROM taint"))


def expire(connection: Connection, *, today: int, days: int, entries: int) -> None:
    """Forget what was not seen for `days`, and the longest unseen beyond `entries`.

    Days count back from the newest entry, so that a clock that is wrong at start can't make everything old at once.
    """
    (newest,) = connection.execute("SELECT max(seen_day) FROM taint").fetchone()
    connection.execute("DELETE FROM taint WHERE seen_day < ?", (min(today, newest or 0) - days,))
    (count,) = connection.execute("SELECT count(*) FROM taint").fetchone()
    if count > entries:
        connection.execute(
            "DELETE FROM taint WHERE hash IN (SELECT hash FROM taint ORDER BY seen_day LIMIT ?)", (count - entries,)
        )
