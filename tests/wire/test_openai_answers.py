"""Deltas as OpenAI answers: exact frames, whole answers, and the two agreeing with each other."""

import base64
import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.delta import (
    Delta,
    Embeddings,
    Extra,
    Finish,
    FinishReason,
    ModelRefusal,
    Reasoning,
    Text,
    TokenLogprob,
    ToolCallPart,
    UsageReport,
)
from gateway.core.document import freeze_object
from gateway.core.errors import ContextLengthExceeded, TargetProtocolError, Unavailable
from gateway.core.request import Endpoint
from gateway.core.target import Capability
from gateway.core.usage import Usage
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.body import AnswerBody, BodyShape
from gateway.wire import openai
from tests.standins.traits import traits

HEAD = {"id": "chatcmpl-1", "created": 1700000000, "model": "auto"}
USAGE = Usage(input=5, input_cached=3, output=4, reasoning=2, input_written=1)
CHUNK = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"auto","choices":'
    '[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]}\n\n'
)


def frames(data: bytes) -> list[Any]:
    """The JSON of each frame."""
    parts = data.decode().split("\n\n")
    assert parts.pop() == ""
    return [json.loads(part.removeprefix("data: ")) for part in parts if part != "data: [DONE]"]


def test_a_plain_stream_byte_by_byte() -> None:
    """A stream has the role only in its first chunk, no usage unless asked for, and `[DONE]` at its end."""
    stream = openai.ChatStream(**HEAD)
    assert stream.start().decode() == CHUNK % ('{"role":"assistant","content":"","refusal":null}', "null")
    assert stream.encode(Text(text='Hi "Ñ"\n')).decode() == CHUNK % ('{"content":"Hi \\"Ñ\\"\\n"}', "null")
    assert stream.encode(Finish(reason=FinishReason.STOP)).decode() == CHUNK % ("{}", '"stop"')
    assert stream.encode(UsageReport(usage=USAGE)) == b""
    assert stream.end() == b"data: [DONE]\n\n"


def test_usage_comes_apart_and_only_when_asked_for() -> None:
    """Usage comes in a chunk of its own with `choices: []`; all others say `usage: null`."""
    stream = openai.ChatStream(**HEAD, include_usage=True)
    sent = [stream.start(), stream.encode(Text(text="x")), stream.encode(Finish(reason=FinishReason.LENGTH))]
    assert [frame["usage"] for part in sent for frame in frames(part)] == [None, None, None]
    [last] = frames(stream.encode(UsageReport(usage=USAGE)))
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == 8
    assert last["usage"]["completion_tokens"] == 6
    assert last["usage"]["total_tokens"] == 14
    assert last["usage"]["prompt_tokens_details"] == {"cached_tokens": 3, "audio_tokens": 0, "cache_write_tokens": 1}
    assert last["usage"]["completion_tokens_details"]["reasoning_tokens"] == 2


def test_tool_calls_name_themselves_once() -> None:
    """Each piece of a call has its `index` and text arguments; only the first has `id`, `type` and `name`."""
    stream = openai.ChatStream(**HEAD)
    [first] = frames(stream.encode(ToolCallPart(call=1, id="c1", name="look_up")))
    [second] = frames(stream.encode(ToolCallPart(call=1, arguments='{"q"')))
    assert first["choices"][0]["delta"] == {
        "tool_calls": [{"index": 1, "id": "c1", "type": "function", "function": {"name": "look_up", "arguments": ""}}]
    }
    assert second["choices"][0]["delta"] == {"tool_calls": [{"index": 1, "function": {"arguments": '{"q"'}}]}


