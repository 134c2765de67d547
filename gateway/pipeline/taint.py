"""The memory of sensitive conversations, as the pipeline uses it: hashes from `privacy`, storage in the ledger."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.core.labels import Label
from gateway.core.request import AnyRequest
from gateway.privacy.taint import answer_hashes, prefix_hashes


class TaintStore(Protocol):
    """Where hashes are kept with their label, across restarts."""

    async def taint_lookup(self, hashes: Sequence[bytes]) -> Mapping[bytes, Label]: ...
    async def taint_remember(self, hashes: Sequence[bytes], label: Label) -> None: ...


class ConversationTaint:
    """A conversation keeps the highest label of its turns, without any help from the client."""

    def __init__(self, store: TaintStore, key: bytes) -> None:
        self._store = store
        self._key = key

    async def recall(self, request: AnyRequest) -> bool:
        """Whether an earlier turn of this conversation was sensitive. Raises LedgerUnavailable: doubt refuses."""
        hashes = prefix_hashes(request, self._key)
        if not hashes:
            return False
        found = await self._store.taint_lookup(hashes)
        return any(label is Label.SENSITIVE for label in found.values())

    async def remember(self, request: AnyRequest, label: Label) -> None:
        """Durable when it returns."""
        hashes = prefix_hashes(request, self._key)
        if hashes:
            await self._store.taint_remember(hashes, label)

    async def remember_answer(self, request: AnyRequest, answer: str) -> None:
        """The answer to a sensitive question is sensitive too, also in a conversation that begins with it."""
        hashes = answer_hashes(request, answer, self._key)
        if hashes:
            await self._store.taint_remember(hashes, Label.SENSITIVE)
