"""Other ways to read a text: as a person would see it, and as a program would decode it. Pure and bounded.

What is hidden by look-alike characters, invisible characters, foreign digits or an encoding is found in these views.
A view keeps its source's surroundings (only the encoded piece is replaced), so context words stay beside the value,
and a place in a view can be mapped back to the text that the client sent.
"""

import enum
import html
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from re import Match
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from gateway.privacy.decoding.asked import secret_asked
from gateway.privacy.decoding.blobs import BLOB, DOUBTFUL, GROUPS, GROUPS_TRIGGER, unblob, ungroup
from gateway.privacy.decoding.budget import Decoding, DecodingLimit
from gateway.privacy.decoding.ciphers import MORSE, MORSE_TRIGGER, TURNED, TURNED_TRIGGER, unmorse, unturn
from gateway.privacy.decoding.folding import FOREIGN, fold
from gateway.privacy.decoding.listings import (
    BASE85,
    BASE85_TRIGGER,
    CODES,
    CODES_TRIGGER,
    NUMBERS,
    NUMBERS_TRIGGER,
    OCTETS,
    OCTETS_TRIGGER,
    UUENCODED,
    un85,
    unbit,
    uncode,
    unlist,
    unuu,
)
from gateway.privacy.decoding.pieces import HALVES, HALVES_TRIGGER, LEET, LEET_TRIGGER, join_pieces, unleet
from gateway.privacy.decoding.spacing import (
    APART,
    APART_TRIGGER,
    LOOKALIKES,
    LOOKALIKES_TRIGGER,
    SPACED,
    SPACED_TRIGGER,
    SPLIT,
    SPLIT_TRIGGER,
    close_list,
    close_up,
    undress,
    unsplit,
)
from gateway.privacy.decoding.spellings import (
    LETTERED,
    LETTERED_TRIGGER,
    MAIL,
    MAIL_TRIGGER,
    SPELLED,
    SPELLED_TRIGGER,
    unmail,
    unspell,
)
from gateway.privacy.patterns import late

MAX_DEPTH = 6

_ESCAPED = late(
    r"(?:\\[\"'\\/])+|(?:%[0-9A-Fa-f]{2})+|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,12});"
    r"|\\(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|[\"'\\/nrt])|(?:=[0-9A-F]{2}){2,}|=(?:20|[2-7][A-F]|[A-F][0-9A-F])"
    r"|(?<![A-Za-z0-9+/]{40})(?<!=)=\r?\n"  # no padding of base64
    r"(?![A-Za-z_][\w.-]{0,60}=(?:\r?\n|(?!3D|[89A-F][0-9A-F])))"  # nor an empty value before the next name
    r"(?!(?:=[A-Za-z0-9+/]{4}\r?\n)?-----END )"  # nor the end of what stands in a frame
)
_PERCENT = {f"%{code:02X}": chr(code) for code in range(128)}  # single ones, which are most
_SHORT = {"n": "\n", "r": "\r", "t": "\t"}


class Segment(msgspec.Struct, frozen=True):
    """Part of a view, and the part of its source that it stands for."""

    start: int
    end: int
    source_start: int
    source_end: int
    literal: bool
    left_out: bool = False  # it stands for text that is far from anything that was replaced