def test_calls_of_custom_tools_have_their_own_form() -> None:
    """A custom tool's call has `custom` with `input`, in pieces and whole."""
    parts = [
        ToolCallPart(call=0, id="c1", name="patch", arguments="*** ", custom=True),
        ToolCallPart(call=0, arguments="End", custom=True),
    ]
    stream, whole = openai.ChatStream(**HEAD), openai.ChatAssembly(**HEAD)
    (first,), (second,) = (frames(stream.encode(part)) for part in parts)
    assert first["choices"][0]["delta"]["tool_calls"] == [
        {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** "}}
    ]
    assert second["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "custom": {"input": "End"}}]
    for delta in (*parts, Finish(reason=FinishReason.TOOL_CALLS), UsageReport(usage=Usage())):
        whole.add(delta)
    assert json.loads(whole.body())["choices"][0]["message"]["tool_calls"] == [
        {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** End"}}
    ]


def test_fields_of_other_servers_are_joined_in_a_whole_answer() -> None:
    """Reasoning that OpenRouter sends in pieces is one item again in a whole answer, as its servers want it back."""
    pieces: list[dict[str, Any]] = [
        {"reasoning_details": [{"type": "reasoning.text", "text": "One ", "index": 0, "signature": None}]},
        {"reasoning_details": [{"type": "reasoning.text", "text": "two", "index": 0, "signature": "c2ln"}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "eA==", "index": 1}]},
        {"extra_content": {"google": {"thought_signature": "c2ln"}}},
        {"annotations": [{"url": "a"}]},
        {"annotations": [{"url": "b"}], "role": "other", "content": "not the text"},
    ]
    stream, whole = openai.ChatStream(**HEAD), openai.ChatAssembly(**HEAD)
    for piece in pieces[:4]:
        [frame] = frames(stream.encode(Extra(fields=freeze_object(piece))))
        assert frame["choices"][0]["delta"] == piece
    for delta in (
        *[Extra(fields=freeze_object(piece)) for piece in pieces],
        Text(text="x"),
        Finish(reason=FinishReason.STOP),
        UsageReport(usage=Usage()),
    ):
        whole.add(delta)
    message = json.loads(whole.body())["choices"][0]["message"]
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "text": "One two", "index": 0, "signature": "c2ln"},
        {"type": "reasoning.encrypted", "data": "eA==", "index": 1},
    ]
    assert message["extra_content"] == pieces[3]["extra_content"]
    assert message["annotations"] == [{"url": "a"}, {"url": "b"}]
    assert (message["role"], message["content"]) == ("assistant", "x")


def test_fields_that_a_server_wants_back_stand_beside_the_call() -> None:
    """Gemini's signature of a thought is where Gemini has it, streamed and whole, so that clients send it back."""
    signed = {"google": {"thought_signature": "c2ln"}}
    parts = [
        ToolCallPart(call=0, id="c1", name="one", arguments="{", extra=freeze_object({"extra_content": signed})),
        ToolCallPart(call=0, arguments="}", extra=freeze_object({"index": 7, "more": [1]})),
    ]
    stream = openai.ChatStream(**HEAD)
    (first,), (second,) = (frames(stream.encode(part)) for part in parts)
    [streamed] = first["choices"][0]["delta"]["tool_calls"]
    assert (streamed["extra_content"], streamed["id"]) == (signed, "c1")
    [more] = second["choices"][0]["delta"]["tool_calls"]
    assert more == {"index": 0, "function": {"arguments": "}"}, "more": [1]}
    whole = openai.ChatAssembly(**HEAD)
    for delta in (*parts, Finish(reason=FinishReason.TOOL_CALLS), UsageReport(usage=Usage())):
        whole.add(delta)
    [call] = json.loads(whole.body())["choices"][0]["message"]["tool_calls"]
    assert call["extra_content"] == signed
    assert call["function"] == {"name": "one", "arguments": "{}"}


@pytest.mark.parametrize("make", [openai.ChatStream, openai.TextStream])
def test_an_unfinished_stream_has_no_clean_end(make: Any) -> None:
    """A stream without the usage report that ends every complete answer gets no `[DONE]`."""
    stream = make(**HEAD)
    stream.encode(Text(text="x"))
    with pytest.raises(TargetProtocolError):
        stream.end()


@pytest.mark.parametrize("make", [openai.ChatAssembly, openai.TextAssembly])
@pytest.mark.parametrize(
    "deltas",
    [
        (),
        (Text(text="x"),),
        (Text(text="x"), UsageReport(usage=USAGE)),
        (Text(text="x"), Finish(reason=FinishReason.STOP)),
        (Text(text="x"), Text(text="y", index=1), Finish(reason=FinishReason.STOP), UsageReport(usage=USAGE)),
    ],
)
def test_an_unfinished_answer_is_no_answer(make: Any, deltas: tuple[Delta, ...]) -> None:
    """A whole answer in which any choice is not finished is an error."""
    assembly = make(**HEAD)
    for delta in deltas:
        assembly.add(delta)
    with pytest.raises(TargetProtocolError):
        assembly.body()


