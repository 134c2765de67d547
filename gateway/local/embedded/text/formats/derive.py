"""Derivation of an answer's format from its template: render marked conversations, read off what stands between.

The idea is llama.cpp's auto-parser (docs/autoparser.md there): differences between renderings show the delimiters.
"""

import json

import msgspec

from gateway.local.embedded.text.formats.answer_format import (
    HERMES,
    ID,
    NUMBER,
    AnswerFormat,
    Calls,
    Keys,
    Markers,
    Style,
)
from gateway.local.embedded.text.formats.known import known_calls, known_format, known_thought
from gateway.local.embedded.text.formats.patterns import loose
from gateway.local.embedded.text.formats.probe import CONTENT, IDS, NAMES, NUMBER_KEY, TEXT, TEXT_KEY, THOUGHT, Probe
from gateway.local.embedded.text.formats.probe import NUMBER as NUMBER_VALUE
from gateway.local.embedded.text.formats.segments import (
    first_marker,
    last_marker,
    shared_end,
    shared_start,
    without_turn_end,
)


def derive(probe: Probe, source: str) -> AnswerFormat:
    """Return the format of the answers of a model with this template."""
    known = known_format(source)
    if known is not None and known.calls is not None:
        return known
    form = known or _text_format(probe, source)
    calls = known_calls(source) or derived_calls(probe, form) or HERMES
    thinks = bool(form.thought.close) and form.thought.close in source
    return msgspec.structs.replace(form, calls=calls, thinks=thinks)


def _text_format(probe: Probe, source: str) -> AnswerFormat:
    plain = probe.answer(content=CONTENT)
    before, _, after = plain.partition(CONTENT)
    thought, words = _thought(probe, before)
    if thought is None:
        thought, words = known_thought(source), False
    own = before[len(shared_start(before, probe.prompt_end())) :]
    opens = _without(own, thought.open, thought.close).strip()
    content = Markers(open=opens, close=first_marker(after)[0]) if first_marker(opens)[0] == opens != "" else Markers()
    return AnswerFormat(thought=thought, content=content, opened_in_words=words)


def _thought(probe: Probe, before_content: str) -> tuple[Markers | None, bool]:
    """Return the markers of a thought, and whether the prompt opens it in words; None: no thought is shown."""
    answer = probe.answer(content=CONTENT, **probe.thought_fields())
    if not 0 <= answer.find(THOUGHT) < answer.find(CONTENT):
        answer = probe.answer(tool_calls=probe.calls(1), **probe.thought_fields())
        if not 0 <= answer.find(THOUGHT) < answer.find(NAMES[0]):
            return None, False
    before, _, after = answer.partition(THOUGHT)
    opens, _ = last_marker(before)
    closes, _ = first_marker(after)
    if not closes:
        return None, False
    if opens and opens in before_content and closes not in before_content:  # a header: the thought itself has no marker
        return Markers(close=closes), True
    return Markers(open=opens, close=closes), False


def _without(text: str, *marks: str) -> str:
    for mark in marks:
        text = text.strip().removeprefix(mark) if mark else text
    return text


def derived_calls(probe: Probe, form: AnswerFormat) -> Calls | None:
    """Return how calls are written; None: the template does not show any.

    Some templates put other things between text and calls, and some show no calls beside text: what has the shorter
    markers has nothing of that in it.
    """
    found = [calls for content in ("", CONTENT) if (calls := _read_off(probe, form, content)) is not None]
    return min(found, key=_length, default=None)


def _length(calls: Calls) -> int:
    return sum(map(len, (calls.section.open, calls.section.close, calls.call.open, calls.call.close, calls.between)))


def _read_off(probe: Probe, form: AnswerFormat, content: str) -> Calls | None:
    whole = _normal(probe.answer(content=content, tool_calls=probe.calls(2)))
    if not 0 <= whole.find(NAMES[0]) < whole.find(NAMES[1]):
        whole = _normal(probe.answer(content=content, tool_calls=probe.calls(1)))
    name = whole.find(NAMES[0])
    if name < 0:
        return None
    end = probe.answer(content=CONTENT).partition(CONTENT)[2]
    body = _lead(whole[:name], probe, form) + whole[name:]
    return _object_calls(body, end) or _named_calls(body, end)


def _normal(answer: str) -> str:
    for number in IDS:
        answer = answer.replace(number, ID)
    return answer


def _lead(before: str, probe: Probe, form: AnswerFormat) -> str:
    """Return what stands before the first name, without the header, the content and the markers of a thought."""
    if CONTENT in before:
        return _without(before.partition(CONTENT)[2], form.content.close)
    before = before[len(shared_start(before, probe.prompt_end())) :]
    thought, content = form.thought, form.content
    return _without(before, thought.open, thought.close, content.open, content.close)


def _object_calls(body: str, end: str) -> Calls | None:
    """Return the format of calls that are JSON objects, name and all; None: they are none."""
    name = body.find(NAMES[0])
    for place, letter in enumerate(body[:name]):
        if letter not in "{[":
            continue
        try:
            value, stop = json.JSONDecoder().raw_decode(body[place:])
        except ValueError:
            continue
        array = isinstance(value, list)
        first = value[0] if array and value else value
        keys = _keys(first, array=array)
        if keys is None:
            continue
        before, after = body[:place], body[place + stop :]
        return _wrapped(Calls(style=Style.OBJECT, keys=keys), before, _second(after), end, array=array)
    return None


def _second(after: str) -> tuple[str, str]:
    """Return what stands between two objects, and what stands behind the last one."""
    name = after.find(NAMES[1])
    if name < 0:
        return "", after
    place = after.find("{")
    try:
        _, stop = json.JSONDecoder().raw_decode(after[place:])
    except ValueError:
        return "", after[:place]
    return after[:place], after[place + stop :]


