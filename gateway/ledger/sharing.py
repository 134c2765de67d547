"""What several gateways that share a ledger know of each other: who is alive, whose requests run, what is spent.

Every gateway has a number and a lease, which it renews. Requests without a settlement belong to a gateway; those of one
whose lease has ended are settled by whoever sees it.
INVARIANT: money is looked at and taken in the database, in the transaction of the receipt, under the one lock of all
writers: for all gateways together it is one step. So are requests and tokens (`shared_limits.py`).
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

import structlog

from gateway.core.limits import Account, Scope, is_daily
from gateway.ledger import recovery
from gateway.ledger.budgets import Budgets
from gateway.ledger.shared_limits import SharedLimits
from gateway.ledger.sql import Connection, Database
from gateway.ledger.writer import Tending

LOG = structlog.get_logger("aduana.ledger")
LEASE_SECONDS = 30.0
"""A gateway that gave the others no sign for this long counts as dead, unless settings say otherwise."""
_LOOK_SECONDS = 1.0  # between two looks at what others have spent
_RENEWALS = 4  # of a lease while it lasts
_NUMBER_BITS = 62  # of a gateway's number, which no other has or had
_SPENT = (
    "INSERT INTO spent VALUES {} ON CONFLICT (budget, period) DO UPDATE SET micros = spent.micros + excluded.micros"
)
_HOLDS = "INSERT INTO holds VALUES {} ON CONFLICT (seq, budget) DO UPDATE SET micros = holds.micros + excluded.micros"


class Sharing:
    """This gateway's part in a shared ledger. Used in the writer's thread alone, in its transactions."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        wall: Callable[[], float],
        today: Callable[[], date],
        budgets: Callable[[], Budgets],
        recorded: Callable[[Connection], Mapping[str, int]],
        tokens_today: Callable[[Connection], Mapping[tuple[Scope, str], int]],
    ) -> None:
        """Take part in nothing yet.

        Args:
            database: Where the ledger lies.
            lease_seconds: A gateway that gave no sign for this long counts as dead.
            wall: Unix seconds, for settlements.
            today: The day by which budgets count.
            budgets: The limits, and the mirror of what was spent.
            recorded: Adds up from the settlements what was spent, by the accounts' names.
            tokens_today: Adds up from the settlements the tokens that were used today.
        """
        self._database = database
        self._lease = lease_seconds
        self._wall = wall
        self._today = today
        self._budgets = budgets
        self._recorded = recorded
        self._number = 0
        self._renewed = self._looked = float("-inf")
        self._touched: set[str] = set()
        self.limits = SharedLimits(database, today=today, tokens_today=tokens_today)

    @property
    def tending(self) -> Tending:
        """Return what the writer does in each of its transactions."""
        return Tending(seconds=min(_LOOK_SECONDS, self._lease / _RENEWALS), work=self._tend)

    def join(self, connection: Connection) -> int:
        """Begin a lease, settle what dead gateways left open, and return how many requests that were."""
        # Drawn, not counted: whoever was taken for dead comes back under its own, which nobody else may have then.
        self._number = secrets.randbits(_NUMBER_BITS)
        connection.execute("INSERT INTO gateways VALUES (?, ?)", (self._number, self._database.now(connection)))
        self._begin_accounts(connection)
        return self._renew(connection)

    def leave(self, connection: Connection) -> None:
        """End the lease: what is still open belongs to nobody from now on."""
        connection.execute("DELETE FROM gateways WHERE number = ?", (self._number,))
        self._number = 0

    def admit(self, connection: Connection, seq: int) -> None:
        """Note that this gateway answers for a request."""
        connection.execute("INSERT INTO open_requests VALUES (?, ?)", (seq, self._number))

    def take(self, connection: Connection, seq: int, accounts: Sequence[Account], micros: int | None) -> str | None:
        """Set money aside and return None, or return the budget that does not allow for it and set nothing aside.

        A second time for the same request adds up. `micros` None: it costs an unknown sum.
        """
        budgets = self._budgets()
        if micros != 0:
            used = self._used(
                connection, [account.name for account in accounts if budgets.limit_of(account) is not None]
            )
            for account in accounts:
                if budgets.forbids(account, used.get(account.name, 0), micros):
                    return account.told
        if micros:
            names = {account.name for account in accounts}
            _insert(connection, _HOLDS, [(seq, name, micros) for name in sorted(names)])
            self._touched |= names
        return None

    def settled(
        self, connection: Connection, seq: int, names: Iterable[str], micros: int, tokens: int | None = None
    ) -> None:
        """Replace what was held for a request by what it cost; and by the tokens that it used, if it held some."""
        if tokens is not None:
            self.limits.ended(connection, seq, tokens)
        held = {name for (name,) in connection.execute("SELECT budget FROM holds WHERE seq = ?", (seq,))}
        connection.execute("DELETE FROM open_requests WHERE seq = ?", (seq,))  # and what was held for it
        drawn = held | set(names)
        if micros:
            today = self._today()
            _insert(connection, _SPENT, [(name, _period(name, today), micros) for name in sorted(drawn)])
        if micros or held:
            self._touched |= drawn

    def disown(self, connection: Connection, request_id: str) -> None:
        """Settle a request as `unknown`, if its receipt was written after all and it has no settlement."""
        row = connection.execute(
            "SELECT seq FROM open_requests JOIN receipts USING (seq) WHERE request_id = ? AND gateway = ?",
            (request_id, self._number),
        ).fetchone()
        if row is not None:
            self.limits.ended(connection, row[0], 0)  # nothing was sent for it
            self._settle_unknown(connection, row[0], request_id)

    def _begin_accounts(self, connection: Connection) -> None:
        """Add up what was spent of accounts that have a limit now and had none before, or not in this period."""
        today = self._today()
        names = self._budgets().limited()
        new = sorted(names - self._totals(connection, names)[0].keys())
        if new:
            spent = self._recorded(connection)
            _insert(connection, _SPENT, [(name, _period(name, today), spent[name]) for name in new if spent.get(name)])

    def _tend(self, connection: Connection) -> None:
        now = time.monotonic()
        if self._number and now - self._renewed >= self._lease / _RENEWALS:
            left = self._renew(connection)
            if left:
                LOG.warning("ledger.orphans_settled", requests=left)
        if now - self._looked >= _LOOK_SECONDS:
            self._mirror(connection, None)
            self._looked = now
        elif self._touched:
            self._mirror(connection, self._touched)
        self._touched = set()
        self.limits.tend(connection)

    def _renew(self, connection: Connection) -> int:
        """Renew the lease, settle what dead gateways left open, and return how many requests that were."""
        now = self._database.now(connection)
        renewed = connection.execute("UPDATE gateways SET seen = ? WHERE number = ?", (now, self._number))
        if not renewed.rowcount:  # this gateway could not write for so long that others took it for dead
            connection.execute("INSERT INTO gateways VALUES (?, ?)", (self._number, now))
            LOG.warning("ledger.lease_lost")
        connection.execute("DELETE FROM gateways WHERE seen < ?", (now - self._lease,))
        left = connection.execute(
            "SELECT seq, request_id FROM open_requests JOIN receipts USING (seq) "
            "WHERE gateway NOT IN (SELECT number FROM gateways) ORDER BY seq"
        ).fetchall()
        for seq, request_id in left:
            self._settle_unknown(connection, seq, request_id)
        self._renewed = time.monotonic()
        return len(left)

    def _settle_unknown(self, connection: Connection, seq: int, request_id: str) -> None:
        """Settle a request whose gateway is gone. What may have been spent counts as spent."""
        recovery.settle_orphan(connection, request_id, self._wall())
        self.limits.ended(connection, seq, None)
        row = connection.execute("SELECT cost_micros FROM settlements WHERE seq = ?", (seq,)).fetchone()
        self.settled(connection, seq, (), (row[0] or 0) if row is not None else 0)

    def _used(self, connection: Connection, names: Iterable[str]) -> dict[str, int]:
        spent, held = self._totals(connection, set(names))
        return {name: spent.get(name, 0) + held.get(name, 0) for name in spent.keys() | held.keys()}

    def _mirror(self, connection: Connection, names: set[str] | None) -> None:
        """Show what all gateways together have spent of these budgets; None: of all."""
        spent, held = self._totals(connection, names)
        self._budgets().mirror(spent, held, names)

    def _totals(self, connection: Connection, names: set[str] | None) -> tuple[dict[str, int], dict[str, int]]:
        today = self._today()
        periods = (today.isoformat(), f"{today:%Y-%m}")
        only, values = "", tuple(sorted(names or ()))
        if names is not None:
            if not names:
                return {}, {}
            only = f"AND budget IN ({','.join('?' * len(names))})"
        spent = connection.execute(
            f"SELECT budget, micros FROM spent WHERE period IN (?, ?) {only}",  # noqa: S608 - only question marks
            (*periods, *values),
        ).fetchall()
        held = connection.execute(
            f"SELECT budget, sum(micros) FROM holds WHERE micros > 0 {only} GROUP BY budget",  # noqa: S608 - likewise
            values,
        ).fetchall()
        return dict(spent), {name: int(micros) for name, micros in held}


def alive(database: Database, connection: Connection, lease_seconds: float = LEASE_SECONDS) -> bool:
    """Return whether a gateway that shares this ledger has given a sign in the last seconds."""
    if not database.shared:
        return False
    since = database.now(connection) - lease_seconds
    return connection.execute("SELECT 1 FROM gateways WHERE seen >= ? LIMIT 1", (since,)).fetchone() is not None


def _insert(connection: Connection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert a few rows of three values by one statement."""
    if rows:
        connection.execute(sql.format(", ".join(["(?, ?, ?)"] * len(rows))), [value for row in rows for value in row])


def _period(name: str, today: date) -> str:
    return today.isoformat() if is_daily(name) else f"{today:%Y-%m}"
