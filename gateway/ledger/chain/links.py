"""Links of the chain: what each says in public, and how one hangs on the other. Pure.

The head after a link is the SHA-256 of the head before it (32 zero bytes before the first) and of this JSON, without
blanks: `[number, kind, seq, through, at, label, zones, commitment in hexadecimal]`.
"""

import enum
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from gateway.core.labels import Zone

NOTHING = bytes(32)
"""The head before the first link."""


class LinkKind(enum.IntEnum):
    """What a link stands for."""

    BEGUN = 1  # the chain begins behind the receipt `seq`; its commitment is the chain's random name
    RECEIPT = 2
    SETTLEMENT = 3
    ERASED = 4  # the requests from `seq` to `through` were erased because somebody asked for it
    AGED = 5  # they were removed because of their age, or to make room


class Link(NamedTuple):
    """One link. It tells nothing of who asked what: `zones` are letters, `label` a number, `at` a second.

    `zones`: of a receipt, those of the permitted targets in their order; of a settlement, that of the one that answered
    (empty: none did). `l` is local, `c` is cloud; None: nobody told.
    """

    number: int
    kind: int
    seq: int
    through: int | None
    at: int  # Unix seconds: when the request came, was settled, or was erased
    label: int | None
    zones: str | None
    commitment: bytes

    def head(self, before: bytes) -> bytes:
        """Return the chain's head after this link."""
        *said, commitment = self
        return hashlib.sha256(before + _encode([*said, commitment.hex()])).digest()


_encode = msgspec.json.Encoder().encode
_LETTERS = {Zone.LOCAL: "l", Zone.CLOUD: "c"}
CLOUD = _LETTERS[Zone.CLOUD]


def letters(zones: Sequence[Zone]) -> str:
    """Return zones as a link writes them."""
    return "".join([_LETTERS[zone] for zone in zones])


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as runs of neighbours: the first and the last of each."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] >= number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
