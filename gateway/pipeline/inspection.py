"""Inspection of a request's document: the one way in, for the original and for the masked one afresh.

First everything that patterns and checksums find. Then, where a request would leave, what models find: the judge of
sensitivity, names and addresses, and at last the topics that a local model sees. INVARIANT: a part of inspection that
is configured and fails or is late is a doubt, never left out.
"""

import asyncio
import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Protocol

import msgspec

from gateway.core.document import strings
from gateway.core.errors import Unavailable
from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.labels import Zone
from gateway.core.request import AnyRequest
from gateway.pipeline.inspection_threads import InspectionThreads
from gateway.pipeline.ports import Inspecting
from gateway.policy import Decision, Evidence, Policy, decide, foresee
from gateway.privacy.detectors.named_entities import Entity, NamePolicy, findings_of, is_name, is_speaker, records
from gateway.privacy.masking.blanks import blanked
from gateway.privacy.sensitivity import Judge, Judged, Late, units
from gateway.privacy.sensitivity.kinds import UNSURE
from gateway.privacy.topic_questions import Judgement

# Scanning costs about 0.2 ms per KB at worst: longer documents go to a thread so that other streams keep flowing.
INLINE_BYTES = 16 * 1024
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
    ) -> None:
        self._inspector = inspector
        self._sensitivity = sensitivity
        self._names = names
        self._topics = topics
        self._threads = threads or InspectionThreads()
        # INVARIANT: an inspection holds for the very object that was inspected, which never changes; for no equal one.
        self._examined: dict[int, tuple[weakref.ref[AnyRequest], Inspection]] = {}

    async def examine(self, request: AnyRequest, size: int) -> Inspection:
        """Return what patterns and checksums find.

        `size` is about the number of bytes in the request's body; long documents are scanned in a thread. The answer is
        remembered as long as the request lives.

        Raises:
            Unavailable: It is long, and too many long ones wait already.
        """
        number = id(request)
        known = self._examined.get(number)
        if known is not None and known[0]() is request:
            return known[1]
        if size > INLINE_BYTES:
            inspection = await self._threads.run(partial(self._inspector.inspect, request.document, request.media))
        else:
            inspection = self._inspector.inspect(request.document, request.media)
        if not inspection.doubts:  # what could not be looked at is looked at again
            gone = weakref.ref(request, lambda _: self._examined.pop(number, None))
            self._examined[number] = (gone, inspection)
        return inspection

    async def weighed(
        self, request: AnyRequest, inspection: Inspection, blanks: Mapping[str, str] = _NO_BLANKS
    ) -> Inspection:
        """Return the inspection, joined by what the judge of sensitivity sees. Never raises.

        `blanks` are pseudonyms, with what the judge reads in their place.
        """
        if self._sensitivity is None:
            return inspection
        every = units(blanked(_texts(request), blanks))
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

    async def named(self, request: AnyRequest, inspection: Inspection) -> Inspection:
        """Return the inspection, joined by the names and addresses that a model finds. Never raises.

        Texts that the judge is sure are nobody's affair are left out: names in them are those of history and of novels.
        """
        if self._names is None:
            return inspection
        texts = _texts(request) if self._names.policy is NamePolicy.ANY else self._perhaps_private(request)
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
        named = [
            (path, entity)
            for (path, _), entities in zip(texts, found, strict=True)
            for entity in entities
            if is_name(entity)
        ]
        return msgspec.structs.replace(inspection, findings=(*both, *records(named, both)))

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

    async def judged(self, request: AnyRequest, inspection: Inspection) -> Inspection:
        """Return the inspection, joined by the topics that a local model sees. Never raises."""
        if self._topics is None:
            return inspection
        texts = self._unsure(request) if self._topics.only_unsure else _texts(request)
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

    def _perhaps_private(self, request: AnyRequest) -> list[tuple[str, str]]:
        """Return the texts that may be somebody's affair; all, where the judge of sensitivity has not judged them."""
        texts = _texts(request)
        if self._sensitivity is None:
            return texts
        every = units(texts)
        judged = self._sensitivity.judge.known([unit.text for unit in every])
        if judged is None:
            return texts
        nobodys = self._sensitivity.judge.nobodys
        return [
            (path, text)
            for unit, one in zip(every, judged, strict=True)
            for path, text in unit.strings()
            if not nobodys(one) or is_speaker(path)
        ]

    def _unsure(self, request: AnyRequest) -> list[tuple[str, str]]:
        """Return the texts that the judge of sensitivity is not sure of; all, where it has not judged them."""
        texts = _texts(request)
        if self._sensitivity is None:
            return texts
        every = units(texts)
        judged = self._sensitivity.judge.known([unit.text for unit in every])
        if judged is None:
            return texts
        unsure = self._sensitivity.judge.unsure
        return [(unit.parts[0][1], unit.text) for unit, one in zip(every, judged, strict=True) if unsure(one)]

    async def decided(self, evidence: Evidence, policy: Policy) -> tuple[Evidence, Decision]:
        """Decide about a request that was examined; where it would leave, look closer and decide again.

        The evidence that is returned is what the decision rests on: it has all that the closer look found.
        """
        decision = decide(evidence, policy)
        for configured, look in (
            (self._sensitivity, self.weighed),
            (self._names, self.named),
            (self._topics, self.judged),
        ):
            if configured is not None and _would_leave(decision, evidence, policy):
                inspection = await look(evidence.inbound.request, evidence.inspection)
                evidence = msgspec.structs.replace(evidence, inspection=inspection)
                decision = decide(evidence, policy)
        return evidence, decision

    async def examine_fully(self, request: AnyRequest, size: int, blanks: Mapping[str, str] = _NO_BLANKS) -> Inspection:
        """Return what patterns, the judge, the search for names and the judgement of topics find, one after the other.

        Raises:
            Unavailable: It is long, and too many long ones wait already.
        """
        found = await self.weighed(request, await self.examine(request, size), blanks)
        return await self.judged(request, await self.named(request, found))


def _would_leave(decision: Decision, evidence: Evidence, policy: Policy) -> bool:
    """Return whether any attempt, or its shadow, may go to a cloud: as it is, or masked."""
    names = {candidate.target for candidate in decision.candidates} | {decision.overrides.shadow}
    targets = policy.catalog.targets
    if any(name in targets and targets[name].zone is Zone.CLOUD for name in names if name is not None):
        return True
    return foresee(decision, evidence, policy) is not None


def _texts(request: AnyRequest) -> list[tuple[str, str]]:
    return [(path, text) for path, text in strings(request.document) if any(map(str.isalpha, text))]


def _doubted(inspection: Inspection, reason: str) -> Inspection:
    return msgspec.structs.replace(inspection, doubts=(*inspection.doubts, Doubt(reason=reason, path="$")))
