"""Other readings of a text for the memory: decoded and unescaped as inspection reads it, and no more. Pure, bounded."""

from collections.abc import Iterator

from gateway.privacy.decoding.budget import Bounded, DecodingLimit
from gateway.privacy.decoding.views import MAX_DEPTH, TRIGGERS, TextView, ViewKind, views
from gateway.privacy.decoding.worth import kinds_of

_SHORTEST = 16  # characters: an encoded text that is worth remembering has more
_MOST = 8  # times the text's own length, or `_LEAST`: what decoding may make of it in all
_LEAST = 4_000_000
# Letters with blanks or marks between them read the same in the memory anyway, and spelled numbers are few words.
_SAME = frozenset(
    {
        ViewKind.CLOSED_UP,
        ViewKind.CLOSED_LIST,
        ViewKind.UNSPLIT,
        ViewKind.UNSPELLED,
        ViewKind.UNMAILED,
        ViewKind.UNDRESSED,
    }
)
_KINDS = tuple([kind for kind in TRIGGERS if kind not in _SAME])


def readings(text: str) -> Iterator[str]:
    """Yield a text, then what it says when encodings are taken off, also alone where only a piece was encoded."""
    yield text
    if len(text) < _SHORTEST:
        return
    budget = Bounded(max(_LEAST, _MOST * len(text)))
    done = {text}
    level = [TextView(text)]
    try:
        for _ in range(MAX_DEPTH):
            deeper: list[TextView] = []
            for view in level:
                for other in views(view, kinds_of(view.text, _KINDS), budget):
                    if other.closed_up or other.text in done:
                        continue
                    done.add(other.text)
                    deeper.append(other)
                    yield other.text
                    yield from _pieces(other)
            if not deeper:
                return
            level = deeper
    except DecodingLimit:
        return  # of such a text inspection has a doubt already


def _pieces(view: TextView) -> Iterator[str]:
    """Yield what was decoded, without what stands around it."""
    for segment in view.segments:
        if not segment.literal and segment.end - segment.start >= _SHORTEST:
            yield view.text[segment.start : segment.end]
