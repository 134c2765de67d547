"""What the readers of formats yield, and the budget that all files of one attachment share.

A reader is a generator: what it has yielded stays, also where it fails or runs out of budget behind that.
"""

import enum
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from gateway.core.attachment import FileKind, Piece


class Reason(enum.StrEnum):
    """Why a file was not read whole."""

    BROKEN = "broken"  # cut off, or against its format's rules
    CODE = "code"  # bars or squares for machines
    DRAWING = "drawing"  # something beside the text of a picture: a logo, a signature, a stamp
    EARLIER_VERSION = "earlier_version"  # a state of the file before its last change, not looked at in full
    ENCODING = "encoding"  # text in an encoding that was only guessed
    ENCRYPTED = "encrypted"
    EXTENSION = "extension"  # the name says another kind than the bytes do
    EXTERNAL = "external"  # points to content that is not in the file
    LOCATION = "location"  # where a picture was taken
    LOW_CONFIDENCE = "low_confidence"
    MEMORY = "memory"
    OBJECT = "object"  # something embedded that nothing here reads: OLE, a font, a script in bytes
    PHOTOGRAPH = "photograph"
    POLYGLOT = "polyglot"  # the same bytes are a file of another kind, too
    PROGRAM = "program"  # macros, scripts: what they would show is unknown
    READER_FAILED = "reader_failed"
    RECORDING = "recording"
    TIME = "time"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"  # unpacks to more bytes than are looked at
    TOO_LONG = "too_long"  # more text than is looked at
    TOO_MANY_PAGES = "too_many_pages"
    UNKNOWN_KIND = "unknown_kind"
    UNREADABLE = "unreadable"  # the kind is known, and what reads it is not installed or does not exist


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is, where its reader knows it better than its first bytes do."""

    kind: FileKind


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the file that was not read."""

    reason: Reason


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """Number of pages, sheets, slides or frames that the file has."""

    count: int


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside the file, which is read by its own kind. `name`: as the file says it, for its extension only."""

    place: str
    data: bytes
    name: str = ""


Part: TypeAlias = Kind | Piece | Unread | Pages | Inside
Parts: TypeAlias = Iterator[Part]
Read: TypeAlias = Callable[[bytes, "Budget"], Parts]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one attachment is looked at."""

    seconds: float = 30.0
    pages: int = 500  # of PDFs, and frames of pictures
    unpacked_bytes: int = 256 * 2**20
    text_bytes: int = 8 * 2**20  # UTF-8
    depth: int = 4  # files inside files


MOST_PIECES = 50_000  # of one attachment


class BudgetSpent(Exception):
    """Signal that a limit is reached; what was yielded before stays."""

    def __init__(self, reason: Reason) -> None:
        """Say which limit it was."""
        super().__init__(reason.value)
        self.reason = reason


class Budget:
    """What is left of the limits of one attachment. Readers spend before they work."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with everything. `clock` in seconds."""
        self._clock = clock
        self._until = clock() + limits.seconds
        self._pages = limits.pages
        self._unpacked = limits.unpacked_bytes
        self._text = limits.text_bytes
        self._pieces = MOST_PIECES
        self.depth = limits.depth

    @property
    def seconds(self) -> float:
        """Seconds that are left; negative when they are over."""
        return self._until - self._clock()

    @property
    def unpacked(self) -> int:
        """Bytes that may still be unpacked."""
        return self._unpacked

    def time(self) -> None:
        """Check the time; called at least once a page.

        Raises:
            BudgetSpent: it is over.
        """
        if self.seconds <= 0:
            raise BudgetSpent(Reason.TIME)

    def page(self) -> None:
        """Spend one page.

        Raises:
            BudgetSpent: there is none left, or no time.
        """
        self.time()
        if self._pages <= 0:
            raise BudgetSpent(Reason.TOO_MANY_PAGES)
        self._pages -= 1

    def unpack(self, count: int) -> None:
        """Spend bytes of what is unpacked, before it is.

        Raises:
            BudgetSpent: there are not as many left, or no time.
        """
        self.time()
        if count > self._unpacked:
            raise BudgetSpent(Reason.TOO_LARGE)
        self._unpacked -= count

    def text(self, count: int) -> int:
        """Spend a piece of text, and return how many of its bytes were left. Readers need not: who takes pieces does.

        Raises:
            BudgetSpent: there have been too many pieces.
        """
        if self._pieces <= 0:
            raise BudgetSpent(Reason.TOO_LONG)
        self._pieces -= 1
        granted = min(count, self._text)
        self._text -= granted
        return granted
