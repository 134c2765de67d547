"""One request from inspection to settlement, step by step, in the order of the map (`gateway/README.md`)."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import msgspec

from gateway.core.delta import Delta, Ranking, Tokenized
from gateway.core.delta import Embeddings as Vectors
from gateway.core.errors import NotFound
from gateway.core.events import Compared, Decided
from gateway.core.finding import Inspection
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome, Receipt, Reservation
from gateway.core.request import (
    AnyRequest,
    EmbeddingsRequest,
    GenerateRequest,
    Inbound,
    Inherited,
    RerankRequest,
    TokenizeRequest,
    endpoint_of,
)
from gateway.core.route import Route
from gateway.core.snapshot import Snapshot
from gateway.core.target import Alias, Catalog
from gateway.core.usage import Usage
from gateway.pipeline.case import Case, refused_route, telling
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.drain import DrainWindow
from gateway.pipeline.inheritance import recollected, upheld, with_tags
from gateway.pipeline.inspection import RequestInspection
from gateway.pipeline.masking import Masker
from gateway.pipeline.ports import Observer, PolicySource, Recollection, TaintPort
from gateway.pipeline.settlement import SettlementWriter
from gateway.pipeline.shadow import Shadows
from gateway.pipeline.snapshot import SnapshotBuilder
from gateway.policy import (
    Decision,
    Evidence,
    Explanation,
    Policy,
    causes_of,
    compare,
    decide,
    decide_whole,
    explain,
    facts_json,
    refusal_error,
    sensitivity_of,
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A generation that has begun: the target has produced its first delta.

    Whoever streams it calls `handed_over` as soon as its last frame was handed to the client's socket.
    """

    route: Route
    deltas: AsyncGenerator[Delta, None]
    handed_over: Callable[[], None]
    bequest: Inherited  # to whatever continues this request and its answer
    explanation: Explanation | None = None


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """Finished embeddings, and the way of their request."""

    route: Route
    vectors: Vectors


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """Texts in order, and the way of their request."""

    route: Route
    ranking: Ranking


class Converted(msgspec.Struct, frozen=True, kw_only=True):
    """Text and its tokens, and the way of their request."""

    route: Route
    tokenized: Tokenized


