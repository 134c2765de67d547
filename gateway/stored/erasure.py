"""Erases what is stored of a key, or of single conversations, beside a running gateway or without one.

Responses and conversations are sealed, so what belongs together is found by opening them; nothing of them is handed
out but ids.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from gateway.core.errors import AduanaError
from gateway.stored.contract import RecordDatabase
from gateway.stored.homes import Home
from gateway.stored.records import Conversation, StoredResponse, decode
from gateway.stored.sealing import Sealing, sealed_name

_RESPONSES = "resp_"
_CONVERSATIONS = "conv_"


class StoredRecords:
    """A store's records, as whoever erases them sees them. As a context it lets go of them at its end."""

    def __init__(self, homes: Sequence[Home]) -> None:
        """Open a store, wherever it has something; raises its homes' `failures`, as all methods do."""
        self._databases: list[RecordDatabase] = []
        try:
            for home in homes:
                self._databases.append(home.open())
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> "StoredRecords":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def owners(self) -> set[str]:
        """Return everybody who has something."""
        return {owner for database in self._databases for owner in database.owners()}

    def of_owners(self, wanted: Callable[[str], bool]) -> dict[str, frozenset[str]]:
        """Return the ids of all that the wanted owners have."""
        return {owner: self._all_ids(owner) for owner in self.owners() if wanted(owner)}

    def owner_of(self, record_id: str) -> str | None:
        """Return who has a record; None: nobody."""
        found = (database.owner_of(record_id) for database in self._databases)
        return next((owner for owner in found if owner is not None), None)

    def opened(self, owner: str, record_id: str, sealing: Sealing) -> bytes | None:
        """Return the content of a record; None: it is not there, or can't be opened."""
        found = (database.read(record_id, owner, since=0.0) for database in self._databases)
        sealed = next((one for one in found if one is not None), None)
        try:
            return None if sealed is None else sealing.open(sealed, sealed_name(owner, record_id))
        except AduanaError:
            return None

    def threads(self, owner: str, ids: Iterable[str], sealing: Sealing) -> set[str]:
        """Return the ids of all responses and conversations that hang together with these of one owner."""
        beside: defaultdict[str, set[str]] = defaultdict(set)
        there: set[str] = set()
        for name in self._all_ids(owner):
            if not name.startswith((_RESPONSES, _CONVERSATIONS)):
                continue
            there.add(name)
            for other in self._links(owner, name, sealing):
                beside[name].add(other)
                beside[other].add(name)
        found: set[str] = set()
        waiting = list(ids)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += beside[name]
        return found & there

    def erase(self, owner: str, ids: Iterable[str]) -> None:
        """Delete records; in a file they are overwritten."""
        names = list(ids)
        for database in self._databases:
            database.delete_all(owner, names)

    def _all_ids(self, owner: str) -> frozenset[str]:
        return frozenset(name for database in self._databases for name in database.all_ids(owner))

    def _close(self) -> None:
        for database in self._databases:
            database.close()

    def _links(self, owner: str, record_id: str, sealing: Sealing) -> Iterable[str]:
        content = self.opened(owner, record_id, sealing)
        try:
            record = None if content is None else decode(content)
        except ValueError:
            return ()
        match record:
            case StoredResponse(previous=previous, conversation=conversation):
                return [name for name in (previous, conversation) if name is not None]
            case Conversation() | None:
                return ()
