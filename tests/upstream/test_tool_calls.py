"""Tool calls leave in one strict form, in whatever pieces and under whatever numbers a server sends them."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.delta import ToolCallPart
from gateway.core.document import freeze_object
from gateway.upstream.tool_calls import ToolCalls

TOOLS = ("read", "read_file", "list", "f", "g")
DOCUMENT = freeze_object({"messages": [{}, {}], "tools": [{"function": {"name": name}} for name in TOOLS]})

Pieces = list[dict[str, Any]]


def call(name: str | None = None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    """A piece of a call as servers write it; what is None is left out."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"function": function, **fields}


def parts(events: Iterable[object], document: Any = DOCUMENT) -> list[ToolCallPart]:
    """What leaves, checked for the strict form: calls in order and not mixed, an id and a name first and only once."""
    calls = ToolCalls(0, document)
    found = [part for event in events for part in calls.take(event)] + list(calls.end())
    begun = -1
    for part in found:
        fresh = part.call == begun + 1
        assert fresh or part.call == begun
        assert bool(part.id) is fresh
        assert (part.name is not None) is fresh
        begun = part.call
    ids = [part.id for part in found if part.id]
    assert len(set(ids)) == len(ids)
    return found


def whole(events: Iterable[object], document: Any = DOCUMENT) -> list[tuple[str | None, str]]:
    """Name and arguments of each call."""
    found = parts(events, document)
    return [(part.name, "".join(one.arguments for one in found if one.call == part.call)) for part in found if part.id]


TWO = [("f", '{"x":1}'), ("g", '{"y":2}')]
SAME = [("f", '{"x":1}'), ("f", '{"y":2}')]
F, G = '{"x":1}', '{"y":2}'

