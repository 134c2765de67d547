"""What a request continues, found in the store: items of earlier turns, with what they hand down."""

from collections.abc import Mapping, Sequence
from functools import reduce
from types import MappingProxyType

import msgspec

from gateway.core.errors import BadRequest, NotFound
from gateway.core.request import Inherited
from gateway.stored import ResponseStore, SealedSummaries
from gateway.wire.responses.compaction import summary_message
from gateway.wire.responses.stored_items import (
    Refers,
    conversation_not_found,
    id_of,
    is_sealed,
    missing,
    previous_not_found,
    response_of,
)

_NOTHING: Mapping[str, bytes] = MappingProxyType({})


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """Stored items that a request continues or names, and what it inherits from them.

    INVARIANT: whoever uses the items hands `inherited` on; None only where there are none.
    """

    items: tuple[bytes, ...] = ()
    referenced: Mapping[str, bytes] = _NOTHING  # by the ids under which the request names them
    inherited: Inherited | None = None
    renewed: tuple[str, ...] = ()  # records that live on for being continued


class Continuation:
    """Finder of what requests continue. Without a store there are only summaries that clients keep themselves."""

    def __init__(self, store: ResponseStore | None, summaries: SealedSummaries) -> None:
        self._store = store
        self._summaries = summaries

    async def earlier(self, owner: str, refers: Refers) -> Earlier:
        """Return what this owner's request continues.

        Raises:
            NotFound: Something of it is not there, or is another owner's.
            AduanaError: The store can't be read, or what it has was changed.
        """
        found = Earlier() if self._store is None else await self._continued(self._store, owner, refers)
        found = self._with_summaries(owner, [name for name in refers.items if is_sealed(name)], found)
        ids = [name for name in refers.items if not is_sealed(name)]
        if self._store is None or not ids:
            return found
        return await self._with_references(self._store, owner, ids, found)

    async def _continued(self, store: ResponseStore, owner: str, refers: Refers) -> Earlier:
        if refers.previous is not None:
            turns = await store.turns(owner, refers.previous)
            if not turns:
                raise previous_not_found(refers.previous)
            if any(turn.conversation is not None for turn in turns):  # the conversation has its other items
                raise BadRequest(
                    "'previous_response_id': this response belongs to a conversation. Send its id as 'conversation'.",
                    param="previous_response_id",
                    code="invalid_value",
                )
            return Earlier(
                items=tuple([item for turn in turns for item in (*turn.items, *turn.output)]),
                inherited=_joined([turn.inherited for turn in turns]),
                renewed=tuple([turn.id for turn in turns]),
            )
        if refers.conversation is not None:
            conversation = await store.conversation(owner, refers.conversation)
            if conversation is None:
                raise conversation_not_found(refers.conversation)
            return Earlier(items=conversation.items, inherited=conversation.inherited)
        return Earlier()

    def _with_summaries(self, owner: str, sealed: Sequence[str], found: Earlier) -> Earlier:
        summaries = {name: self._summaries.open(owner, name) for name in sealed}
        if not summaries:
            return found
        handed = [summary.inherited for summary in summaries.values()]
        return msgspec.structs.replace(
            found,
            referenced={name: summary_message(summary.text) for name, summary in summaries.items()},
            inherited=_joined([*handed, *([] if found.inherited is None else [found.inherited])]),
        )

    async def _with_references(self, store: ResponseStore, owner: str, names: Sequence[str], found: Earlier) -> Earlier:
        known = {id_of(item): item for item in found.items}
        handed = [] if found.inherited is None else [found.inherited]
        renewed = list(found.renewed)
        referenced = dict(found.referenced)
        for name in dict.fromkeys(names):
            if name not in known and (response := response_of(name)) is not None and response not in renewed:
                stored = await store.response(owner, response)
                if stored is not None:
                    known |= {id_of(item): item for item in (*stored.items, *stored.output)}
                    handed.append(stored.inherited)
                    renewed.append(stored.id)
            if name not in known:
                raise NotFound(missing("Item", name), param="input", code="item_not_found")
            referenced[name] = known[name]
        return Earlier(items=found.items, referenced=referenced, inherited=_joined(handed), renewed=tuple(renewed))


def _joined(inherited: Sequence[Inherited]) -> Inherited:
    return reduce(Inherited.joined, inherited, Inherited())
