"""Other ways to read a text: as a person would see it, and as a program would decode it. Pure and bounded.

What is hidden by look-alike characters, invisible characters, foreign digits or an encoding is found in these views.
A view keeps its source's surroundings (only the encoded piece is replaced), so context words stay beside the value,
and a place in a view can be mapped back to the text that the client sent.
"""

import enum
import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from re import Match, Pattern
from urllib.parse import unquote

import msgspec

from gateway.privacy.decoding.blobs import BLOB, Spend, unblob

MAX_DEPTH = 6

_CONFUSABLE = dict(
    zip(
        "АВСЕНІКМОРТХҮаеорсухіјѕԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧορνℓ‐‑‒–—−―․⁄∕∶꞉＠·‧",
        "ABCEHIKMOPTXYaeopcyxijsdqwABEZHIKMNOPTYXopvl-------.//::@..",
        strict=True,
    )
)
_FOREIGN = re.compile("[^\u0000-\u007f\u00a1-\u00ac\u00ae-\u00b1\u00b4-\u00b8\u00ba-\u00ff\u2018-\u201f\u2026\u20ac]+")
_ESCAPED = re.compile(
    r"(?:\\[\"'\\/])+|(?:%[0-9A-Fa-f]{2})+|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,12});"
    r"|\\(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|[\"'\\/nrt])|(?:=[0-9A-F]{2}){2,}|=\r?\n"
)
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[ .\-_·]{1,2}[^\W_@]|[ ]?[@.][ ]?[^\W_]){7,}(?![^\W_])")
_GAPS = re.compile(r"[ \-_·]|(?<=[0-9])\.(?=[0-9A-Za-z])")
_PERCENT = {f"%{code:02X}": chr(code) for code in range(128)}  # single ones, which are most
_SHORT = {"n": "\n", "r": "\r", "t": "\t"}


class _Folding(dict[int, str]):
    """Table of how a person reads each character; filled as characters come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            folded = str(digit)
        elif character in _CONFUSABLE:
            folded = _CONFUSABLE[character]
        elif unicodedata.category(character) in ("Cf", "Mn", "Me", "Cc") or character in "\u115f\u1160\u3164\uffa0":
            folded = "" if code > 0x1F else character
        else:
            folded = "".join(_CONFUSABLE.get(part, part) for part in unicodedata.normalize("NFKC", character))
        if len(self) < 70_000:
            self[code] = folded
        return folded


_FOLDING = _Folding()


class Segment(msgspec.Struct, frozen=True):
    """Part of a view, and the part of its source that it stands for."""

    start: int
    end: int
    source_start: int
    source_end: int
    literal: bool


class TextView(msgspec.Struct, frozen=True):
    """Reading of `source` around the pieces that were replaced there; what is far from any of them is left out."""

    text: str
    source: "TextView | None" = None
    segments: tuple[Segment, ...] = ()
    closed_up: bool = False
    decoded: bool = False  # an encoding was taken off, here or in a source

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the client's own text that stands which is from `start` to `end` here."""
        if self.source is None:
            return start, end
        first = self.segments[max(0, bisect_right(self.segments, start, key=lambda segment: segment.start) - 1)]
        last = self.segments[max(0, bisect_left(self.segments, end, key=lambda segment: segment.start) - 1)]
        begin = first.source_start + (start - first.start if first.literal else 0)
        stop = last.source_start + (end - last.start) if last.literal else last.source_end
        return self.source.place(min(begin, first.source_end), max(begin, min(stop, last.source_end)))

    def client_text(self, start: int, end: int) -> str:
        """Return what the client's own text has from `start` to `end` of it."""
        return self.text[start:end] if self.source is None else self.source.client_text(start, end)


def _rewrite(
    source: TextView,
    pattern: Pattern[str],
    read: Callable[[Match[str]], str],
    *,
    closed_up: bool = False,
    decoded: bool = False,
) -> TextView | None:
    """Return the view with the pattern's pieces replaced, and their surroundings. None: nothing was replaced."""
    text = source.text
    parts: list[str] = []
    segments: list[Segment] = []
    at = done = 0  # lengths of the view and of the source so far

    def add(piece: str, until: int, *, literal: bool) -> None:
        nonlocal at, done
        if piece or until > done:
            segments.append(Segment(at, at + len(piece), done, until, literal))
            parts.append(piece)
            at += len(piece)
        done = until

    for match in pattern.finditer(text):
        replaced = read(match)
        if replaced == match[0]:
            continue
        begin = match.start()
        if not segments:
            done = _edge(text, begin, -1)
        elif begin - done > 2 * _AROUND + 2 * _WORD:
            stop = _edge(text, done, 1)
            add(text[done:stop], stop, literal=True)
            add(_GAP, _edge(text, begin, -1), literal=False)
        add(text[done:begin], begin, literal=True)
        add(replaced, match.end(), literal=False)
    if not segments:
        return None
    stop = _edge(text, done, 1)
    add(text[done:stop], stop, literal=True)
    return TextView("".join(parts), source, tuple(segments), closed_up, decoded or source.decoded)


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
    CLOSED_UP = "closed up"


