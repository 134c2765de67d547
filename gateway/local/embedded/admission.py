"""Admission to an embedded target: a fair share of its queue, and nothing that has crashed its worker twice."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from cachetools import LRUCache

from gateway.core.errors import TargetBusy, TargetRejected
from gateway.core.route import Room
from gateway.engine.messages import Embed, Measure, Submit
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.text.input import fingerprint
from gateway.local.queue_shares import QueueShares
from gateway.local.refusals import refusal_beyond_share, room_of
from gateway.local.throughput import Throughput

_POISON = 2  # crashes after which a request is refused
_MOST_CRASHES = 256
Work: TypeAlias = Submit | Embed | Measure


class Admission:
    """Memory of what runs, and of what ran when the worker crashed."""

    def __init__(
        self,
        name: str,
        settings: EmbeddedSettings,
        throughput: Throughput,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._settings = settings
        self._throughput = throughput
        self._clock = clock
        self._shares = QueueShares(slots=settings.slots, queue=settings.queue)
        self._running: dict[int, bytes] = {}  # sequence → fingerprint
        self._crashes: LRUCache[bytes, int] = LRUCache(_MOST_CRASHES)

    def refusal(self, key: str, count: int, *, priority: int = 0) -> TargetBusy | None:
        """Return why `count` sequences of a key get no places now; None: they would. Nothing is taken."""
        return refusal_beyond_share(
            self._name,
            self._shares,
            self._throughput,
            key,
            count,
            now=self._clock(),
            # A higher priority waits for nobody of this one, so it is not refused for the wait.
            longest_wait=self._settings.queue_wait if priority <= 0 else None,
        )

    def room(self, key: str) -> Room:
        """Return the places that a key has left."""
        return room_of(self._shares, self._throughput, key, self._clock())

    @contextmanager
    def place(self, key: str, count: int, *, priority: int = 0) -> Iterator[None]:
        """Hold places for `count` sequences of a key, from before the model is loaded to the end of the answer.

        Raises:
            TargetBusy: They are more than the key's share of the queue, or would wait too long.
        """
        refusal = self.refusal(key, count, priority=priority)
        if refusal is not None:
            raise refusal
        self._shares.take(key, count)
        try:
            yield
        finally:
            self._shares.give_back(key, count)

    def admit(self, messages: Sequence[Work]) -> None:
        """Let sequences in; `release` follows.

        Raises:
            TargetRejected: The request has crashed the worker before.
        """
        marks = {number: mark for message in messages for mark in (fingerprint(message),) for number in message.ids}
        if any(self._crashes.get(mark, 0) >= _POISON for mark in marks.values()):
            raise TargetRejected("This request has crashed the engine twice and is refused.")
        self._running |= marks

    def release(self, messages: Sequence[Work]) -> None:
        """Note that what was admitted has ended, by whatever way."""
        for message in messages:
            for number in message.ids:
                self._running.pop(number, None)

    def crashed_with(self, sequences: frozenset[int]) -> None:
        """Note that the worker crashed while these sequences ran."""
        for mark in {self._running[number] for number in sequences if number in self._running}:
            self._crashes[mark] = self._crashes.get(mark, 0) + 1