SHAPES: dict[str, tuple[list[Pieces], list[tuple[str, str]]]] = {
    "OpenAI": (
        [
            [call("f", "", index=0, id="a")],
            [call(None, '{"x"', index=0)],
            [call(None, ":1}", index=0)],
            [call("g", "", index=1, id="b")],
            [call(None, G, index=1)],
        ],
        TWO,
    ),
    "all 0, another id and name": ([[call("f", F, index=0, id="a")], [call("g", G, index=0, id="b")]], TWO),
    "all 0, the same tool": ([[call("f", F, index=0, id="a")], [call("f", G, index=0, id="b")]], SAME),
    "all 0, no ids": ([[call("f", F, index=0)], [call("f", G, index=0)]], SAME),
    "all 0, in one event": ([[call("f", F, index=0, id="a"), call("f", G, index=0, id="b")]], SAME),
    "all 0, in pieces": (
        [
            [call("f", '{"x"', index=0, id="a")],
            [call(None, ":1}", index=0)],
            [call("g", '{"y"', index=0, id="b")],
            [call(None, ":2}", index=0)],
        ],
        TWO,
    ),
    "all 0, without arguments": (
        [[call("f", "", index=0, id="a")], [call("g", None, index=0, id="b")]],
        [("f", "{}"), ("g", "{}")],
    ),
    "all 0, without arguments and ids": (
        [[call("f", "", index=0)], [call("g", "", index=0)]],
        [("f", "{}"), ("g", "{}")],
    ),
    "no numbers": ([[call("f", F, id="a"), call("g", G, id="b")]], TWO),
    "no numbers, one after the other": ([[call("f", F, id="a")], [call("g", G, id="b")]], TWO),
    "no numbers, in pieces": (
        [[call("f", "", id="a")], [call(None, '{"x"')], [call(None, ":1}")], [call("g", "", id="b")], [call(None, G)]],
        TWO,
    ),
    "no numbers, no ids": ([[call("f", F)], [call("g", G)]], TWO),
    "no numbers, no ids, in one event": ([[call("f", F), call("g", G)]], TWO),
    "no numbers, pieces of both in each event": (
        [[call("f", '{"x"', id="a"), call("g", '{"y"', id="b")], [call(None, ":1}"), call(None, ":2}")]],
        TWO,
    ),
    "numbers as text": ([[call("f", F, index="0", id="a")], [call("g", G, index="1", id="b")]], TWO),
    "numbers as fractions": ([[call("f", F, index=0.0, id="a")], [call("g", G, index=1.0, id="b")]], TWO),
    "numbers from 1": ([[call("f", F, index=1, id="a")], [call("g", G, index=2, id="b")]], TWO),
    "numbers that are none": ([[call("f", F, index=None, id="a")], [call("g", G, index="first", id="b")]], TWO),
    "empty ids": ([[call("f", F, index=0, id="")], [call("g", G, index=1, id=None)]], TWO),
    "one id for all": ([[call("f", F, index=0, id="a")], [call("g", G, index=1, id="a")]], TWO),
    "one id for all, without numbers": ([[call("f", F, id="a")], [call("g", G, id="a")]], TWO),
    "the id with each piece": ([[call("f", '{"x"', index=0, id="a")], [call(None, ":1}", index=0, id="a")]], TWO[:1]),
    "another id with each piece": (
        [[call("f", '{"x"', index=0, id="a")], [call(None, ":1}", index=0, id="b")]],
        TWO[:1],
    ),
    "the name with each piece": (
        [[call("f", "", index=0, id="a")], [call("f", '{"x"', index=0, id="a")], [call("f", ":1}", index=0, id="a")]],
        TWO[:1],
    ),
    "name and number, no id, with each piece": (
        [[call("f", '{"x"', index=0)], [call("f", ":1}", index=0)]],
        TWO[:1],
    ),
    "an empty name with each piece": (
        [[call("f", '{"x"', index=0, id="a")], [call("", ":1}", index=0, id="")]],
        TWO[:1],
    ),
    "a name in two pieces": (
        [[call("read", "", index=0, id="a")], [call("_file", "", index=0)], [call(None, F, index=0)]],
        [("read_file", F)],
    ),
    "a name that grows": (
        [[call("re", "", index=0, id="a")], [call("read_file", "", index=0)], [call(None, F, index=0)]],
        [("read_file", F)],
    ),
    "a name that comes late": ([[call(None, "", index=0, id="a")], [call("f", F, index=0)]], TWO[:1]),
    "a name behind its arguments": ([[call(None, '{"x"', index=0, id="a")], [call("f", ":1}", index=0)]], TWO[:1]),
    "mixed": (
        [
            [call("f", '{"x', index=0, id="a"), call("g", '{"y":', index=1, id="b")],
            [call(None, '":1}', index=0)],
            [call(None, "2}", index=1)],
        ],
        TWO,
    ),
    "mixed, the second one first": (
        [
            [call("f", "", index=0, id="a")],
            [call("g", "", index=1, id="b")],
            [call(None, G, index=1)],
            [call(None, F, index=0)],
        ],
        TWO,
    ),
    "arguments as an object": ([[call("f", {"x": 1}, index=0, id="a")], [call("g", {"y": 2}, index=1, id="b")]], TWO),
    "braces in strings": (
        [[call("f", '{"x":"}\\', index=0)], [call(None, '"{"}', index=0)], [call("g", G, index=0)]],
        [("f", '{"x":"}\\"{"}'), TWO[1]],
    ),
    "ids that are numbers": ([[call("f", F, index=0, id=7)], [call("g", G, index=1, id=8)]], TWO),
    "said again at the end": (
        [[call("f", F, index=0, id="a")], [call("f", "", index=0, id="a")]],
        TWO[:1],
    ),
    "an empty object before the arguments": (
        [[call("f", "{}", index=0, id="a")], [call(None, '{"x"', index=0)], [call(None, ":1}", index=0)]],
        TWO[:1],
    ),
    "empty objects": (
        [[call("f", "{}", index=0, id="a")], [call("g", "{}", index=0, id="b")]],
        [("f", "{}"), ("g", "{}")],
    ),
    "something behind a whole call": (
        [[call("f", F, index=0, id="a")], [call("g", G, index=1, id="b")], [call(None, "\n", index=0)]],
        TWO,
    ),
    "things that are no calls": ([[None, "x", call("f", F, index=0, id="a")], []], TWO[:1]),  # type: ignore[list-item]
}


@pytest.mark.parametrize("shape", SHAPES)
def test_calls_come_out_whole_and_apart(shape: str) -> None:
    """Each call has its own name, arguments, number and id, however the server cuts, counts and mixes them."""
    events, expected = SHAPES[shape]
    assert whole(events) == expected


def test_a_single_call_that_is_no_list() -> None:
    """A server that sends one call instead of a list of calls is understood."""
    assert whole([call("f", F, id="a")]) == TWO[:1]


def test_a_call_without_a_name_gets_that_of_the_only_tool() -> None:
    """Where only one tool was offered, a call without a name can mean no other."""
    assert whole([[call(None, F, index=0)]], freeze_object({"tools": [{"function": {"name": "f"}}]})) == TWO[:1]


def test_ids_that_are_kept_and_ids_that_are_made_up() -> None:
    """A server's id is kept; one that is missing or used twice is made up, and never that of an earlier turn."""
    first, second, third = parts([[call("f", F, id="a")], [call("g", G, id="a")], [call("f", F, index=5)]])
    assert first.id == "a"
    assert second.id == "call_2_0_1"
    assert third.id == "call_2_0_2"


