"""One inspection's limits: its clock, its budget of characters, and what could not be looked at."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gateway.core.finding import Doubt
from gateway.privacy.settings import InspectionSettings

Item = TypeVar("Item")

_STEPS = 64  # values of a document between two looks at the clock

_MOST_DOUBTS = 1_000


class Spent(Exception):
    """Error of an inspection that passed a limit; the argument is the doubt's reason."""


class Failed(Exception):
    """Error of a detector; the argument is the name of what it raised."""


class Run:
    """One inspection: its clock, its budget, and what could not be looked at."""

    def __init__(self, settings: InspectionSettings, clock: Callable[[], float], *, letters: bool = True) -> None:
        self.letters = letters  # whether the letters of media in base64 are searched
        self.passed_over = False  # those of one were not
        self._clock = clock
        self._until = clock() + settings.seconds
        # A thread works no longer than time passes: the clock that costs no system call is asked first.
        self._passing, self._surely_until = clock, self._until
        if clock is time.thread_time:
            self._passing, self._surely_until = time.perf_counter, time.perf_counter() + settings.seconds
        self._left = settings.max_characters
        self._steps = 0
        self.characters = 0
        self.doubts: dict[tuple[str, str], Doubt] = {}
        self.icons: set[int] = set()  # of all texts, by their hashes

    def step(self) -> None:
        """Count one value of the document, known or not; look at the clock now and then.

        Raises:
            Spent: Time is over.
        """
        self._steps += 1
        if self._steps % _STEPS == 0:
            self.spend(0)

    def stepping(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield items, each of which counts as a step."""
        for item in items:
            self.step()
            yield item

    def spend(self, characters: int) -> None:
        """Charge characters, and look at the clock.

        Raises:
            Spent: Time or size is over.
        """
        self.characters += characters
        if self.characters > self._left:
            raise Spent("size")
        if self._passing() > self._surely_until and self._clock() > self._until:
            raise Spent("time")

    def doubt(self, reason: str, path: str) -> None:
        """Note a doubt, once for each reason and place; of very many only the reasons."""
        path = path if len(self.doubts) < _MOST_DOUBTS else "$"
        self.doubts.setdefault((reason, path), Doubt(reason=reason, path=path))


class Look:
    """One look at one text: it charges the run, and gathers what could not be read in the text."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.spend = run.spend
        self.doubts: dict[str, None] = {}
        self.icons: set[int] = set()  # by their hashes

    def icon(self, data: bytes) -> None:
        """Note a small picture in the text."""
        self.icons.add(hash(data))

    def doubt(self, reason: str) -> None:
        """Note that a piece of the text could not be read."""
        self.doubts[reason] = None
