"""Dispatch: the permitted targets are tried in order, until one has produced its first delta.

Only targets from the decision's own list are asked.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import TypedDict, TypeVar

import msgspec

from gateway.core.delta import Decisions, Delta, Embeddings, Ranking, Tokenized
from gateway.core.errors import (
    AduanaError,
    BudgetSpent,
    ContextLengthExceeded,
    TargetBusy,
    TargetError,
    TargetMisconfigured,
    TargetProtocolError,
    TargetTimeout,
    TargetUnavailable,
    Unavailable,
)
from gateway.core.events import Began, BudgetDenied, FellBack
from gateway.core.labels import Label, Zone
from gateway.core.limits import Claim, Full
from gateway.core.record import Reservation
from gateway.core.request import (
    AnyMediaRequest,
    Caller,
    DecisionsRequest,
    EmbeddingsRequest,
    GenerateRequest,
    Inbound,
    MediaRequest,
    RerankRequest,
    TokenizeRequest,
)
from gateway.core.route import Room
from gateway.core.snapshot import Budget
from gateway.core.usage import MICROS
from gateway.pipeline.attachments.addresses import refuse_addresses
from gateway.pipeline.attachments.as_text import taken_by
from gateway.pipeline.case import Case
from gateway.pipeline.masking import Outgoing
from gateway.pipeline.ports import CloudTarget, LedgerPort, LocalTarget, Observer
from gateway.pipeline.rate_limits import LimitTable, Need, RateLimiter, need_of
from gateway.pipeline.settlement import RequestAccount
from gateway.policy import Decision, Evidence, budget_refusal, mint, overridden
from gateway.privacy.inspection.sealed import SealedPieces
from gateway.privacy.masking.unmask_deltas import Unmasking

T = TypeVar("T")
_GUESSED_SECONDS = 5.0  # until a server that is gone may be back, where nothing says when
_BACKGROUND = -100  # the lowest priority that a policy can give


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that has begun: its first delta is there."""

    target: str
    zone: Zone
    first: Delta
    rest: AsyncGenerator[Delta, None]


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is sent nowhere: what the client is told, and the targets that have no place for it."""

    error: AduanaError
    attempts: tuple[tuple[str, str], ...] = ()  # (target, error code)


class Dispatcher:
    """Caller of the targets of both zones.

    INVARIANT: a cloud target is only ever called with a fresh clearance.
    """

    def __init__(
        self,
        *,
        local: Mapping[str, LocalTarget],
        cloud: Mapping[str, CloudTarget],
        ledger: LedgerPort,
        observer: Observer,
        sealed: SealedPieces | None = None,
        servers_fetch: bool = False,
        limiter: RateLimiter | None = None,
    ) -> None:
        """Keep the parts. `servers_fetch`: servers at home may ask for addresses in requests themselves."""
        self._local = local
        self._sealed = sealed or SealedPieces()
        self._cloud = cloud
        self._ledger = ledger
        self._servers_fetch = servers_fetch
        self._observer = observer
        self._limiter = limiter or RateLimiter(LimitTable(), observer=observer)

    def reservation(
        self, target: str, evidence: Evidence, decision: Decision, need: Need, *, caller: Caller | None = None
    ) -> Reservation:
        """Return what to set aside for a request on `target`: money, at the upper estimate, and shared limits.

        `caller`: whose limits it takes too, and those of its tags, which is done once.
        """
        zone = Zone.CLOUD if target in self._cloud else Zone.LOCAL
        claims: tuple[Claim, ...] = ()
        if self._limiter.shared:
            claims = self._limiter.claims(caller, decision.tags, target, need)
        return Reservation(
            target=target,
            zone=zone,
            micros=round(evidence.snapshot.prices.get(target, 0.0) * MICROS),
            accounts=self._limiter.table.accounts(evidence.inbound.caller, decision.tags, target),
            claims=claims,
        )

    def refusal(self, decision: Decision, inbound: Inbound, need: Need) -> "Refusal | None":
        """Return why no target has a place for a request now; None: one may have.

        Only where all that are permitted are local, or limited here: that is known at once, without asking them.
        """
        turn = _turn(decision, inbound)
        attempts: list[tuple[str, str]] = []
        refusals: list[TargetBusy] = []
        for candidate in decision.candidates:
            target = self._local.get(candidate.target)
            refusal = self._limiter.full(candidate.target, need)
            if refusal is None and target is not None:
                refusal = target.refusal(inbound.request, **turn)
            if refusal is None:
                return None
            attempts.append((candidate.target, refusal.code))
            refusals.append(refusal)
        if not refusals:
            return None
        self._limiter.turned_away(inbound.id, [target for target, _ in attempts], need)
        last = refusals[-1]
        last.retry_after = min((one.retry_after for one in refusals if one.retry_after is not None), default=None)
        return Refusal(error=last, attempts=tuple(attempts))

    def room(self, target: str | None, inbound: Inbound) -> Room | None:
        """Return the places that a request's key has left at a target; None: it limits nobody here."""
        local = None if target is None else self._local.get(target)
        return None if local is None else local.room(inbound.caller.owner)

    def open(
        self, case: Case, request: GenerateRequest | AnyMediaRequest, deadline: float
    ) -> Coroutine[None, None, Opened]:
        """Open the answer of the first target that begins to answer.

        Raises:
            AduanaError: No target begins; this is the last one's failure.
        """
        return self._first_success(case, partial(self._begin, case, case.account, request, deadline))

    async def open_one(
        self, case: Case, account: RequestAccount, target: str, request: GenerateRequest, deadline: float
    ) -> Opened:
        """Open the answer of this target or of none: for a shadow, whose account is its own.

        Raises:
            AduanaError: A budget does not allow for it, or the target fails.
        """
        if account.spent is not None:
            raise self._denied(case, account, target, account.spent)
        self._enter(case, account, target)
        return await self._begin(case, account, request, deadline, target)

    def _enter(self, case: Case, account: RequestAccount, target: str) -> None:
        """Note that a target is asked now, and count the request against its limits.

        Raises:
            TargetBusy: They have no room for it.
        """
        busy = self._limiter.enter(account.receipt.request_id, target, case.need)
        if busy is not None:
            raise busy
        self._asking(account, target)

    def _asking(self, account: RequestAccount, target: str) -> None:
        account.target = target
        account.zone = Zone.CLOUD if target in self._cloud else Zone.LOCAL
        account.progress.told, account.progress.server = False, ""
        self._observer.on(
            Began(request_id=account.receipt.request_id, target=target, zone=account.zone, progress=account.progress)
        )

    async def _begin(
        self,
        case: Case,
        account: RequestAccount,
        request: GenerateRequest | AnyMediaRequest,
        deadline: float,
        target: str,
    ) -> Opened:
        if isinstance(request, MediaRequest):
            stream = self._exchange(case, account, target, request, deadline)
        else:
            stream = self._stream(case, account, target, request, deadline)
        try:
            first = await anext(stream)
        except StopAsyncIteration:
            raise TargetProtocolError(f"The target {target!r} ended its answer before it began.") from None
        except BaseException:
            await stream.aclose()
            raise
        zone = Zone.CLOUD if target in self._cloud else Zone.LOCAL
        return Opened(target=target, zone=zone, first=first, rest=stream)

    async def embed(self, case: Case, request: EmbeddingsRequest, deadline: float) -> tuple[str, Zone, Embeddings]:
        """Return the first target that gives vectors, its zone and the vectors.

        Raises:
            AduanaError: No target gives any; this is the last one's failure.
        """

        async def ask(target: str) -> tuple[str, Zone, Embeddings]:
            if target in self._cloud:
                clearance = mint(case.decision, target, case.evidence.inbound, case.policy)
                return target, Zone.CLOUD, await self._cloud[target].embed(clearance, deadline=deadline)
            turn, progress = _turn(case.decision, case.evidence.inbound), case.account.progress
            local = self._local[target]
            return target, Zone.LOCAL, await local.embed(request, deadline=deadline, **turn, progress=progress)

        return await self._first_success(case, ask)

    async def rerank(self, case: Case, request: RerankRequest, deadline: float) -> tuple[str, Zone, Ranking]:
        """Return the first local target that gives scores, its zone and the scores.

        No cloud target ranks: none can be asked to, not even with a clearance.

        Raises:
            AduanaError: No target gives any; this is the last one's failure.
        """

        async def ask(target: str) -> tuple[str, Zone, Ranking]:
            turn, progress = _turn(case.decision, case.evidence.inbound), case.account.progress
            local = self._at_home(target, "ranking happens")
            return target, Zone.LOCAL, await local.rerank(request, deadline=deadline, **turn, progress=progress)

        return await self._first_success(case, ask)

    async def decide(self, case: Case, request: DecisionsRequest, deadline: float) -> tuple[str, Zone, Decisions]:
        """Return the first local target that answers the questions, its zone and the answers.

        No cloud target does: none can be asked to, not even with a clearance.

        Raises:
            AduanaError: No target does; this is the last one's failure.
        """

        async def ask(target: str) -> tuple[str, Zone, Decisions]:
            turn, progress = _turn(case.decision, case.evidence.inbound), case.account.progress
            local = self._at_home(target, "decisions happen")
            return target, Zone.LOCAL, await local.decide(request, deadline=deadline, **turn, progress=progress)

        return await self._first_success(case, ask)

    async def tokenize(self, case: Case, request: TokenizeRequest, deadline: float) -> tuple[str, Zone, Tokenized]:
        """Return the first local target that puts a text through its vocabulary or template, its zone and the result.

        No cloud target does: none can be asked to, not even with a clearance.

        Raises:
            AduanaError: No target does; this is the last one's failure.
        """

        async def ask(target: str) -> tuple[str, Zone, Tokenized]:
            isolation = case.evidence.inbound.caller.owner
            local = self._at_home(target, "texts are tokenised")
            return target, Zone.LOCAL, await local.tokenize(request, deadline=deadline, isolation=isolation)

        return await self._first_success(case, ask)

    def _at_home(self, target: str, what: str) -> LocalTarget:
        """Return a target at home; `what` is done by no other.

        Raises:
            TargetMisconfigured: It is in a cloud.
        """
        local = self._local.get(target)
        if local is None:
            raise TargetMisconfigured(f"The target {target!r} is in a cloud, and {what} locally only.")
        return local

    async def count(self, case: Case, deadline: float) -> tuple[str, int]:
        """Return the cloud target that is the decision's first, and the number of prompt tokens that it counts.

        Raises:
            AduanaError: A budget does not allow for it, or the target does not count.
        """
        account, target = case.account, case.decision.candidates[0].target
        if account.spent is not None:
            raise self._denied(case, account, target, account.spent)
        inbound = case.masked.inbound if case.masked else case.evidence.inbound
        clearance = mint(case.decision, target, inbound, case.policy)
        self._enter(case, account, target)
        return target, await self._cloud[target].count(clearance, deadline=deadline)

    def _stream(
        self, case: Case, account: RequestAccount, target: str, request: GenerateRequest, deadline: float
    ) -> AsyncGenerator[Delta, None]:
        masked = case.masked
        if target in self._cloud:
            inbound = masked.inbound if masked else case.evidence.inbound
            if account.receipt.shadow:  # what only compares is not asked with a client's own credential
                inbound = msgspec.structs.replace(inbound, credentials=())
            clearance = mint(case.decision, target, inbound, case.policy)
            fast = account.fast_path if masked is None else None
            answer = self._cloud[target].generate(clearance, deadline=deadline, fast=fast, extras=self._sealed.received)
            return answer if masked is None else _unmasked(answer, masked)
        if masked is not None and _may_have(case.first, target):
            masked = None  # its own decision lets the original go there, where no pseudonyms are needed
        info = case.policy.catalog.targets[target]
        wanted = taken_by(info, masked.request if masked else request, case.attached)
        self._check_addresses(case, target, wanted)
        wanted = overridden(wanted, case.decision.overrides)
        answer = self._local[target].generate(
            wanted,
            deadline=deadline,
            **_turn(case.decision, case.evidence.inbound),
            progress=account.progress,
            fast=account.fast_path if masked is None else None,
        )
        return answer if masked is None else _unmasked(answer, masked)

    def _exchange(
        self, case: Case, account: RequestAccount, target: str, request: AnyMediaRequest, deadline: float
    ) -> AsyncGenerator[Delta, None]:
        """Return the answer to a request for pictures, speech or a transcript. It is never masked."""
        if target in self._cloud:
            clearance = mint(case.decision, target, case.evidence.inbound, case.policy)
            return self._cloud[target].exchange(clearance, deadline=deadline)
        self._check_addresses(case, target, request)
        turn = _turn(case.decision, case.evidence.inbound)
        return self._local[target].exchange(request, deadline=deadline, **turn, progress=account.progress)

    def _check_addresses(self, case: Case, target: str, request: GenerateRequest | AnyMediaRequest) -> None:
        """Refuse a request by which a server at home would ask somebody outside of it for a file.

        Raises:
            BadRequest: It has such an address, and the owner does not let servers ask.
        """
        if case.policy.catalog.targets[target].kind != "embedded" and not self._servers_fetch:
            refuse_addresses(request)

    def _denied(self, case: Case, account: RequestAccount, target: str, denied: str | Full) -> AduanaError:
        """Return the error of a target that is not asked, because a budget or a shared limit has no room any more.

        It was taken by another request since this one's decision.
        """
        if isinstance(denied, Full):
            busy = self._limiter.busy(account.receipt.request_id, case.need, denied)
            account.attempts.append((target, busy.code))
            return busy
        budget = denied
        account.attempts.append((target, BudgetSpent.code))
        self._observer.on(BudgetDenied(request_id=account.receipt.request_id, budget=budget))
        inbound = case.evidence.inbound
        accounts = self._limiter.table.accounts(inbound.caller, case.decision.tags, target)
        state = self._ledger.budgets_of(inbound.caller.key, accounts).get(budget, Budget())
        refusal = budget_refusal(budget, state, case.evidence.snapshot.prices.get(target), case.evidence.snapshot.now)
        return BudgetSpent(refusal.message, retry_after=refusal.retry_after)

    async def _first_success(self, case: Case, attempt: Callable[[str], Awaitable[T]]) -> T:
        account = case.account
        last: AduanaError = Unavailable("No permitted target can answer now.")
        waits: list[float] = []
        for number, candidate in enumerate(case.decision.candidates):
            name = candidate.target
            spent = account.spent
            if number:
                previous = case.decision.candidates[number - 1].target
                reservation = self.reservation(name, case.evidence, case.decision, case.need)
                spent = await self._ledger.reserve(case.evidence.inbound.id, reservation)
                self._observer.on(FellBack(source=previous, target=name, reason=account.attempts[-1][1]))
            if spent is not None:
                denied = self._denied(case, account, name, spent)
                if isinstance(denied, TargetBusy) and denied.retry_after is not None:
                    waits.append(denied.retry_after)
                if isinstance(denied, TargetBusy) or not isinstance(last, TargetError):
                    last = denied  # what may pass by itself is said first
                continue
            try:
                self._enter(case, account, name)
                return await attempt(name)
            except (TargetError, ContextLengthExceeded) as error:
                account.attempts.append((name, error.code))
                if name in self._cloud and isinstance(error, TargetTimeout | TargetProtocolError):
                    account.sent_in_vain(name)
                account.target = account.zone = None
                last = error
                waits += () if error.retry_after is None else (error.retry_after,)
        if waits and isinstance(last, TargetError):
            last.retry_after = min(waits)  # whichever target is there first will do
        raise _final(last, case.decision.label, self._soonest(case.decision))

    def _soonest(self, decision: Decision) -> float | None:
        """Return after how many seconds the first of the local targets is tried again; None: nobody knows."""
        states = [self._local[one.target].state() for one in decision.candidates if one.target in self._local]
        return min((state.retry_in for state in states if state.retry_in is not None), default=None)


