"""Whether a value that was masked can still be read somewhere in the masked document. Pure and bounded.

Inspection finds what looks like something; here the very values are known, so they are looked for as such: in every
string and key, through every encoding and disguise that inspection knows, without separators, accents or case, and
across the seam of neighbouring messages. Beyond the budget the answer is yes.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from gateway.core.document import JsonObject, strings
from gateway.privacy.decoding.budget import Bounded, Decoding, DecodingLimit
from gateway.privacy.decoding.views import MAX_DEPTH, TextView, views
from gateway.privacy.decoding.worth import kinds_of
from gateway.privacy.inspection.seams import order_of, orders_inside
from gateway.privacy.patterns import late

_SHORT = 6  # letters and digits; what is shorter stands in too many other words, and is looked for as a word
_TIMES = 8  # characters looked at, as a multiple of the document's
_AT_LEAST = 1_000_000
_GAPS = late(r"[\W_]+")


def has_residue(document: JsonObject, values: Collection[str], words: Collection[str] = ()) -> bool:
    """Tell whether one of the values is left in the document; `words` count as whole words only."""
    long = {squeezed for value in values if value not in words and len(squeezed := _squeezed(value)) >= _SHORT}
    short = {value for value in values if value in words or 2 <= len(_squeezed(value)) < _SHORT}
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in short) or r"(?!)", re.IGNORECASE)
    texts = list(strings(document))
    budget = Bounded(max(_AT_LEAST, _TIMES * sum(len(text) for _, text in texts)))
    try:
        if any(_holds(together, long) for together in order_of(document).together()):
            return True
        for _, text in texts:
            if _holds(text, long):
                return True
            if any(_holds(together, long) for order in orders_inside(text) for together in order.together()):
                return True
            if any(_holds(view, long) or pattern.search(view) for view in _disguises(text, budget)):
                return True
    except DecodingLimit:
        return True
    return False


def _holds(text: str, squeezed: Collection[str]) -> bool:
    if not squeezed:
        return False
    plain = _squeezed(text)
    return any(value in plain for value in squeezed)


def _squeezed(text: str) -> str:
    """Return the letters and digits of a text alone, without accents and case."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return _GAPS.sub("", text).casefold()


def _disguises(text: str, budget: Decoding) -> Iterator[str]:
    """Yield every other reading of a text, to the depth that inspection looks at.

    Raises:
        DecodingLimit: There are readings beyond that depth.
    """
    level = [TextView(text)]
    done = {text}
    for _ in range(MAX_DEPTH):
        deeper: list[TextView] = []
        for view in level:
            for other in views(view, kinds_of(view.text), budget):
                if other.text not in done:
                    done.add(other.text)
                    deeper.append(other)
                    yield other.text
        if not deeper:
            return
        level = deeper
    raise DecodingLimit
