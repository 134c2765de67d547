"""Kills gateways at random moments, one after the other, and compares the ledger with what they had acknowledged."""

import contextlib
import os
import random
import select
import signal
import time
from collections import Counter
from collections.abc import Callable

import msgspec

from gateway.ledger import LedgerSettings, chain
from gateway.ledger.database.places import database_of
from gateway.ledger.schema import VERSION
from tests.faults.crash import victim

_WHILE_IT_OPENS = 0.25
_LONGEST_OPENING = 30.0  # seconds


class Loss(AssertionError):
    """Error of a record that is lost, doubled or untrue."""


class Told(msgspec.Struct):
    """What all victims together have acknowledged."""

    receipts: set[str] = msgspec.field(default_factory=set)
    settlements: set[str] = msgspec.field(default_factory=set)
    turns: set[str] = msgspec.field(default_factory=set)
    accruing: int = 0
    accrued: int = 0
    opened: int = 0

    def add(self, text: str) -> None:
        """Take one victim's lines; the last one may be cut off."""
        lines = text.split("\n")[:-1]
        for line in lines:
            word, name = line.split(" ")
            match word:
                case "open":
                    self.opened += 1
                case "receipt":
                    self.receipts.add(name)
                case "settlement":
                    self.settlements.add(name)
                case "taint":
                    self.turns.add(name)
                case "accruing":
                    self.accruing += 1
                case "accrued":
                    self.accrued += 1


def campaign(
    settings: LedgerSettings,
    kills: int,
    *,
    dice: random.Random,
    longest: float = 0.25,
    between: Callable[[int], None] = lambda _: None,
) -> Told:
    """Kill so many gateways, and return what they had acknowledged.

    Each dies within `longest` seconds: one in four counted from its start, most of which opens the ledger, the others
    from the moment at which that is open.

    Raises:
        Loss: The ledger does not hold that.
    """
    told = Told()
    for number in range(kills):
        told.add(_one(settings, f"v{number}", dice.uniform(0, longest), opens=dice.random() >= _WHILE_IT_OPENS))
        between(number)
        compare(settings, told)
    return told


def _one(settings: LedgerSettings, name: str, seconds: float, *, opens: bool) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with contextlib.suppress(BaseException):
            victim.run(settings, name, writing)
        os._exit(1)
    os.close(writing)
    if opens:
        select.select([reading], [], [], _LONGEST_OPENING)  # its first line says that the ledger is open
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    if os.WIFEXITED(status):
        raise Loss(f"{name} ended by itself, behind: {text[-200:]}")
    return text


def compare(settings: LedgerSettings, told: Told) -> None:
    """Look whether everything that was acknowledged is there, once.

    Raises:
        Loss: It is not.
    """
    database = database_of(settings)
    if database.version() < VERSION:  # killed before it was open
        if told.opened:
            raise Loss("the whole ledger is gone")
        return
    with contextlib.closing(database.reader()) as connection:

        def rows(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query).fetchall()

        receipts = Counter(str(name) for (name,) in rows("SELECT request_id FROM receipts"))
        settled = {
            str(name): (outcome, cost)
            for name, outcome, cost in rows(
                "SELECT request_id, outcome, cost_micros FROM settlements JOIN receipts USING (seq)"
            )
        }
        (attempts, tried) = rows("SELECT count(*), count(DISTINCT seq) FROM attempts")[0]
        turns = {bytes(turn) for (turn,) in rows("SELECT hash FROM taint")}  # type: ignore[arg-type]
        (energy,) = rows("SELECT coalesce(sum(microjoules), 0) FROM energy")[0]
        examined = chain.verify(connection)
    if examined.problems and told.opened:  # a ledger that was never open has no chain yet
        raise Loss(f"the chain does not fit the records: {examined.problems[0].fault}")
    if lost := told.receipts - receipts.keys():
        raise Loss(f"{len(lost)} acknowledged receipts are gone, as {min(lost)}")
    if doubled := [name for name, count in receipts.items() if count > 1]:
        raise Loss(f"{len(doubled)} receipts are there twice, as {doubled[0]}")
    if untrue := [name for name in told.settlements if settled.get(name) != ("ok", victim.COST)]:
        raise Loss(f"{len(untrue)} acknowledged settlements are not there as written, as {untrue[0]}")
    if attempts != tried:
        raise Loss("tries are there twice")
    if lost := {name for name in told.turns if victim.turn_of(name) not in turns}:
        raise Loss(f"{len(lost)} remembered turns are gone, as {min(lost)}")
    assert isinstance(energy, int)
    if not told.accrued * victim.ENERGY <= energy <= told.accruing * victim.ENERGY:
        raise Loss(f"energy is {energy / victim.ENERGY}, {told.accrued} to {told.accruing} were written")
