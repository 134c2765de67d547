"""All that is seen of a request before it is decided on for good: its texts, its attachments, its past, the moment."""

import time
from functools import partial

import msgspec

from gateway.core.errors import Unavailable
from gateway.core.finding import Inspection
from gateway.core.request import Inbound, TranscriptionRequest
from gateway.core.snapshot import Snapshot
from gateway.core.target import Alias
from gateway.pipeline.attachments.attached import Attached
from gateway.pipeline.attachments.behind import ReadingsBehind
from gateway.pipeline.attachments.memory import as_remembered
from gateway.pipeline.inheritance import recollected, upheld, with_tags
from gateway.pipeline.inspection import NO_ATTACHMENTS, RequestInspection, would_leave
from gateway.pipeline.ports import Observer, Recollection, TaintPort
from gateway.pipeline.snapshot import SnapshotBuilder
from gateway.policy import Decision, Evidence, Policy, Sensitivity, decide, sensitivity_of

_READING_SECONDS = 5.0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a request, and decided about it as it came."""

    evidence: Evidence
    first: Decision
    recalled: Recollection
    attached: Attached
    times: tuple[float, float, float]  # when it began, was inspected, and the moment was known


class Look:
    """One way to look at a request: for answering it, and for explaining. Holds no state but its parts."""

    def __init__(
        self,
        request_inspection: RequestInspection,
        snapshots: SnapshotBuilder,
        taint: TaintPort,
        observer: Observer,
    ) -> None:
        self._request_inspection = request_inspection
        self._snapshots = snapshots
        self._taint = taint
        self._readings = ReadingsBehind(observer)

    async def at(self, inbound: Inbound, alias: Alias | None, policy: Policy, *, read: bool = False) -> Seen:
        """Inspect a request and decide about it. Attachments are read where that can matter, or with `read`."""
        begun = time.perf_counter()
        inspection, recalled = await self._inspect(inbound)
        attached = NO_ATTACHMENTS
        if inspection.doubts:  # an attachment is one, before it was read
            attached = await self._request_inspection.attachments.found(inbound.request, inspection, inbound.size)
        inspected = time.perf_counter()
        snapshot = await self._snapshots.snapshot(inbound, alias)
        informed = time.perf_counter()
        evidence = Evidence(inbound=with_tags(inbound), inspection=inspection, snapshot=snapshot)
        if attached.unread and (read or self._request_inspection.reading_matters(evidence, policy, attached)):
            attached = await self._request_inspection.read(attached, inbound.caller.key)
            recalled = await self._recalled(inbound, attached)
            snapshot = await self._snapshots.snapshot(inbound, alias, attached)
            evidence = Evidence(inbound=evidence.inbound, inspection=recalled.joined(inspection), snapshot=snapshot)
        own, before = evidence, attached
        evidence, first, attached = await self._decided(own, inbound, policy, before)
        busy = not read and self._readings.busy(inbound.caller.key)
        if busy and would_leave(first, evidence, policy) and await self._behind(inbound):
            recalled = await self._recalled(inbound, before)
            own = msgspec.structs.replace(own, inspection=recalled.joined(own.inspection))
            evidence, first, attached = await self._decided(own, inbound, policy, before)
        return Seen(
            evidence=evidence, first=first, recalled=recalled, attached=attached, times=(begun, inspected, informed)
        )

    async def _decided(
        self, own: Evidence, inbound: Inbound, policy: Policy, attached: Attached
    ) -> tuple[Evidence, Decision, Attached]:
        """Decide about a request that was examined, with what it inherits; the evidence has all that was seen."""
        evidence, decision, attached = await self._request_inspection.decided(own, policy, attached)
        return *upheld(evidence, inbound, decision, lambda again: decide(again, policy)), attached

    async def _behind(self, inbound: Inbound) -> bool:
        """Wait for what is still being read of this key's earlier attachments; return whether there was any.

        Raises:
            Unavailable: It takes too long.
        """
        try:
            return await self._readings.caught_up(inbound.caller.key)
        except TimeoutError:
            raise Unavailable(
                "Attachments of earlier requests are still being read. Please try again soon.",
                code="attachments_busy",
                retry_after=_READING_SECONDS,
            ) from None

    async def remember(
        self, seen: Seen, sensitivity: Sensitivity, causes: frozenset[str] | None, policy: Policy
    ) -> None:
        """Remember what of a sensitive request is sensitive; attachments that are not read yet are read behind it.

        Raises:
            LedgerUnavailable: It can't be written.
        """
        inbound, attached = seen.evidence.inbound, seen.attached
        if not attached.items:
            await self._taint.remember(inbound, sensitivity, seen.recalled, causes)
            return
        undoubted = attached.undoubted(seen.evidence.inspection)
        evidence = msgspec.structs.replace(seen.evidence, inspection=undoubted)
        every = sensitivity_of(seen.first, evidence, policy).whole
        texts = as_remembered(inbound.request, attached, every=every)
        await self._taint.remember(inbound, sensitivity, seen.recalled, causes, texts)
        attachments = self._request_inspection.attachments
        heard = isinstance(inbound.request, TranscriptionRequest)  # its answer is what its recording says
        if attached.unread and attachments.available and attachments.settings.remember and not heard:
            self._readings.start(inbound.caller.key, inbound.size, partial(self._read_behind, inbound, attached, every))

    async def _read_behind(self, inbound: Inbound, attached: Attached, every: bool) -> None:
        read = await self._request_inspection.read(attached, inbound.caller.key)
        read = await read.looked(self._request_inspection.weighed)
        await self._taint.remember_attached(inbound, as_remembered(inbound.request, read, every=every))

    async def inspection(self, inbound: Inbound) -> Inspection:
        """Return what patterns and checksums find in a request's texts, with what is known of them from before."""
        inspection, _ = await self._inspect(inbound)
        return inspection

    async def snapshot(self, inbound: Inbound, alias: Alias, policy: Policy) -> Snapshot:
        """Return the facts of the moment, for which attachments are read only where a target is given their text."""
        given_text = any(info.given_as_text for info in policy.catalog.targets.values())
        if inbound.request.media and given_text:
            return (await self.at(inbound, alias, policy)).evidence.snapshot
        return await self._snapshots.snapshot(inbound, alias)

    async def close(self) -> None:
        """End what is still being read behind answers."""
        await self._readings.close()

    async def _inspect(self, inbound: Inbound) -> tuple[Inspection, Recollection]:
        inspection = await self._request_inspection.examine(inbound.request, inbound.size, letters=False)
        recalled = recollected(await self._taint.recall(inbound), inbound.inherited)
        return recalled.joined(inspection), recalled

    async def _recalled(self, inbound: Inbound, attached: Attached) -> Recollection:
        texts = as_remembered(inbound.request, attached)
        recalled = await (self._taint.recall(inbound, texts) if texts else self._taint.recall(inbound))
        return recollected(recalled, inbound.inherited)
