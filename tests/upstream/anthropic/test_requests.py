"""Chat documents become requests of Anthropic's Messages API, and say nothing that the documents do not say."""

import json
from collections.abc import Iterator
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from gateway.core.document import freeze_object, strings, thaw
from gateway.core.errors import TargetError
from gateway.core.provider_fields import ANTHROPIC, sealed, signed
from gateway.upstream.anthropic.requests import NEWER_VERSION, messages_request

USER = {"role": "user", "content": "hi"}
CALL = {"id": "call:1", "type": "function", "function": {"name": "f", "arguments": '{"q": "ñ"}'}}
TOOL = {"type": "function", "function": {"name": "f", "description": "D.", "parameters": {"properties": {}}}}
LITTLE = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
MOST = {"output_config": {"effort": "max"}}
PICTURE = "data:image/png;base64,AAAA"


def asked(version: str = "2023-06-01", **fields: Any) -> Any:
    document = freeze_object({"model": "claude-x", "messages": [USER], "stream": True} | fields)
    return thaw(messages_request("t", document, version=version, answer_tokens=99))


def turns(*messages: Any, **fields: Any) -> Any:
    return [(turn["role"], turn["content"]) for turn in asked(messages=list(messages), **fields)["messages"]]


def text(said: str, **more: Any) -> Any:
    return {"type": "text", "text": said, **more}


def test_a_plain_request() -> None:
    """System texts stand above the turns, stops and limits have this API's names, and the answer is streamed."""
    system = {"role": "system", "content": "Be brief."}
    assert asked(messages=[system, USER], stop="END", max_completion_tokens=7, temperature=0.5) == {
        "model": "claude-x",
        "max_tokens": 7,
        "system": [text("Be brief.")],
        "messages": [{"role": "user", "content": [text("hi")]}],
        "stop_sequences": ["END"],
        "temperature": 0.5,
        "stream": True,
    }
    assert asked()["max_tokens"] == 99
    assert asked(max_tokens=0)["max_tokens"] == 0


def test_turns_alternate_and_begin_with_the_user() -> None:
    """Turns of one role become one, an answer has a question before it, and nothing is empty."""
    answer = {"role": "assistant", "content": "  so "}
    assert turns(answer, USER, USER) == [
        ("user", [text("…")]),
        ("assistant", [text("  so ")]),
        ("user", [text("hi"), text("hi")]),
    ]
    assert turns(USER, answer)[-1] == ("assistant", [text("  so")])
    assert turns({"role": "user", "content": ""}) == [("user", [text("…")])]
    assert turns() == [("user", [text("…")])]


def test_calls_and_results() -> None:
    """Calls become blocks with their arguments as objects, and their results the user's turn, with allowed ids."""
    calls = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "call:1", "content": "found"}
    assert turns(USER, calls, result, USER, tools=[TOOL])[1:] == [
        ("assistant", [{"type": "tool_use", "id": "call_1", "name": "f", "input": {"q": "ñ"}}]),
        ("user", [{"type": "tool_result", "tool_use_id": "call_1", "content": [text("found")]}, text("hi")]),
    ]
    broken = {**calls, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": '{"q": "cu'}}]}
    assert turns(USER, broken, result, tools=[TOOL])[1][1][0]["input"] == {"input": '{"q": "cu'}
    untold = asked(messages=[USER, calls, result])
    assert (untold["tools"], untold["tool_choice"]) == (
        [{"name": "f", "input_schema": {"type": "object"}}],
        {"type": "none"},
    )


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, None),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, {"type": "tool", "name": "f"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
                }
            },
            {"type": "any"},
        ),
    ],
)
def test_tools_and_their_choice(fields: Any, choice: Any) -> None:
    """Functions become tools, and what may or must be called is said in this API's words."""
    found = asked(tools=[TOOL], **fields)
    assert found["tools"] == [{"name": "f", "description": "D.", "input_schema": {"type": "object", "properties": {}}}]
    assert found.get("tool_choice") == choice


