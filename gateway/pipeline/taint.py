"""The memory of sensitive conversations, as the pipeline uses it: hashes from `privacy`, storage in the ledger."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from gateway.core.labels import Label
from gateway.core.request import AnyRequest
from gateway.pipeline.passage_cache import PassageCache
from gateway.privacy.taint.conversation import answer_hashes, prefix_hashes, texts_of

T = TypeVar("T")
_INLINE = 64 * 1024  # characters; longer texts are worked through in a thread


class TaintStore(Protocol):
    """Store of hashes with their labels, across restarts. Its methods raise LedgerUnavailable where they fail."""

    async def taint_lookup(self, hashes: Sequence[bytes]) -> Mapping[bytes, Label]:
        """Return the labels of those hashes that are remembered."""

    async def taint_causes(self, hashes: Sequence[bytes]) -> frozenset[str] | None:
        """Return the categories that alone made these hashes sensitive; None: not known, or not only they."""

    async def taint_remember(self, hashes: Sequence[bytes], label: Label, causes: frozenset[str] | None = None) -> None:
        """Remember hashes with a label, which never falls; that is durable when this returns."""


class ConversationTaint:
    """Memory by which a conversation keeps the highest label of its turns, without any help from the client.

    It is two memories: turns and prefixes by their exact hashes, and passages of sensitive texts wherever they are
    quoted. What was seen in a request that was not sensitive is nothing that a sensitive one could give away: such
    passages (a template, a licence) are not remembered as sensitive, as far as this process knows.
    """

    def __init__(self, store: TaintStore, key: bytes) -> None:
        self._store = store
        self._key = key
        self._texts = PassageCache(key)

    async def recall(self, request: AnyRequest) -> bool:
        """Return whether an earlier turn of this conversation was sensitive.

        Raises:
            LedgerUnavailable: The memory can't be read; then the request is refused, since it is in doubt.
        """
        state, texts = self._texts.fresh(texts_of(request, shared=True))
        hashes = await self._hashes(request, tuple(texts.values()))
        found = await self._store.taint_lookup(hashes) if hashes else {}
        tainted = any(label is Label.SENSITIVE for label in found.values())
        if not tainted:
            self._texts.unknown(state, texts)
        return tainted

    async def causes(self, request: AnyRequest) -> frozenset[str] | None:
        """Return the categories that alone made earlier turns sensitive; None: not known, or not only they."""
        return await self._store.taint_causes(await self._hashes(request, texts_of(request, shared=True)))

    async def remember(self, request: AnyRequest, label: Label, causes: frozenset[str] | None = None) -> None:
        """Remember a request with its label; that is durable when this returns.

        `causes` has the categories that alone made the request sensitive; None: not only they did.
        """
        telling = await _worked(self._texts.telling, texts_of(request, shared=False))
        await self._keep((*prefix_hashes(request, self._key), *telling), label, causes)

    async def remember_answer(self, request: AnyRequest, answer: str, causes: frozenset[str] | None = None) -> None:
        """Remember the answer to a sensitive question as sensitive too, also in a conversation that begins with it."""
        telling = await _worked(self._texts.telling, (answer,))
        await self._keep((*answer_hashes(request, answer, self._key), *telling), Label.SENSITIVE, causes)

    async def harmless(self, request: AnyRequest) -> None:
        """Note that the request was decided on, and is not sensitive."""
        await _worked(self._texts.harmless, texts_of(request, shared=True))

    async def _hashes(self, request: AnyRequest, texts: tuple[str, ...]) -> tuple[bytes, ...]:
        """Return everything by which the request can be known."""
        return (*prefix_hashes(request, self._key), *await _worked(self._texts.looked_for, texts))

    async def _keep(self, hashes: Sequence[bytes], label: Label, causes: frozenset[str] | None) -> None:
        if hashes:
            self._texts.changed()
            await self._store.taint_remember(tuple(dict.fromkeys(hashes)), label, causes)


async def _worked(work: Callable[[tuple[str, ...]], T], texts: tuple[str, ...]) -> T:
    """Run the work on these texts: in a thread where they are long."""
    if sum(map(len, texts)) > _INLINE:
        return await asyncio.to_thread(work, texts)
    return work(texts)
