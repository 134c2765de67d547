"""Slots of a target that has no fair queue of its own: what is more waits here, where it can be fair."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable

from gateway.core.errors import TargetBusy
from gateway.core.route import Room
from gateway.engine.scheduler.fairness import Shares
from gateway.local.queue_shares import QueueShares
from gateway.local.refusals import refusal_beyond_share, room_of
from gateway.local.throughput import Throughput


class _Waiting:
    """A request without a slot."""

    def __init__(self, key: str, priority: int, number: int) -> None:
        self.key = key
        self.priority = priority
        self.number = number
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class FairSlots:
    """Slots of one target, and the requests that wait for one.

    The higher priority first; fair between keys, first come first served within one.
    """

    def __init__(
        self,
        name: str,
        throughput: Throughput,
        *,
        slots: int,
        queue: int,
        queue_wait: float,
        clock: Callable[[], float],
    ) -> None:
        """Begin with nobody.

        Args:
            name: Of the target, for errors.
            throughput: Learns how long answers take.
            slots: Requests at once.
            queue: Further ones that may wait.
            queue_wait: Seconds; one that would have to wait longer, as far as can be foreseen, is refused at once.
            clock: Returns monotonic seconds.
        """
        self._name = name
        self._slots = slots
        self._queue_wait = queue_wait
        self._throughput = throughput
        self._clock = clock
        self._places = QueueShares(slots=slots, queue=queue)
        self._served = Shares()
        self._running: list[str] = []  # keys
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()

    @property
    def busy(self) -> int:
        """Slots that are taken."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Requests without a slot."""
        return len(self._waiting)

    def resize(self, slots: int) -> None:
        """Have another number of slots from now on; whoever has one keeps it."""
        if slots != self._slots:
            self._slots = self._places.slots = slots
            self._next()

    def expected_wait(self) -> float | None:
        """Estimate the seconds that a request which comes now would wait. None: nothing was measured yet."""
        if len(self._running) < self._slots:
            return 0.0
        return self._throughput.expected_wait(self.waiting, self._slots, self._clock())

    def refusal(self, key: str, priority: int) -> TargetBusy | None:
        """Return why a request of a key gets no place now; None: it would. Nothing is taken."""
        if self._places.free():
            return None
        return refusal_beyond_share(
            self._name,
            self._places,
            self._throughput,
            key,
            1,
            now=self._clock(),
            # A higher priority waits for nobody of this one, so it is not refused for the wait.
            longest_wait=self._queue_wait if priority <= 0 else None,
        )

    def room(self, key: str) -> Room:
        """Return the places that a key has left."""
        return room_of(self._places, self._throughput, key, self._clock())

    def slot(self, key: str, priority: int, deadline: float) -> "_Slot":
        """Return the context of one request: it waits for a slot, and holds it. `deadline` is in the loop's clock.

        Yields what to call where the work begins later than the slot was free, so that only work is measured.
        Entering it raises TargetBusy where there is no place for this key, or its turn did not come in time.
        """
        return _Slot(self, key, priority, deadline)

    def _leave(self, key: str, begun: float) -> None:
        now = self._clock()
        self._throughput.ended(now, now - begun, waiting=bool(self._waiting))
        self._running.remove(key)
        if self._waiting:
            self._next()
        self._places.give_back(key)

    def _runs_at_once(self, key: str) -> bool:
        """Return whether a slot is free and nobody waits for it; the request is then counted as running."""
        if key not in self._running:
            self._served.arrived(key, [*self._running, *(other.key for other in self._waiting)])
        if len(self._running) < self._slots and not self._waiting:
            self._run(key)
            return True
        return False

    async def _turn(self, key: str, priority: int, deadline: float) -> None:
        """Return when a slot is this request's; it is then counted as running.

        Raises:
            TargetBusy: Its turn did not come before the deadline.
        """
        request = _Waiting(key, priority, next(self._numbers))
        self._waiting.append(request)
        try:
            async with asyncio.timeout_at(deadline):
                await request.turn
        except BaseException as error:
            if request in self._waiting:
                self._waiting.remove(request)
            else:  # its turn had just come: it is the next one's
                self._running.remove(key)
                self._next()
            if isinstance(error, TimeoutError):
                raise TargetBusy(f"No slot of {self._name!r} was free in time.", retry_after=1.0) from None
            raise

    def _next(self) -> None:
        """Give free slots to those whose turn it is; who is just leaving takes none, and takes itself off the list."""
        while self.busy < self._slots:
            there = [one for one in self._waiting if not one.turn.done()]
            if not there:
                return
            crowd = Counter(one.key for one in there)  # of two that were served alike, the lighter one
            request = min(
                there,
                key=lambda one: (-one.priority, self._served.of(one.key), crowd[one.key], one.number),
            )
            self._waiting.remove(request)
            self._run(request.key)
            request.turn.set_result(None)

    def _run(self, key: str) -> None:
        self._running.append(key)
        self._served.charge(key, 1, generated=False)


class _Slot:
    """Context of one request at a target."""

    __slots__ = ("_begun", "_deadline", "_key", "_priority", "_slots")

    def __init__(self, slots: FairSlots, key: str, priority: int, deadline: float) -> None:
        self._slots = slots
        self._key = key
        self._priority = priority
        self._deadline = deadline
        self._begun = 0.0

    def begins(self) -> None:
        """Note that the work begins."""
        self._begun = self._slots._clock()

    async def __aenter__(self) -> Callable[[], None]:
        """Wait for a slot.

        Raises:
            TargetBusy: There is no place for this key, or its turn did not come in time.
        """
        slots, key = self._slots, self._key
        refusal = slots.refusal(key, self._priority)
        if refusal is not None:
            raise refusal
        slots._places.take(key)
        if not slots._runs_at_once(key):
            try:
                await slots._turn(key, self._priority, self._deadline)
            except BaseException:
                slots._places.give_back(key)
                raise
        self._begun = slots._clock()
        return self.begins

    async def __aexit__(self, *error: object) -> None:
        self._slots._leave(self._key, self._begun)
