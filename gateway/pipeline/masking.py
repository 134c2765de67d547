"""Masking of a request: the pure parts of `privacy` and `policy` in their order, and the conversation's mapping kept.

INVARIANT: whatever goes wrong, the answer is None, and the original stays where its own decision lets it go. A mapping
is durable before anything that was masked with it leaves. Mappings are in no log, metric or receipt.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol
from weakref import WeakValueDictionary

import msgspec

from gateway.core.document import JsonObject, strings
from gateway.core.errors import LedgerUnavailable, Unavailable
from gateway.core.finding import Finding, Inspection
from gateway.core.record import Whose
from gateway.core.request import AnyRequest, ChatRequest, CompletionRequest, GenerateRequest, Inbound
from gateway.pipeline.inheritance import least_masked
from gateway.pipeline.inspection import INLINE_BYTES
from gateway.pipeline.reread import reread
from gateway.policy import Decision, Evidence, Policy, decide_masked, foresee, label_without
from gateway.privacy.categories import covered, is_topic
from gateway.privacy.masking.blanks import blanks_of
from gateway.privacy.masking.mask import Masked, foreign, mask
from gateway.privacy.masking.pseudonyms import PseudonymEntry
from gateway.privacy.masking.residue import has_residue
from gateway.privacy.masking.unmask_text import PseudonymMapping
from gateway.privacy.taint.conversation import SHARED, beginnings

Examine = Callable[[AnyRequest, int, Mapping[str, str]], Awaitable[Inspection]]
_MESSAGE = re.compile(r"\$\.messages\[([0-9]+)\]")
_MOST_KEPT = 1_000  # values of a conversation, beyond those that its newest request has
_DECODER = msgspec.json.Decoder(list[PseudonymEntry])


class Kept(Protocol):
    """A conversation's mapping, as it is stored."""

    @property
    def name(self) -> bytes:
        """The mapping's own random name."""

    @property
    def sealed(self) -> bytes:
        """The mapping itself, unreadable without the key."""

    @property
    def links(self) -> frozenset[bytes]:
        """Hashes of the conversation's beginnings by which it is found."""


class MaskStore(Protocol):
    """Store of sealed mappings. Both methods raise LedgerUnavailable where they fail."""

    async def mask_lookup(self, hashes: Sequence[bytes]) -> Kept | None:
        """Return the mapping of the conversation whose beginnings these are; None: it has none."""

    async def mask_remember(self, name: bytes, sealed: bytes, hashes: Sequence[bytes], whose: Whose) -> None:
        """Keep a conversation's sealed mapping, which is erased with whom it belongs to; durable when this returns."""


class Sealing(Protocol):
    """Encryption that makes a mapping unreadable for whoever has only the database."""

    def seal(self, content: bytes, name: bytes) -> bytes:
        """Seal the content under the mapping's name."""

    def open(self, sealed: bytes, name: bytes) -> bytes:
        """Return the content of what was sealed under this name.

        Raises:
            LedgerUnavailable: It was sealed under another name or key.
        """


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may go out masked. `decision` is about `inbound`, which holds the masked request."""

    inbound: Inbound
    request: GenerateRequest
    decision: Decision
    mapping: PseudonymMapping
    counts: tuple[tuple[str, int], ...]

    @property
    def json_text(self) -> bool:
        """Whether the answer's text is JSON, because the client asked for that."""
        return self.request.response_format.kind in ("json_object", "json_schema")


class _Conversation(msgspec.Struct, kw_only=True):
    """A conversation's mapping as it is known before this request."""

    hashes: tuple[bytes, ...]
    link: bytes | None  # the beginning by which later turns will find it
    name: bytes = b""
    known: tuple[PseudonymEntry, ...] = ()
    linked: bool = False


