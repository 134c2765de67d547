"""The memory of sensitive conversations, as the pipeline uses it: hashes from `privacy`, storage in the ledger."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from gateway.core.finding import Trace, TraceKind
from gateway.core.labels import Label
from gateway.core.request import Inbound
from gateway.pipeline.inspection import INLINE_BYTES
from gateway.pipeline.memory.answer_memory import AnswerMemory
from gateway.pipeline.memory.passage_cache import PassageCache
from gateway.pipeline.memory.telling import told, told_attached
from gateway.pipeline.ports import AttachedText, Recollection
from gateway.policy import Sensitivity
from gateway.privacy.taint.conversation import Link, Turn, conversation_of, links, turns_of
from gateway.privacy.taint.document_texts import MOST_TEXTS, TooManyTexts, seams, since, texts_of
from gateway.privacy.taint.fingerprints import file_hash
from gateway.privacy.taint.scope import BetweenKeys, Scope

T = TypeVar("T")
_SCOPES = 1_000
_THREADS = 2  # that work on long requests: more of them would only slow the event loop down


class TaintStore(Protocol):
    """Store of hashes with their labels, across restarts. Its methods raise LedgerUnavailable where they fail."""

    async def taint_lookup(self, hashes: Sequence[bytes]) -> Mapping[bytes, Label]:
        """Return the labels of those hashes that are remembered."""

    async def taint_causes(self, hashes: Sequence[bytes]) -> frozenset[str] | None:
        """Return the categories that alone made these hashes sensitive; None: not known, or not only they."""

    async def taint_remember(self, hashes: Sequence[bytes], label: Label, causes: frozenset[str] | None = None) -> None:
        """Remember hashes with a label, which never falls; that is durable when this returns."""


class _Look(msgspec.Struct, frozen=True):
    """What is looked up of one text, and where it stands."""

    trace: Trace
    turn: int
    hashes: tuple[bytes, ...]
    mark: int | bytes | None = None
    seam: bool = False  # of several texts, so its place is where they end


class ConversationTaint:
    """Memory by which a conversation keeps the highest label of its turns, without any help from the client.

    It is three memories: passages of sensitive texts wherever they are quoted; the client's own lines; and the chain of
    its own turns. Taint follows what was found: neighbours that inspection cleared are free.
    """

    def __init__(
        self,
        store: TaintStore,
        key: bytes,
        between: BetweenKeys = BetweenKeys.PASSAGES,
        *,
        lost: bool = False,
        shared: bool = False,
    ) -> None:
        """Take the memory over.

        Args:
            store: Keeps the hashes.
            key: The secret that they are made with.
            between: What one key's requests may show of another's.
            shared: Others remember in the same store too, so that nothing stays unknown for having been so once.
            lost: What was remembered is gone: everything counts as sensitive, and nothing is learned from that.
        """
        self._lost = lost
        self._store = store
        self._key = key
        self._between = between
        self._texts = PassageCache(key, forgetful=shared)
        self._scopes: OrderedDict[str, Scope] = OrderedDict()
        self._threads = asyncio.Semaphore(_THREADS)

    async def recall(self, inbound: Inbound, attached: Sequence[AttachedText] = ()) -> Recollection:
        """Return what of a request, and of what was read of its attachments, is known as sensitive from before.

        Raises:
            LedgerUnavailable: The memory can't be read; then the request is refused, since it is in doubt.
        """
        if self._lost:
            conversation = await self._worked(inbound, lambda: self._conversation(inbound))
            return Recollection(traces=(Trace(kind=TraceKind.LOST, path="$"),), conversation=conversation)
        state = self._texts.state()
        try:
            looks, conversation = await self._worked(inbound, lambda: self._looks(inbound, state, attached))
        except TooManyTexts:
            conversation = await self._worked(inbound, lambda: self._conversation(inbound))
            return Recollection(traces=(Trace(kind=TraceKind.SIZE, path="$"),), turn=1, conversation=conversation)
        if not looks:
            return Recollection(conversation=conversation)
        hashes = [item for look in looks for item in look.hashes]
        found = await self._store.taint_lookup(hashes) if hashes else {}
        known = frozenset(item for item, label in found.items() if label is Label.SENSITIVE)
        hits = [look for look in looks if not known.isdisjoint(look.hashes)] if known else []
        # INVARIANT: a text counts as unknown only if nothing at all of it is known, neither a passage nor a line.
        self._texts.unknown(state, _marks(looks) - _marks(hits), self._scope(inbound).secret)
        if not hits:
            return Recollection(conversation=conversation)
        placed = [look for look in hits if not look.seam] or hits
        return Recollection(
            traces=tuple(dict.fromkeys(look.trace for look in placed)),
            turn=min(look.turn for look in placed),
            causes=await self._store.taint_causes(tuple(known)),
            conversation=conversation,
        )

    async def remember(
        self,
        inbound: Inbound,
        why: Sensitivity,
        recalled: Recollection,
        causes: frozenset[str] | None = None,
        attached: Sequence[AttachedText] = (),
    ) -> None:
        """Remember what of a sensitive request is sensitive; that is durable when this returns.

        `attached` has what was read of its attachments, `causes` the categories that alone made the request sensitive;
        None: not only they did.

        Raises:
            LedgerUnavailable: It can't be written.
        """
        if not why.lasting:
            return

        def hashes() -> tuple[bytes, ...]:
            found = told(inbound.request, why, self._texts, self._scope(inbound), attached)
            turns = [item.turn for item in (found, recalled) if item.turn]
            linked = (link.hash for link in self._links(inbound) if turns and link.turn >= min(turns))
            return (*found.hashes, *self._files(inbound, attached), *self._scope(inbound).short(linked))

        await self._keep(await self._worked(inbound, hashes), causes)

    async def remember_attached(self, inbound: Inbound, attached: Sequence[AttachedText]) -> None:
        """Remember attachments of a request that was remembered before they were read.

        Raises:
            LedgerUnavailable: It can't be written.
        """

        def hashes() -> tuple[bytes, ...]:
            found = told_attached(attached, self._texts, self._scope(inbound))
            return (*found, *self._files(inbound, attached))

        async with self._threads:
            found = await asyncio.to_thread(hashes)
        await self._keep(found, None)

    def _files(self, inbound: Inbound, attached: Sequence[AttachedText]) -> tuple[bytes, ...]:
        told_of = [file_hash(one.data, self._key) for one in attached if one.telling and one.data]
        return self._scope(inbound).passages(told_of)

    def answering(self, inbound: Inbound, causes: frozenset[str] | None = None) -> AnswerMemory:
        """Return the memory of the answer to a sensitive request, which is written ahead of what the client gets."""
        scope = self._scope(inbound)

        async def keep(passages: Sequence[bytes], short: Sequence[bytes]) -> None:
            await self._keep((*scope.passages(passages), *scope.short(short)), causes)

        return AnswerMemory(self._key, self._turns(inbound), keep, streamed=inbound.request.stream)

    async def left(self, inbound: Inbound) -> None:
        """Note that the request was public and has left for a cloud.

        Its texts (a template, a system prompt, tools) are then nothing that a later, sensitive request could give away.
        The conversation of that request is remembered all the same.
        """
        cache = self._texts

        def note() -> None:
            texts = texts_of(inbound.request)
            for text in texts:
                mark = cache.mark(text.text)
                cache.harmless(mark, partial(cache.of, mark, text.text))
            for plain, _ in seams(texts, ordered=False):
                mark = cache.mark(plain)
                cache.harmless(mark, partial(cache.of_seam, mark, plain))

        await self._worked(inbound, note)

    def _looks(
        self, inbound: Inbound, state: int, attached: Sequence[AttachedText]
    ) -> tuple[list[_Look], bytes | None]:
        """Return what is to be looked up of a request, and the hash of how its conversation begins."""
        cache, scope = self._texts, self._scope(inbound)
        texts = texts_of(inbound.request, MOST_TEXTS)
        if attached:
            texts = (*texts, *[text for one in attached for text in one.texts])
        looks: list[_Look] = []
        seen: set[int] = set()
        turns = max([text.turn for text in texts], default=0)
        for text in texts:
            mark = cache.mark(text.text)
            if mark in seen or cache.checked(state, mark, scope.secret):
                continue
            seen.add(mark)
            hashes, begins = cache.of(mark, text.text), since(text, turns)
            for kind, items in ((TraceKind.PASSAGE, hashes.passages), (TraceKind.LINE, hashes.lines)):
                looks.append(_Look(Trace(kind=kind, path=text.path), begins, scope.looked_for(items), mark))
        for plain, text in seams(texts, ordered=True, ends=cache.ends):
            mark = cache.mark(plain)
            own_mark = ~mark  # a text of the same letters has lines besides: it is not known by its seam's look
            if own_mark not in seen and not cache.checked(state, own_mark, scope.secret):
                seen.add(own_mark)
                items = scope.looked_for(cache.of_seam(mark, plain).passages)
                looks.append(
                    _Look(Trace(kind=TraceKind.PASSAGE, path=text.path), since(text, turns), items, own_mark, seam=True)
                )
        for one in attached:
            trace = Trace(kind=TraceKind.PASSAGE, path=one.path)
            turn = max([since(text, turns) for text in one.texts], default=1)
            looks.append(_Look(trace, turn, scope.looked_for((file_hash(one.data, self._key),))))
        linked = tuple(self._links(inbound))
        for link in linked:
            if not cache.checked(state, link.hash, scope.secret):
                trace = Trace(kind=TraceKind.CONVERSATION, path=f"$.messages[{link.message}]")
                looks.append(_Look(trace, link.turn, scope.looked_for((link.hash,)), link.hash))
        return looks, self._conversation_of(inbound, linked)

    def _links(self, inbound: Inbound) -> Iterable[Link]:
        return links(self._turns(inbound), self._key)

    def _turns(self, inbound: Inbound) -> list[tuple[int, Turn]]:
        return [(number, self._texts.turn(text, own=own)) for number, text, own in turns_of(inbound.request)]

    def _conversation(self, inbound: Inbound) -> bytes | None:
        return self._conversation_of(inbound, self._links(inbound))

    def _conversation_of(self, inbound: Inbound, linked: Iterable[Link]) -> bytes | None:
        return conversation_of(linked, self._key, (inbound.caller.key, inbound.caller.user))

    def _scope(self, inbound: Inbound) -> Scope:
        name = inbound.caller.key
        scope = self._scopes.get(name)
        if scope is None:
            self._scopes[name] = scope = Scope.of(name, self._between, self._key)
            if len(self._scopes) > _SCOPES:
                self._scopes.popitem(last=False)
        return scope

    async def _worked(self, inbound: Inbound, work: Callable[[], T]) -> T:
        """Run work on a request's texts: in a thread where they are long."""
        if inbound.size <= INLINE_BYTES:
            return work()
        async with self._threads:
            return await asyncio.to_thread(work)

    async def _keep(self, hashes: Sequence[bytes], causes: frozenset[str] | None) -> None:
        if hashes:
            self._texts.changed()  # the store knows it from here on, before it is durable
            try:
                await self._store.taint_remember(tuple(dict.fromkeys(hashes)), Label.SENSITIVE, causes)
            finally:  # a look before the write found nothing, and holds for nothing from now on
                self._texts.changed()


def _marks(looks: Iterable[_Look]) -> set[int | bytes]:
    return {look.mark for look in looks if look.mark is not None}
