"""Inspection of a request's document: the one way in, for the original and for the masked one afresh.

First everything that patterns and checksums find. Then, where a request would leave, what models find: the judge of
sensitivity, names and addresses, and at last the topics that a local model sees. INVARIANT: a part of inspection that
is configured and fails or is late is a doubt, never left out.
"""

import asyncio
import weakref
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Protocol

import msgspec

from gateway.core.document import strings
from gateway.core.errors import Unavailable
from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.labels import Label, Zone
from gateway.core.request import AnyRequest, ChatRequest, Inbound
from gateway.pipeline.attachments.attached import Attached
from gateway.pipeline.attachments.reading import Attachments
from gateway.pipeline.inspection_threads import InspectionThreads
from gateway.pipeline.judged_texts import perhaps_private, texts_of, unsure
from gateway.pipeline.ports import Inspecting
from gateway.policy import Decision, Evidence, Policy, decide, foresee
from gateway.privacy.detectors.named_entities import Entity, NamePolicy, findings_of, is_name, records
from gateway.privacy.masking.blanks import blanked
from gateway.privacy.masking.places import PseudonymPlaces
from gateway.privacy.sensitivity.judge import Judge, Judged, Late
from gateway.privacy.sensitivity.kinds import UNSURE
from gateway.privacy.sensitivity.units import units
from gateway.privacy.topic_questions import Judgement

# Scanning costs about 0.2 ms per KB at worst: longer documents go to a thread so that other streams keep flowing.
INLINE_BYTES = 16 * 1024
NO_ATTACHMENTS = Attached()
_NO_BLANKS: Mapping[str, str] = MappingProxyType({})


class Recognising(Protocol):
    """Finder of named entities. Whatever exception it raises becomes a doubt."""

    async def entities(self, texts: Sequence[str], seconds: float) -> Sequence[Sequence[Entity]]:
        """Return the entities of each text, in the order of the texts.

        Raises:
            TimeoutError: It would take more seconds of computing. What was found is kept for the next try.
        """


class Judging(Protocol):
    """Judge of topics. Whatever exception it raises becomes a doubt."""

    async def judgement(self, texts: Sequence[tuple[str, str]]) -> Judgement:
        """Judge what texts, given as (path, text), are about."""


class Topics(msgspec.Struct, frozen=True, kw_only=True):
    """The judge of topics, and how much of a request it reads."""

    judge: Judging
    only_unsure: bool = True  # where a judge of sensitivity reads every text, only those that it is unsure of
    characters: int = 20_000  # of one request; beyond them it counts as sensitive, for it would take too long


class Sensitivity(msgspec.Struct, frozen=True, kw_only=True):
    """The judge of sensitivity, with its limit."""

    judge: Judge
    unsure_is_doubt: bool = False  # what it can't read makes a request sensitive, whatever the policy says of findings
    characters: int = 400_000  # of one request; beyond them it counts as sensitive, for it would take too long


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """The search for names and addresses, with its limits."""

    recognition: Recognising
    policy: NamePolicy = NamePolicy.FULL
    seconds: float = 10.0  # of computing for one request; beyond them it counts as sensitive
    patience: float = 120.0  # seconds in which they must be had, where many wait for one core
    characters: int = 400_000  # of one request; beyond them it counts as sensitive, for it would take too long