def test_a_call_begins_as_soon_as_its_name_is_certain() -> None:
    """A client sees a call before its arguments, unless more of its name might follow."""
    calls = ToolCalls(0, DOCUMENT)
    assert [part.name for part in calls.take([call("list", "", index=0, id="a")])] == ["list"]
    calls = ToolCalls(0, DOCUMENT)
    assert list(calls.take([call("read", "", index=0, id="a")])) == []
    assert [part.name for part in calls.take([call(None, "{", index=0)])] == ["read"]


def test_fields_that_the_server_wants_back_are_kept() -> None:
    """Fields beside the call, like Gemini's signature of a thought, go to the client with it."""
    signed = {"google": {"thought_signature": "c2ln"}}
    [part] = parts([[call("f", F, index=0, id="a", extra_content=signed, type="function")]])
    assert part.extra == {"extra_content": signed}
    first, second = parts([[call("f", F, index=0, id="a")], [call(None, None, index=0, extra_content=signed)]])
    assert (first.extra, second.extra) == ({}, {"extra_content": signed})


def test_fields_that_come_behind_the_next_call_are_kept() -> None:
    """A field for an earlier call that comes late goes out at the end, without arguments."""
    calls = ToolCalls(0, DOCUMENT)
    events = [call("f", F, index=0, id="a"), call("g", G, index=1, id="b"), call(index=0, extra_content={"x": 1})]
    *_, last = [part for event in events for part in calls.take([event])] + list(calls.end())
    assert last == ToolCallPart(call=0, extra={"extra_content": {"x": 1}})


def test_calls_of_custom_tools() -> None:
    """A custom tool's input is text, which is passed on in its pieces, whatever it looks like."""
    pieces = [
        {"index": 0, "id": "a", "type": "custom", "custom": {"name": "patch", "input": ""}},
        {"index": 0, "custom": {"input": "{} *** Begin"}},
        {"index": 1, "id": "b", "type": "custom", "custom": {"name": "patch", "input": "two"}},
        {"index": 0, "custom": {"input": " Patch"}},
    ]
    found = parts([[piece] for piece in pieces])
    assert all(part.custom for part in found)
    assert whole([[piece] for piece in pieces]) == [("patch", "{} *** Begin Patch"), ("patch", "two")]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], False),
        ([[call("f", F, id="a")]], True),
        ([[call("f", F, id="a"), call("g", G, id="b")]], True),
        ([[call("f", '{"x":', id="a")]], False),
        ([[call("f", "", id="a")]], False),
        ([[call("f", "[1]", id="a")]], False),
        ([[call("f", '{"x":1}}', id="a")]], False),
        ([[call("f", F, id="a"), call("g", '{"y"', id="b")]], False),
    ],
)
def test_whole_calls_are_known(events: list[Pieces], expected: bool) -> None:
    """Calls are whole if each one's arguments are one JSON object."""
    calls = ToolCalls(0, DOCUMENT)
    for event in events:
        list(calls.take(event))
    assert calls.whole() is expected


@given(
    st.lists(
        st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=6), max_size=3), min_size=1, max_size=3
    ),
    st.data(),
)
def test_any_cut_and_any_mixture_gives_the_same_calls(inputs: list[dict[str, Any]], data: st.DataObject) -> None:
    """However the arguments of numbered calls are cut and mixed, each call comes out whole and apart."""
    texts = [json.dumps(one) for one in inputs]
    begins = [[call("f", "", index=number, id=f"c{number}")] for number in range(len(texts))]
    pieces: list[Pieces] = []
    left = dict(enumerate(texts))
    while left:
        number = data.draw(st.sampled_from(sorted(left)))
        size = data.draw(st.integers(1, len(left[number])))
        pieces.append([call(None, left[number][:size], index=number)])
        left[number] = left[number][size:]
        if not left[number]:
            del left[number]
    assert [json.loads(text) for _, text in whole([*begins, *pieces])] == inputs


PIECE = st.dictionaries(
    st.sampled_from(["index", "id", "type", "function", "custom", "extra"]),
    st.none()
    | st.integers(-1, 2)
    | st.sampled_from(["a", "b", "", "0"])
    | st.dictionaries(
        st.sampled_from(["name", "arguments", "input"]),
        st.sampled_from(["f", "g", "", "{", "}", "{}", None, {}]),
        max_size=2,
    ),
    max_size=4,
)


@given(st.lists(st.lists(PIECE, max_size=3), max_size=6))
def test_any_pieces_leave_in_order(events: list[Any]) -> None:
    """Whatever pieces come, no raw exception comes out, and each call's first part has the id and the name."""
    calls = ToolCalls(0, DOCUMENT)
    found = [part for event in events for part in calls.take(event)] + list(calls.end())
    begun: set[int] = set()
    for part in found:
        assert (part.id is not None) is (part.call not in begun)
        assert part.call in begun or part.call == len(begun)
        begun.add(part.call)
