"""A rule's `shadow`: another permitted target is asked too, behind the answer, and only compared.

It takes the same road as everything else: a receipt of its own before anything is sent, a clearance for a cloud
target, exactly one settlement. Its answer goes nowhere; of both answers only sizes, times and a similarity are kept.
"""

import asyncio
import re
import time
from contextlib import aclosing

import msgspec

from gateway.core.errors import AduanaError
from gateway.core.events import Shadowed
from gateway.core.request import GenerateRequest
from gateway.pipeline.case import Case
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.ports import Observer
from gateway.pipeline.settlement import RequestAccount, SettlementWriter

MOST = 16  # shadows at once; further ones are left out, so that looking can't crowd out answering
_WORD = re.compile(r"\w+")


class Shadows:
    """Owner of the shadow requests that are under way."""

    def __init__(
        self, *, dispatcher: Dispatcher, settlements: SettlementWriter, observer: Observer, seconds: float
    ) -> None:
        self._dispatcher = dispatcher
        self._settlements = settlements
        self._observer = observer
        self._seconds = seconds
        self._running: set[asyncio.Task[None]] = set()

    def follow(self, case: Case, request: GenerateRequest) -> None:
        """Begin a shadow, where the decision asks for one and the target is another one than that which answered."""
        target = case.decision.overrides.shadow
        if target is None or target == case.account.target or len(self._running) >= MOST:
            return
        task = asyncio.get_running_loop().create_task(self._ask(case, request, target))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def ended(self) -> None:
        """Wait until no shadow is under way."""
        if self._running:
            await asyncio.wait(set(self._running))

    async def close(self) -> None:
        """Cancel what is under way, and wait until it has ended."""
        for task in self._running:
            task.cancel()
        await self.ended()

    async def _ask(self, case: Case, request: GenerateRequest, target: str) -> None:
        receipt = msgspec.structs.replace(
            case.account.receipt,
            request_id=f"{case.evidence.inbound.id}-shadow",
            permitted=(target,),
            zones=tuple(candidate.zone for candidate in case.decision.candidates if candidate.target == target),
            received_at=time.time(),
            shadow=True,
        )
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            reservation = self._dispatcher.reservation(target, case.evidence, case.decision, case.need)
            account = await self._settlements.receive(receipt, reservation)
            try:
                opened = await self._dispatcher.open_one(case, account, target, request, deadline)
                async with aclosing(opened.rest) as rest:
                    account.note(opened.first)
                    async for delta in rest:
                        account.note(delta)
                    account.check_end()
            except BaseException as error:
                self._settlements.settle(account, error)
                raise
            self._settlements.settle(account, None)
        except AduanaError:
            return  # settled already; a shadow that fails bothers nobody
        self._observer.on(_compared(case.account, account))


def _compared(first: RequestAccount, second: RequestAccount) -> Shadowed:
    return Shadowed(
        request_id=first.receipt.request_id,
        target=first.target or "",
        shadow=second.target or "",
        similarity=similarity(first.answer_text(), second.answer_text()),
        seconds=second.seconds() - first.seconds(),
    )


def similarity(one: str, other: str) -> float:
    """Return words in common over all words (Jaccard), 0 to 1; two empty answers are alike."""
    left, right = set(_WORD.findall(one.lower())), set(_WORD.findall(other.lower()))
    return len(left & right) / len(left | right) if left or right else 1.0
