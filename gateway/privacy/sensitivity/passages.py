"""A text as the encoder reads it: passages of neighbouring sentences, each with the windows that are judged in it.

A passage is what the encoder sees at once. Its windows are the passage as a whole, each sentence (with the fragment
before it, and without), and stretches of long sentences: the worst of them counts, so that nothing around a confidence
can water it down. Pure.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from gateway.privacy.patterns import late

MOST_TOKENS = 126  # of one passage
_LONG = 40  # tokens of a sentence that has windows of its own
_STRETCH, _STEP = 24, 12  # tokens
_BEGIN, _END = 1, 2  # pieces that open and close a passage
_UNKNOWN = 0
_FEWEST = 6  # tokens of a sentence that says anything by itself
_ABBREVIATED = "".join(
    rf"(?<!\b{word}\.)"
    for word in ("Dr", "Dra", "Sr", "Sra", "Mr", "Mrs", "Ms", "Prof", "St", "Tel", "Nr", "Núm", "bzw")
)
_SENTENCE = late(
    rf"(?<=[.!?…])(?<![\s.(][A-ZÀ-Ý]\.)(?<!\d\.){_ABBREVIATED}[\"'”»)\]]*\s+|(?<!\s)[^\S\r\n]*[\r\n]\s*|(?<!\s)[^\S\u2028\u2029]*[\u2028\u2029]\s*"
)
_MARGIN = 16  # characters before and behind a line that are looked at
_LINE_START = late(r"(?:\A|[\r\n\u2028\u2029])[ \t]*(?:[-*•–] ?)?\Z")
_ITEM = late(r"[ \t]*[-*•–][ \t]")
_LINE_END = late(r"[.!?…\"'”»)\] \t]*(?:\Z|[\r\n\u2028\u2029])")
_STOP = late(r"[.!?…]")
_MOST_CHARACTERS = 2_000  # of a sentence that is cut into pieces of words at once

Encode: TypeAlias = Callable[[str], Sequence[tuple[int, int, int]]]
"""A text's pieces: number, start and end in the text."""


class Window(msgspec.Struct, frozen=True, array_like=True):
    """Part of a passage that is judged by itself."""

    first: int  # token
    end: int  # token behind the last
    start: int  # character in the text
    stop: int


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """Sentences that are read together."""

    pieces: tuple[int, ...]
    windows: tuple[Window, ...]

    def alone(self, window: Window) -> "Passage":
        """Return the passage that a window is without its neighbours."""
        pieces = (_BEGIN, *self.pieces[window.first : window.end], _END)
        return Passage(pieces, (Window(1, len(pieces) - 1, window.start, window.stop),))

    @property
    def unknown(self) -> float:
        """Share of the pieces that the encoder does not know."""
        inner = self.pieces[1:-1]
        return inner.count(_UNKNOWN) / len(inner) if inner else 0.0


class _Sentence(msgspec.Struct, frozen=True, array_like=True):
    pieces: tuple[tuple[int, int, int], ...]
    alone: bool  # it speaks of its own sensitivity, and so it is nobody's neighbour
    lead: int = 0  # tokens of the fragment before it


def passages(
    text: str, encode: Encode, alone: Callable[[str], bool] = lambda _: False, most: int = MOST_TOKENS
) -> Iterator[Passage]:
    """Yield the passages of a text; each but the first begins with the sentence that ended the one before.

    `alone` tells which sentences are read without their neighbours.
    """
    together: list[_Sentence] = []
    length = 0
    for sentence in _sentences(text, encode, alone, most):
        if together and (sentence.alone or length + len(sentence.pieces) > most):
            yield _passage(together)
            last = together[-1]
            keep = not sentence.alone and len(last.pieces) <= most // 4 and len(together) > 1
            together = [last] if keep and len(last.pieces) + len(sentence.pieces) <= most else []
            length = sum(len(one.pieces) for one in together)
        if sentence.alone:
            yield _passage([sentence])
        else:
            together.append(sentence)
            length += len(sentence.pieces)
    if together:
        yield _passage(together)


def surroundings(text: str, start: int, stop: int) -> tuple[int, int]:
    """Say how a stretch of text stands in its lines.

    First: 0: it does not begin a line; 1: it does; 2: as an item of a list. Second: 0: it does not end a line; 1: it
    does; 2: as a sentence does.
    """
    begin = _LINE_START.search(text, max(0, start - _MARGIN), start)
    item = begin is not None and (_ITEM.match(text, start, stop) or text[begin.start() : start].strip())
    end = _LINE_END.match(text, stop, stop + _MARGIN)
    return (
        0 if begin is None else 2 if item else 1,
        0 if end is None else 1 if _STOP.search(text, max(start, stop - 1), end.end()) is None else 2,
    )


def is_entry(text: str, start: int, stop: int) -> bool:
    """Say whether a stretch of text is a line that says something by itself: a whole sentence, or an item of a list.

    Other lines are mostly pieces of a paragraph that was wrapped, of code or of a table.
    """
    begin, end = surroundings(text, start, stop)
    return bool(begin and end) and 2 in (begin, end)


def _sentences(text: str, encode: Encode, alone: Callable[[str], bool], most: int) -> Iterator[_Sentence]:
    """Yield sentences; a fragment (a heading, a signature, "Hi.") goes with the sentence behind it, or before it."""
    fragment: tuple[tuple[int, int, int], ...] = ()
    last: _Sentence | None = None
    for start, stop in _bounds(text):
        pieces = fragment + tuple(
            (number, start + first, start + end) for number, first, end in encode(text[start:stop])
        )
        lead, fragment = len(fragment), ()
        apart = alone(text[start:stop])
        if len(pieces) < _FEWEST and not apart:
            fragment = pieces
            continue
        for at in range(0, len(pieces), most):
            if last is not None:
                yield last
            last = _Sentence(pieces[at : at + most], apart, 0 if at or lead >= most else lead)
    if last is not None and fragment and not last.alone and len(last.pieces) + len(fragment) <= most:
        last, fragment = _Sentence(last.pieces + fragment, False, last.lead), ()
    if last is not None:
        yield last
    if fragment:
        yield _Sentence(fragment, False)


def _bounds(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence, cut where one is very long."""
    start = 0
    ends = [match.span() for match in _SENTENCE.finditer(text)]
    for stop, following in (*ends, (len(text), len(text))):
        for begin in range(start, stop, _MOST_CHARACTERS):
            yield begin, min(stop, begin + _MOST_CHARACTERS)
        start = following


def _passage(sentences: Sequence[_Sentence]) -> Passage:
    pieces = [piece for sentence in sentences for piece in sentence.pieces]
    bounds = [(0, len(pieces))]
    at = 0
    for sentence in sentences:
        size = len(sentence.pieces)
        if len(sentences) > 1:
            bounds.append((at, at + size))
        if sentence.lead:
            bounds.append((at + sentence.lead, at + size))
        if size > _LONG:
            bounds += ((at + first, min(at + first + _STRETCH, at + size)) for first in range(0, size - _STEP, _STEP))
        at += size
    windows = tuple(Window(1 + first, 1 + end, pieces[first][1], pieces[end - 1][2]) for first, end in bounds)
    return Passage((_BEGIN, *(number for number, _, _ in pieces), _END), windows)