class TextView(msgspec.Struct, frozen=True):
    """Reading of `source` around the pieces that were replaced there; what is far from any of them is left out."""

    text: str
    source: "TextView | None" = None
    segments: tuple[Segment, ...] = ()
    closed_up: bool = False
    decoded: bool = False  # an encoding was taken off, here or in a source
    turned: bool = False  # as a word in it says, which is still there: it is turned once

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the client's own text that stands which is from `start` to `end` here."""
        if self.source is None:
            return start, end
        first = self.segments[max(0, bisect_right(self.segments, start, key=lambda segment: segment.start) - 1)]
        last = self.segments[max(0, bisect_left(self.segments, end, key=lambda segment: segment.start) - 1)]
        begin = first.source_start + (start - first.start if first.literal else 0)
        stop = last.source_start + (end - last.start) if last.literal else last.source_end
        return self.source.place(min(begin, first.source_end), max(begin, min(stop, last.source_end)))

    def cuts(self) -> frozenset[int]:
        """Return the places where the source's text is left out: what touches them may be a part of something."""
        if self.source is None:
            return frozenset()
        found: set[int] = set()
        if self.segments[0].source_start > 0:
            found.add(0)
        if self.segments[-1].source_end < len(self.source.text):
            found.add(len(self.text))
        for part in self.segments:
            if part.left_out:
                found |= {part.start, part.end}
        for cut in self.source.cuts():
            at = max(0, bisect_right(self.segments, cut, key=lambda segment: segment.source_start) - 1)
            part = self.segments[at]
            if part.literal and part.source_start <= cut <= part.source_end:
                found.add(part.start + cut - part.source_start)
        beside = {len(self.text[:cut].rstrip()) for cut in found if cut}
        beside |= {len(self.text) - len(self.text[cut:].lstrip()) for cut in found}
        return frozenset(found | beside)

    def client_text(self, start: int, end: int) -> str:
        """Return what the client's own text has from `start` to `end` of it."""
        return self.text[start:end] if self.source is None else self.source.client_text(start, end)


def _rewrite(
    source: TextView,
    pattern: Any,  # of `re`, or of RE2
    read: Callable[[Match[str]], str],
    decoding: Decoding,
    *,
    closed_up: bool = False,
    decoded: bool = False,
    turned: bool = False,
) -> TextView | None:
    """Return the view with the pattern's pieces replaced, and their surroundings. None: nothing was replaced.

    Raises:
        DecodingLimit: More pieces were replaced than any text has.
    """
    text = source.text
    parts: list[str] = []
    segments: list[Segment] = []
    at = done = 0  # lengths of the view and of the source so far

    def add(piece: str, until: int, *, literal: bool, left_out: bool = False) -> None:
        nonlocal at, done
        if piece or until > done:
            segments.append(Segment(at, at + len(piece), done, until, literal, left_out))
            parts.append(piece)
            at += len(piece)
        done = until

    for number, match in enumerate(pattern.finditer(text)):
        if number % _LOOK == 0:
            decoding.spend(0)
            if len(segments) > _MOST_SEGMENTS:
                raise DecodingLimit
        replaced = read(match)
        if replaced == match[0]:
            continue
        begin = match.start()
        if not segments:
            done = _edge(text, begin, -1)
        elif begin - done > 2 * _AROUND + 2 * _WORD:
            stop = _edge(text, done, 1)
            add(text[done:stop], stop, literal=True)
            add(_GAP, _edge(text, begin, -1), literal=False, left_out=True)
        add(text[done:begin], begin, literal=True)
        add(replaced, match.end(), literal=False)
    if not segments:
        return None
    stop = _edge(text, done, 1)
    add(text[done:stop], stop, literal=True)
    return TextView(
        "".join(parts), source, tuple(segments), closed_up, decoded or source.decoded, turned or source.turned
    )


_LOOK = 1_024  # pieces between two looks at the clock
_MOST_SEGMENTS = 600_000
_AROUND, _WORD = 300, 100  # characters kept around a replaced piece; how much further a word may end
_GAP = "\n\n\n"


def _edge(text: str, at: int, direction: int) -> int:
    """Return the end of what is kept on one side of `at`: not inside a word, if that can be had."""
    limit = at + direction * _AROUND
    if limit <= 0 or limit >= len(text):
        return 0 if direction < 0 else len(text)
    for further in range(_WORD):
        if text[limit + direction * further : limit + direction * further + 1].isspace():
            return limit + direction * further
        if not 0 < limit + direction * further < len(text) - 1:
            break
    return max(0, min(len(text), limit))


