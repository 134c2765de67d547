"""Reads what past decisions saw from the ledger, for `diff` and `replay`. A connection that can't write."""

import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.ledger.ledger import FILE_NAME

_PERIOD = re.compile(r"(\d+)\s*([hdw])\Z")
_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_QUERY = """
SELECT r.facts, r.label, r.rule, r.permitted, s.target, s.zone, s.outcome, s.cost_micros, s.first_token_seconds
FROM receipts r LEFT JOIN settlements s USING (seq)
WHERE r.received_at >= ? AND length(r.facts) > 2 ORDER BY r.seq
"""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Past request: what the decision saw, and how it ended."""

    facts: bytes
    label: int
    rule: str
    permitted: str
    target: str | None
    zone: str | None
    outcome: str | None
    cost_micros: int | None
    first_token_seconds: float | None


def since_seconds(text: str) -> float:
    """Return the Unix time of `30d`, `12h` or `2w` ago.

    Raises:
        ConfigurationError: The text is no such time.
    """
    found = _PERIOD.match(text.strip())
    if found is None:
        raise ConfigurationError((f"--since: {text!r} is not a period; write it as 30d, 12h or 2w.",))
    return time.time() - int(found[1]) * _SECONDS[found[2]]


def recorded(directory: Path, since: float) -> Iterator[Recorded]:
    """Yield past requests, the oldest first.

    Raises:
        LedgerUnavailable: There is no ledger, or it can't be read.
    """
    file = directory / FILE_NAME
    if not file.is_file():
        raise LedgerUnavailable(f"There is no ledger at {file} yet. It begins with 'aduana serve'.")
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            for row in connection.execute(_QUERY, (since,)):
                yield Recorded(**dict(zip(Recorded.__struct_fields__, row, strict=True)))
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise LedgerUnavailable(f"{file}: can't be read: {error}.") from error
