"""What the ledger can be told. Plain values; whoever reads the configuration file fills them in."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from gateway.core.secret import Secret

MIB = 2**20


class LedgerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the ledger lives, what it keeps and for how long, and the limits of the budgets."""

    directory: Path
    """Directory of the database `ledger.sqlite3` and its lock file. Created if it does not exist."""
    database: Secret | None = None
    """Address of a PostgreSQL database, which several gateways may share. None: the file in the directory."""
    database_password: Secret | None = None
    """Password of its user, where the address has none."""
    lease_seconds: float = 30.0
    """A gateway that gave the others of a shared database no sign for this long counts as dead."""
    timezone: str = ""
    """IANA name of the zone in which days and months begin, for example `Europe/Madrid`. Empty: the machine's own."""
    day_limit_usd: float | None = None
    """Limit of cloud spending in one day, US dollars. None: no limit."""
    month_limit_usd: float | None = None
    """Limit of cloud spending in one calendar month, US dollars."""
    key_limits_usd: Mapping[str, float] = MappingProxyType({})
    """Limit in one calendar month for single API keys, by the key's name, US dollars."""
    limits_usd: Mapping[str, float] = MappingProxyType({})
    """Limits of further accounts (`core.limits.Account`) by their names, US dollars."""
    unpriced_targets: frozenset[str] = frozenset()
    """Targets whose price is not known. Their cost is written as unknown, never as 0."""
    unpriced_allowed: bool = False
    """Whether such a target may be asked while a budget with a limit applies and something is left of it."""
    write_seconds: float = 5.0
    """A receipt that is not durable after this long counts as failed, and nothing is sent."""
    busy_seconds: float = 2.0
    """How long a write waits while another program holds the database."""
    keep_days: int = 400
    """Requests older than this are removed, at start and once a day. 0: never."""
    keep_bytes: int | None = None
    """Beyond this size of the database the oldest requests are removed. None: whatever its size."""
    taint_days: int = 90
    """A sensitive conversation that was not seen for this long is forgotten. Being seen starts the days anew."""
    taint_entries: int = 2_000_000
    """Upper bound of remembered conversation turns; beyond it the longest unseen are forgotten first."""
    max_bytes: int | None = None
    """The database never grows beyond this; when it is full, requests are refused. None: as the disk allows."""
    check_bytes: int = 64 * MIB
    """Up to this size the whole database is checked for damage at every start (about 1 s per GB)."""
