"""Read the usage that other servers report, or estimate it where the report is missing or absurd. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.core.document import Json, JsonObject, freeze_object, is_object, strings
from gateway.core.usage import Usage

CHARACTERS_PER_TOKEN = 3.5
_MOST_TOKENS = 100_000_000  # far beyond any window; a larger count is a fault, not a fact
_PLAIN = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})
_OUTPUTS = frozenset({"completion_tokens", "output_tokens"})
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")  # DeepSeek, Moonshot, Anthropic-like
_WRITTEN = ("cache_creation_input_tokens", "cache_write_tokens")
# What `Usage` says in its own words, with counts of its own.
_SAID = frozenset({"prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"}) | {
    "reasoning_tokens",
    *_CACHED,
    *_WRITTEN,
}
_ASKED = frozenset(
    {"cached_tokens", "cache_read_tokens", "cache_write_tokens", "cache_creation_tokens", "audio_tokens"}
)
_MADE = frozenset({"reasoning_tokens", "audio_tokens"})
_SAID_INSIDE = {
    "prompt_tokens_details": _ASKED,
    "input_tokens_details": _ASKED,
    "completion_tokens_details": _MADE,
    "output_tokens_details": _MADE,
}
_PROMPT_FIELDS = ("messages", "prompt", "input", "tools", "query", "documents", "state", "questions")


def reported_usage(usage: object, *, answered: bool) -> Usage | None:
    """Return the report as `Usage`; None for one that can't be true. `answered`: the answer had text.

    Servers differ in what they count where: cached prompt tokens beside `prompt_tokens`, or reasoning beside
    `completion_tokens` (xAI), sometimes told by `total_tokens` alone (Gemini). Whatever was counted is paid.
    """
    if not is_object(usage):
        return None
    if len(usage) <= len(_PLAIN) and usage.keys() <= _PLAIN:
        return _plain_usage(usage, answered=answered)
    prompt = _first(usage, "prompt_tokens", "input_tokens")
    completion = 0 if not _OUTPUTS & usage.keys() else _first(usage, *_OUTPUTS)
    if prompt is None or completion is None or (answered and completion == 0):
        return None
    asked = _details(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    made = _details(usage, "completion_tokens_details", "output_tokens_details")
    cached = _first(asked, "cached_tokens", "cache_read_tokens") or _first(usage, *_CACHED) or 0
    reasoning = _first(made, "reasoning_tokens") or _first(usage, "reasoning_tokens") or 0
    fresh = prompt - cached if cached <= prompt else prompt
    beside = max(0, (token_count(usage.get("total_tokens")) or 0) - fresh - cached - completion)
    if reasoning > completion or beside >= reasoning:
        output, reasoning = completion, max(reasoning, beside)
    else:
        output, reasoning = completion - reasoning, reasoning + beside
    written = _first(asked, "cache_write_tokens", "cache_creation_tokens") or _first(usage, *_WRITTEN) or 0
    return Usage(
        input=fresh,
        input_cached=cached,
        output=output,
        reasoning=reasoning,
        input_written=min(written, fresh),
        input_audio=min(_first(asked, "audio_tokens") or 0, fresh),
        output_audio=min(_first(made, "audio_tokens") or 0, output),
    )


def _plain_usage(usage: Mapping[str, Any], *, answered: bool) -> Usage | None:
    """Return a report that has nothing but the three counts of most servers."""
    prompt = token_count(usage.get("prompt_tokens"))
    completion = token_count(usage["completion_tokens"]) if "completion_tokens" in usage else 0
    if prompt is None or completion is None or (answered and completion == 0):
        return None
    beside = (token_count(usage.get("total_tokens")) or 0) - prompt - completion
    return Usage(input=prompt, output=completion, reasoning=max(0, beside))


class UsageReports:
    """The usage reports of one answer: for the whole, or for single choices (Moonshot and others). The last one counts.

    A report that can't be true does not replace one that can.
    """

    def __init__(self) -> None:
        self._whole: Usage | None = None
        self._told: JsonObject = MappingProxyType({})
        self._choices: dict[int, Usage] = {}

    def whole(self, report: object) -> None:
        """Take a report about the answer as a whole; None: there is none."""
        if report is None:
            return
        self._whole = _later(self._whole, report)
        if is_object(report) and not report.keys() <= _PLAIN and (more := told_beside(report)):
            self._told = more

    def choice(self, index: int, report: object) -> None:
        """Take a report that stands in a choice; None: there is none."""
        if report is None:
            return
        usage = _later(self._choices.get(index), report)
        if usage is not None:
            self._choices[index] = usage

    def told(self) -> JsonObject:
        """Return what the last report about the whole says beside the counts."""
        return self._told

    def usage(self, *, answered: bool) -> Usage | None:
        """Return what was reported; None: nothing that can be true. `answered`: the answer had text."""
        for usage in (self._whole, self._sum()):
            if usage is not None and (usage.completion_tokens or not answered):
                return usage
        return None

    def _sum(self) -> Usage | None:
        """Return the choices together: each counts its own answer, and all the same prompt."""
        if not self._choices:
            return None
        most = max(self._choices.values(), key=lambda usage: usage.prompt_tokens)
        return Usage(
            input=most.input,
            input_cached=most.input_cached,
            output=sum(usage.output for usage in self._choices.values()),
            reasoning=sum(usage.reasoning for usage in self._choices.values()),
            input_written=most.input_written,
            input_audio=most.input_audio,
            output_audio=sum(usage.output_audio for usage in self._choices.values()),
        )


def told_beside(report: Mapping[str, Any]) -> JsonObject:
    """Return what a report says that `Usage` has no place for, such as a cost or the tokens of pictures."""
    found: dict[str, Any] = {}
    for name, value in report.items():
        if name in _SAID_INSIDE and isinstance(value, Mapping):
            inside = {inner: one for inner, one in value.items() if one and inner not in _SAID_INSIDE[name]}
            found |= {name: inside} if inside else {}
        elif name not in _SAID and name not in _SAID_INSIDE and value is not None:
            found[name] = value
    return freeze_object(found)


def _later(before: Usage | None, report: object) -> Usage | None:
    usage = reported_usage(report, answered=before is not None and before.completion_tokens > 0)
    return before if usage is None else usage


def estimated_usage(document: JsonObject, *, answer: int, reasoning: int) -> Usage:
    """Estimate the usage from lengths: `answer` and `reasoning` in characters, the prompt from the sent document."""
    prompt = sum(_prompt_tokens(document.get(name)) for name in _PROMPT_FIELDS)
    return Usage(input=prompt, output=_tokens(answer), reasoning=_tokens(reasoning), estimated=True)


def _tokens(characters: int) -> int:
    return int(characters / CHARACTERS_PER_TOKEN) + 1 if characters else 0


def _prompt_tokens(value: Json) -> int:
    if isinstance(value, tuple) and value and type(value[0]) is int:
        return len(value)  # token ids
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return sum(_prompt_tokens(item) for item in value)
    texts = (text for path, text in strings(value) if not path.endswith("~key") and not text.startswith("data:"))
    return _tokens(sum(len(text) for text in texts))


def token_count(value: Any) -> int | None:
    """Return a count of tokens; None for what can't be one."""
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def _first(holder: Mapping[str, Any], *names: str) -> int | None:
    """Return the first count of these names."""
    for name in names:
        count = token_count(holder.get(name))
        if count is not None:
            return count
    return None


def _details(usage: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        found = usage.get(name)
        if is_object(found):
            return found
    return {}
