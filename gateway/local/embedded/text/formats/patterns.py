"""Regular expressions that find the parts of an answer.

They come from `regex`, which can say of a text whether it may still become a match: that is what is held back.
INVARIANT: no quantifier within another one over the same characters, and every run has a bound, for models write
what they like.
"""

from functools import lru_cache

import msgspec
import regex

from gateway.local.embedded.text.formats.answer_format import ID, NUMBER, AnswerFormat, Calls, Style
from gateway.local.embedded.text.formats.segments import first_marker, markers_of

_BLANKS = r"\s{0,8}"
_GAP = r"\s{0,64}"  # within JSON, which may be indented
_SCALAR = r'(?:"[^"]{0,128}"|-?\d{1,20}|null)'
# A JSON object as a whole, for calls whose arguments stand before their name.
_DEFINED = r'(?(DEFINE)(?P<object>\{(?:[^{}"]++|"(?:[^"\\]++|\\.)*+"|(?&object))*+\}))'
_OBJECT = "(?&object)"


class Patterns(msgspec.Struct, frozen=True, kw_only=True):
    """Patterns of one format and the names of the tools that are offered. Groups: call, thought, content, no_text."""

    start: regex.Pattern[str]  # at the beginning of an answer
    content: regex.Pattern[str]
    thought: regex.Pattern[str]
    after_call: regex.Pattern[str]  # groups closer and following, too
    object_end: regex.Pattern[str]  # what follows the arguments within a call that is an object


@lru_cache(256)
def patterns_of(form: AnswerFormat, names: tuple[str, ...]) -> Patterns:
    """Return the patterns for a format and the tools that may be called."""
    call = _calls(form.calls, names, first=False) if form.calls is not None and names else ""
    first = _calls(form.calls, names, first=True) if form.calls is not None and names else ""
    opens = form.thought_begin or (loose(form.thought.open) if form.thought.open else "")
    closes = form.thought_end or loose(form.thought.close)
    no_text = [form.no_text, *(loose(mark) for mark in (form.content.open, form.content.close) if mark)]
    shared = {"content": form.content_begin, "no_text": "|".join(part for part in no_text if part)}
    stray = rf"{_BLANKS}(?:{closes})" if closes else ""
    within = call if form.calls is not None and _ends_thoughts(form.calls) else ""
    answers = loose(form.content.open) if form.content.open.startswith("<|") else ""
    return Patterns(
        start=_any(
            names,
            thought=opens and f"{_BLANKS}(?:{opens})",
            call=first,
            **{**shared, "no_text": "|".join(part for part in (shared["no_text"], stray) if part)},
        ),
        content=_any(
            names,
            thought=f"{_BLANKS}(?:{opens})" if opens and form.thinks_anywhere else "",
            call=call,
            **shared,
        ),
        thought=_any(names, closer=rf"{_BLANKS}(?:{closes})" if closes else "", call=within, content=answers),
        after_call=_any(names, closer=_closers(form.calls), call=call, following=_following(form.calls, names)),
        object_end=regex.compile(_object_end(form.calls)),
    )


def find(pattern: regex.Pattern[str], text: str) -> regex.Match[str] | None:
    """Return the first match, or what may become the first one when more text comes (`partial`)."""
    found = pattern.search(text, partial=True)
    if found is None or found.partial:
        return found
    # A complete match is preferred by `search`, though an earlier one may still grow around it.
    for place in range(found.start()):
        earlier = pattern.match(text, place, partial=True)
        if earlier is not None:
            return earlier
    return found


def loose(literal: str) -> str:
    """Return a pattern of a literal in which blanks may differ in number, and need not be at its ends."""
    words = literal.split()
    return r"\s{0,8}".join(_escaped(word) for word in words) if len(words) > 1 else _escaped(literal.strip())


def value_edge(literal: str) -> str:
    """Return a pattern of a literal that stands beside a value: blanks at its ends may be the value's own."""
    inner = loose(literal)
    before = r"\n?" if literal[:1] == "\n" else ""
    after = r"\n?" if literal[-1:] == "\n" else ""
    return before + inner + after


def _escaped(text: str) -> str:
    return regex.escape(text, literal_spaces=True).replace(ID, r"[^\s<>\[\]|{}]{0,128}").replace(NUMBER, r"\d{1,9}")


def _any(names: tuple[str, ...], **groups: str) -> regex.Pattern[str]:
    parts = [f"(?P<{name}>{pattern})" for name, pattern in groups.items() if pattern]
    pattern = "|".join(parts) or r"(?!)"
    whole = (_DEFINED if _OBJECT in pattern else "") + f"(?:{pattern})"
    return regex.compile(whole, names=names) if _NAME in pattern else regex.compile(whole)


