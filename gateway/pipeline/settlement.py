"""Exactly one settlement for each receipt, however the request ends."""

import asyncio
import time
from array import array
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from io import StringIO

import msgspec

from gateway.core.delta import (
    Delta,
    Finish,
    ModelRefusal,
    Picture,
    Reasoning,
    Sound,
    Text,
    ToolCallPart,
    UsageReport,
)
from gateway.core.errors import AduanaError, TargetProtocolError
from gateway.core.events import Settled
from gateway.core.labels import Zone
from gateway.core.limits import Full
from gateway.core.progress import Progress
from gateway.core.record import Outcome, Receipt, Reservation, Settlement
from gateway.core.usage import Usage
from gateway.pipeline.ports import LedgerPort, Observer, Pricing
from gateway.pipeline.snapshot import CHARACTERS_PER_TOKEN
from gateway.upstream.fast_path import FastPath, Take

_KEPT = 64 * 1024  # characters of an answer that are kept while it is given, so that slow readers cost little


class ClientGone(ConnectionResetError):
    """The client closed the connection or stopped reading."""


class RequestAccount:
    """Record of what one request did so far. Owned by the request's own task."""

    def __init__(self, receipt: Receipt, reservation: Reservation | None, clock: Callable[[], float]) -> None:
        self.receipt = receipt
        self.reservation = reservation
        self.spent: str | Full | None = None  # the budget, or shared limit, that did not allow for the reservation
        self.target: str | None = None
        self.zone: Zone | None = None
        self.attempts: list[tuple[str, str]] = []
        self.vain: list[str] = []  # cloud targets that were sent the prompt and gave no answer
        self.begun = clock()
        self.first: float | None = None
        self.ended: float | None = None
        self.usage: Usage | None = None
        self.asked = Usage()  # beside tokens, such as pictures: a cloud counts it, whoever waits for it
        self.complete = False
        self.delivered = False
        self.outcome: Outcome | None = None  # None: not settled yet
        self.gaps = array("d")  # seconds; a list would take three times as much
        self.progress = Progress()
        self.fast_path = FastPath()
        self._clock = clock
        self._last = 0.0  # when the last text came
        self._texts = StringIO()  # the first `_KEPT` characters
        self._characters = 0
        self._finished = False

    def note(self, delta: Delta) -> None:
        """Note what a delta says of usage, speed and text."""
        match delta:
            case Text() | Reasoning() | ModelRefusal():
                self._count(delta.text)
            case ToolCallPart():
                self._count(delta.arguments)
            case Picture() | Sound():
                if self.first is None:
                    self.first = self._clock()
            case Finish():
                self._finished = True
            case UsageReport():
                self.usage = delta.usage
                self.complete = self._finished

    def open_fast_path(self, send: Take) -> None:
        """Let texts go the short way from now on: those that `send` takes are noted here."""

        def take(deltas: Sequence[Text | Reasoning]) -> bool:
            if not send(deltas):
                return False
            for delta in deltas:
                self._count(delta.text)
            return True

        self.fast_path.take = take

    def _count(self, text: str) -> None:
        now = self._clock()
        progress = self.progress
        if self.first is None:
            self.first = now
            if not progress.told:
                progress.prefill += self.receipt.prompt_tokens or 0
        else:
            self.gaps.append(now - self._last)
        self._last = now
        if not progress.told:
            progress.decode += 1
        self._characters += len(text)
        if self._characters <= _KEPT:
            self._texts.write(text)

    def check_end(self) -> None:
        """Refuse an end without a usage report.

        Raises:
            TargetProtocolError: The answer is not complete.
        """
        if not self.complete:
            raise TargetProtocolError("The target's answer ended before it was complete.", code="incomplete_answer")

    def handed_over(self) -> None:
        """Note that the client has the whole answer: what ends its connection behind that ends nothing."""
        self.delivered = self.complete

    def embedded(self, usage: Usage) -> None:
        """Note that vectors or scores came back whole."""
        self.usage = usage
        self.complete = True

    def answer_text(self) -> str:
        """Return the text of the answer so far; of a very long one its beginning, for comparing."""
        return self._texts.getvalue()

    @property
    def text_is_whole(self) -> bool:
        """Return whether `answer_text` is the whole text."""
        return self._characters <= _KEPT

    def seconds(self) -> float:
        """Return the seconds from the receipt to now, or to the settlement."""
        return (self.ended if self.ended is not None else self._clock()) - self.begun

    def usage_so_far(self) -> Usage:
        """Return what the target reported, else an estimate from what passed by (an answer that was cut off)."""
        if self.usage is not None:
            return self.usage
        if self.target is None:
            return Usage()
        output = int(self._characters / CHARACTERS_PER_TOKEN)
        # A cloud may count what was sent to it from the first byte on, whether or not an answer was waited for.
        worked = self.first is not None or self.zone is Zone.CLOUD
        counted = self.asked if self.zone is Zone.CLOUD else Usage()
        return msgspec.structs.replace(counted, input=self.prompt if worked else 0, output=output, estimated=True)

    @property
    def prompt(self) -> int:
        """Return the likely tokens of the prompt."""
        return self.receipt.prompt_tokens or 0

    def sent_in_vain(self, target: str) -> None:
        """Note that a cloud target has the prompt and gave no answer: it may count it all the same."""
        self.vain.append(target)


