"""Chat documents become requests of OpenAI's Responses API, which store nothing and say nothing of their own."""

from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from gateway.core.document import freeze_object, strings, thaw
from gateway.core.errors import TargetError
from gateway.core.provider_fields import ANTHROPIC, RESPONSES, sealed
from gateway.upstream.responses.requests import responses_request

USER = {"role": "user", "content": "hi"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"q":1}'}}
TOOL: Any = {"type": "function", "function": {"name": "f", "description": "D.", "parameters": {"type": "object"}}}


def asked(**fields: Any) -> Any:
    return thaw(responses_request("t", freeze_object({"model": "gpt-x", "messages": [USER]} | fields)))


def test_a_plain_request() -> None:
    """Messages become items; the answer is streamed, and nothing is stored at the provider."""
    system = {"role": "system", "content": "Be brief."}
    assert asked(messages=[system, USER], max_tokens=7, temperature=0.5) == {
        "model": "gpt-x",
        "input": [system, USER],
        "max_output_tokens": 7,
        "temperature": 0.5,
        "store": False,
        "stream": True,
    }


def test_a_conversation_with_calls_and_sealed_thoughts() -> None:
    """What the provider sealed goes back right before what it thought of; thoughts of others do not."""
    details = [sealed("zzz", RESPONSES, 0, id="rs_1"), sealed("other", ANTHROPIC, 1)]
    own = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "text"}}
    answer = {"role": "assistant", "content": "so", "reasoning_details": details, "tool_calls": [CALL, own]}
    results = [{"role": "tool", "tool_call_id": name, "content": "found"} for name in ("c1", "c2")]
    assert asked(messages=[USER, answer, *results])["input"][1:] == [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "zzz"},
        {"role": "assistant", "content": "so"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"q":1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "text"},
        {"type": "function_call_output", "call_id": "c1", "output": "found"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "found"},
    ]


def test_pictures_and_files() -> None:
    """Pictures and files have this API's form."""
    parts = [
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BB"}},
    ]
    [message] = asked(messages=[{"role": "user", "content": parts}])["input"]
    assert message["content"] == [
        {"type": "input_text", "text": "See"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BB"},
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reasoning_effort": "high"}, {"reasoning": {"effort": "high"}}),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
        ({"service_tier": "flex", "prompt_cache_key": "k"}, {"service_tier": "flex", "prompt_cache_key": "k"}),
        ({"logprobs": True, "top_logprobs": 2}, {"include": ["message.output_text.logprobs"], "top_logprobs": 2}),
        ({"response_format": {"type": "json_object"}}, {"text": {"format": {"type": "json_object"}}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "strict": True}}},
            {"text": {"format": {"type": "json_schema", "name": "a", "schema": {}, "strict": True}}},
        ),
        ({"model": "gpt-5.4"}, {"include": ["reasoning.encrypted_content"]}),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
            {
                "tools": [{"type": "function", "strict": False, **TOOL["function"]}],
                "tool_choice": {"type": "function", "name": "f"},
            },
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": {
                "mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}}},
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}},
        ),
    ],
)  # fmt: skip
def test_settings_have_this_apis_names(fields: Any, expected: Any) -> None:
    """Effort, verbosity, tier, cache key, schemas and tools reach the provider in its own fields."""
    found = asked(**fields)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("fields", [{"n": 2}, {"stop": ["x"]}, {"logit_bias": {"1": 1}}, {"tools": [{"type": "odd"}]}])
def test_what_the_api_has_no_words_for_is_refused(fields: Any) -> None:
    """A request for something that this API can't be asked for is an error after which another target is tried."""
    with pytest.raises(TargetError, match="its API has no such field"):
        asked(**fields)


WORDS = st.text("abz ñ", max_size=6)
MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "system", "developer"]), "content": WORDS}),
        st.fixed_dictionaries(
            {"role": st.just("assistant"), "content": st.one_of(st.none(), WORDS)},
            optional={"tool_calls": st.just([CALL]), "reasoning_details": st.just([sealed("zzz", RESPONSES, 0)])},
        ),
        st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": st.just("c1"), "content": WORDS}),
    ),
    max_size=5,
)
OWN_WORDS = frozenset(
    {"model", "input", "store", "stream", "type", "role", "content", "summary", "encrypted_content", "call_id", "name"}
    | {"arguments", "output", "function_call", "function_call_output", "reasoning", "assistant", ""}
)


@hypothesis.given(MESSAGES)
def test_nothing_leaves_but_what_was_cleared(messages: Any) -> None:
    """Every text of a request stands in the cleared document, or is a word of the API itself."""
    document = freeze_object({"model": "gpt-x", "messages": messages})
    known = frozenset(said for _, said in strings(document)) | OWN_WORDS
    assert {said for _, said in strings(responses_request("t", document))} <= known
