"""What is judged together of a document: each long string by itself, short ones beside their neighbours. Pure.

Forms, records and calls of tools say in many short strings what prose says in one sentence: `{"patient": "...",
"finding": "..."}`. A short string alone tells nothing, so a run of them is read as lines of one text.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from gateway.privacy.sensitivity.file_names import as_words

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
_SETTINGS = frozenset(
    {
        "cache_control",
        "frequency_penalty",
        "include_usage",
        "max_completion_tokens",
        "max_tokens",
        "output_config",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "stream_options",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_p",
        "verbosity",
    }
)
_SETTING_KEYS = frozenset({f"$.{name}~key" for name in _SETTINGS} | {"$.output_config.effort~key"})
_CHOSEN = frozenset(
    {f"$.{name}" for name in ("reasoning_effort", "service_tier", "tool_choice", "verbosity")}
    | {"$.output_config.effort", "$.thinking.type"}
)
_CHOICES = frozenset(
    {"none", "minimal", "low", "medium", "high", "xhigh", "max"}
    | {"default", "flex", "priority", "standard_only"}
    | {"adaptive", "disabled", "enabled"}
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
    """Return what is judged of strings, given as (path, text) in the order of the document; names of files alone."""
    made: list[Unit] = []
    run: list[tuple[str, str]] = []
    size = 0
    for path, text in texts:
        if text in _API or _is_setting(path, text):
            continue
        words = as_words(text)
        if words != text:  # the name of a file: beside other words it would look like a part of what they say
            if not words.isspace():
                made.append(Unit(words, ((0, path, len(words)),)))
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


def _is_setting(path: str, text: str) -> bool:
    """Say whether a string tells how to answer, and nothing that somebody said.

    `claude`, `hi` and `high` are no sentence. The model's name stays here: a target is asked for its own.
    """
    return path == "$.model" or path in _SETTING_KEYS or (path in _CHOSEN and text in _CHOICES)


def _run(run: Sequence[tuple[str, str]]) -> list[Unit]:
    if not run:
        return []
    parts: list[tuple[int, str, int]] = []
    at = 0
    for path, text in run:
        parts.append((at, path, len(text)))
        at += len(text) + len(_BREAK)
    return [Unit(_BREAK.join(text for _, text in run), tuple(parts))]