def needed(evidence: Evidence, decision: Decision) -> Need:
    """Return the tokens that a request may take, by its prompt and the answer that it and the policy allow for."""
    tokens, cap = evidence.snapshot.prompt_tokens_estimate, decision.overrides.max_output_tokens
    return need_of(evidence.inbound.request, tokens, cap)


def _final(last: AduanaError, label: Label, soonest: float | None) -> AduanaError:
    """Return the error that the client is told after the last try.

    What must stay local and can't be served now may be served later, so a sensitive request is told to try again: when
    the target says, else when its breaker or its next load lets it be tried (`soonest`), else after a guess.
    """
    if label is Label.SENSITIVE and isinstance(last, TargetUnavailable):
        return Unavailable(
            f"{last.message} This request is sensitive, so it goes nowhere else. Try again later.",
            code=last.code,
            retry_after=last.retry_after or soonest or _GUESSED_SECONDS,
        )
    return last


class _Turn(TypedDict):
    """Whose turn it is in a local target's queue."""

    isolation: str
    priority: int


def _turn(decision: Decision, inbound: Inbound) -> _Turn:
    priority = min(decision.overrides.priority, _BACKGROUND) if inbound.background else decision.overrides.priority
    return {"isolation": inbound.caller.owner, "priority": priority}


def _may_have(first: Decision, target: str) -> bool:
    """Return whether the decision about the original permits a target."""
    return any(candidate.target == target for candidate in first.candidates)


async def _unmasked(deltas: AsyncGenerator[Delta, None], masked: Outgoing) -> AsyncGenerator[Delta, None]:
    """Yield an answer to a masked request, with each pseudonym replaced by what it stands for."""
    unmasking = Unmasking(masked.mapping, json_text=masked.json_text)
    try:
        async for delta in deltas:
            for restored in unmasking.feed(delta):
                yield restored
    finally:
        await deltas.aclose()