def _keys(value: object, *, array: bool) -> Keys | None:
    if not isinstance(value, dict):
        return None
    for outer, inner in [("", value), *((key, one) for key, one in value.items() if isinstance(one, dict))]:
        name = next((key for key, one in inner.items() if one == NAMES[0]), "")
        arguments = next((key for key, one in inner.items() if TEXT_KEY in str(one) and key != NAMES[0]), "")
        if name and arguments:
            ahead = list(inner)[: list(inner).index(name)]
            return Keys(name=name, arguments=arguments, outer=outer, id=ahead[0] if ahead else "", array=array)
    return Keys(name="", arguments="", array=array) if NAMES[0] in value else None


def _wrapped(calls: Calls, before: str, between_after: tuple[str, str], end: str, *, array: bool) -> Calls:
    """Return the format with the markers around sections and calls, by what stands before, between and after calls."""
    between, after = between_after
    after = _without_end(after, end)
    if array or not between:
        whole = Markers(open=before.lstrip(), close=after)
        return msgspec.structs.replace(calls, **({"section": whole} if array else {"call": whole}))
    opens = shared_end(before, between)
    rest = between[: len(between) - len(opens)]
    closes = shared_start(rest, after)
    return msgspec.structs.replace(
        calls,
        section=Markers(open=before[: len(before) - len(opens)].strip(), close=after[len(closes) :].strip()),
        call=Markers(open=opens.lstrip() if not before[: len(before) - len(opens)].strip() else opens, close=closes),
        between=rest[len(closes) :],
    )


def _without_end(after: str, end: str) -> str:
    """Return what stands behind a call without the end of the turn."""
    if end.strip() and end.strip() in after:
        return after.partition(end.strip())[0]
    shared = shared_end(after, end)
    mark, _ = first_marker(end)
    rest = after.removesuffix(shared) if shared.strip() or not mark else after.partition(mark)[0]
    return without_turn_end(rest)


def _named_calls(body: str, end: str) -> Calls | None:
    """Return the format of calls whose name stands outside of JSON; None: it can't be told."""
    name = body.find(NAMES[0])
    before, rest = body[:name], body[name + len(NAMES[0]) :]
    if rest.startswith("("):
        return Calls(style=Style.PYTHON, call=Markers(open=before.rstrip("[ \n")))
    if "{" in rest[: rest.find(TEXT_KEY)]:
        return _named_json(before, rest, end)
    return _tagged(before, rest, end)


def _named_json(before: str, rest: str, end: str) -> Calls | None:
    found: list[tuple[str, str]] = []  # what stands before and after each call's arguments
    for name in (*NAMES[1:], ""):
        brace = rest.find("{")
        try:
            _, stop = json.JSONDecoder().raw_decode(rest[brace:])
        except ValueError:
            return None
        lead, rest = rest[:brace], rest[brace + stop :]
        if not name or name not in rest:
            found.append((lead, rest))
            break
        place = rest.find(name)
        found.append((lead, rest[:place]))
        rest = rest[place + len(name) :]
    name_end = _numbered(found[0][0], found[-1][0])
    between_after = (found[0][1], found[1][1]) if len(found) > 1 else ("", found[0][1])
    return _wrapped(Calls(style=Style.NAMED_JSON, name_end=name_end), before, between_after, end, array=False)


def _numbered(one: str, other: str) -> str:
    """Return a literal in which a number that counts calls is marked as such."""
    digits = "".join(letter for letter in one if letter.isdigit())
    if one == other or not digits:
        return one
    return one.replace(digits, NUMBER, 1)


def _tagged(before: str, rest: str, end: str) -> Calls | None:
    number = str(NUMBER_VALUE)
    places = [rest.find(word) for word in (TEXT_KEY, TEXT, NUMBER_KEY, number)]
    if -1 in places or places != sorted(places):
        return None
    to_key, rest1 = rest[: places[0]], rest[places[0] + len(TEXT_KEY) :]
    key_end, rest1 = rest1.split(TEXT, 1)
    middle, rest1 = rest1.split(NUMBER_KEY, 1)
    number_end, rest1 = rest1.split(number, 1)
    opens = shared_end(to_key, middle)
    closes = middle[: len(middle) - len(opens)]
    name_end = to_key[: len(to_key) - len(opens)]
    between_after = ("", rest1)
    if NAMES[1] in rest1:
        between, last = rest1.split(NAMES[1], 1)
        after = last[last.find(number) + len(number) :]
        name_end = _numbered(name_end, last[: len(name_end)])
        between_after = (between.removeprefix(closes), after.removeprefix(closes))
    else:
        between_after = ("", rest1.removeprefix(closes))
    key = "" if key_end == number_end else _typed_key(opens, key_end, number_end)
    calls = Calls(
        style=Style.TAGS, name_end=name_end, parameter=Markers(open=opens, close=closes), key_end=key_end, key=key
    )
    return _wrapped(calls, before, between_after, end, array=False)


def _typed_key(opens: str, text_end: str, number_end: str) -> str:
    """Return the pattern of a key that says whether its value is a string."""
    lead = shared_start(text_end.replace('"', ' " '), number_end.replace('"', ' " ')).replace(' " ', '"')
    tail = shared_end(text_end.replace('"', ' " '), number_end.replace('"', ' " ')).replace(' " ', '"')
    return rf'{loose(opens)}(?P<key>[^"<>]{{1,256}}+){loose(lead)}(?P<string>\w{{1,16}}+){loose(tail)}'