def test_marks_for_the_cache_and_signed_thoughts_are_kept() -> None:
    """Marks stand on their blocks; thoughts that Anthropic signed come first in their turn, and no others go back."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    answer = {
        "role": "assistant",
        "content": [text("so", **mark)],
        "reasoning_content": "Hm",
        "reasoning_details": [
            signed("Hm", "sig", 0),
            sealed("zzz", ANTHROPIC, 1),
            {"type": "reasoning.text", "text": "other", "signature": "s", "format": "google-gemini-v1"},
        ],
        "tool_calls": [CALL | mark],
    }
    result = {"role": "tool", "tool_call_id": "call:1", "content": "", **mark}
    found = asked(messages=[{"role": "user", "content": [text("hi", **mark)]}, answer, result], tools=[TOOL | mark])
    assert found["messages"][0]["content"] == [text("hi", **mark)]
    assert found["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "zzz"},
        text("so", **mark),
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"q": "ñ"}, **mark},
    ]
    assert found["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "call_1", **mark}]
    assert found["tools"][0]["cache_control"] == mark["cache_control"]


def test_pictures_and_files() -> None:
    """Pictures go as bytes or by address, PDFs as documents."""
    parts = [
        {"type": "image_url", "image_url": {"url": PICTURE}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"}},
    ]
    [(_, blocks)] = turns({"role": "user", "content": parts})
    assert [block["source"] for block in blocks] == [
        {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        {"type": "url", "url": "https://example.com/a.png"},
        {"type": "base64", "media_type": "application/pdf", "data": "BBBB"},
    ]


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        ("claude-sonnet-4-5", {"reasoning_effort": "low"}, LITTLE),
        ("claude-sonnet-4-20250514", {"reasoning_effort": "low"}, LITTLE),
        ("claude-opus-4-6", {"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}}),
        ("claude-sonnet-5", {"reasoning_effort": "high"}, {"output_config": {"effort": "high"}}),
        ("claude-sonnet-5", {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ("claude-3-5-haiku-latest", {"reasoning_effort": "high"}, {}),
        ("claude-sonnet-5", {"reasoning_effort": "odd"}, {}),
        ("claude-sonnet-4-5", {"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
        ("claude-sonnet-4-5", {"thinking": {"type": "enabled", "budget_tokens": 32000}},
         {"thinking": {"type": "enabled", "budget_tokens": 4500}}),
        ("claude-sonnet-4-5", {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 500},
         {"thinking": {"type": "disabled"}}),
        ("claude-opus-4-5", MOST | {"reasoning_effort": "max"}, MOST),
        ("claude-sonnet-4-5", {"reasoning_effort": "low", "tools": [TOOL], "tool_choice": "required"}, {}),
        ("claude-sonnet-4-5", {"reasoning_effort": "low", "tools": [TOOL], "messages": [
            USER, {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call:1", "content": "x"}]}, {}),
    ],
)  # fmt: skip
def test_how_much_to_think(model: str, fields: Any, expected: Any) -> None:
    """Effort is said as each model takes it, where it breaks nothing; what is said in Anthropic's words stays."""
    found = asked(**{"model": model, "max_tokens": 9000} | fields)
    assert {name: found[name] for name in ("thinking", "output_config") if name in found} == expected


def test_forms_of_the_answer() -> None:
    """A schema goes along; plain JSON is asked for in words, for this API has no switch for it."""
    schema = {"type": "object", "properties": {}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    assert asked(response_format=form)["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert "JSON" in asked(response_format={"type": "json_object"})["system"][0]["text"]
    assert "system" not in asked(response_format={"type": "text"})


def test_settings_for_drawing_tokens() -> None:
    """What the newer API has no more is left out, as is what says nothing, or can't stand beside thoughts."""
    drawing = {"temperature": 0.5, "top_p": 0.9, "top_k": 5}
    assert drawing.items() <= asked(**drawing).items()
    assert not drawing.keys() & asked(NEWER_VERSION, **drawing).keys()
    assert not drawing.keys() & asked(**drawing, thinking={"type": "adaptive"}).keys()
    assert not drawing.keys() & asked(temperature=1, top_p=1.0).keys()


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 2},
        {"logprobs": True},
        {"logit_bias": {"5": 1}},
        {"tools": [{"type": "custom", "custom": {"name": "x"}}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "x"}}]}]},
    ],
)
def test_what_the_api_has_no_words_for_is_refused(fields: Any) -> None:
    """A request for something that this API can't be asked for is an error after which another target is tried."""
    with pytest.raises(TargetError, match="its API has no such field") as caught:
        asked(**fields)
    assert (caught.value.status, caught.value.code) == (400, "unsupported_parameter")


WORDS = st.text('abz ñ"\\\n', max_size=6)
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": WORDS}), max_size=2)
MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": st.one_of(WORDS, PARTS)}),
        st.fixed_dictionaries(
            {"role": st.just("assistant"), "content": st.one_of(st.none(), WORDS, PARTS)},
            optional={
                "tool_calls": st.lists(
                    st.builds(
                        lambda key, value: {
                            "id": "c", "type": "function",
                            "function": {"name": "f", "arguments": json.dumps({key: value})},
                        }, WORDS, WORDS), max_size=2),
                "reasoning_details": st.lists(st.builds(lambda said: signed(said, "sig", 0), WORDS), max_size=1),
            },
        ),
        st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": st.just("c"), "content": WORDS}),
    ),
    max_size=5,
)  # fmt: skip
OWN_WORDS = frozenset(
    {"model", "max_tokens", "messages", "stream", "system", "tools", "tool_choice", "role", "user", "assistant"}
    | {"content", "type", "text", "thinking", "signature", "tool_use", "tool_result", "tool_use_id", "id", "name"}
    | {"input", "input_schema", "object", "none", "…", "call"}
)


def _texts(document: Any) -> Iterator[str]:
    for _, said in strings(document):
        yield said
        try:
            inner = json.loads(said)
        except ValueError:
            continue
        if isinstance(inner, dict):
            yield from _texts(freeze_object(inner))


@hypothesis.given(MESSAGES)
def test_nothing_leaves_but_what_was_cleared(messages: Any) -> None:
    """Every text of a request stands in the cleared document, or is a word of the API itself."""
    document = freeze_object({"model": "claude-x", "messages": messages, "stream": True})
    known = frozenset(_texts(document)) | OWN_WORDS
    request = messages_request("t", document, version="2023-06-01", answer_tokens=9)
    for _, said in strings(request):
        assert said in known or any(said == one.rstrip() for one in known)
