"""Admission to an embedded target: no more than its queue holds, and nothing that has crashed its worker twice."""

from collections.abc import Sequence

from cachetools import LRUCache

from gateway.core.errors import TargetBusy, TargetRejected
from gateway.engine.messages import Embed, Submit
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.text.input import fingerprint
from gateway.local.embedded.throughput import Throughput

_POISON = 2  # crashes after which a request is refused
_MOST_CRASHES = 256


class Admission:
    """Memory of what runs, and of what ran when the worker crashed."""

    def __init__(self, name: str, settings: EmbeddedSettings, throughput: Throughput) -> None:
        self._name = name
        self._settings = settings
        self._throughput = throughput
        self._running: dict[int, bytes] = {}  # sequence → fingerprint
        self._crashes: LRUCache[bytes, int] = LRUCache(_MOST_CRASHES)

    def admit(self, messages: Sequence[Submit | Embed], outstanding: int) -> None:
        """Let sequences in. `outstanding`: those that have not ended yet.

        Raises:
            TargetBusy: the queue is full.
            TargetRejected: the request has crashed the worker before.
        """
        free = self._settings.slots + self._settings.queue - outstanding
        if len(messages) > free:
            wait = self._throughput.expected_wait(outstanding, self._settings.slots)
            raise TargetBusy(
                f"The queue of {self._name!r} is full ({self._settings.queue} waiting).",
                retry_after=max(1.0, wait or 1.0),
            )
        for message in messages:
            mark = fingerprint(message)
            if self._crashes.get(mark, 0) >= _POISON:
                raise TargetRejected("This request has crashed the engine twice and is refused.")
            self._running[message.id] = mark

    def release(self, messages: Sequence[Submit | Embed]) -> None:
        """Note that these ended, by whatever way."""
        for message in messages:
            self._running.pop(message.id, None)

    def crashed_with(self, sequences: frozenset[int]) -> None:
        """Note that the worker crashed while these sequences ran."""
        for mark in {self._running[number] for number in sequences if number in self._running}:
            self._crashes[mark] = self._crashes.get(mark, 0) + 1