TRIGGERS: Mapping[ViewKind, str] = {
    ViewKind.UNESCAPED: r"%[0-9A-Fa-f]{2}|&[#A-Za-z][0-9A-Za-z]{1,12};|\\[uxU0-3\"'\\/nrt]|(?:=[0-9A-F]{2}){2}|=\r?\n",
    ViewKind.UNBLOBBED: (
        r"[A-Za-z0-9+/_-]{24}|[0-9A-Fa-f]{16}|[a-z][A-Z0-9][A-Za-z0-9+/_-]{4}|[A-Za-z0-9+/_-]{6}[a-z][A-Z0-9]|[A-Z0-9+/]{12}"
        r"|[0-9A-Fa-f]{2}(?:(?:[\s:,-]|\\x|, ?0x)[0-9A-Fa-f]{2}){7}"
    ),
    ViewKind.CLOSED_UP: r"[0-9A-Za-z](?:[ .\-_@\x80-\xff]{1,4}[0-9A-Za-z]){7}",
}
"""What a text must hold for a view of it to be worth making. Bytes above 127 stand for any other character."""


def views(view: TextView, kinds: Collection[ViewKind], spend: Spend) -> Iterator[TextView]:
    """Yield every other reading of one text, one level deep. `spend` is charged for each, and may raise."""
    if view.closed_up:
        return
    if not view.text.isascii() and _FOREIGN.search(view.text):
        yield from _charged(_rewrite(view, _FOREIGN, _fold), spend)
    if ViewKind.UNESCAPED in kinds:
        yield from _charged(_rewrite(view, _ESCAPED, _unescape, decoded=True), spend)
    if ViewKind.UNBLOBBED in kinds:
        yield from _charged(_rewrite(view, BLOB, lambda match: _unblob(match, spend), decoded=True), spend)
    if ViewKind.CLOSED_UP in kinds:
        yield from _charged(_rewrite(view, _SPACED, _close_up, closed_up=True), spend)


def _unblob(match: Match[str], spend: Spend) -> str:
    """Return what a piece says, with a space before it behind a comma (`data:…;base64,…`).

    Without the space, a number could seem to begin before it.
    """
    found = match[0]
    said = unblob(found, spend)
    return f" {said}" if said != found and match.string[match.start() - 1 : match.start()] == "," else said


def _close_up(match: Match[str]) -> str:
    return _GAPS.sub("", match[0])


def _charged(view: TextView | None, spend: Spend) -> Iterator[TextView]:
    if view is not None:
        spend(len(view.text))
        yield view


def _fold(match: Match[str]) -> str:
    return match[0].translate(_FOLDING)


def _unescape(match: Match[str]) -> str:
    found = match[0]
    match found[0]:
        case "%":
            return _PERCENT.get(found) or unquote(found, errors="replace")
        case "&":
            return html.unescape(found)
        case "=":
            return unquote(found.replace("=", "%"), errors="replace") if found[-1] != "\n" else ""
        case _ if found[1] in "\"'\\/":
            return found[1::2]  # pairs: JSON in JSON in JSON has them by the thousand
        case _:
            return _unbackslash(found[1:])


def _unbackslash(code: str) -> str:
    if len(code) == 1:
        return _SHORT.get(code, code)
    number = int(code, 8) if code.isdecimal() and len(code) == 3 else int(code[1:].strip("{}"), 16)
    return chr(number) if number < 0x110000 else ""


_HEAD = re.compile(r"[^\s,;]{1,200}(?:[ .-][0-9A-Z]{1,6}(?![a-z])){0,6}")


def _tail(text: str) -> str:
    """Return the last word of a text, with the short groups before it."""
    groups = text.rsplit(maxsplit=7)
    if not groups:
        return ""
    tail = re.split("[,;]", groups[-1])[-1]
    for group in reversed(groups[-7:-1] if len(tail) == len(groups[-1]) else ()):
        if len(group) > 6 or not group.isalnum():
            break
        tail = f"{group} {tail}"
    return tail


def seam(first: str, second: str) -> tuple[str, ...]:
    """Return the readings of a value that the end of one text begins and the beginning of the next ends."""
    head = _HEAD.match(second[:240].lstrip())
    left = _tail(first[-240:])
    if not left or head is None:
        return ()
    right = head[0]
    if len(left) + len(right) < 8 or not any(character.isdecimal() for character in left + right):
        return ()
    if left[-1] == "-":
        return (left + right, left[:-1] + right)
    return (left + right, f"{left} {right}") if " " in left or " " in right else (left + right,)


_DIGIT = re.compile(r"[0-9]")
_MARGIN = " \t\r>#*|-"


def broken(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield values that were broken over lines, put together, with the place that each has in the text."""
    at = text.find("\n")
    while at >= 0:
        following = text.find("\n", at + 1)
        before, after = text[max(0, at - 240) : at].rstrip(" \t\r"), text[at + 1 : at + 241].lstrip(_MARGIN)
        if before and after and _may_go_on(before, after):
            for joined in seam(before, after):
                yield joined, max(0, at - len(joined)), min(len(text), at + len(joined))
        at = following


def _may_go_on(before: str, after: str) -> bool:
    if _DIGIT.search(before, len(before) - 12) is None and _DIGIT.search(after, 0, 12) is None:
        return False
    return (before[-1].isalnum() or before[-1] in "-_/+.=@") and (after[0].isalnum() or after[0] in "-_/+.=@")