class ViewKind(enum.Enum):
    """Kind of a view: what was undone to make it."""

    FOLDED = "folded"
    UNESCAPED = "unescaped"
    UNBLOBBED = "unblobbed"
    UNLISTED = "numbers read as bytes"
    UNBITTED = "octets of bits read"
    UNUUED = "uuencoded lines read"
    UN85 = "base85 read"
    UNGROUPED = "groups of an encoding put together"
    UNCODED = "characters written as numbers"
    UNSPELLED = "spelled numbers"
    UNLETTERED = "letters by name"
    UNMAILED = "addresses as they are said"
    UNMORSED = "morse read"
    UNTURNED = "turned back as a word beside says"
    UNSPLIT = "without the markup inside a word"
    UNDRESSED = "letters that look like digits"
    JOINED = "pieces told one after the other"
    UNLEETED = "digits in a word for a secret"
    CLOSED_UP = "closed up"
    CLOSED_LIST = "lists of characters closed up"


TRIGGERS: Mapping[ViewKind, str] = {
    ViewKind.UNESCAPED: (
        r"%[0-9A-Fa-f]{2}|&[#A-Za-z][0-9A-Za-z]{1,12};|\\[uxU0-3\"'\\/nrt]"
        r"|(?:=[0-9A-F]{2}){2}|=(?:20|[2-7][A-F]|[A-F][0-9A-F])|=\r?\n"
    ),
    ViewKind.UNBLOBBED: (
        r"[A-Za-z0-9+/_-]{24}|[0-9A-Fa-f]{16}|[a-z][A-Z0-9][A-Za-z0-9+/_-]{4}|[A-Za-z0-9+/_-]{6}[a-z][A-Z0-9]|[A-Z0-9+/]{12}"
        r"|[0-9A-Fa-f]{2}(?:(?:[\s:,-]|\\x|,\s{0,20}0x)[0-9A-Fa-f]{2}){7}"
    ),
    ViewKind.UNLISTED: NUMBERS_TRIGGER,
    ViewKind.UNBITTED: OCTETS_TRIGGER,
    ViewKind.UNUUED: r"begin [0-7]{3,4} |M[ -`]{60}\r?\n",
    ViewKind.UN85: BASE85_TRIGGER,
    ViewKind.UNGROUPED: GROUPS_TRIGGER,
    ViewKind.UNCODED: CODES_TRIGGER,
    ViewKind.UNSPELLED: SPELLED_TRIGGER,
    ViewKind.UNLETTERED: LETTERED_TRIGGER,
    ViewKind.UNMAILED: MAIL_TRIGGER,
    ViewKind.UNMORSED: MORSE_TRIGGER,
    ViewKind.UNTURNED: TURNED_TRIGGER,
    ViewKind.UNSPLIT: SPLIT_TRIGGER,
    ViewKind.UNDRESSED: LOOKALIKES_TRIGGER,
    ViewKind.JOINED: HALVES_TRIGGER,
    ViewKind.UNLEETED: LEET_TRIGGER,
    ViewKind.CLOSED_UP: SPACED_TRIGGER,
    ViewKind.CLOSED_LIST: APART_TRIGGER,
}
"""What a text must hold for a view of it to be worth making. Bytes above 127 stand for any other character."""


def views(view: TextView, kinds: Collection[ViewKind], decoding: Decoding) -> Iterator[TextView]:
    """Yield every other reading of one text, one level deep. Each is charged to `decoding`, which may raise."""
    if view.closed_up:
        return
    if not view.text.isascii() and FOREIGN.search(view.text):
        yield from _charged(_rewrite(view, FOREIGN, partial(fold, decoding=decoding), decoding), decoding)
    if ViewKind.UNESCAPED in kinds:
        yield from _charged(_rewrite(view, _ESCAPED, _unescape, decoding, decoded=True), decoding)
    if ViewKind.UNBLOBBED in kinds:
        cuts = view.cuts()
        yield from _charged(
            _rewrite(view, BLOB, lambda match: _unblob(match, cuts, decoding), decoding, decoded=True), decoding
        )
    for kind, pattern, read in _LISTINGS:
        if kind in kinds:
            yield from _charged(
                _rewrite(view, pattern, partial(read, decoding=decoding), decoding, decoded=True), decoding
            )
    if ViewKind.UNTURNED in kinds and not view.turned:
        read = partial(unturn, decoding=decoding)
        yield from _charged(_rewrite(view, TURNED, read, decoding, decoded=True, turned=True), decoding)
    for kind, pattern, close in ((ViewKind.CLOSED_UP, SPACED, close_up), (ViewKind.CLOSED_LIST, APART, close_list)):
        if kind in kinds:
            yield from _charged(_rewrite(view, pattern, close, decoding, closed_up=True), decoding)