class Masker:
    """Owner of the mappings while requests are under way. Without a store every request has a mapping of its own."""

    def __init__(
        self,
        *,
        examine: Examine,
        store: MaskStore | None = None,
        sealing: Sealing | None = None,
        key: bytes = b"",
        pick: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._examine = examine
        self._store = store
        self._sealing = sealing
        self._key = key
        self._pick = pick
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def attempt(
        self,
        first: Decision,
        evidence: Evidence,
        policy: Policy,
        *,
        keep: bool = True,
        whose: Whose | None = None,
    ) -> Outgoing | None:
        """Return the request masked, or None where that opens no cloud target or something is left.

        With `keep` False the conversation's mapping is neither read nor stored: for looking only. `whose`: by
        whom the mapping can be erased.
        """
        inbound = evidence.inbound
        request = inbound.request
        if not isinstance(request, ChatRequest | CompletionRequest):
            return None
        if foresee(first, evidence, policy) is None:
            return None
        findings = tuple(
            finding
            for finding in evidence.inspection.findings
            if covered(finding.category, first.mask) and not is_topic(finding.category)
        )
        mapped = self._conversation(inbound, request, findings)
        whose = whose or Whose(key=inbound.caller.key)
        try:
            # One request of a conversation after the other: both see one mapping.
            async with self._turn(mapped):
                if keep:
                    await self._recall(mapped)
                masked = await self._masked(inbound, findings, mapped.known, evidence.snapshot.language or "")
                if masked is None:
                    return None
                outgoing = await self._outgoing(first, evidence, request, masked, policy)
                if outgoing is not None and keep:
                    await self._remember(mapped, masked, whose)
                return outgoing
        except LedgerUnavailable:
            return None

    def _conversation(self, inbound: Inbound, request: AnyRequest, findings: Sequence[Finding]) -> _Conversation:
        if not isinstance(request, ChatRequest) or self._store is None:
            return _Conversation(hashes=(), link=None)
        # INVARIANT: two people behind one key never share a mapping, however alike they begin.
        whose = f"{inbound.caller.owner}\0{inbound.caller.user or ''}".encode("utf-8", "surrogatepass")
        key = blake2b(whose, key=self._key, digest_size=32, person=b"aduana-mask-key").digest()
        hashes = beginnings(request, key)
        places = [int(found[1]) for finding in findings if (found := _MESSAGE.match(finding.path))]
        own = next((n for n, message in enumerate(request.messages) if message.role not in SHARED), 0)
        link = hashes[max(own, min(places, default=own))] if findings and hashes else None
        return _Conversation(hashes=hashes, link=link)

    def _turn(self, conversation: _Conversation) -> asyncio.Lock:
        if conversation.link is None:
            return asyncio.Lock()
        return self._turns.setdefault(conversation.link, asyncio.Lock())

    async def _recall(self, conversation: _Conversation) -> None:
        if self._store is None or self._sealing is None or not conversation.hashes:
            return
        kept = await self._store.mask_lookup(conversation.hashes)
        if kept is None:
            return
        try:
            entries = _DECODER.decode(self._sealing.open(kept.sealed, kept.name))
        except msgspec.DecodeError as error:
            raise LedgerUnavailable("A conversation's mapping in the ledger can't be read.") from error
        conversation.name, conversation.known = kept.name, tuple(entries)
        conversation.linked = conversation.link in kept.links

    async def _remember(self, conversation: _Conversation, masked: Masked, whose: Whose) -> None:
        if self._store is None or self._sealing is None or conversation.link is None:
            return
        entries = masked.entries
        if len(entries) > _MOST_KEPT:
            text = "\n".join(text for _, text in strings(masked.document))
            entries = tuple(entry for entry in entries if entry.pseudonym in text)
        if conversation.linked and set(entries) == set(conversation.known):
            return
        name = conversation.name or secrets.token_bytes(16)
        sealed = self._sealing.seal(msgspec.json.encode(entries), name)
        await self._store.mask_remember(name, sealed, (conversation.link,), whose)

    async def _masked(
        self, inbound: Inbound, findings: Sequence[Finding], known: Sequence[PseudonymEntry], language: str
    ) -> Masked | None:
        document = inbound.request.document
        if inbound.size > INLINE_BYTES:
            return await asyncio.to_thread(self._whole, document, findings, known, language)
        return self._whole(document, findings, known, language)

    def _whole(
        self, document: JsonObject, findings: Sequence[Finding], known: Sequence[PseudonymEntry], language: str
    ) -> Masked | None:
        """Return the document masked, or None where one of the values can still be read in it."""
        masked = mask(document, findings, known, self._pick, language)
        if masked is None or has_residue(
            masked.document, [entry.original for entry in masked.entries], words=masked.parts
        ):
            return None
        return masked

    async def _outgoing(
        self, first: Decision, evidence: Evidence, original: GenerateRequest, masked: Masked, policy: Policy
    ) -> Outgoing | None:
        request = _read_again(original, masked)
        if request is None:
            return None
        try:
            fresh = await self._examine(request, evidence.inbound.size, blanks_of(masked.entries))
        except Unavailable:
            return None  # nobody can look at it afresh now, so the original stays at home
        fresh = msgspec.structs.replace(fresh, findings=foreign(fresh.findings, masked))
        outward = msgspec.structs.replace(evidence.inbound, request=request)
        decision = decide_masked(first, evidence, outward, fresh, policy)
        if decision is None or decision.label < least_masked(
            msgspec.structs.replace(evidence, inbound=outward), lambda alone: label_without(alone, policy, first.mask)
        ):
            return None
        return Outgoing(
            inbound=outward,
            request=request,
            decision=decision,
            mapping=PseudonymMapping(masked.entries),
            counts=masked.counts,
        )


def _read_again(original: GenerateRequest, masked: Masked) -> GenerateRequest | None:
    """Return the masked document as a request, or None where a pseudonym stands in a place that can't hold one."""
    request = reread(original, masked.document)
    if request is None:
        return None
    return msgspec.structs.replace(request, media=original.media | request.media, left_out=())
