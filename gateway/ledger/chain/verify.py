"""Examines a ledger: do rows, links and checkpoints agree, and what do they say about a period? Reads only."""

import bisect
import heapq
import itertools
import json
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from gateway.core.labels import Label, Zone
from gateway.ledger.chain.checkpoints import Checkpoint, ReadCheckpoints, parsed
from gateway.ledger.chain.claims import Watch
from gateway.ledger.chain.clock import Clock
from gateway.ledger.chain.commitments import (
    LATER_IN_RECEIPT,
    LATER_IN_SETTLEMENT,
    RECEIPT,
    SETTLEMENT,
    receipt_commitment,
    settlement_commitment,
)
from gateway.ledger.chain.findings import Examined, Fault, Problem, Removal
from gateway.ledger.chain.links import CLOUD, NOTHING, Link, LinkKind, letters
from gateway.ledger.packing.facts import OWN, unpacked
from gateway.ledger.packing.phrases import COLUMNS as SHARED
from gateway.ledger.sql import Connection

_R = (*RECEIPT, *LATER_IN_RECEIPT)
_S = (*SETTLEMENT, *LATER_IN_SETTLEMENT)
_L = ("number", "kind", "seq", "through", "at", "label", "zones", "commitment")
_MOST_PROBLEMS = 100
_RECEIPT = ", ".join(
    f"coalesce(nullif(r.{name}, ''), p.{name}, '')" if name in SHARED else f'r."{name}"' for name in _R
)
_GONE = "SELECT number, kind, at, seq, through FROM chain_links WHERE kind IN (4, 5) ORDER BY seq, number"
_ATTEMPTS = "SELECT target, error FROM attempts WHERE seq = ? ORDER BY number"
_WALK = (
    f"SELECT {', '.join(f'l.{name}' for name in _L)}, c.salt, r.seq, {_RECEIPT}, "  # noqa: S608 - our own names
    f"s.seq, {', '.join(f's.{name}' for name in _S)}, a.server, r.pattern FROM chain_links l "
    "LEFT JOIN chain_salts c ON c.seq = l.seq "
    f"LEFT JOIN receipts r ON r.seq = l.seq AND l.kind = {LinkKind.RECEIPT:d} "
    "LEFT JOIN phrases p ON p.number = r.phrase "
    f"LEFT JOIN settlements s ON s.seq = l.seq AND l.kind = {LinkKind.SETTLEMENT:d} "
    "LEFT JOIN answering_servers a ON a.seq = s.seq ORDER BY l.number"
)
_NAME = f"SELECT commitment FROM chain_links WHERE number = 1 AND kind = {LinkKind.BEGUN:d}"  # noqa: S608
_TIMES = (
    f"SELECT number, at FROM chain_links WHERE kind IN ({LinkKind.BEGUN:d}, {LinkKind.RECEIPT:d}) "  # noqa: S608
    "ORDER BY number"
)
_FACTS = RECEIPT.index("facts")
_own = itemgetter(*[RECEIPT.index(name) for name in OWN])
_ZONE = 1 + SETTLEMENT.index("zone")  # behind the number
_SALT_AT = len(_L)
_R_AT = _SALT_AT + 1
_S_AT = _R_AT + 1 + len(_R)


