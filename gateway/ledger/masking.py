"""What stands for what in conversations that went out masked: sealed, so this room can't read it; found by hashes.

One mapping a conversation, linked to keyed hashes of its beginnings. It ages and goes like the memory of taint, and its
links go with it. What is overwritten or deleted is zeroed in the file (`secure_delete` of the writing connection).
"""

from collections.abc import Sequence

import msgspec

from gateway.core.record import Whose
from gateway.ledger.sql import Connection

_CHUNK = 500  # SQLite's oldest limit of variables in a statement is 999


class MaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Mapping of one conversation: its random name, its sealed content, the day last seen, and hashes that led here."""

    name: bytes
    sealed: bytes
    day: int
    links: frozenset[bytes]


def read(connection: Connection, hashes: Sequence[bytes]) -> MaskRecord | None:
    """Return the mapping of the longest known beginning: `hashes` stand in the order of the conversation."""
    found: dict[bytes, bytes] = {}
    for start in range(0, len(hashes), _CHUNK):
        some = hashes[start : start + _CHUNK]
        marks = ",".join("?" * len(some))
        query = f"SELECT hash, mask FROM mask_links WHERE hash IN ({marks})"  # noqa: S608 - only question marks
        found.update(connection.execute(query, some))
    last = next((item for item in reversed(hashes) if item in found), None)
    if last is None:
        return None
    name = found[last]
    row = connection.execute("SELECT sealed, seen_day FROM masks WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    links = frozenset(item for item, known in found.items() if known == name)
    return MaskRecord(name=name, sealed=row[0], day=row[1], links=links)


def write(
    connection: Connection, name: bytes, sealed: bytes, hashes: Sequence[bytes], today: int, whose: Whose
) -> None:
    """Keep a mapping under its name, and link these beginnings to it."""
    connection.execute(
        'INSERT INTO masks (name, sealed, seen_day, key, "user", conversation) VALUES (?, ?, ?, ?, ?, ?) '
        "ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, "
        "seen_day = CASE WHEN excluded.seen_day > masks.seen_day THEN excluded.seen_day ELSE masks.seen_day END, "
        'key = excluded.key, "user" = excluded."user", conversation = excluded.conversation',
        (name, sealed, today, whose.key, whose.user, whose.conversation),
    )
    connection.executemany(
        "INSERT INTO mask_links VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET mask = excluded.mask",
        [(item, name) for item in hashes],
    )


def touch(connection: Connection, name: bytes, today: int) -> None:
    """Note that a mapping was seen again."""
    connection.execute("UPDATE masks SET seen_day = ? WHERE name = ? AND seen_day < ?", (today, name, today))


def expire(connection: Connection, *, today: int, days: int, entries: int) -> None:
    """Forget what was not seen for `days` (counted from the newest entry), and the longest unseen beyond `entries`."""
    (newest,) = connection.execute("SELECT max(seen_day) FROM masks").fetchone()
    connection.execute("DELETE FROM masks WHERE seen_day < ?", (min(today, newest or 0) - days,))
    (count,) = connection.execute("SELECT count(*) FROM masks").fetchone()
    if count > entries:
        connection.execute(
            "DELETE FROM masks WHERE name IN (SELECT name FROM masks ORDER BY seen_day LIMIT ?)", (count - entries,)
        )