class Pipeline:
    """The steps of a request in their order. It owns no state but its parts."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        policies: PolicySource,
        request_inspection: RequestInspection,
        masker: Masker,
        snapshots: SnapshotBuilder,
        taint: TaintPort,
        dispatcher: Dispatcher,
        settlements: SettlementWriter,
        shadows: Shadows,
        observer: Observer,
        request_seconds: float,
        drain: DrainWindow | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._catalog = catalog
        self._policies = policies
        self._request_inspection = request_inspection
        self._masker = masker
        self._snapshots = snapshots
        self._taint = taint
        self._dispatcher = dispatcher
        self._settlements = settlements
        self._shadows = shadows
        self._observer = observer
        self._request_seconds = request_seconds
        self._drain = drain or DrainWindow()
        self._wall = wall

    @asynccontextmanager
    async def generate(
        self, inbound: Inbound, request: GenerateRequest, *, admitted: Callable[[Route], None] | None = None
    ) -> AsyncGenerator[Answer, None]:
        """Answer a chat or completion request. Leaving the context settles it, however it is left.

        `admitted` is called when the request was decided on and written down, before any target is asked: with its
        route, which names the target if only one may answer.

        Raises:
            AduanaError: The request is refused, or fails before its first delta. `Answer.deltas` raises what fails
                after that.
        """
        deadline = asyncio.get_running_loop().time() + self._request_seconds
        case = await self._admit(inbound)
        try:
            async with _settling(self._settlements, case):
                if admitted is not None:
                    admitted(case.route_ahead())
                async with self._drain.within():
                    opened = await self._dispatcher.open(case, request, deadline)
                memory = self._taint.answering(inbound, case.causes) if case.sensitivity.lasting else None
                try:
                    await self._left(case, opened.zone)
                    deltas = case.account.metered(opened.deltas)
                    yield Answer(
                        route=case.route(opened.target, opened.zone),
                        deltas=self._drain.bounded(deltas if memory is None else memory.ahead(deltas)),
                        handed_over=case.account.handed_over,
                        bequest=case.bequest(),
                    )
                finally:
                    await opened.deltas.aclose()
                    if memory is not None:  # also what a client that went away has of it
                        await self._settlements.also(memory.end())
        finally:
            if case.account.outcome is Outcome.OK:  # also where the client hung up behind the last frame
                self._shadows.follow(case, request)

    async def embed(self, inbound: Inbound, request: EmbeddingsRequest) -> Embedded:
        """Answer an embeddings request.

        Raises:
            AduanaError: The request is refused, or no target gives vectors.
        """
        deadline = asyncio.get_running_loop().time() + self._request_seconds
        case = await self._admit(inbound)
        async with _settling(self._settlements, case):
            async with self._drain.within():
                target, zone, vectors = await self._dispatcher.embed(case, request, deadline)
            await self._left(case, zone)
            case.account.embedded(vectors.usage)
            return Embedded(route=case.route(target, zone), vectors=vectors)

    async def rerank(self, inbound: Inbound, request: RerankRequest) -> Ranked:
        """Answer a rerank request.

        Raises:
            AduanaError: The request is refused, or no local target gives scores.
        """
        deadline = asyncio.get_running_loop().time() + self._request_seconds
        case = await self._admit(inbound)
        async with _settling(self._settlements, case):
            async with self._drain.within():
                target, zone, ranking = await self._dispatcher.rerank(case, request, deadline)
            case.account.embedded(ranking.usage)
            return Ranked(route=case.route(target, zone), ranking=ranking)

    async def tokenize(self, inbound: Inbound, request: TokenizeRequest) -> Converted:
        """Answer a request about a model's vocabulary or template.

        Raises:
            AduanaError: The request is refused, or no local target answers.
        """
        deadline = asyncio.get_running_loop().time() + self._request_seconds
        case = await self._admit(inbound)
        async with self._settlements.settling(case.account):
            async with self._drain.within():
                target, zone, tokenized = await self._dispatcher.tokenize(case, request, deadline)
            case.account.embedded(Usage())
            return Converted(route=case.route(target, zone), tokenized=tokenized)

    async def explain(self, inbound: Inbound) -> Explanation:
        """Explain the whole decision, rule by rule. Nothing is sent and nothing is written."""
        policy = self._policies.current
        inspection, _ = await self._inspect(inbound)
        alias = self._catalog.resolve(inbound.request.model)
        snapshot = await self._snapshots.snapshot(inbound, alias)
        evidence, first = await self._decided(inbound, inspection, snapshot, policy)
        masked = await self._masker.attempt(first, evidence, policy, keep=False)
        return explain(evidence, policy, masks=masked is not None)

    async def prompt_tokens(self, inbound: Inbound) -> int:
        """Count the tokens of the prompt: exactly where a local model counts them, else an estimate. Nothing is sent.

        Raises:
            NotFound: There is no model of this name for the caller.
        """
        alias = self._known_model(inbound)
        snapshot = await self._snapshots.snapshot(inbound, alias)
        counts = snapshot.prompt_tokens
        if len(set(counts.values())) > 1:  # models count differently: the one that would answer says it
            inspection, _ = await self._inspect(inbound)
            evidence = Evidence(inbound=inbound, inspection=inspection, snapshot=snapshot)
            for candidate in decide_whole(evidence, self._policies.current).candidates:
                if candidate.target in counts:
                    return counts[candidate.target]
        return snapshot.prompt_tokens_estimate or 0

    async def _admit(self, inbound: Inbound) -> Case:
        """Inspect a request, decide about it and write its receipt: steps 3 to 5 of the map.

        Raises:
            AduanaError: The request is refused; the refusal was written down.
        """
        alias = self._known_model(inbound)
        policy = self._policies.current
        clock = time.perf_counter
        begun = clock()
        inspection, recalled = await self._inspect(inbound)
        inspected = clock()
        snapshot = await self._snapshots.snapshot(inbound, alias)
        informed = clock()
        evidence, first = await self._decided(inbound, inspection, snapshot, policy)
        inbound = evidence.inbound
        masked = await self._masker.attempt(first, evidence, policy)
        decision = masked.decision if masked else first
        decided = clock()
        # INVARIANT: behind the receipt nothing may fail unsettled, so the candidate looks on before it.
        self._compare(evidence, decision)
        receipt = self._receipt(evidence, alias, decision)
        causes: frozenset[str] | None = None
        if masked is not None:
            receipt = msgspec.structs.replace(receipt, masked=masked.counts)
        sensitivity = sensitivity_of(first, evidence, policy)
        if sensitivity.lasting:
            causes = causes_of(first, evidence, policy)
            await self._taint.remember(inbound, sensitivity, recalled, causes)

        def tell() -> None:
            written = clock()
            leading = decision.candidates[0] if decision.candidates else None
            state = snapshot.targets.get(leading.target) if leading else None
            self._observer.on(
                Decided(
                    receipt=receipt,
                    first_zone=leading.zone if leading else None,
                    reason=decision.reason,
                    queue_wait_seconds=state.queue_wait_seconds if state else None,
                    unknown_tags=len(first.unknown_tags),
                    stages=(
                        ("parse", inbound.parse_seconds),
                        ("inspect", inspected - begun),
                        ("count", informed - inspected),
                        ("decide", decided - informed),
                        ("receipt", written - decided),
                        ("total", inbound.parse_seconds + written - begun),
                    ),
                )
            )

        # INVARIANT: behind what is remembered of it, for a refused request was heard as well.
        await self._refuse(evidence, policy, decision, receipt, tell)
        account = await self._settlements.receive(receipt, self._reservation(decision, snapshot))
        tell()
        return Case(
            evidence=evidence,
            policy=policy,
            decision=decision,
            account=account,
            first=first,
            masked=masked,
            sensitivity=sensitivity,
            causes=causes,
        )

    async def _decided(
        self, inbound: Inbound, inspection: Inspection, snapshot: Snapshot, policy: Policy
    ) -> tuple[Evidence, Decision]:
        """Decide about a request that was examined, with what it inherits; the evidence has all that was seen."""
        evidence = Evidence(inbound=with_tags(inbound), inspection=inspection, snapshot=snapshot)
        evidence, decision = await self._request_inspection.decided(evidence, policy)
        return upheld(evidence, inbound.tags, decision, lambda again: decide(again, policy))

    async def _refuse(
        self,
        evidence: Evidence,
        policy: Policy,
        decision: Decision,
        receipt: Receipt,
        written: Callable[[], None],
    ) -> None:
        """Refuse a request that is sent nowhere: the policy permits no target, or none of them has a place.

        Such a refusal is one record and asks nobody, so that a flood takes little from what is answered.

        Raises:
            AduanaError: It is refused; that was written down.
        """
        if decision.refusal is not None or not decision.candidates:
            error = refusal_error(decision)
            error.route = refused_route(decision, evidence, policy)
            await self._settlements.refuse(receipt, error, Outcome.REFUSED, written=written)
            raise error
        refusal = self._dispatcher.refusal(decision, evidence.inbound)
        if refusal is not None:
            attempts = refusal.attempts
            refusal.error.route = refused_route(decision, evidence, policy)
            await self._settlements.refuse(receipt, refusal.error, Outcome.ERROR, attempts=attempts, written=written)
            raise refusal.error

    def _compare(self, evidence: Evidence, decision: Decision) -> None:
        """Let the candidate policy decide too, as if masking left nothing, and tell observers the difference.

        Nothing is sent for it.
        """
        candidate = self._policies.candidate
        if candidate is None:
            return
        difference = compare(decision, decide_whole(evidence, candidate), evidence.snapshot)
        change, money = difference.change.value, difference.money
        self._observer.on(Compared(request_id=evidence.inbound.id, change=change, money=money))

    def _known_model(self, inbound: Inbound) -> Alias:
        model = inbound.request.model
        alias = self._catalog.resolve(model)
        caller = inbound.caller
        if alias is None or not caller.may_use(model, alias.name):
            names = sorted(name for name in self._catalog.aliases if caller.may_use(name, name))
            raise NotFound(
                f"The model {model[:100]!r} does not exist here. Ask for one of: {', '.join(names)}.",
                code="model_not_found",
                param="model",
            )
        return alias

    async def _inspect(self, inbound: Inbound) -> tuple[Inspection, Recollection]:
        inspection = await self._request_inspection.examine(inbound.request, inbound.size)
        recalled = recollected(await self._taint.recall(inbound), inbound.inherited)
        return recalled.joined(inspection), recalled

    async def _left(self, case: Case, zone: Zone) -> None:
        """Note what was public as it came, and has left as it came."""
        if zone is Zone.CLOUD and case.masked is None and case.first.label is Label.PUBLIC:
            await self._taint.left(case.evidence.inbound)

    def _reservation(self, decision: Decision, snapshot: Snapshot) -> Reservation | None:
        if not decision.candidates:
            return None
        first = decision.candidates[0]
        return self._dispatcher.reservation(first.target, snapshot)

    def _receipt(self, evidence: Evidence, alias: Alias, decision: Decision) -> Receipt:
        inbound, inspection = evidence.inbound, evidence.inspection
        request: AnyRequest = inbound.request
        counts: dict[str, int] = {}
        for finding in inspection.findings:
            counts[finding.category] = counts.get(finding.category, 0) + 1
        return Receipt(
            request_id=inbound.id,
            received_at=self._wall(),
            dialect=request.dialect,
            endpoint=endpoint_of(request),
            key=inbound.caller.key,
            user=inbound.caller.user,
            model=alias.name,
            stream=request.stream,
            label=decision.label,
            label_source=decision.label_source,
            tags=tuple(sorted(decision.tags)),
            categories=tuple(sorted(counts.items())),
            doubts=tuple(sorted({doubt.reason for doubt in inspection.doubts})),
            rule=decision.rule,
            permitted=tuple(candidate.target for candidate in decision.candidates),
            refusal=decision.refusal.code if decision.refusal else None,
            prompt_tokens=evidence.snapshot.prompt_tokens_estimate,
            policy_digest=decision.policy_digest,
            facts=facts_json(evidence),
            budget=decision.budget,
        )


@asynccontextmanager
async def _settling(settlements: SettlementWriter, case: Case) -> AsyncGenerator[None, None]:
    """Settle a request when the context is left; an error that leaves it tells what was decided."""
    with telling(case):
        async with settlements.settling(case.account):
            yield