class Subjects(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked about: requests with one of these labels, and with one of these tags."""

    labels: tuple[Label, ...] = (Label.SENSITIVE,)
    tags: tuple[str, ...] = ()


_SENSITIVE = Subjects()
_NONE_READ = ReadCheckpoints()


def verify(
    connection: Connection,
    *,
    since: float | None = None,
    until: float | None = None,
    subjects: Subjects = _SENSITIVE,
    read: ReadCheckpoints = _NONE_READ,
    elsewhere: bool = False,
) -> Examined:
    """Walk along the whole chain, and return what was found.

    Args:
        connection: To the ledger, or to a copy; it need not be able to write.
        since: Begin of the period, Unix seconds; None: of everything.
        until: Its end, which is not part of it.
        subjects: What is asked about.
        read: Checkpoints to compare with, sorted out.
        elsewhere: They do not come from the ledger itself.
    """
    walk = _Walk(connection, since, until, subjects, read, elsewhere=elsewhere)
    walk.walk()
    return walk.examined()


class _Walk:
    """One way along the chain, from its first link to its last."""

    def __init__(
        self,
        connection: Connection,
        since: float | None,
        until: float | None,
        subjects: Subjects,
        read: ReadCheckpoints,
        *,
        elsewhere: bool,
    ) -> None:
        self._connection = connection
        begun = connection.execute(_NAME).fetchone()
        self._chain = bytes(begun[0]).hex() if begun is not None else ""
        self._since, self._until = since, until
        self._read, self._elsewhere = read, elsewhere
        self._clock = self._clock_of_links()
        self._watch = Watch(subjects.labels, subjects.tags)
        self._problems: list[Problem] = []
        self._more = 0
        self._begun: Link | None = None
        self._last: Link | None = None
        self._head = NOTHING
        self._whole = True  # no link is missing so far, so that heads can be compared
        self._links = 0
        self._seen = [0, 0]  # rows of receipts and settlements that links stand for
        self._requests: list[int] = []  # numbers of the links of the period's requests
        self._displaced = 0  # of them, that carry a time outside of it
        self._gone = {LinkKind.ERASED: 0, LinkKind.AGED: 0}
        self._places: Counter[tuple[int, str]] = Counter()
        self._open: dict[int, tuple[int, bool]] = {}  # receipts of the period without a settlement: label, masked
        self._masked_out = 0
        self._agreeing: list[Checkpoint] = []
        self._differs = False
        self._newer = 0
        self._removals = [
            Removal(number=number, kind=LinkKind(kind), at=at, first=first, last=last)
            for number, kind, at, first, last in connection.execute(_GONE)
        ]
        self._removed = _Removed(self._removals)
        self._patterns = {
            number: bytes(content)
            for number, content in connection.execute("SELECT number, content FROM fact_patterns")
        }

    def walk(self) -> None:
        """Look at every link in its order, then at what only the whole shows."""
        due = _Due(self._read.good)
        for row in self._connection.execute(_WALK):
            link = Link(*row[:_SALT_AT])
            self._links += 1
            self._follow(link)
            match link.kind:
                case LinkKind.BEGUN if link.number == 1:
                    self._begun = link
                case LinkKind.RECEIPT:
                    self._receipt(link, row[_SALT_AT], row[_R_AT], self._as_it_came(row))
                case LinkKind.SETTLEMENT:
                    self._settlement(link, row[_SALT_AT], row[_S_AT:-1])
                case _:
                    pass
            for checkpoint in due.at(link.number):
                self._compare(checkpoint)
            self._last = link
        self._end(due.rest())

    def _follow(self, link: Link) -> None:
        """Hang the link on the one before it."""
        expected = self._last.number + 1 if self._last is not None else 1
        if link.number != expected:
            self._wrong(Fault.LINK_MISSING, link, count=abs(link.number - expected))
            self._whole = False
        link = link._replace(commitment=bytes(link.commitment))
        self._head = link.head(self._head)

    def _as_it_came(self, row: Sequence[Any]) -> list[Any]:
        """Return what a receipt's row says, with its facts unpacked; facts that are damaged are none."""
        values = list(row[_R_AT + 1 : _S_AT])
        pattern = row[-1]
        if pattern is not None:
            try:
                values[_FACTS] = unpacked(bytes(values[_FACTS]), _own(values), self._patterns.get(pattern, b""))
            except ValueError:
                values[_FACTS] = b""
        return values

    def _receipt(self, link: Link, salt: bytes | None, seq: int | None, row: Sequence[Any]) -> None:
        inside = self._of_period(link)
        removed = self._removed.after(link)
        # A row beside a link that says it was removed is that of a later receipt, with the same number.
        values, sound = row if seq is not None and removed is None else None, False
        if inside:
            self._requests.append(link.number)
        if values is None:
            if removed is None:
                self._wrong(Fault.RECEIPT_REMOVED, link)
            elif inside:
                self._gone[removed] += 1
        else:
            self._seen[0] += 1
            sound = self._check_receipt(link, salt, values)
        if inside:
            said = None if values is None else dict(zip(_R, values, strict=True))
            masked = said is not None and said["masked"] not in ("[]", "", None)
            self._open[link.seq] = (link.label or 0, masked)
            self._watch.receipt(link, said if sound else None)

    def _check_receipt(self, link: Link, salt: bytes | None, values: Sequence[Any]) -> bool:
        """Note what is wrong with a row, and return whether it says what it said when it was written."""
        said = dict(zip(_R, values, strict=True))
        name = str(said["request_id"])
        if salt is None:
            self._wrong(Fault.SALT_REMOVED, link, name)
        elif receipt_commitment(bytes(salt), values) != bytes(link.commitment):
            self._wrong(Fault.RECEIPT_CHANGED, link, name)
        elif (
            link.label != said["label"]
            or link.at != int(said["received_at"])
            or (link.zones is not None and len(link.zones) != len(json.loads(said["permitted"])))
        ):
            self._wrong(Fault.LINK_CHANGED, link, name)
        else:
            return True
        return False

    def _settlement(self, link: Link, salt: bytes | None, row: Sequence[Any]) -> None:
        removed = self._removed.after(link)
        attempts: list[tuple[str, str]] = []
        if removed is None and row[0] is None:
            self._wrong(Fault.SETTLEMENT_REMOVED, link)
        elif removed is None:
            self._seen[1] += 1
            attempts = [(target, error) for target, error in self._connection.execute(_ATTEMPTS, (link.seq,))]
            if salt is None:
                self._wrong(Fault.SALT_REMOVED, link)
            elif settlement_commitment(bytes(salt), row[1:-1], attempts, row[-1]) != bytes(link.commitment):
                self._wrong(Fault.SETTLEMENT_CHANGED, link)
            elif (link.at, link.zones) != (int(row[1]), letters((Zone(row[_ZONE]),)) if row[_ZONE] else ""):
                self._wrong(Fault.LINK_CHANGED, link)
        opened = self._open.pop(link.seq, None)
        if opened is not None:
            label, masked = opened
            where = link.zones or ""
            self._places[label, where] += 1
            self._masked_out += masked and where == CLOUD
            self._watch.settlement(link, attempts)

    def _compare(self, checkpoint: Checkpoint) -> None:
        if checkpoint.chain != self._chain:
            return
        if checkpoint.head == self._head.hex():
            self._agreeing.append(checkpoint)
        elif not self._differs:  # the later ones differ as well
            self._differs = True
            self._problem(Problem(fault=Fault.CHECKPOINT_DIFFERS, number=checkpoint.number, at=checkpoint.at))

    def _end(self, beyond: Sequence[Checkpoint]) -> None:
        for label, _ in self._open.values():
            self._places[label, ""] += 1
        if self._begun is None:
            self._problem(Problem(fault=Fault.NO_BEGINNING))
        head = self._connection.execute("SELECT number, head FROM chain_head WHERE one = 1").fetchone()
        last = self._last.number if self._last is not None else 0
        if head is None or head[0] != last or (self._whole and bytes(head[1]) != self._head):
            self._problem(Problem(fault=Fault.HEAD_DIFFERS, number=last))
        for table, seen in zip(("receipts", "settlements"), self._seen, strict=True):
            query = f"SELECT count(*) FROM {table} WHERE seq > ?"  # noqa: S608 - our own names
            (rows,) = self._connection.execute(query, (self._begun.seq if self._begun is not None else 0,)).fetchone()
            if rows > seen:
                self._problem(Problem(fault=Fault.ADDED, count=rows - seen))
        own = [checkpoint for checkpoint in beyond if checkpoint.chain == self._chain]
        until = self._until
        over = until is not None and any(one.at >= until for one in self._agreeing)
        if own and until is not None and over and all(one.at >= until for one in own):
            self._newer = len(own)  # whatever became of what they cover, it is not of this period
        elif own:
            newest = own[-1]
            missing = newest.number - last
            self._problem(Problem(fault=Fault.CHECKPOINT_BEYOND, number=last, at=newest.at, count=missing))
        self._other_lines()

    def _other_lines(self) -> None:
        """Note lines of the file that prove nothing."""
        read = self._read
        if read.forged:
            self._problem(Problem(fault=Fault.FORGED, count=read.forged))
        others = [one for one in read.good if one.chain != self._chain]
        in_period = [one for one in others if self._since is None or one.at >= self._since]
        if in_period:
            self._problem(Problem(fault=Fault.OTHER_CHAIN, at=in_period[-1].at, count=len(in_period)))
        if read.foreign and not read.good:
            self._problem(Problem(fault=Fault.OTHER_KEY, count=read.foreign_lines))

    def examined(self) -> Examined:
        """Return everything that was found."""
        read = self._read
        last = max(self._agreeing, key=lambda one: (one.number, one.at), default=None)
        begun = self._begun
        before = 0
        if begun is not None:
            query = (
                "SELECT count(*) FROM receipts r LEFT JOIN chain_salts c ON c.seq = r.seq "
                "WHERE r.seq <= ? AND c.seq IS NULL AND r.received_at >= ? AND r.received_at < ?"
            )
            until = self._until if self._until is not None else 1e15
            (before,) = self._connection.execute(query, (begun.seq, self._since or 0.0, until)).fetchone()
        covered = last.number if last is not None else 0
        return Examined(
            chain=self._chain,
            begun=begun.at if begun is not None else None,
            before=int(before),
            links=self._links,
            last_at=self._last.at if self._last is not None else None,
            since=self._since,
            until=self._until,
            requests=len(self._requests),
            displaced=self._displaced,
            erased=self._gone[LinkKind.ERASED],
            aged=self._gone[LinkKind.AGED],
            removals=tuple(one for one in self._removals if self._inside(one.at)),
            places=tuple((label, where, count) for (label, where), count in sorted(self._places.items())),
            masked_out=self._masked_out,
            claims=self._watch.claims(),
            problems=tuple(self._problems),
            more_problems=self._more,
            checkpoints=len(self._agreeing),
            first_checkpoint=self._agreeing[0] if self._agreeing else None,
            last_checkpoint=last,
            unproved=len(self._requests) - bisect.bisect_right(self._requests, covered),
            newer=self._newer,
            own_newest=self._own_newest(last),
            elsewhere=self._elsewhere,
            unreadable=read.unreadable,
            foreign=read.foreign,
            other_chains=sum(one.chain != self._chain for one in read.good),
        )

    def _own_newest(self, last: Checkpoint | None) -> Checkpoint | None:
        """Return the ledger's own newest checkpoint, if it is newer than the last one that was given."""
        for (line,) in self._connection.execute("SELECT line FROM checkpoints ORDER BY place DESC LIMIT 1"):
            newest = parsed(line)
            if newest is not None and (last is None or newest.index > last.index):
                return newest
        return None

    def _clock_of_links(self) -> Clock:
        if self._since is None and self._until is None:
            return Clock(())  # where everything is asked about, times decide nothing
        signed = sorted((one.number, one.at) for one in self._read.good if one.chain == self._chain)
        return Clock(heapq.merge(self._connection.execute(_TIMES), signed, key=itemgetter(0)))

    def _of_period(self, link: Link) -> bool:
        """Return whether a request is one of the period: by the time that it carries, or by its place in the chain.

        Whoever sets the clock for a moment would else keep a request out of every period.
        """
        if self._inside(link.at):
            return True
        earliest, latest = self._clock.written(link.number, link.at)
        displaced = (self._since is None or latest >= self._since) and (self._until is None or earliest < self._until)
        self._displaced += displaced
        return displaced

    def _inside(self, at: float) -> bool:
        return (self._since is None or at >= self._since) and (self._until is None or at < self._until)

    def _wrong(self, fault: Fault, link: Link, name: str = "", *, count: int = 1) -> None:
        self._problem(Problem(fault=fault, number=link.number, at=link.at, request_id=name, count=count))

    def _problem(self, problem: Problem) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(problem)
        else:
            self._more += 1


class _Due:
    """Checkpoints in the order of the links that they cover."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._waiting = deque(sorted(checkpoints, key=lambda one: one.number))

    def at(self, number: int) -> Iterator[Checkpoint]:
        """Yield those up to a link. Where that one's own link is missing, they will differ."""
        while self._waiting and self._waiting[0].number <= number:
            yield self._waiting.popleft()

    def rest(self) -> list[Checkpoint]:
        """Return those beyond the last link."""
        return list(self._waiting)


class _Removed:
    """Receipts that were removed as it was written down, found by number and link."""

    def __init__(self, removals: Sequence[Removal]) -> None:
        """Take all removals, in the order of their first receipts."""
        self._removals = removals
        self._firsts = [one.first for one in removals]
        self._reach = list(itertools.accumulate((one.last for one in removals), max))

    def after(self, link: Link) -> LinkKind | None:
        """Return why what a link stands for was removed later; None: nothing says that it was.

        Numbers of removed receipts may be given out anew, so that only later removals count.
        """
        at = bisect.bisect_right(self._firsts, link.seq) - 1
        while at >= 0 and self._reach[at] >= link.seq:
            one = self._removals[at]
            if one.last >= link.seq and one.number > link.number:
                return one.kind
            at -= 1
        return None
