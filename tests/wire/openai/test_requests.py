"""OpenAI request bodies are accepted and understood as OpenAI does, and an error names the field."""

import json
from typing import Any

import pytest

from gateway.core.document import thaw
from gateway.core.errors import BadRequest
from gateway.core.request import Media, ToolCall
from gateway.wire import openai

USER = {"role": "user", "content": "hi"}
FUNCTION = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


def chat(**fields: Any) -> bytes:
    return json.dumps({"model": "auto", "messages": [USER]} | fields).encode()


def text(**fields: Any) -> bytes:
    return json.dumps({"model": "auto", "prompt": "once"} | fields).encode()


def embeddings(**fields: Any) -> bytes:
    return json.dumps({"model": "auto", "input": "once"} | fields).encode()


BAD_CHATS: dict[str, tuple[dict[str, Any], str]] = {
    "no model": ({"model": None}, "model"),
    "model is a number": ({"model": 1}, "model"),
    "model with a line break": ({"model": "a\nb"}, "model"),
    "model too long": ({"model": "m" * 300}, "model"),
    "no messages": ({"messages": []}, "messages"),
    "messages is a text": ({"messages": "hi"}, "messages"),
    "message is a text": ({"messages": ["hi"]}, "messages[0]"),
    "no role": ({"messages": [{"content": "hi"}]}, "messages[0].role"),
    "unknown role": ({"messages": [USER, {"role": "boss", "content": "hi"}]}, "messages[1].role"),
    "no content": ({"messages": [{"role": "user"}]}, "messages[0].content"),
    "content is a number": ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    "part is a text": ({"messages": [{"role": "user", "content": ["hi"]}]}, "messages[0].content[0]"),
    "part without type": ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type"),
    "text part without text": (
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        "messages[0].content[0].text",
    ),
    "tool message without id": ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    "call without function": (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function"}]}]},
        "messages[0].tool_calls[0].function",
    ),
    "call without id": (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
        "messages[0].tool_calls[0].id",
    ),
    "arguments as object": (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {}}}]}]},
        "messages[0].tool_calls[0].function.arguments",
    ),
    "temperature": ({"temperature": 2.5}, "temperature"),
    "temperature as text": ({"temperature": "hot"}, "temperature"),
    "temperature as bool": ({"temperature": True}, "temperature"),
    "top_p": ({"top_p": -0.1}, "top_p"),
    "n": ({"n": 0}, "n"),
    "n too many": ({"n": 129}, "n"),
    "n as fraction": ({"n": 1.5}, "n"),
    "max_tokens": ({"max_tokens": -2}, "max_tokens"),
    "max_tokens huge": ({"max_tokens": 2**40}, "max_tokens"),
    "max_tokens twice": ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
    "top_logprobs": ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
    "top_logprobs alone": ({"top_logprobs": 2}, "top_logprobs"),
    "too many stops": ({"stop": ["a"] * 257}, "stop"),
    "stop is a number": ({"stop": 5}, "stop"),
    "stop too long": ({"stop": "x" * 2000}, "stop"),
    "logit_bias text": ({"logit_bias": {"hello" * 20: 1}}, "logit_bias"),
    "logit_bias range": ({"logit_bias": {"5": 101}}, "logit_bias.5"),
    "logit_bias many": ({"logit_bias": {str(i): 1 for i in range(2000)}}, "logit_bias"),
    "penalty": ({"frequency_penalty": 3}, "frequency_penalty"),
    "seed": ({"seed": 2**63}, "seed"),
    "stream as text": ({"stream": "yes"}, "stream"),
    "tools is an object": ({"tools": {}}, "tools"),
    "tool without function": ({"tools": [{"type": "function"}]}, "tools[0].function"),
    "tool without name": ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    "tool_choice word": ({"tool_choice": "maybe"}, "tool_choice"),
    "tool_choice without tools": ({"tool_choice": "required"}, "tool_choice"),
    "tool_choice unknown": (
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "other"}}},
        "tool_choice.function.name",
    ),
    "response_format word": ({"response_format": {"type": "xml"}}, "response_format.type"),
    "response_format no schema": ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    "spoken answer": ({"modalities": ["text", "audio"]}, "modalities"),
}


@pytest.mark.parametrize("name", BAD_CHATS)
def test_a_bad_field_is_named(name: str) -> None:
    """The error names the field as OpenAI does, and does not repeat its value."""
    fields, param = BAD_CHATS[name]
    with pytest.raises(BadRequest) as caught:
        openai.parse_chat(chat(**fields))
    assert caught.value.param == param
    assert caught.value.status == 400
    assert f"'{param}'" in caught.value.message


OVERRIDES = ("api_base", "base_url", "Base-URL", "api_key", "extra_headers", "extra_body", "extra_query", "proxy")