class RequestInspection:
    """Inspection of a request's whole document. It knows no conversation: what earlier turns were is not its matter."""

    def __init__(
        self,
        inspector: Inspecting,
        names: Names | None = None,
        topics: Topics | None = None,
        threads: InspectionThreads | None = None,
        sensitivity: Sensitivity | None = None,
        attachments: Attachments | None = None,
    ) -> None:
        self._inspector = inspector
        self.attachments = attachments or Attachments()
        self._sensitivity = sensitivity
        self._names = names
        self._topics = topics
        self._threads = threads or InspectionThreads()
        # INVARIANT: an inspection holds for the very object that was inspected, which never changes; for no equal one.
        self._examined: dict[int, tuple[weakref.ref[AnyRequest], Inspection]] = {}

    async def examine(self, request: AnyRequest, size: int, *, letters: bool = True) -> Inspection:
        """Return what patterns and checksums find.

        `size` is about the number of bytes in the request's body; long documents are scanned in a thread. The answer is
        remembered as long as the request lives. Without `letters`, those of media in base64 are passed over: `decided`
        looks at them where the request would not be sensitive.

        Raises:
            Unavailable: It is long, and too many long ones wait already.
        """
        number = id(request)
        known = self._examined.get(number)
        if known is not None and known[0]() is request:
            return known[1]
        inspect = self._inspector.inspect
        if size > INLINE_BYTES:
            work = partial(inspect, request.document, request.media, letters=letters)
            inspection = await self._threads.run(work)
        else:
            inspection = inspect(request.document, request.media, letters=letters)
        if not inspection.doubts:  # what could not be looked at is looked at again
            gone = weakref.ref(request, lambda _: self._examined.pop(number, None))
            self._examined[number] = (gone, inspection)
        return inspection

    async def read(self, attached: Attached, key: str = "") -> Attached:
        """Return attachments as far as they can be read, with what patterns and checksums find in their texts.

        Keys whose files wait to be read take turns.
        """
        read = await self.attachments.read(attached, key)
        return await read.looked(self._examined_text)

    async def _examined_text(self, text: AnyRequest, known: Inspection) -> Inspection:
        if known.strings:
            return known
        size = sum(len(piece) for _, piece in strings(text.document))
        try:
            return await self.examine(text, size)
        except Unavailable:
            return _doubted(Inspection(), "time")

    async def weighed(
        self,
        request: AnyRequest,
        inspection: Inspection,
        blanks: Mapping[str, str] = _NO_BLANKS,
        read: Collection[str] = (),
    ) -> Inspection:
        """Return the inspection, joined by what the judge of sensitivity sees. Never raises.

        `blanks` are pseudonyms, with what the judge reads in their place; `read` are paths of parts that were read
        whole as attachments.
        """
        if self._sensitivity is None:
            return inspection
        every = units(blanked(texts_of(request, read), blanks))
        if sum(len(unit.text) for unit in every) > self._sensitivity.characters:
            return _doubted(inspection, "size")
        try:
            judged = await self._judged(self._sensitivity.judge, [unit.text for unit in every])
        except (Late, Unavailable):
            return _doubted(inspection, "time")
        except Exception:  # noqa: BLE001 - whatever it is, the request was not judged
            return _doubted(inspection, "detector_failed:judge")
        findings = [
            finding
            for unit, one in zip(every, judged, strict=True)
            for finding in self._sensitivity.judge.findings(unit, one)
        ]
        doubts: list[Doubt] = []
        if self._sensitivity.unsure_is_doubt:
            doubts = [Doubt(reason="unsure", path=finding.path) for finding in findings if finding.category == UNSURE]
            findings = [finding for finding in findings if finding.category != UNSURE]
        return msgspec.structs.replace(
            inspection, findings=(*inspection.findings, *findings), doubts=(*inspection.doubts, *doubts)
        )

    async def _judged(self, judge: Judge, texts: Sequence[str]) -> list[Judged]:
        """Return the judgements; a thread computes those that are new."""
        known = judge.known(texts)
        return known if known is not None else await self._threads.run(partial(judge.judge, texts))

    async def named(
        self,
        request: AnyRequest,
        inspection: Inspection,
        blanks: Mapping[str, str] = _NO_BLANKS,
        read: Collection[str] = (),
    ) -> Inspection:
        """Return the inspection, joined by the names and addresses that a model finds. Never raises.

        Texts that the judge is sure are nobody's affair are left out: names in them are those of history and of novels.
        A pseudonym, which is a key of `blanks`, is nobody's name or address.
        """
        if self._names is None:
            return inspection
        texts = texts_of(request, read)
        if self._sensitivity is not None and self._names.policy is not NamePolicy.ANY:
            texts = perhaps_private(texts, self._sensitivity.judge, blanks)
        if sum(len(text) for _, text in texts) > self._names.characters:
            return _doubted(inspection, "size")
        try:
            async with asyncio.timeout(self._names.patience):
                found = await self._names.recognition.entities([text for _, text in texts], self._names.seconds)
            both = (*inspection.findings, *await self._named(texts, found, self._names.policy))
        except (TimeoutError, Unavailable):
            return _doubted(inspection, "time")
        except Exception:  # noqa: BLE001 - whatever it is, the request was not searched
            return _doubted(inspection, "detector_failed:entities")
        own = PseudonymPlaces(strings(request.document), blanks)
        named = [
            (path, entity)
            for (path, _), entities in zip(texts, found, strict=True)
            for entity in entities
            if is_name(entity) and not own.hold(path, entity.start, entity.end)
        ]
        beside = [finding for finding in both if not own.hold(finding.path, finding.start, finding.end)]
        return msgspec.structs.replace(inspection, findings=(*both, *records(named, beside)))

    async def _named(
        self, texts: Sequence[tuple[str, str]], found: Sequence[Sequence[Entity]], policy: NamePolicy
    ) -> list[Finding]:
        """Return the findings in texts; of long ones a thread looks at what stands around each name."""

        def look() -> list[Finding]:
            return [
                finding
                for (path, text), entities in zip(texts, found, strict=True)
                for finding in findings_of(path, text, entities, policy)
            ]

        if sum(len(text) for _, text in texts) > INLINE_BYTES:
            return await self._threads.run(look)
        return look()

    async def judged(
        self,
        request: AnyRequest,
        inspection: Inspection,
        blanks: Mapping[str, str] = _NO_BLANKS,
        read: Collection[str] = (),
    ) -> Inspection:
        """Return the inspection, joined by the topics that a local model sees. Never raises."""
        if self._topics is None:
            return inspection
        texts = texts_of(request, read)
        if self._sensitivity is not None and self._topics.only_unsure:
            texts = unsure(texts, self._sensitivity.judge, blanks)
        if sum(len(text) for _, text in texts) > self._topics.characters:
            return _doubted(inspection, "size")
        try:
            seen = await self._topics.judge.judgement(texts)
        except TimeoutError:
            return _doubted(inspection, "time")
        except Exception:  # noqa: BLE001 - whatever it is, the request was not judged
            return _doubted(inspection, "detector_failed:topics")
        return msgspec.structs.replace(
            inspection, findings=(*inspection.findings, *seen.findings), doubts=(*inspection.doubts, *seen.doubts)
        )

    def reading_matters(self, evidence: Evidence, policy: Policy, attached: Attached) -> bool:
        """Return whether what attachments say can change where a request goes.

        It can where a cloud may get it with its attachments or would get it without their doubts, where a rule asks for
        what only reading tells, and where a local target is given text in their place. Else it stays at home anyway.
        """
        if not attached.unread or not self.attachments.available:
            return False
        if policy.asks_of_attachments() or _given_as_text(evidence, policy):
            return True
        views = [evidence]
        if attached.may_leave:
            views.append(msgspec.structs.replace(evidence, inspection=attached.undoubted(evidence.inspection)))
        return any(would_leave(decide(view, policy), view, policy) for view in views)

    async def decided(
        self, evidence: Evidence, policy: Policy, attached: Attached = NO_ATTACHMENTS
    ) -> tuple[Evidence, Decision, Attached]:
        """Decide about a request that was examined; where it would leave, look closer and decide again.

        The evidence that is returned is what the decision rests on: it has all that the closer look found, in the
        request and in its attachments.

        INVARIANT: letters that were passed over can't raise a request that is sensitive already. Every other one is
        decided on only after they were searched.

        Raises:
            Unavailable: They must be searched, and too many long requests wait already.
        """
        own = evidence.inspection
        if attached.items:
            evidence = msgspec.structs.replace(evidence, inspection=attached.joined(own))
        decision = decide(evidence, policy)
        if not own.letters and decision.label is not Label.SENSITIVE:
            own = await self._with_letters(own, evidence.inbound)
            evidence = msgspec.structs.replace(evidence, inspection=attached.joined(own))
            decision = decide(evidence, policy)
        for configured, look in (
            (self._sensitivity, self.weighed),
            (self._names, self.named),
            (self._topics, self.judged),
        ):
            if configured is not None and would_leave(decision, evidence, policy):
                own = await look(evidence.inbound.request, own, read=attached.leaving)
                attached = await attached.looked(look)
                evidence = msgspec.structs.replace(evidence, inspection=attached.joined(own))
                decision = decide(evidence, policy)
        return evidence, decision, attached

    async def _with_letters(self, inspection: Inspection, inbound: Inbound) -> Inspection:
        """Return an inspection, joined by what stands in the letters that it has passed over."""
        full = await self.examine(inbound.request, inbound.size)
        return msgspec.structs.replace(
            inspection,
            findings=tuple(dict.fromkeys((*inspection.findings, *full.findings))),
            doubts=tuple(dict.fromkeys((*inspection.doubts, *full.doubts))),
            letters=True,
        )

    async def examine_fully(self, request: AnyRequest, size: int, blanks: Mapping[str, str] = _NO_BLANKS) -> Inspection:
        """Return what patterns, the judge, the search for names and the judgement of topics find, one after the other.

        Attachments are read where they may leave; elsewhere each is a doubt, whatever it says.

        Raises:
            Unavailable: It is long, and too many long ones wait already.
        """
        own = await self.examine(request, size)
        attached = await self.attachments.found(request, own, size)
        if attached.may_leave:
            attached = await self.read(attached)
        for look in (self.weighed, self.named, self.judged):
            own = await look(request, own, blanks, attached.leaving)
        return (await self.looked_fully(attached)).joined(own)

    async def looked_fully(self, attached: Attached) -> Attached:
        """Return attachments that were read, with what the models see in their texts."""
        for look in (self.weighed, self.named, self.judged):
            attached = await attached.looked(look)
        return attached


def would_leave(decision: Decision, evidence: Evidence, policy: Policy) -> bool:
    """Return whether any attempt, or its shadow, may go to a cloud: as it is, or masked."""
    names = {candidate.target for candidate in decision.candidates} | {decision.overrides.shadow}
    targets = policy.catalog.targets
    if any(name in targets and targets[name].zone is Zone.CLOUD for name in names if name is not None):
        return True
    return foresee(decision, evidence, policy) is not None


def _given_as_text(evidence: Evidence, policy: Policy) -> bool:
    """Return whether a target of the request's model is given attachments of its kinds as text."""
    request = evidence.inbound.request
    alias = policy.catalog.resolve(request.model)
    if alias is None or not isinstance(request, ChatRequest):
        return False
    targets = [policy.catalog.targets[name] for name in policy.locals[alias.name]]
    return any(medium in info.given_as_text for info in targets for medium in request.media)


def _doubted(inspection: Inspection, reason: str) -> Inspection:
    return msgspec.structs.replace(inspection, doubts=(*inspection.doubts, Doubt(reason=reason, path="$")))
