"""What is judged together of a document: each long string by itself, short ones beside their neighbours. Pure.

Forms, records and calls of tools say in many short strings what prose says in one sentence: `{"patient": "...",
"finding": "..."}`. A short string alone tells nothing, so a run of them is read as lines of one text.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

_SHORT = 80  # characters: a longer string is read by itself
_TOGETHER = 1_200  # characters of one run
_BREAK = "\n"
_API = frozenset(
    {
        "role",
        "content",
        "user",
        "assistant",
        "system",
        "developer",
        "tool",
        "messages",
        "model",
        "type",
        "text",
        "stream",
        "auto",
        "input",
        "output",
        "name",
        "function",
        "arguments",
        "parameters",
        "properties",
        "description",
        "required",
        "object",
        "string",
        "number",
        "integer",
        "boolean",
        "array",
        "items",
        "enum",
    }
)


class Unit(msgspec.Struct, frozen=True):
    """A text that is judged, and where its parts stand in the document."""

    text: str
    parts: tuple[tuple[int, str, int], ...]  # start in the text, path, length

    def strings(self) -> Iterator[tuple[str, str]]:
        """Yield the strings that the text is made of, as (path, text)."""
        for start, path, length in self.parts:
            yield path, self.text[start : start + length]

    def place(self, start: int, stop: int) -> tuple[str, int, int]:
        """Return path, start and end of a place; of one over several strings that of the longest share in one."""
        best = ("$", 0, 0)
        for begin, path, length in self.parts:
            first, last = max(start, begin), min(stop, begin + length)
            if last - first > best[2] - best[1]:
                best = (path, first - begin, last - begin)
        return best


def units(texts: Iterable[tuple[str, str]]) -> list[Unit]:
    """Return what is judged of strings, given as (path, text) in the order of the document."""
    made: list[Unit] = []
    run: list[tuple[str, str]] = []
    size = 0
    for path, text in texts:
        if text in _API:
            continue
        if len(text) > _SHORT:
            made += _run(run)
            made.append(Unit(text, ((0, path, len(text)),)))
            run, size = [], 0
            continue
        if size + len(text) > _TOGETHER:
            made += _run(run)
            run, size = [], 0
        run.append((path, text))
        size += len(text) + 1
    return made + _run(run)


def _run(run: Sequence[tuple[str, str]]) -> list[Unit]:
    if not run:
        return []
    parts: list[tuple[int, str, int]] = []
    at = 0
    for path, text in run:
        parts.append((at, path, len(text)))
        at += len(text) + len(_BREAK)
    return [Unit(_BREAK.join(text for _, text in run), tuple(parts))]