@pytest.mark.parametrize("name", [*OVERRIDES, "custom_llm_provider", "headers", "azure_endpoint", "api_version"])
@pytest.mark.parametrize("parse", ["chat", "text", "embeddings"])
def test_a_request_can_t_say_where_it_goes(name: str, parse: str) -> None:
    """Row 37: fields by which other gateways choose address, key or headers are refused on every endpoint."""
    parsers = {
        "chat": lambda: openai.parse_chat(chat(**{name: "http://evil"})),
        "text": lambda: openai.parse_completion(text(**{name: "http://evil"})),
        "embeddings": lambda: openai.parse_embeddings(embeddings(**{name: "http://evil"})),
    }
    with pytest.raises(BadRequest) as caught:
        parsers[parse]()
    assert (caught.value.code, caught.value.param) == ("routing_override", name)


def test_unknown_fields_are_kept() -> None:
    """Fields that only newer clients know stay in the document, to be inspected and passed on."""
    request = openai.parse_chat(chat(brand_new={"note": ["secret"]}, reasoning_effort="low"))
    assert request.document["brand_new"] == {"note": ("secret",)}


def test_null_counts_as_absent() -> None:
    """In every optional field null counts as absent, as in OpenAI's API."""
    names = ["temperature", "n", "max_tokens", "stop", "stream", "stream_options", "tools", "tool_choice", "logit_bias"]
    request = openai.parse_chat(chat(**dict.fromkeys([*names, "response_format", "seed", "logprobs", "user"])))
    assert request.sampling == openai.parse_chat(chat()).sampling
    assert not request.stream


def test_a_full_conversation() -> None:
    """Roles, parts, tool calls and reasoning become plain messages; media is found wherever it stands."""
    request = openai.parse_chat(
        chat(
            messages=[
                {"role": "developer", "content": "Be brief."},
                {
                    "role": "user",
                    "name": "ana",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                        {"type": "text", "text": "And this?"},
                        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                        {"type": "hologram", "hologram": {}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "Hm.",
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"q":1}'}}
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "A cat."},
            ],
            tools=[FUNCTION],
            tool_choice={"type": "function", "function": {"name": "look_up"}},
        )
    )
    developer, user, assistant, tool = request.messages
    assert (developer.role, developer.text) == ("developer", "Be brief.")
    assert (user.name, user.text) == ("ana", "What is this?\nAnd this?")
    assert assistant.tool_calls == (ToolCall(id="c1", name="look_up", arguments='{"q":1}'),)
    assert (assistant.text, assistant.reasoning) == ("", "Hm.")
    assert (tool.tool_call_id, tool.text) == ("c1", "A cat.")
    assert request.media == {Media.IMAGE, Media.AUDIO, Media.FILE}
    assert len(request.tools) == 1


def test_sampling() -> None:
    """Every number for sampling arrives where the engine looks for it."""
    sampling = openai.parse_chat(
        chat(
            max_completion_tokens=9,
            temperature=0,
            top_p=0.5,
            top_k=40,
            min_p=0.1,
            seed=-3,
            stop="END",
            frequency_penalty=1,
            presence_penalty=-1,
            repetition_penalty=1.1,
            logit_bias={"17": -100},
            logprobs=True,
            top_logprobs=5,
            n=2,
        )
    ).sampling
    assert (sampling.max_tokens, sampling.temperature, sampling.top_p, sampling.top_k) == (9, 0.0, 0.5, 40)
    assert (sampling.min_p, sampling.seed, sampling.stop, sampling.n) == (0.1, -3, ("END",), 2)
    assert (sampling.frequency_penalty, sampling.presence_penalty, sampling.repeat_penalty) == (1.0, -1.0, 1.1)
    assert (sampling.logit_bias, sampling.logprobs, sampling.top_logprobs) == (((17, -100.0),), True, 5)


@pytest.mark.parametrize(("sent", "is_"), [({}, None), ({"top_k": 0}, 0), ({"top_k": -1}, 0), ({"top_k": 7}, 7)])
def test_top_k_can_be_turned_off(sent: dict[str, int], is_: int | None) -> None:
    """`top_k` of 0 or -1 turns it off, and the target's own default does not come back."""
    assert openai.parse_chat(chat(**sent)).sampling.top_k == is_


def test_minus_one_means_no_limit() -> None:
    """A token limit of -1 means no limit, as llama-server's and LM Studio's clients say it."""
    assert openai.parse_chat(chat(max_tokens=-1)).sampling.max_tokens is None


@pytest.mark.parametrize(
    ("given", "kind", "strict"),
    [
        ({"type": "text"}, "text", False),
        ({"type": "json_object"}, "json_object", False),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": {"a": 1}, "strict": True}},
            "json_schema",
            True,
        ),
        ({"type": "json_object", "schema": {"a": 1}}, "json_schema", True),
    ],
)
def test_response_format(given: dict[str, Any], kind: str, strict: bool) -> None:
    """A JSON schema is understood in both of its spellings."""
    found = openai.parse_chat(chat(response_format=given)).response_format
    assert (found.kind, found.strict) == (kind, strict)
    assert found.schema == ({"a": 1} if kind == "json_schema" else None)