def test_errors_have_all_four_keys() -> None:
    """Errors have all four keys, in a body and in a stream, where no `[DONE]` follows."""
    error = ContextLengthExceeded("Too long.", param="messages")
    expected = {
        "error": {
            "message": "Too long.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        }
    }
    assert json.loads(openai.error_body(error)) == expected
    assert frames(openai.ChatStream(**HEAD).error(error)) == [expected]
    assert json.loads(openai.error_body(Unavailable("x")))["error"]["param"] is None


LOGPROB = TokenLogprob(
    token="ñ", logprob=-0.5, raw=b"\xc3\xb1", top=(("ñ", -0.5, b"\xc3\xb1"), ("n", float("-inf"), b"n"))
)


def test_whole_answer_with_everything() -> None:
    """A whole answer has choices in order, whole tool calls, thinking apart, and log-probabilities with bytes."""
    assembly = openai.ChatAssembly(**HEAD)
    deltas: list[Delta] = [
        Reasoning(text="Hm"),
        Text(text="ñ", logprobs=(LOGPROB,)),
        ToolCallPart(call=1, id="c2", name="two", index=1),
        ToolCallPart(call=0, id="c1", name="one", arguments='{"a"', index=1),
        ToolCallPart(call=0, arguments=":1}", index=1),
        ModelRefusal(text="No.", index=2),
        Finish(reason=FinishReason.STOP),
        Finish(reason=FinishReason.TOOL_CALLS, index=1),
        Finish(reason=FinishReason.CONTENT_FILTER, index=2),
        UsageReport(usage=USAGE),
    ]
    for delta in deltas:
        assembly.add(delta)
    answer = json.loads(assembly.body())
    first, second, third = answer["choices"]
    assert answer["object"] == "chat.completion"
    assert first["message"] == {"role": "assistant", "content": "ñ", "refusal": None, "reasoning_content": "Hm"}
    assert first["logprobs"]["content"][0]["bytes"] == [0xC3, 0xB1]
    assert first["logprobs"]["content"][0]["top_logprobs"][1]["logprob"] == -9999.0
    assert second["message"]["content"] is None
    assert [call["function"] for call in second["message"]["tool_calls"]] == [
        {"name": "one", "arguments": '{"a":1}'},
        {"name": "two", "arguments": ""},
    ]
    assert (second["finish_reason"], second["logprobs"]) == ("tool_calls", None)
    assert third["message"] == {"role": "assistant", "content": None, "refusal": "No."}


def test_text_completions() -> None:
    """Text completions have their older shape, with offsets that count characters."""
    deltas: list[Delta] = [
        Text(text="ñ", logprobs=(LOGPROB,)),
        Text(text="ñ", logprobs=(LOGPROB,)),
        Finish(reason=FinishReason.LENGTH),
        UsageReport(usage=USAGE),
    ]
    stream, assembly = openai.TextStream(**HEAD, include_usage=True), openai.TextAssembly(**HEAD)
    sent = frames(stream.start() + b"".join(stream.encode(delta) for delta in deltas) + stream.end())
    for delta in deltas:
        assembly.add(delta)
    [choice] = json.loads(assembly.body())["choices"]
    assert [one["choices"][0]["text"] for one in sent[:3]] == ["ñ", "ñ", ""]
    assert sent[1]["choices"][0]["logprobs"]["text_offset"] == [1]
    assert sent[3]["usage"]["total_tokens"] == 14
    assert choice["text"] == "ññ"
    assert choice["logprobs"]["text_offset"] == [0, 1]
    assert choice["logprobs"]["top_logprobs"][0] == {"ñ": -0.5, "n": -9999.0}
    assert choice["finish_reason"] == "length"


def test_the_first_token_of_an_echoed_prompt_has_no_log_probability() -> None:
    """The first token of a prompt has null, as evaluation tools expect, also where a server's answer is passed on."""
    first = TokenLogprob(token="n", logprob=float("nan"), raw=b"n")
    assembly = openai.TextAssembly(**HEAD)
    for delta in (Text(text="nñ", logprobs=(first, LOGPROB)), Finish(reason=FinishReason.LENGTH)):
        assembly.add(delta)
    assembly.add(UsageReport(usage=USAGE))
    [choice] = json.loads(assembly.body())["choices"]
    assert choice["logprobs"]["token_logprobs"] == [None, -0.5]
    assert choice["logprobs"]["top_logprobs"] == [None, {"ñ": -0.5, "n": -9999.0}]
    assert choice["logprobs"]["text_offset"] == [0, 1]
    body = AnswerBody(
        "t",
        AnswerReader("t", freeze_object({})),
        BodyShape(content_type="application/json", content_encoding="", most_bytes=2**20),
    )
    read = [
        log for delta in [*body.feed(assembly.body()), *body.end()] if isinstance(delta, Text) for log in delta.logprobs
    ]
    assert math.isnan(read[0].logprob)
    assert read[1].logprob == -0.5


def test_embeddings_both_ways() -> None:
    """Embeddings are floats, or little-endian float32 in base64 as the SDKs ask for."""
    vectors = Embeddings(vectors=((0.5, -1.0), (0.25, 2.0)), usage=Usage(input=6))
    plain = json.loads(openai.embeddings_body(openai.parse_embeddings(b'{"model":"m","input":["a","b"]}'), vectors))
    packed = json.loads(
        openai.embeddings_body(
            openai.parse_embeddings(b'{"model":"m","input":["a","b"],"encoding_format":"base64"}'), vectors
        )
    )
    assert [one["embedding"] for one in plain["data"]] == [[0.5, -1.0], [0.25, 2.0]]
    assert [one["index"] for one in plain["data"]] == [0, 1]
    assert plain["usage"] == {"prompt_tokens": 6, "total_tokens": 6}
    assert struct.unpack("<2f", base64.b64decode(packed["data"][1]["embedding"])) == (0.25, 2.0)


def test_model_lists() -> None:
    """`/v1/models` lists the models, and `/v1/models/{id}` shows one of them."""
    listed = json.loads(openai.models_body({"auto": traits(Capability.TOOLS), "local": traits()}, created=1))
    assert [one["id"] for one in listed["data"]] == ["auto", "local"]
    assert listed["object"] == "list"
    assert json.loads(openai.model_body("auto", traits(Capability.TOOLS), created=1)) == listed["data"][0]


def test_model_lists_say_what_models_can() -> None:
    """Apps that read vLLM's or OpenRouter's fields find the window, the media, tools and thinking there."""
    able = traits(Capability.TOOLS, Capability.IMAGES, Capability.THINKING, context=4096)
    auto = json.loads(openai.model_body("auto", able, created=1))
    assert (auto["context_length"], auto["max_model_len"]) == (4096, 4096)
    assert auto["architecture"] == {"input_modalities": ["text", "image"], "output_modalities": ["text"]}
    assert {"tools", "reasoning"} <= set(auto["supported_parameters"])
    plain = json.loads(openai.model_body("local", traits(context=None, endpoint=Endpoint.EMBEDDINGS), created=1))
    assert plain["context_length"] is None
    assert plain["architecture"]["output_modalities"] == ["embeddings"]
    assert not {"tools", "reasoning", "grammar"} & set(plain["supported_parameters"])
    painter = json.loads(openai.model_body("sd", traits(Capability.IMAGES, endpoint=Endpoint.IMAGES), created=1))
    assert painter["architecture"] == {"input_modalities": ["text", "image"], "output_modalities": ["image"]}
    assert "size" in painter["supported_parameters"]
    assert "max_tokens" not in painter["supported_parameters"]
    listener = json.loads(openai.model_body("ear", traits(endpoint=Endpoint.TRANSCRIPTIONS), created=1))
    assert listener["architecture"] == {"input_modalities": ["text", "audio"], "output_modalities": ["text"]}


CONTENT = st.one_of(
    st.builds(Text, text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), index=st.integers(0, 2)),
    st.builds(Reasoning, text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), index=st.integers(0, 2)),
    st.builds(
        ModelRefusal, text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), index=st.integers(0, 2)
    ),
)


