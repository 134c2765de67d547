"""Blanks: what the judge of sensitivity reads where a pseudonym stands, as in a letter's template. Pure.

A pseudonym looks like somebody's name or number, and a text with it like somebody's affair. What the judge has to see
is whether something is left that is told although nobody is named.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from gateway.privacy.masking.pseudonyms import PseudonymEntry

_BLANKS = {"person": "[NAME]", "contact": "[CONTACT]", "id": "[NUMBER]", "financial": "[NUMBER]"}
_OTHER = "[...]"


def blanks_of(entries: Iterable[PseudonymEntry]) -> dict[str, str]:
    """Return the blank of each pseudonym."""
    return {entry.pseudonym: _BLANKS.get(entry.category.partition(".")[0], _OTHER) for entry in entries}


def blanked(texts: Iterable[tuple[str, str]], blanks: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield texts, given as (path, text), with blanks in the place of pseudonyms."""
    if not blanks:
        yield from texts
        return
    longest = sorted(blanks, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest)))
    for path, text in texts:
        yield path, pattern.sub(lambda match: blanks[match[0]], text)
