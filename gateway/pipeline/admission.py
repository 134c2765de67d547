"""The way of a request until it is written down: inspected, decided on, and given its receipt, or refused."""

import time
from collections.abc import Callable

import msgspec

from gateway.core.errors import NotFound
from gateway.core.events import Compared, Decided
from gateway.core.limits import Full, Scope
from gateway.core.record import Outcome, Receipt, Whose
from gateway.core.request import AnyRequest, Inbound, MediaRequest, endpoint_of
from gateway.core.route import Route
from gateway.core.target import Alias, Catalog
from gateway.pipeline.case import Case, refused_route
from gateway.pipeline.dispatch import Dispatcher, needed
from gateway.pipeline.look import Look, Seen
from gateway.pipeline.masking import Masker
from gateway.pipeline.most_use import asked
from gateway.pipeline.ports import Observer, PolicySource
from gateway.pipeline.rate_limits import Need, RateLimiter
from gateway.pipeline.settlement import SettlementWriter
from gateway.policy import (
    Decision,
    Evidence,
    Policy,
    causes_of,
    compare,
    decide_whole,
    facts_json,
    refusal_error,
    sensitivity_of,
)


class Admission:
    """Steps 3 to 5 of the map (`gateway/README.md`). It owns no state but its parts."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        policies: PolicySource,
        look: Look,
        masker: Masker,
        dispatcher: Dispatcher,
        settlements: SettlementWriter,
        observer: Observer,
        recorded: Callable[[str | None], str | None] = lambda user: user,
        limiter: RateLimiter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Keep the parts. `recorded` returns what may be written down of a user; None: nothing."""
        self._recorded = recorded
        self._catalog = catalog
        self._policies = policies
        self._look = look
        self._masker = masker
        self._dispatcher = dispatcher
        self._settlements = settlements
        self._observer = observer
        self._limiter = limiter
        self._wall = wall

    def known_model(self, inbound: Inbound) -> Alias:
        """Return what a request's model name stands for.

        Raises:
            NotFound: There is no model of this name for the caller.
        """
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

    async def admit(self, inbound: Inbound) -> Case:
        """Inspect a request, decide about it and write its receipt.

        Raises:
            AduanaError: The request is refused; the refusal was written down.
        """
        alias = self.known_model(inbound)
        policy = self._policies.current
        clock = time.perf_counter
        seen = await self._look.at(inbound, alias, policy)
        evidence, first = seen.evidence, seen.first
        caller, conversation = inbound.caller, seen.recalled.conversation
        whose = Whose(key=caller.key, user=self._recorded(caller.user), conversation=conversation)
        masked = await self._masker.attempt(first, evidence, policy, whose=whose)
        decision = masked.decision if masked else first
        decided = clock()
        # INVARIANT: behind the receipt nothing may fail unsettled, so the candidate looks on before it.
        self._compare(evidence, decision)
        receipt = self._receipt(evidence, alias, decision, conversation)
        causes: frozenset[str] | None = None
        if masked is not None:
            receipt = msgspec.structs.replace(receipt, masked=masked.counts)
        sensitivity = sensitivity_of(first, evidence, policy)
        if sensitivity.lasting:
            causes = causes_of(first, evidence, policy)
            await self._look.remember(seen, sensitivity, causes, policy)

        def tell() -> None:
            self._observer.on(_told(receipt, decision, seen, decided, clock()))

        # INVARIANT: behind what is remembered of it, for a refused request was heard as well.
        need = needed(evidence, decision)
        await self._refuse(evidence, policy, decision, need, receipt, tell)
        reservation = self._dispatcher.reservation(
            decision.candidates[0].target, evidence, decision, need, caller=evidence.inbound.caller
        )
        account = await self._settlements.receive(receipt, reservation)
        if isinstance(account.spent, Full) and account.spent.scope is not Scope.TARGET:
            tell()
            limited = self._limiter.refused(inbound.id, caller, decision.tags, need, account.spent)
            self._settlements.refused(account, limited)
            limited.route = self._limited_route(evidence, policy, decision)
            raise limited
        request = evidence.inbound.request
        if isinstance(request, MediaRequest):
            account.asked = asked(request)
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
            need=need,
            attached=seen.attached.without_bytes(),
        )

    async def _refuse(
        self,
        evidence: Evidence,
        policy: Policy,
        decision: Decision,
        need: Need,
        receipt: Receipt,
        written: Callable[[], None],
    ) -> None:
        """Refuse a request that is sent nowhere.

        The policy permits no target, none of them has a place, or a limit has no room.
        INVARIANT: what a limit has room for is counted last of all, and nothing is awaited until the receipt is.
        Such a refusal is one record and asks nobody, so that a flood takes little from what is answered.

        Raises:
            AduanaError: It is refused; that was written down.
        """
        if decision.refusal is not None or not decision.candidates:
            error = refusal_error(decision)
            error.route = refused_route(decision, evidence, policy)
            await self._settlements.refuse(receipt, error, Outcome.REFUSED, written=written)
            raise error
        inbound = evidence.inbound
        refusal = self._dispatcher.refusal(decision, inbound, need)
        if refusal is not None:
            attempts = refusal.attempts
            room = self._dispatcher.room(decision.candidates[0].target, inbound)
            refusal.error.route = msgspec.structs.replace(refused_route(decision, evidence, policy), room=room)
            await self._settlements.refuse(receipt, refusal.error, Outcome.ERROR, attempts=attempts, written=written)
            raise refusal.error
        limited = self._limiter.admit(inbound.id, inbound.caller, decision.tags, need)
        if limited is not None:
            limited.route = self._limited_route(evidence, policy, decision)
            await self._settlements.refuse(receipt, limited, Outcome.REFUSED, written=written)
            raise limited

    def _limited_route(self, evidence: Evidence, policy: Policy, decision: Decision) -> Route:
        """Return the way of a request that limits refuse, with what is left of them."""
        room, tokens = self._limiter.rooms(evidence.inbound.caller, decision.tags)
        route = refused_route(decision, evidence, policy)
        return msgspec.structs.replace(route, refused=True, room=room, tokens=tokens)

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

    def _receipt(self, evidence: Evidence, alias: Alias, decision: Decision, conversation: bytes | None) -> Receipt:
        evidence = self._as_recorded(evidence)
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
            zones=tuple(candidate.zone for candidate in decision.candidates),
            conversation=conversation,
        )

    def _as_recorded(self, evidence: Evidence) -> Evidence:
        """Return the evidence with the user as it may be written down. INVARIANT: what is written is made of this."""
        caller = evidence.inbound.caller
        user = self._recorded(caller.user)
        if user == caller.user:
            return evidence
        inbound = msgspec.structs.replace(evidence.inbound, caller=msgspec.structs.replace(caller, user=user))
        return msgspec.structs.replace(evidence, inbound=inbound)


def _told(receipt: Receipt, decision: Decision, seen: Seen, decided: float, written: float) -> Decided:
    """Return what observers are told; `decided` and `written` are when that was done."""
    begun, inspected, informed = seen.times
    leading = decision.candidates[0] if decision.candidates else None
    state = seen.evidence.snapshot.targets.get(leading.target) if leading else None
    parsed = seen.evidence.inbound.parse_seconds
    return Decided(
        receipt=receipt,
        first_zone=leading.zone if leading else None,
        reason=decision.reason,
        queue_wait_seconds=state.queue_wait_seconds if state else None,
        unknown_tags=tuple(sorted(seen.first.unknown_tags)),
        stages=(
            ("parse", parsed),
            ("inspect", inspected - begun),
            ("count", informed - inspected),
            ("decide", decided - informed),
            ("receipt", written - decided),
            ("total", parsed + written - begun),
        ),
    )