def _ends_thoughts(calls: Calls) -> bool:
    """Say whether a call within a thought is one all the same: models forget to end the thought before it.

    That takes markers, and the name of a tool, which nobody writes who only thinks of a call.
    """
    marked = (calls.section.open or calls.call.open).lstrip().startswith(("<|", "<｜"))
    return not calls.head and (calls.style is Style.TAGS or (calls.style is Style.NAMED_JSON and marked))


_NAME = r"(?P<name>\L<names>)"  # a list that `regex` looks names up in; an alternation takes long to compile


def _calls(calls: Calls, names: tuple[str, ...], *, first: bool) -> str:
    """Return the pattern of a call up to its arguments.

    `first`: at the start of an answer, where the markers of a call that is an object may be missing.
    """
    name = _NAME
    if calls.head:
        return _BLANKS + calls.head.replace("{name}", name)
    section = f"(?:{loose(calls.section.open)}{_BLANKS})?" if calls.section.open else ""
    opens = loose(calls.call.open)
    if calls.style is Style.OBJECT:
        mark = (section + (f"(?:{opens}{_BLANKS})" if opens else "")) or ""
        if not opens and calls.section.open:
            mark = loose(calls.section.open) + _BLANKS
        bare = rf"(?:{mark}|<\|python_tag\|>{_BLANKS})?" if first else mark
        return "" if not bare else _BLANKS + bare + rf"\[?{_GAP}" + _object(calls, name)
    if calls.style is Style.PYTHON:
        mark = loose(calls.call.open or calls.section.open)
        return f"{_BLANKS}{mark}{_BLANKS}" + rf"\[{_BLANKS}{name}\(" if first or mark else ""
    if not opens:  # only the section shows where the first call begins
        section = section[:-1] if section.endswith("?") else section
    mark, rest = first_marker(calls.call.open)
    if calls.style is Style.TAGS and mark and rest.lstrip().startswith("<"):  # the second marker says enough
        opens = f"(?:{loose(mark)}{_BLANKS})?{loose(rest)}"
    end = loose(calls.name_end) or r"(?=[^\w.\-])"
    brace = r"\{" if calls.style is Style.GEMMA else r"(?=\{)" if calls.style is Style.NAMED_JSON else ""
    return f"{_BLANKS}{section}{opens}{_BLANKS}{name}{_BLANKS}{end}" + (_BLANKS if brace else "") + brace


def _following(calls: Calls | None, names: tuple[str, ...]) -> str:
    """Return the pattern of a call that needs no marker, for it follows another one in the same list or section."""
    if calls is None or not names:
        return ""
    if calls.style is Style.OBJECT:
        return r"[\s,;]{0,64}" + _object(calls, _NAME)
    if calls.style is Style.PYTHON:
        return rf"{_BLANKS},{_BLANKS}{_NAME}\("
    return ""


def _object(calls: Calls, name: str) -> str:
    keys = calls.keys
    if not keys.name:
        return rf'\{{{_GAP}"{name}"{_GAP}:{_GAP}(?=[{{"])'
    names = "|".join(dict.fromkeys((regex.escape(keys.name), "name")))
    arguments = "|".join(dict.fromkeys((regex.escape(keys.arguments), "arguments", "parameters")))
    outer = regex.escape(keys.outer or "function")
    colon = rf"{_GAP}:{_GAP}"
    comma = rf"{_GAP},{_GAP}"
    is_name = rf'"(?:{names})"{colon}"{name}"'
    is_arguments = rf'"(?:{arguments})"{colon}'
    others = rf'(?:"(?!(?:{names}|{arguments})")[^"]{{1,32}}"{colon}{_SCALAR}{comma}){{0,4}}+'
    inner = rf'(?P<outer>"{outer}"{colon}\{{{_GAP})?'
    late = rf"{is_arguments}(?P<early>{_OBJECT}){comma}{is_name}"
    soon = rf"{is_name}(?:{comma}{others}{is_arguments}(?=[{{\"])|(?P<none>{_GAP}\}}))"
    return rf"\{{{_GAP}{others}{inner}{others}(?:{soon}|{late})"


def _object_end(calls: Calls | None) -> str:
    return rf'(?:{_GAP},{_GAP}"[^"]{{1,32}}"{_GAP}:{_GAP}{_SCALAR}){{0,4}}{_GAP}\}}'


def _closers(calls: Calls | None) -> str:
    if calls is None:
        return ""
    texts = (calls.call.close, calls.section.close, calls.between)
    whole = [*texts, *(mark for text in texts for mark in markers_of(text) if mark.startswith("</"))]
    marks = [loose(mark) for mark in dict.fromkeys(whole) if mark.strip()]
    lists = [r"\]"] if calls.style in (Style.OBJECT, Style.PYTHON) else []
    return _BLANKS + "(?:" + "|".join([*sorted(marks, key=len, reverse=True), *lists, r"\s{1,8}"]) + ")"
