"""Everything that is kept of a key, a user or a conversation: in the ledger and in what clients asked to keep."""

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from gateway.accounts.names import pseudonym
from gateway.app.conversation_key import KEY_FILE
from gateway.app.state.stores import BATCHES, homes
from gateway.batches.batch import Batch
from gateway.core.errors import BadRequest, Unavailable
from gateway.ledger.database.vacuum import empty_journal
from gateway.ledger.encryption import Seal
from gateway.ledger.keeping import erasure
from gateway.ledger.keeping.erasure import Found, Subject
from gateway.ledger.sql import Connection, Database
from gateway.settings import Settings
from gateway.stored import RESPONSES, StoredRecords

# Answers in every dialect have the number of their request: req_…, resp_…, chatcmpl-…, msg_….
_ANSWER = re.compile(r"[a-z]{3,10}[_-]([0-9a-f]{24})")
_CONVERSATION = re.compile(r"conv_[0-9a-f]{48}")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of somebody, before it is erased."""

    found: Found
    kind: str
    responses: Mapping[str, frozenset[str]]  # owner → ids in the store of responses
    files: Mapping[str, frozenset[str]]  # owner → ids in the store of files and batches
    batches_left: int = 0  # batches that a gateway is answering
    files_of_keys: bool = False  # there are files and batches, and none of them names the user

    @property
    def empty(self) -> bool:
        """Whether there is nothing to erase."""
        found = self.found
        return not (found.seqs or found.masks or any(self.responses.values()) or any(self.files.values()))


def kept_of(
    connection: Connection, settings: Settings, *, key: str, user: str, conversation: str, stopped: bool
) -> Kept:
    """Return what is kept of a key, a user (of that key, where one is named), or a conversation.

    Args:
        connection: The ledger.
        settings: The configuration: where things are kept.
        key: Name of an API key.
        user: Name of a user.
        conversation: Id of a stored conversation, or of any request or answer of the conversation.
        stopped: No gateway runs.

    Raises:
        BadRequest: There is no such id.
        Unavailable: What is stored can't be read.
    """
    state = settings.state_dir
    seal = _seal(state, b"aduana responses 1")
    owner = partial(_owned, key=key, names=names_of(user, state))
    with _records(settings, RESPONSES) as responses:
        if conversation:
            return _of_conversation(connection, conversation, responses, seal)
        subject = Subject(key=key, users=names_of(user, state))
        found = erasure.find(connection, subject)
        stored = responses.of_owners(owner) if responses is not None else {}
        if user:  # also what stands there as the key's: of a user whom a client only named
            stored = _joined(stored, _threads(found.requests, responses, seal))
    left, number, of_keys = frozenset[str](), 0, False
    with _records(settings, BATCHES) as files:
        kept = files.of_owners(owner) if files is not None else {}
        for name, ids in kept.items():
            if files is not None and not stopped:
                unfinished, count = _unfinished(files, name, ids, _seal(state, b"aduana batches 1"))
                left, number = left | unfinished, number + count
        of_keys = bool(user) and not kept and files is not None and bool(files.owners())
    return Kept(
        found=found,
        kind=subject.kind,
        responses=stored,
        files={name: ids - left for name, ids in kept.items()},
        batches_left=number,
        files_of_keys=of_keys,
    )


def names_of(user: str, state: Path) -> tuple[str, ...]:
    """Return the names by which a user may stand in the record: the plain one, and its pseudonym. Empty: nobody."""
    if not user:
        return ()
    try:
        return (user, pseudonym(user, (state / KEY_FILE).read_bytes()))
    except OSError:
        return (user,)


def _owned(owner: str, *, key: str, names: tuple[str, ...]) -> bool:
    """Return whether what this owner lets be kept is that of a key, of a user, or of both at once."""
    of_key, _, account = owner.partition("/")
    return (not key or of_key == key) and (not names or account in names)


def erase(database: Database, connection: Connection, settings: Settings, kept: Kept) -> bool:
    """Erase what is kept of somebody, and return whether the ledger's journal has nothing of it either.

    What was erased stays so, should the rest fail.

    Raises:
        Unavailable: What is stored can't be written.
    """
    # INVARIANT: the ledger last, for its receipts lead to what is stored: whoever is cut off can begin anew.
    for store, owners in ((RESPONSES, kept.responses), (BATCHES, kept.files)):
        with _records(settings, store) as records:
            for owner, ids in owners.items():
                if records is not None and ids:
                    records.erase(owner, ids)
    erasure.erase(database, connection, kept.found, kept.kind, time.time())
    return empty_journal(connection) if isinstance(connection, sqlite3.Connection) else True


def _of_conversation(connection: Connection, name: str, responses: StoredRecords | None, seal: Seal | None) -> Kept:
    """Return everything that hangs together with an id.

    Raises:
        BadRequest: It is no id.
    """
    answer = _ANSWER.fullmatch(name)
    if answer is None and not _CONVERSATION.fullmatch(name):
        raise BadRequest(
            f"{name[:100]!r} is no id. Write that of a request or of its answer, as the console and the header "
            "x-request-id show it (req_…), or that of a stored conversation (conv_…)."
        )
    first = name if answer is None else f"resp_{answer[1]}"
    stored: dict[str, frozenset[str]] = {}
    owner = responses.owner_of(first) if responses is not None else None
    if owner is not None and responses is not None and seal is not None:
        stored[owner] = frozenset(responses.threads(owner, {first}, seal))
    requests = _requests(stored) if answer is None else frozenset({f"req_{answer[1]}"})
    found = erasure.find(connection, Subject(requests=requests))
    while True:  # a request leads to its conversation, that to further requests, and they to what is stored of them
        stored = _joined(stored, _threads(found.requests, responses, seal))
        subject = Subject(conversations=found.conversations, requests=requests | _requests(stored))
        again = erasure.find(connection, subject)
        if again == found:
            return Kept(found=found, kind=subject.kind, responses=stored, files={})
        found = again


def _threads(
    requests: Iterable[tuple[str, str]], responses: StoredRecords | None, seal: Seal | None
) -> dict[str, frozenset[str]]:
    """Return what is stored of requests and of what hangs together with them, by owner."""
    if responses is None or seal is None:
        return {}
    ids: dict[str, set[str]] = {}
    for request_id, _ in requests:
        name = "resp_" + request_id.removeprefix("req_")
        owner = responses.owner_of(name)
        if owner is not None:
            ids.setdefault(owner, set()).add(name)
    return {owner: frozenset(responses.threads(owner, names, seal)) for owner, names in ids.items()}


def _requests(stored: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset(
        "req_" + name.removeprefix("resp_") for ids in stored.values() for name in ids if name.startswith("resp_")
    )


def _joined(one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return {owner: one.get(owner, frozenset()) | other.get(owner, frozenset()) for owner in {*one, *other}}


def _unfinished(files: StoredRecords, owner: str, ids: frozenset[str], seal: Seal | None) -> tuple[frozenset[str], int]:
    """Return the records of batches that have not ended, with their files, and how many such batches there are."""
    left: set[str] = set()
    count = 0
    for name in ids:
        if not name.startswith("batch_") or "/" in name:
            continue
        content = files.opened(owner, name, seal) if seal is not None else None
        try:
            batch = None if content is None else msgspec.msgpack.decode(content, type=Batch)
        except msgspec.DecodeError:
            batch = None
        if batch is None or batch.ended:
            continue
        count += 1
        whole = {one for one in (name, batch.input_file, batch.output_file, batch.error_file) if one is not None}
        left.update(one for one in ids if one.partition("/")[0] in whole)
    return frozenset(left), count


def _seal(state: Path, purpose: bytes) -> Seal | None:
    """Return what seals records; None: its key is lost, and with it what they say."""
    try:
        return Seal((state / KEY_FILE).read_bytes(), purpose)
    except OSError:
        return None


@contextmanager
def _records(settings: Settings, store: str) -> Iterator[StoredRecords | None]:
    """Open a store, wherever it has something; None: nowhere.

    Raises:
        Unavailable: It can't be read or written.
    """
    found = homes(settings, store)
    if not found:
        yield None
        return
    failures: tuple[type[Exception], ...] = tuple(kind for home in found for kind in home.failures)
    try:
        with StoredRecords(found) as records:
            yield records
    except failures as error:
        home = next(home for home in found if isinstance(error, home.failures))
        raise Unavailable(home.describe(error)) from error