def test_streaming_options() -> None:
    """Usage chunks are sent only when the client asks for them."""
    request = openai.parse_chat(chat(stream=True, stream_options={"include_usage": True}))
    assert (request.stream, request.include_usage) == (True, True)
    assert not openai.parse_chat(chat(stream=True)).include_usage
    whole = openai.parse_chat(chat(stream_options={"include_usage": True}))  # some clients send it always
    assert (whole.stream, whole.include_usage) == (False, False)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1], [2, 3]], ((1,), (2, 3))),
    ],
)
def test_prompts_and_inputs(prompt: Any, expected: tuple[object, ...]) -> None:
    """Prompts and inputs may be a text, texts, tokens or several lists of tokens."""
    assert openai.parse_completion(text(prompt=prompt)).prompts == expected
    assert openai.parse_embeddings(embeddings(input=prompt)).inputs == expected


@pytest.mark.parametrize("prompt", [None, 5, [], [{}], [[-1]], [[1, "a"]], [1, 2**40], [None]])
def test_bad_prompts(prompt: Any) -> None:
    """Prompts and inputs of any other shape are refused, and the error names the field."""
    with pytest.raises(BadRequest, match="prompt"):
        openai.parse_completion(text(prompt=prompt))
    with pytest.raises(BadRequest, match="input"):
        openai.parse_embeddings(embeddings(input=prompt))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 21}, "logprobs"),
        ({"n": 100, "prompt": ["a", "b"]}, "n"),
        ({"echo": "yes"}, "echo"),
        ({"suffix": 5}, "suffix"),
    ],
)
def test_bad_completions(fields: dict[str, Any], param: str) -> None:
    """A bad field of a text completion is named."""
    with pytest.raises(BadRequest) as caught:
        openai.parse_completion(text(**fields))
    assert caught.value.param == param


def test_completion_fields() -> None:
    """In text completions `logprobs` is a count, and `max_tokens: 0` scores a prompt."""
    request = openai.parse_completion(text(logprobs=3, max_tokens=0, echo=True, suffix="end", best_of=1))
    assert (request.sampling.logprobs, request.sampling.top_logprobs, request.sampling.max_tokens) == (True, 3, 0)
    assert (request.echo, request.suffix) == (True, "end")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
    ],
)
def test_bad_embeddings(fields: dict[str, Any], param: str) -> None:
    """A bad field of an embeddings request is named."""
    with pytest.raises(BadRequest) as caught:
        openai.parse_embeddings(embeddings(**fields))
    assert caught.value.param == param


def test_biases_of_words_and_of_tokens() -> None:
    """`logit_bias` takes token numbers and, as llama-server does, words."""
    sampling = openai.parse_chat(chat(logit_bias={"5": -1, " the": -100})).sampling
    assert sampling.logit_bias == ((5, -1.0),)
    assert sampling.word_bias == ((" the", -100.0),)


def test_a_grammar_is_honoured_or_refused() -> None:
    """A grammar reaches the sampler; beside tools or another format it would mean two things."""
    assert openai.parse_chat(chat(grammar='root ::= "a"')).response_format.grammar == 'root ::= "a"'
    assert openai.parse_completion(text(grammar='root ::= "a"', best_of=0)).response_format.grammar == 'root ::= "a"'
    with pytest.raises(BadRequest, match="grammar"):
        openai.parse_chat(chat(grammar='root ::= "a"', response_format={"type": "json_object"}))


@pytest.mark.parametrize(
    "fields",
    [
        {"json_schema": {"type": "object"}},
        {"guided_json": {"type": "object"}},
        {"guided_json": '{"type": "object"}'},
        {"response_format": {"type": "json_object", "schema": {"type": "object"}}},
        {"json_schema": {"type": "object"}, "response_format": {"type": "text"}, "grammar": ""},
    ],
)
def test_schemas_in_other_servers_fields_are_honoured(fields: dict[str, Any]) -> None:
    """llama-server's and vLLM's fields for a schema hold the answer as `response_format` does, in both endpoints."""
    for request in (openai.parse_chat(chat(**fields)), openai.parse_completion(text(**fields))):
        assert request.response_format.kind == "json_schema"
        assert thaw(request.response_format.schema) == {"type": "object"}


@pytest.mark.parametrize(
    "fields",
    [
        {"json_schema": {"type": "object"}, "grammar": 'root ::= "a"'},
        {"guided_json": {"type": "object"}, "response_format": {"type": "json_object"}},
        {"json_schema": 3},
        {"guided_json": "no schema"},
    ],
)
def test_two_forms_or_broken_ones_are_refused(fields: dict[str, Any]) -> None:
    """An answer has one form, and a form that can't be read is none."""
    with pytest.raises(BadRequest):
        openai.parse_chat(chat(**fields))
    with pytest.raises(BadRequest):
        openai.parse_completion(text(**fields))