_LISTINGS: tuple[tuple[ViewKind, Any, Callable[..., str]], ...] = (
    (ViewKind.UNLISTED, NUMBERS, unlist),
    (ViewKind.UNBITTED, OCTETS, unbit),
    (ViewKind.UNUUED, UUENCODED, unuu),
    (ViewKind.UN85, BASE85, un85),
    (ViewKind.UNGROUPED, GROUPS, ungroup),
    (ViewKind.UNCODED, CODES, uncode),
    (ViewKind.UNSPELLED, SPELLED, unspell),
    (ViewKind.UNLETTERED, LETTERED, unspell),
    (ViewKind.UNMAILED, MAIL, unmail),
    (ViewKind.UNMORSED, MORSE, unmorse),
    (ViewKind.UNSPLIT, SPLIT, unsplit),
    (ViewKind.UNDRESSED, LOOKALIKES, undress),
    (ViewKind.JOINED, HALVES, join_pieces),
    (ViewKind.UNLEETED, LEET, unleet),
)
_ESCAPE_BEHIND = late(r"\\[\"'\\/nrtu]|%[0-9A-Fa-f]{2}|&#|=\r?\n")
_LINE = 100  # characters: what stands between two escapes and is longer is no line of an encoding that was broken
_TOKEN = late(r"eyJ[\w-]{8,}\.(?:eyJ)?[\w-]{4,}\.\Z")


def _unblob(match: Match[str], cuts: Collection[int], decoding: Decoding) -> str:
    """Return what a piece says, with a space before it behind a comma (`data:…;base64,…`).

    Without the space, a number could seem to begin before it. A line beside an escape is a part of a longer piece,
    which another view shows, as is a piece at a cut; the signature of a JSON Web Token (a finding already) is opaque.
    """
    found, start = match[0], match.start()
    before = match.string[start - 1 : start]
    lead = found[0] if before == "\\" and found[0] in "nrt" else ""
    found = found[len(lead) :]
    said = unblob(found, decoding, whole=len(found) < DOUBTFUL or _is_whole(match, cuts))
    if said != found:
        said = secret_asked(match.string, start, match.end(), said)
    return f"{lead} {said}" if said != found and (lead or before == ",") else lead + said


def _is_whole(match: Match[str], cuts: Collection[int]) -> bool:
    """Tell whether no other view has more of a piece, and it is no signature behind a token."""
    text, start, end = match.string, match.start(), match.end()
    if start in cuts or end in cuts:
        return False
    before = text[start - 1 : start]
    if before == "." and _TOKEN.search(text, max(0, start - 4_000), start):
        return False
    escaped = before in ("\\", "%") and _ESCAPED.match(text, start - 1) is not None
    return end - start > _LINE or not (escaped or _ESCAPE_BEHIND.match(text, end))


def _charged(view: TextView | None, decoding: Decoding) -> Iterator[TextView]:
    if view is not None:
        decoding.spend(len(view.text))
        yield view


def _unescape(match: Match[str]) -> str:
    found = match[0]
    match found[0]:
        case "%":
            return _PERCENT.get(found) or _unquote(found)
        case "&":
            return html.unescape(found)
        case "=":
            return _unquote(found.replace("=", "%")) if found[-1] != "\n" else ""
        case _ if found[1] in "\"'\\/":
            return found[1::2]  # pairs: JSON in JSON in JSON has them by the thousand
        case _:
            return _unbackslash(found[1:])


def _unquote(found: str) -> str:
    """Return what percent escapes stand for, in UTF-8, or else in Windows-1252."""
    data = unquote_to_bytes(found)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _unbackslash(code: str) -> str:
    if len(code) == 1:
        return _SHORT.get(code, code)
    number = int(code, 8) if code.isdecimal() and len(code) == 3 else int(code[1:].strip("{}"), 16)
    return chr(number) if number < 0xD800 or 0xDFFF < number < 0x110000 else "\ufffd"  # half a pair is no character
