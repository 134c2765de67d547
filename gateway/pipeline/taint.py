"""The memory of sensitive conversations, as the pipeline uses it: hashes from `privacy`, storage in the ledger."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.core.labels import Label
from gateway.core.request import AnyRequest
from gateway.privacy.taint import answer_hashes, prefix_hashes


class TaintStore(Protocol):
    """Where hashes are kept with their label, across restarts."""

    async def taint_lookup(self, hashes: Sequence[bytes]) -> Mapping[bytes, Label]: ...
    async def taint_causes(self, hashes: Sequence[bytes]) -> frozenset[str] | None: ...
    async def taint_remember(
        self, hashes: Sequence[bytes], label: Label, causes: frozenset[str] | None = None
    ) -> None: ...


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

    async def causes(self, request: AnyRequest) -> frozenset[str] | None:
        """Categories that alone made earlier turns sensitive; None: not known, or not only they."""
        return await self._store.taint_causes(prefix_hashes(request, self._key))

    async def remember(self, request: AnyRequest, label: Label, causes: frozenset[str] | None = None) -> None:
        """Durable when it returns. `causes`: categories that alone made the request sensitive; None: not only they."""
        hashes = prefix_hashes(request, self._key)
        if hashes:
            await self._store.taint_remember(hashes, label, causes)

    async def remember_answer(self, request: AnyRequest, answer: str, causes: frozenset[str] | None = None) -> None:
        """The answer to a sensitive question is sensitive too, also in a conversation that begins with it."""
        hashes = answer_hashes(request, answer, self._key)
        if hashes:
            await self._store.taint_remember(hashes, Label.SENSITIVE, causes)
