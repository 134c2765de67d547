"""Erases what is stored of a key, or of single conversations, beside a running gateway or without one.

Responses and conversations are sealed, so what belongs together is found by opening them; nothing of them is handed
out but ids.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from gateway.core.errors import AduanaError
from gateway.stored.database import Database
from gateway.stored.records import Conversation, StoredResponse, decode
from gateway.stored.sealing import Sealing, sealed_name

_UNBOUNDED = 2**62
_BUSY_SECONDS = 10.0
_RESPONSES = "resp_"
_CONVERSATIONS = "conv_"


class StoredRecords:
    """A store's records, as whoever erases them sees them. As a context it lets go of the file at its end."""

    def __init__(self, file: Path) -> None:
        """Open a store.

        Raises:
            OSError: It can't be opened.
            sqlite3.Error: It can't be read, or is not ours.
        """
        self._database = Database(file, most_bytes=_UNBOUNDED, busy_seconds=_BUSY_SECONDS)

    def __enter__(self) -> "StoredRecords":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def of_owners(self, wanted: Callable[[str], bool]) -> dict[str, frozenset[str]]:
        """Return the ids of all that the wanted owners have."""
        return {owner: frozenset(self._database.all_ids(owner)) for owner in self._database.owners() if wanted(owner)}

    def owner_of(self, record_id: str) -> str | None:
        """Return who has a record; None: nobody."""
        return self._database.owner_of(record_id)

    def opened(self, owner: str, record_id: str, sealing: Sealing) -> bytes | None:
        """Return the content of a record; None: it is not there, or can't be opened."""
        sealed = self._database.read(record_id, owner, since=0.0)
        try:
            return None if sealed is None else sealing.open(sealed, sealed_name(owner, record_id))
        except AduanaError:
            return None

    def threads(self, owner: str, ids: Iterable[str], sealing: Sealing) -> set[str]:
        """Return the ids of all responses and conversations that hang together with these of one owner."""
        beside: defaultdict[str, set[str]] = defaultdict(set)
        there: set[str] = set()
        for name in self._database.all_ids(owner):
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
        """Delete records, and overwrite them in the file.

        Raises:
            sqlite3.Error: They can't be written.
        """
        self._database.delete_all(owner, ids)

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