def joined(deltas: list[Delta]) -> dict[tuple[type, int], str]:
    """The text of each kind and choice."""
    texts: dict[tuple[type, int], str] = {}
    for delta in deltas:
        if isinstance(delta, Text | Reasoning | ModelRefusal):
            key = (type(delta), delta.index)
            texts[key] = texts.get(key, "") + delta.text
    return texts


@given(st.lists(CONTENT, max_size=12), st.integers(1, 60))
def test_what_is_streamed_is_what_was_said(content: list[Delta], size: int) -> None:
    """Our own reader gets back exactly what our encoder sent, however the network cuts it, and so does the assembly."""
    ends: list[Delta] = [Finish(reason=FinishReason.STOP, index=index) for index in range(3)]
    deltas = [*content, *ends, UsageReport(usage=USAGE)]
    stream, assembly = openai.ChatStream(**HEAD, choices=3, include_usage=True), openai.ChatAssembly(**HEAD)
    data = stream.start() + b"".join(stream.encode(delta) for delta in deltas) + stream.end()
    body = AnswerBody(
        "t",
        AnswerReader("t", freeze_object({"n": 3})),
        BodyShape(content_type="text/event-stream", content_encoding="", most_bytes=2**20),
    )
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    read = [delta for piece in pieces for deltas in body.feed(piece) for delta in deltas]
    assert body.done
    assert joined(read) == joined(deltas)
    assert [one for one in read if isinstance(one, Finish | UsageReport)] == [*ends, UsageReport(usage=USAGE)]
    for delta in deltas:
        assembly.add(delta)
    for choice in json.loads(assembly.body())["choices"]:
        said = joined(deltas)
        assert (choice["message"]["content"] or "") == said.get((Text, choice["index"]), "")
        assert choice["message"].get("reasoning_content", "") == said.get((Reasoning, choice["index"]), "")
        assert (choice["message"]["refusal"] or "") == said.get((ModelRefusal, choice["index"]), "")


