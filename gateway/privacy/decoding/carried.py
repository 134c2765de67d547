"""Texts that are a picture, a recording or a file in base64 and nothing else: read as what their bytes say. Pure.

Letters of base64 are no text: among a million of them some look like a key by chance, and searching them is slow.
"""

import binascii
import re

import msgspec

from gateway.privacy.decoding.budget import Decoding
from gateway.privacy.decoding.charsets import printable_runs
from gateway.privacy.decoding.contents import medium_of
from gateway.privacy.decoding.views import Segment, TextView
from gateway.privacy.patterns import late

SHORTEST = 4_096  # characters of base64; a shorter text is searched letter by letter: that costs little
_URL = late(r"data:[a-z]{1,20}/[\w.+-]{1,80};base64,", re.IGNORECASE)  # RFC 2397, without parameters
_LONGEST_URL = 128  # characters before the data
_END = 4_096  # bytes at both ends that are looked at: programs write names and notes there


class Medium(msgspec.Struct, frozen=True):
    """A medium that a text is: its kind of doubt, how many characters stand before its data, and its bytes."""

    kind: str
    head: int
    data: bytes


def medium_in(text: str) -> Medium | None:
    """Return the medium whose base64, or data URL, a text is, strictly and with nothing else; None: it is none."""
    found = base64_in(text) if len(text) > SHORTEST else None
    if found is None:
        return None
    head, data = found
    kind = medium_of(data)
    return Medium(kind, head, data) if kind is not None else None


def base64_in(text: str) -> tuple[int, bytes] | None:
    """Return where the data begin and what they are, of a text that is a data URL or long base64 and nothing else."""
    url = _URL.match(text, 0, _LONGEST_URL)
    if url is None and len(text) <= SHORTEST:  # many a word is base64
        return None
    head = url.end() if url is not None else 0
    if (len(text) - head) % 4 or text.endswith("==="):  # `strict_mode` lets too many signs of padding pass
        return None
    try:
        return head, binascii.a2b_base64(text[head:], strict_mode=True)
    except ValueError:  # also where there are letters that are none of ASCII's
        return None


def reading(text: str, medium: Medium, decoding: Decoding) -> TextView:
    """Return what the bytes of a medium say at their ends, in the place of its letters.

    INVARIANT: it comes with a doubt, since of the letters and of the bytes between their ends nothing was looked at.
    """
    decoding.doubt(medium.kind)
    data = medium.data
    said = printable_runs(data if len(data) <= 2 * _END else data[:_END] + b"\0\0\0" + data[-_END:])
    whole = f"{text[: medium.head]} {said}"  # the space: no number is to begin before what was read
    decoding.spend(len(whole))
    parts = (
        Segment(0, medium.head, 0, medium.head, True),
        Segment(medium.head, len(whole), medium.head, len(text), False),
    )
    return TextView(whole, TextView(text), parts[0 if medium.head else 1 :], decoded=True)