def _wake(waiter: "asyncio.Future[None]", _: object) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _nobody_counts(request_id: str, tokens: int) -> None:
    """Do nothing, where no limits are."""


class SettlementWriter:
    """Writer of receipts and settlements. It keeps what is on its way to the ledger until it is durable."""

    def __init__(
        self,
        *,
        ledger: LedgerPort,
        pricing: Pricing,
        observer: Observer,
        failed: Callable[[Settlement, Exception], None],
        answered: Callable[[str, str, int], None] | None = None,
        ended: Callable[[str, int], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._pricing = pricing
        self._observer = observer
        self._failed = failed
        self._answered = answered  # local target, text, tokens: for measuring, never for keeping
        self._ended = ended or _nobody_counts  # request, tokens: what limits had set aside for it is free again
        self._clock = clock
        self._wall = wall
        self._writing: set[asyncio.Future[None]] = set()

    async def receive(self, receipt: Receipt, reservation: Reservation | None) -> RequestAccount:
        """Write the receipt, and return when it is durable.

        A client that goes away meanwhile leaves a receipt behind, so its settlement follows behind the write.

        Raises:
            LedgerUnavailable: The receipt can't be written; nothing may be sent.
            CancelledError: The client went away meanwhile.
        """
        account = RequestAccount(receipt, reservation, self._clock)
        writing = self._ledger.receive(receipt, reservation)
        try:
            # A lighter `asyncio.shield`: the write goes on when the waiting is cancelled.
            durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            writing.add_done_callback(partial(_wake, durable))
            await durable
            account.spent = writing.result()
        except asyncio.CancelledError:
            self._keep(self._abandon(account, writing))
            raise
        except BaseException:
            self._ended(receipt.request_id, 0)
            raise
        return account

    async def refuse(
        self,
        receipt: Receipt,
        error: AduanaError,
        outcome: Outcome,
        *,
        attempts: Sequence[tuple[str, str]] = (),
        written: Callable[[], None],
    ) -> None:
        """Write a receipt and its settlement at once, for a request that is sent nowhere; durable when it returns.

        `written` is called before observers hear of the end.

        Raises:
            LedgerUnavailable: They can't be written; the client is told that instead.
            CancelledError: The client went away meanwhile; what was handed to the ledger stands.
        """
        account = RequestAccount(receipt, None, self._clock)
        account.attempts.extend(attempts)
        settlement = self._settlement(account, outcome, error.code)
        try:
            await self._ledger.refuse(receipt, settlement)
        except asyncio.CancelledError:
            self._observer.on(Settled(receipt=receipt, settlement=settlement))
            raise
        written()
        self._observer.on(Settled(receipt=receipt, settlement=settlement))

    def refused(self, account: RequestAccount, error: AduanaError) -> None:
        """Settle a request whose receipt stands, and that is sent nowhere after all."""
        self._settle(account, Outcome.REFUSED, error.code)

    def settle(self, account: RequestAccount, error: BaseException | None) -> None:
        """Settle a request that has ended, with an error (of any kind, be it a cancellation) or without."""
        match error:
            case None if account.complete:
                self._settle(account, Outcome.OK, None)
            case None:
                self._settle(account, Outcome.ERROR, "incomplete_answer")
            case asyncio.CancelledError() | GeneratorExit() | ClientGone():
                # The outcome is what was delivered: many clients hang up right behind the last frame.
                self._settle(account, Outcome.OK if account.delivered else Outcome.CANCELLED, None)
            case AduanaError():
                self._settle(account, Outcome.ERROR, error.code)
            case _:
                self._settle(account, Outcome.ERROR, "internal_error")

    async def also(self, work: Coroutine[None, None, None]) -> None:
        """Wait for other work that ends a request; it goes on when the waiting is cancelled.

        Where the ledger fails it is left undone: the settlement that follows tells of the same trouble.
        """

        async def done() -> None:
            with suppress(AduanaError):
                await work

        task = asyncio.get_running_loop().create_task(done())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await asyncio.shield(task)

    async def close(self) -> None:
        """Wait until every settlement is durable."""
        while self._writing:
            await asyncio.wait(set(self._writing))

    def _settlement(self, account: RequestAccount, outcome: Outcome, error: str | None) -> Settlement:
        account.ended = self._clock()
        account.outcome = outcome
        usage = account.usage_so_far()
        target = account.target
        local = account.zone is Zone.LOCAL
        vain = 0
        if account.vain:
            prompt = msgspec.structs.replace(account.asked, input=account.prompt, estimated=True)
            vain = sum(self._pricing.cost(name, prompt) for name in account.vain)
        return Settlement(
            request_id=account.receipt.request_id,
            settled_at=self._wall(),
            outcome=outcome,
            target=target,
            zone=account.zone,
            server=account.progress.server if local else "",
            error=error,
            usage=usage,
            cost_micros=vain + (self._pricing.cost(target, usage) if target else 0),
            avoided_micros=self._pricing.avoided(target, usage) if target and local else None,
            first_token_seconds=account.first - account.begun if account.first is not None else None,
            duration_seconds=account.seconds(),
            attempts=tuple(account.attempts),
        )

    def _settle(self, account: RequestAccount, outcome: Outcome, error: str | None) -> None:
        settlement = self._settlement(account, outcome, error)
        used = settlement.usage
        self._ended(settlement.request_id, used.prompt_tokens + used.completion_tokens)
        self._write(settlement)
        local, target = account.zone is Zone.LOCAL, account.target
        if self._answered is not None and local and target and account.complete and account.text_is_whole:
            self._answered(target, account.answer_text(), settlement.usage.completion_tokens)
        gaps = tuple(account.gaps) if account.gaps else ()
        self._observer.on(Settled(receipt=account.receipt, settlement=settlement, gaps=gaps))

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _abandon(self, account: RequestAccount, writing: "asyncio.Future[str | Full | None]") -> None:
        try:
            await writing
        except AduanaError:
            self._ended(account.receipt.request_id, 0)
            return  # no receipt, so nothing to settle
        self._settle(account, Outcome.CANCELLED, None)

    def _write(self, settlement: Settlement) -> None:
        writing = self._ledger.settle(settlement)
        self._writing.add(writing)
        writing.add_done_callback(partial(self._written, settlement))

    def _written(self, settlement: Settlement, writing: "asyncio.Future[None]") -> None:
        self._writing.discard(writing)
        error = writing.exception()
        if isinstance(error, AduanaError):
            # The receipt stands, so the next start settles it as `unknown`; here it must only be said.
            self._failed(settlement, error)
        elif error is not None:
            raise error
