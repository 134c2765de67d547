"""One request from inspection to settlement, step by step, in the order of the map (`gateway/README.md`)."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import TypeAlias, TypeVar

import msgspec

from gateway.core.delta import Decisions, Delta, Ranking, Tokenized
from gateway.core.delta import Embeddings as Vectors
from gateway.core.errors import AduanaError, Unavailable
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome
from gateway.core.request import (
    AnyMediaRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    GenerateRequest,
    Inbound,
    Inherited,
    MediaRequest,
    RerankRequest,
    TokenizeRequest,
)
from gateway.core.route import Route
from gateway.core.target import Catalog
from gateway.core.usage import Usage
from gateway.pipeline.admission import Admission
from gateway.pipeline.answer_deltas import passed_on
from gateway.pipeline.attachments.carried import Carriers
from gateway.pipeline.case import Case
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.drain import DrainWindow
from gateway.pipeline.inspection import RequestInspection
from gateway.pipeline.look import Look
from gateway.pipeline.masking import Masker
from gateway.pipeline.ports import Observer, PolicySource, TaintPort
from gateway.pipeline.rate_limits import LimitTable, RateLimiter
from gateway.pipeline.settlement import SettlementWriter
from gateway.pipeline.shadow import Shadows
from gateway.pipeline.snapshot import SnapshotBuilder
from gateway.policy import (
    Decision,
    Evidence,
    Explanation,
    decide_whole,
    explain,
)
from gateway.upstream.fast_path import Take

T = TypeVar("T")
Ask: TypeAlias = Callable[[Case, float], Awaitable[tuple[str, Zone, T]]]
"""Asks the targets of a case until a deadline, and returns one, its zone and its answer."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A generation that has begun: the target has produced its first delta.

    Whoever streams it calls `handed_over` as soon as its last frame was handed to the client's socket.
    """

    route: Route
    deltas: AsyncGenerator[Delta, None]
    handed_over: Callable[[], None]
    open_fast_path: Callable[[Take], None] | None = None  # for texts; None: each must be looked at before it goes on
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


class DecidedQuestions(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to questions, and the way of their request."""

    route: Route
    decisions: Decisions


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
        carriers: Carriers | None = None,
        recorded: Callable[[str | None], str | None] = lambda user: user,
        limiter: RateLimiter | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._catalog = catalog
        self._policies = policies
        self._look = Look(request_inspection, snapshots, taint, observer)
        self._masker = masker
        self._taint = taint
        self._dispatcher = dispatcher
        self._settlements = settlements
        self._shadows = shadows
        self._limiter = limiter or RateLimiter(LimitTable(), observer=observer)
        self._admission = Admission(
            catalog=catalog,
            policies=policies,
            look=self._look,
            masker=masker,
            dispatcher=dispatcher,
            settlements=settlements,
            observer=observer,
            recorded=recorded,
            limiter=self._limiter,
            wall=wall,
        )
        self._request_seconds = request_seconds
        self._drain = drain or DrainWindow()
        self._carriers = carriers or Carriers()

    @asynccontextmanager
    async def generate(
        self,
        inbound: Inbound,
        request: GenerateRequest | AnyMediaRequest,
        *,
        admitted: Callable[[Route], None] | None = None,
    ) -> AsyncGenerator[Answer, None]:
        """Answer a request delta by delta, whatever it asks for. Leaving the context settles it, however it is left.

        `admitted` is called when the request was decided on and written down, before any target is asked: with its
        route, which names the target if only one may answer.

        Raises:
            AduanaError: The request is refused, or fails before its first delta. `Answer.deltas` raises what fails
                after that.
        """
        deadline = asyncio.get_running_loop().time() + self._request_seconds
        self._admission.known_model(inbound)
        inbound, request = await self._carriers.carried(inbound, request)
        case = await self._admission.admit(inbound)
        wait = self._drain.wait(inbound.caller.key)
        try:
            with _Settling(self._settlements, case):
                if admitted is not None:
                    admitted(self._route(case, *case.ahead()))
                with wait:
                    opened = await self._dispatcher.open(case, request, deadline)
                target, zone, rest = opened.target, opened.zone, opened.rest
                memory = self._taint.answering(inbound, case.causes) if case.sensitivity.lasting else None
                try:
                    await self._left(case, zone)
                    deltas = passed_on(opened.first, rest, case.account, wait)
                    del opened  # its first delta may be large, and the answer long
                    yield Answer(
                        route=self._route(case, target, zone),
                        deltas=deltas if memory is None else memory.ahead(deltas),
                        handed_over=case.account.handed_over,
                        # INVARIANT: what is remembered ahead of the client goes through `memory` alone.
                        open_fast_path=case.account.open_fast_path if memory is None else None,
                        bequest=case.bequest(),
                    )
                finally:
                    await rest.aclose()
                    if memory is not None:  # also what a client that went away has of it
                        await self._settlements.also(memory.end())
        finally:
            if case.account.outcome is Outcome.OK and not isinstance(request, MediaRequest):
                self._shadows.follow(case, request)  # also where the client hung up behind the last frame

    async def embed(self, inbound: Inbound, request: EmbeddingsRequest) -> Embedded:
        """Answer an embeddings request.

        Raises:
            AduanaError: The request is refused, or no target gives vectors.
        """
        route, vectors = await self._in_one_piece(
            inbound, lambda case, deadline: self._dispatcher.embed(case, request, deadline), lambda found: found.usage
        )
        return Embedded(route=route, vectors=vectors)

    async def rerank(self, inbound: Inbound, request: RerankRequest) -> Ranked:
        """Answer a rerank request.

        Raises:
            AduanaError: The request is refused, or no local target gives scores.
        """
        route, ranking = await self._in_one_piece(
            inbound, lambda case, deadline: self._dispatcher.rerank(case, request, deadline), lambda found: found.usage
        )
        return Ranked(route=route, ranking=ranking)

    async def decide(self, inbound: Inbound, request: DecisionsRequest) -> DecidedQuestions:
        """Answer a request for decisions.

        Raises:
            AduanaError: The request is refused, or no local target answers the questions.
        """
        route, decisions = await self._in_one_piece(
            inbound, lambda case, deadline: self._dispatcher.decide(case, request, deadline), lambda found: found.usage
        )
        return DecidedQuestions(route=route, decisions=decisions)

    async def tokenize(self, inbound: Inbound, request: TokenizeRequest) -> Converted:
        """Answer a request about a model's vocabulary or template.

        Raises:
            AduanaError: The request is refused, or no local target answers.
        """
        route, tokenized = await self._in_one_piece(
            inbound, lambda case, deadline: self._dispatcher.tokenize(case, request, deadline), lambda _: Usage()
        )
        return Converted(route=route, tokenized=tokenized)

    async def _in_one_piece(self, inbound: Inbound, ask: Ask[T], used: Callable[[T], Usage]) -> tuple[Route, T]:
        """Return the way of a request, and its answer that comes in one piece.

        Args:
            inbound: The request.
            ask: Asks the decision's targets.
            used: Tells what an answer used.

        Raises:
            AduanaError: The request is refused, or no target answers.
        """
        deadline = asyncio.get_running_loop().time() + self._request_seconds
        case = await self._admission.admit(inbound)
        with _Settling(self._settlements, case):
            with self._drain.wait(inbound.caller.key):
                target, zone, found = await ask(case, deadline)
            await self._left(case, zone)
            case.account.embedded(used(found))
            return self._route(case, target, zone), found

    async def count_tokens(self, inbound: Inbound) -> tuple[int, Route | None]:
        """Count the tokens of the prompt as `prompt_tokens` does, or let the provider count to whom it would go.

        Only where that provider's target is set to be asked for it: the request then takes every step that one to be
        answered takes, and its way is returned as well. A provider that does not count leaves the estimate.

        Raises:
            NotFound: There is no model of this name for the caller.
        """
        if any(info.counts_tokens for info in self._catalog.targets.values()):
            alias, policy = self._admission.known_model(inbound), self._policies.current
            inbound, _ = await self._carriers.carried(inbound, inbound.request)
            seen = await self._look.at(inbound, alias, policy)
            masked = await self._masker.attempt(seen.first, seen.evidence, policy, keep=False)
            if self._counted_by_provider(masked.decision if masked else seen.first):
                with suppress(AduanaError):
                    return await self._counted(inbound)
        return await self.prompt_tokens(inbound), None

    def _route(self, case: Case, target: str | None, zone: Zone | None) -> Route:
        """Return a request's way with what is left of its limits, else with the places of its key where it leads."""
        inbound = case.evidence.inbound
        room, tokens = self._limiter.rooms(inbound.caller, case.decision.tags)
        if room is None:
            room = self._dispatcher.room(target, inbound)
        return case.route(target, zone, room, tokens)

    def _counted_by_provider(self, decision: Decision) -> bool:
        leading = decision.candidates[0] if decision.refusal is None and decision.candidates else None
        return leading is not None and self._catalog.targets[leading.target].counts_tokens

    async def _counted(self, inbound: Inbound) -> tuple[int, Route | None]:
        """Let the decision's first target count.

        Raises:
            Unavailable: Another decision was made meanwhile.
            AduanaError: The target does not count.
        """
        deadline = asyncio.get_running_loop().time() + self._request_seconds
        case = await self._admission.admit(inbound)
        with _Settling(self._settlements, case):
            if not self._counted_by_provider(case.decision):
                raise Unavailable("Another target would answer now.")
            case.account.usage = Usage()  # a count costs nothing, however it ends
            with self._drain.wait(inbound.caller.key):
                target, count = await self._dispatcher.count(case, deadline)
            await self._left(case, Zone.CLOUD)
            case.account.embedded(Usage())
            return count, case.route(target, Zone.CLOUD)

    async def explain(self, inbound: Inbound) -> Explanation:
        """Explain the whole decision, rule by rule. Nothing is sent and nothing is written."""
        policy = self._policies.current
        alias = self._catalog.resolve(inbound.request.model)
        inbound, _ = await self._carriers.carried(inbound, inbound.request)
        seen = await self._look.at(inbound, alias, policy, read=True)
        masked = await self._masker.attempt(seen.first, seen.evidence, policy, keep=False)
        return explain(seen.evidence, policy, masks=masked is not None)

    async def prompt_tokens(self, inbound: Inbound) -> int:
        """Count the tokens of the prompt: exactly where a local model counts them, else an estimate. Nothing is sent.

        Raises:
            NotFound: There is no model of this name for the caller.
        """
        alias = self._admission.known_model(inbound)
        inbound, _ = await self._carriers.carried(inbound, inbound.request)
        snapshot = await self._look.snapshot(inbound, alias, self._policies.current)
        counts = snapshot.prompt_tokens
        if len(set(counts.values())) > 1:  # models count differently: the one that would answer says it
            inspection = await self._look.inspection(inbound)
            evidence = Evidence(inbound=inbound, inspection=inspection, snapshot=snapshot)
            for candidate in decide_whole(evidence, self._policies.current).candidates:
                if candidate.target in counts:
                    return counts[candidate.target]
        return snapshot.prompt_tokens_estimate or 0

    async def close(self) -> None:
        """End what is still being read behind answers."""
        await self._look.close()

    async def _left(self, case: Case, zone: Zone) -> None:
        """Note what was public as it came, and has left as it came."""
        if zone is Zone.CLOUD and case.masked is None and case.first.label is Label.PUBLIC:
            await self._taint.left(case.evidence.inbound)


class _Settling:
    """Context that settles a request when it is left; an error that leaves it tells what was decided."""

    def __init__(self, settlements: SettlementWriter, case: Case) -> None:
        self._settlements = settlements
        self._case = case

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        case = self._case
        self._settlements.settle(case.account, error)
        if isinstance(error, AduanaError) and error.route is None:
            error.route = case.route(case.account.target, case.account.zone)
