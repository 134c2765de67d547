"""Where pseudonyms stand in a masked document: what lies inside one is nobody's data. Pure."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence

_Spans = Sequence[tuple[int, int]]


class PseudonymPlaces:
    """Places of pseudonyms in texts, given as (path, text). A text is searched when it is first asked for, and once."""

    def __init__(self, texts: Iterable[tuple[str, str]], pseudonyms: Collection[str]) -> None:
        longest = sorted(pseudonyms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest)) or r"(?!)")
        self._texts: dict[str, list[str]] = {}
        self._found: dict[str, list[_Spans]] = {}
        if pseudonyms:
            for path, text in texts:
                self._texts.setdefault(path, []).append(text)

    def hold(self, path: str, start: int, end: int) -> bool:
        """Tell whether these characters lie inside one pseudonym.

        A key with a dot in it can have the path of another value: then they must do so in every text of this path.
        """
        found = self._of(path)
        return bool(found) and end > start and all(_inside(spans, start, end) for spans in found)

    def _of(self, path: str) -> list[_Spans]:
        """Return where pseudonyms stand in each text of a path, in order."""
        if path not in self._found:
            texts = self._texts.get(path, ())
            self._found[path] = [[hit.span() for hit in self._pattern.finditer(text)] for text in texts]
        return self._found[path]


def _inside(spans: _Spans, start: int, end: int) -> bool:
    before = bisect_right(spans, start, key=lambda span: span[0])
    return before > 0 and end <= spans[before - 1][1]
