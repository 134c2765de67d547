"""Recordings that a worker has: who waits for what it sends of each, and which of them nobody wants any more."""

import asyncio
import itertools
from typing import TypeAlias

from gateway.core.errors import AduanaError
from gateway.speech.transcript import Hearing, Segment

Item: TypeAlias = Segment | Hearing | AduanaError


class Recordings:
    """Queues of those who wait, by the number of their recording, and timers of those that were given up."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Queue[Item]] = {}
        self._given_up: dict[int, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        """Return how many the worker has, given up ones included."""
        return len(self._waiting) + len(self._given_up)

    def add(self) -> tuple[int, asyncio.Queue[Item]]:
        """Return the number of a new recording, and the queue of what comes of it. `remove` must follow."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.Queue()
        return number, self._waiting[number]

    def remove(self, number: int) -> None:
        """Forget who waits for a recording."""
        self._waiting.pop(number, None)

    def deliver(self, number: int, item: Item) -> None:
        """Hand on what the worker sent; nothing where nobody waits for it any more."""
        if number in self._waiting:
            self._waiting[number].put_nowait(item)

    def give_up(self, number: int, timer: asyncio.TimerHandle) -> None:
        """Note that the worker was told to stop. `timer` goes off unless it says in time that it did."""
        self._given_up[number] = timer

    def over(self, number: int) -> None:
        """Note that the worker does not work on a recording any more."""
        timer = self._given_up.pop(number, None)
        if timer is not None:
            timer.cancel()

    def fail(self, error: AduanaError) -> None:
        """End all recordings; whoever waits gets the error."""
        for number in list(self._given_up):
            self.over(number)
        for items in self._waiting.values():
            items.put_nowait(error)
