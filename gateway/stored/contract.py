"""What a store asks of the database of its sealed records: a file of its own, or one that gateways share.

A record's id may have `/` and more behind it: then it is a part of the record that the rest names.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import msgspec

from gateway.stored.sealing import Sealing

T = TypeVar("T")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed record. `seen`: Unix seconds when it was made or last continued."""

    id: str
    owner: str
    seen: float
    sealed: bytes


class RecordDatabase(Protocol):
    """Database of sealed records, used by one thread. It sees ids, owners, sizes and times, never a content.

    INVARIANT: what a method has written survives a power cut.
    """

    @property
    def shared(self) -> bool:
        """Whether other gateways write to it too."""

    def interrupt(self) -> None:
        """Let what waits for a server that says nothing any more fail soon. Any thread."""

    def close(self) -> None:
        """Let go of it."""

    def check(self, sealing: Sealing, setting: str) -> None:
        """Look whether this seal opens what others have sealed.

        Raises:
            ConfigurationError: It does not.
        """

    def change(self, work: Callable[[], T]) -> T:
        """Do some work, which calls other methods, in one transaction: nobody changes what it has read."""

    def read(self, record_id: str, owner: str, *, since: float) -> bytes | None:
        """Return a sealed record that was made or continued `since` then; None: this owner has none."""

    def write(self, rows: tuple[Row, ...], *, renewed: tuple[str, ...] = ()) -> None:
        """Write records, all or none, and note of others of the same owner that they were continued.

        Beyond the size of one owner's, that owner's records that were not continued for the longest time go; beyond the
        size of all, those of whoever they are.
        """

    def delete(self, record_id: str, owner: str) -> None:
        """Delete a record of this owner."""

    def delete_whole(self, record_id: str, owner: str, *, itself: bool = True) -> None:
        """Delete a record of this owner with its parts, or its parts alone."""

    def delete_orphans(self, before: float) -> None:
        """Delete the parts, made before then, of records that are not there."""

    def ids(self, prefix: str, owner: str | None, *, since: float) -> list[tuple[str, str]]:
        """Return owner and id of the records whose ids begin so, newest first; None: of every owner."""

    def parts(self, record_id: str, owner: str, *, since: float) -> list[str]:
        """Return what the ids of a record's parts have behind its own."""

    def owners(self) -> list[str]:
        """Return everybody who has a record."""

    def all_ids(self, owner: str) -> list[str]:
        """Return the ids of all records of an owner, parts as well."""

    def owner_of(self, record_id: str) -> str | None:
        """Return whose a record is; None: it is not there."""

    def delete_all(self, owner: str, ids: Iterable[str]) -> None:
        """Delete records of an owner."""

    def total(self, owner: str | None = None) -> int:
        """Return the bytes of an owner's records; None: of all."""

    def expire(self, before: float) -> None:
        """Delete what was neither made nor continued since then."""

    def take(self, names: Sequence[str], holder: str, seconds: float) -> tuple[str, bool] | None:
        """Take the first of these leases that no other gateway holds.

        Returns its name, and whether this holder was also the last one who had it; None: others hold them all.
        """

    def renew(self, names: Sequence[str], holder: str, seconds: float) -> list[str]:
        """Prolong leases, and return those that are still this holder's."""

    def release(self, names: Sequence[str], holder: str) -> None:
        """Let others have leases of this holder."""

    def holds(self, name: str, holder: str) -> bool:
        """Return whether a lease is this holder's: nobody else took it since."""
