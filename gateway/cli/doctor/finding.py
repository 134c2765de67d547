"""What the doctor found, and whom it examines."""

import enum
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from gateway.settings import Settings


class Level(enum.StrEnum):
    """How bad it is: as it should be, worth knowing, or something does not work."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `todo` says what to do; empty: nothing, or the text says it."""

    level: Level
    text: str
    todo: str = ""


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """The installation that is examined.

    `settings` is None where the configuration can't be read. `running`: process of the gateway that uses its state
    directory, 0 for one whose number is not known, None: none runs. `own`: whoever asks owns that directory, or it is
    not there yet.
    """

    settings: Settings | None
    problems: tuple[str, ...] = ()
    config: Path | None = None
    running: int | None = None
    own: bool = True
    online: bool = False
    quick: bool = False


Examine: TypeAlias = Callable[[Patient], Iterator[Finding]]


def ok(text: str) -> Finding:
    """Return an answer that is as it should be."""
    return Finding(level=Level.OK, text=text)


def note(text: str, todo: str = "") -> Finding:
    """Return an answer that is worth knowing."""
    return Finding(level=Level.NOTE, text=text, todo=todo)


def problem(text: str, todo: str = "") -> Finding:
    """Return an answer that says what does not work."""
    return Finding(level=Level.PROBLEM, text=text, todo=todo)