TOLD = {
    "id": "up-1", "object": "chat.completion", "created": 1, "model": "x/y", "provider": "Acme", "citations": ["https://a"],
    "system_fingerprint": None,
    "usage": {
        "prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cost": 0.0012, "is_byok": False,
        "cost_details": {"upstream_inference_cost": 0.001}, "queue_time": None,
        "prompt_tokens_details": {"cached_tokens": 4, "image_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 0, "accepted_prediction_tokens": 1},
    },
}  # fmt: skip


def test_what_a_server_tells_of_the_whole_answer_reaches_the_client() -> None:
    """Fields of the answer and its usage that nobody here knows go on, whole and streamed; counts and ids are ours."""
    reader = AnswerReader("t", freeze_object({"messages": []}))
    choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}
    deltas = [*reader.payload(json.dumps(TOLD | {"choices": [choice]}).encode()), *reader.end()]
    whole = openai.ChatAssembly(**HEAD)
    stream = openai.ChatStream(**HEAD, include_usage=True)
    for delta in deltas:
        whole.add(delta)
    body = json.loads(whole.body())
    chunks = frames(b"".join(stream.encode(delta) for delta in deltas))
    assert (body["id"], body["model"], body["provider"], body["citations"]) == (
        "chatcmpl-1",
        "auto",
        "Acme",
        ["https://a"],
    )
    assert "system_fingerprint" not in body
    [told] = [one for one in chunks if "provider" in one]
    assert told["choices"][0]["delta"] == {}
    assert (told["id"], told["citations"]) == ("chatcmpl-1", ["https://a"])
    usage = body["usage"]
    assert chunks[-1]["usage"] == usage
    assert (usage["cost"], usage["cost_details"], usage["is_byok"]) == (
        0.0012,
        {"upstream_inference_cost": 0.001},
        False,
    )
    assert "queue_time" not in usage
    assert usage["prompt_tokens_details"]["image_tokens"] == 3
    assert usage["prompt_tokens_details"]["cached_tokens"] == 4
    assert usage["completion_tokens_details"]["accepted_prediction_tokens"] == 1
    assert usage["total_tokens"] == 11


def test_a_stream_tells_of_the_whole_answer_once() -> None:
    """What each chunk of a stream repeats is one chunk for the client, behind the text and before its end."""
    reader = AnswerReader("t", freeze_object({"messages": []}))
    stream = openai.ChatStream(**HEAD)
    chunk = {
        "object": "chat.completion.chunk",
        "obfuscation": "xyz",
        "provider": "Acme",
        "search_results": [{"url": "u"}],
    }
    sent = b""
    for delta, finish in (({"content": "a"}, None), ({"content": "b"}, None), ({}, "stop")):
        one = chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        sent += b"".join(stream.encode(found) for found in reader.payload(json.dumps(one).encode()))
    sent += b"".join(stream.encode(found) for found in reader.end())
    said = [(one["choices"][0]["delta"], one.get("search_results"), "obfuscation" in one) for one in frames(sent)]
    assert said == [
        ({"content": "a"}, None, False),
        ({"content": "b"}, None, False),
        ({}, [{"url": "u"}], False),
        ({}, None, False),
    ]


def test_an_answer_nested_too_deeply_is_an_error_of_the_target() -> None:
    """A field of an answer that no reader can take ends it with an error, not with a crash."""
    reader = AnswerReader("t", freeze_object({"messages": []}))
    deep = b'{"choices": [], "more": ' + b"[" * 900 + b"]" * 900 + b"}"
    try:
        list(reader.payload(deep))
    except TargetProtocolError:
        return
    assert list(reader.payload(b'{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}'))
