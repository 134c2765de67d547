"""The Anthropic dialect: bodies become OpenAI documents, answers are what Anthropic's own SDK reads."""

import json
from typing import Any

import anthropic
import httpx2
import pytest

from gateway.core.delta import Delta, Finish, FinishReason, Reasoning, Text, ToolCallPart, UsageReport
from gateway.core.document import thaw
from gateway.core.errors import BadRequest, ContextLengthExceeded, TargetProtocolError, Unauthorized, Unavailable
from gateway.core.marks import unmarked
from gateway.core.request import Dialect, Media
from gateway.core.target import Capability
from gateway.core.usage import Usage
from gateway.wire import anthropic as dialect
from gateway.wire.anthropic.requests import NEWER_VERSION
from gateway.wire.openai.lists import models_body
from tests.standins.traits import traits

USER = {"role": "user", "content": "hi"}
TOOL = {"name": "look_up", "description": "Looks.", "input_schema": {"type": "object", "properties": {"q": {}}}}


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "claude-x", "max_tokens": 100, "messages": [USER]} | fields).encode()


def document(**fields: Any) -> Any:
    return thaw(unmarked(dialect.parse_messages(body(**fields)).document))


def test_a_plain_body() -> None:
    """A body becomes an OpenAI document, which is what is inspected and sent; nothing of the original is."""
    request = dialect.parse_messages(body(system="Be brief.", temperature=0.5, top_k=40, stop_sequences=["END"]))
    assert thaw(request.document) == {
        "model": "claude-x",
        "max_tokens": 100,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "top_k": 40,
        "stop": ["END"],
    }
    assert (request.dialect, request.stream) == (Dialect.ANTHROPIC, False)
    assert (request.sampling.max_tokens, request.sampling.stop) == (100, ("END",))


def test_a_turn_that_only_adds_tools_says_nothing() -> None:
    """A system turn with a change of tools and no text is no message: servers refuse empty ones."""
    added = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "look_up"}}
    found = document(messages=[USER, {"role": "system", "content": [added]}, USER], tools=[TOOL])
    assert [message["role"] for message in found["messages"]] == ["user"]  # the two are joined


def test_a_claude_code_body() -> None:
    """Claude Code's body is accepted: hints, cache marks and Anthropic's own tools are left out, the rest is kept."""
    found = document(
        system=[
            {"type": "text", "text": "x-anthropic-billing-header: abc"},
            {"type": "text", "text": "You are Claude Code.", "cache_control": {"type": "ephemeral"}},
        ],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "user", "content": "c"},
        ],
        max_tokens=32000,
        stream=True,
        thinking={"type": "adaptive"},
        metadata={"user_id": "u1"},
        output_config={"effort": "high"},
        context_management={"edits": []},
        tools=[TOOL, {"type": "web_search_20250305", "name": "web_search"}],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    )
    assert found["messages"] == [
        {
            "role": "system",
            "content": "You are Claude Code.\nThese tools are not available here: web_search. Work without them.",
        },
        {"role": "user", "content": "a\nb\nc"},
    ]
    assert found["tools"] == [
        {
            "type": "function",
            "function": {"name": "look_up", "description": "Looks.", "parameters": TOOL["input_schema"]},
        }
    ]
    assert (found["tool_choice"], found["parallel_tool_calls"], found["user"]) == ("auto", False, "u1")
    assert set(found) == {
        "model",
        "messages",
        "max_tokens",
        "stream",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "user",
        "reasoning_effort",
    }


def test_tool_use_and_results() -> None:
    """Calls keep their arguments as text; results become messages of their own, their images go to the user."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    request = dialect.parse_messages(
        body(
            messages=[
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm", "signature": "s"},
                        {"type": "redacted_thinking", "data": "zzz"},
                        {"type": "text", "text": "Let me look."},
                        {"type": "tool_use", "id": "t1", "name": "look_up", "input": {"q": "ñ"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Here:"},
                        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "A"}, image]},
                    ],
                },
            ],
            tools=[TOOL],
        )
    )
    _, assistant, tool, user = thaw(request.document)["messages"]  # type: ignore[index]
    thoughts = [(one["type"], one.get("signature"), one.get("data")) for one in assistant.pop("reasoning_details")]
    assert thoughts == [("reasoning.text", "s", None), ("reasoning.encrypted", None, "zzz")]
    assert assistant == {
        "role": "assistant",
        "content": "Let me look.",
        "reasoning_content": "Hm",
        "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "look_up", "arguments": '{"q":"ñ"}'}}],
    }
    assert tool == {"role": "tool", "tool_call_id": "t1", "content": "A"}
    assert user["content"][0] == {"type": "text", "text": "Here:"}
    assert user["content"][1]["image_url"]["url"] == "data:image/png;base64,AAAA"
    assert request.media == {Media.IMAGE}


def test_documents() -> None:
    """Text documents and search results become text, and PDFs become files."""
    request = dialect.parse_messages(
        body(
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "document", "title": "Will", "source": {"type": "text", "data": "My house"}},
                        {
                            "type": "document",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"},
                        },
                        {
                            "type": "search_result",
                            "title": "T",
                            "source": "S",
                            "content": [{"type": "text", "text": "found"}],
                        },
                    ],
                }
            ]
        )
    )
    assert request.messages[0].text == "Will\nMy house\nT\nS\nfound"
    assert request.media == {Media.FILE}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "look_up"}, {"type": "function", "function": {"name": "look_up"}}),
    ],
)
def test_tool_choice(choice: dict[str, Any], expected: Any) -> None:
    """Each of Anthropic's tool choices becomes OpenAI's counterpart."""
    assert document(tools=[TOOL], tool_choice=choice)["tool_choice"] == expected


def test_structured_output() -> None:
    """A schema for the output becomes a response format."""
    request = dialect.parse_messages(
        body(output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}})
    )
    assert (request.response_format.kind, request.response_format.strict) == ("json_schema", True)
    assert request.response_format.schema == {"type": "object"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no max_tokens": ({"max_tokens": None}, "max_tokens"),
    "max_tokens -1": ({"max_tokens": -1}, "max_tokens"),
    "no messages": ({"messages": []}, "messages"),
    "role": ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
    "no content": ({"messages": [{"role": "user"}]}, "messages[0].content"),
    "unknown block": (
        {"messages": [{"role": "user", "content": [{"type": "hologram"}]}]},
        "messages[0].content[0].type",
    ),
    "block without type": ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type"),
    "image by file": (
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}]},
        "messages[0].content[0].source.file_id",
    ),
    "document by url": (
        {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "url"}}]}]},
        "messages[0].content[0].source.url",
    ),
    "result without id": (
        {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
        "messages[0].content[0].tool_use_id",
    ),
    "system image": ({"system": [{"type": "image"}]}, "system[0].type"),
    "temperature": ({"temperature": 1.5}, "temperature"),
    "too many stops": ({"stop_sequences": ["a"] * 257}, "stop_sequences"),
    "override": ({"base_url": "http://x"}, "base_url"),
    "unknown tool": ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}}, "tool_choice.function.name"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_bodies(name: str) -> None:
    """A bad body is refused, and the error names the field."""
    fields, param = BAD[name]
    with pytest.raises(BadRequest) as caught:
        dialect.parse_messages(body(**fields))
    assert caught.value.param == param


@pytest.mark.parametrize("field", ["temperature", "top_p", "top_k"])
def test_the_newer_version_has_no_sampling(field: str) -> None:
    """Sampling fields are refused for the newer API version, which removed them, and kept for the older one."""
    assert dialect.parse_messages(body(**{field: 1}), version="2023-06-01")
    with pytest.raises(BadRequest, match="removed"):
        dialect.parse_messages(body(**{field: 1}), version=NEWER_VERSION)


def test_the_newer_version_refuses_documents_of_the_assistant() -> None:
    """For the newer API version, documents in an assistant's turn are refused, as Anthropic does."""
    block = {"type": "document", "source": {"type": "text", "data": "x"}}
    messages = [USER, {"role": "assistant", "content": [block]}]
    assert dialect.parse_messages(body(messages=messages)).messages[1].text == "x"
    with pytest.raises(BadRequest):
        dialect.parse_messages(body(messages=messages), version=NEWER_VERSION)


def test_a_document_of_the_assistant_that_is_no_text_is_refused() -> None:
    """A PDF in an assistant's turn can't be carried, so the request is refused and not sent without it."""
    source = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
    messages = [USER, {"role": "assistant", "content": [{"type": "document", "source": source}]}]
    with pytest.raises(BadRequest) as caught:
        dialect.parse_messages(body(messages=messages))
    assert caught.value.param == "messages[1].content[0].type"


def test_counting_needs_no_limit() -> None:
    """Counting tokens takes the same body without `max_tokens`."""
    request = dialect.parse_count(json.dumps({"model": "m", "messages": [USER], "system": "s"}).encode())
    assert [message.role for message in request.messages] == ["system", "user"]
    assert json.loads(dialect.count_body(7)) == {"input_tokens": 7}


DELTAS: list[Delta] = [
    Reasoning(text="Let me "),
    Reasoning(text="think."),
    Text(text="Hé"),
    Text(text="llo"),
    ToolCallPart(call=0, id="t1", name="look_up"),
    ToolCallPart(call=0, arguments='{"q":'),
    ToolCallPart(call=0, arguments="1}"),
    ToolCallPart(call=1, id="t2", name="look_up", arguments="{}"),
    Finish(reason=FinishReason.TOOL_CALLS),
    UsageReport(usage=Usage(input=10, input_cached=4, output=6, reasoning=2)),
]


def sdk(data: bytes, kind: str, status: int = 200) -> anthropic.AsyncAnthropic:
    """Anthropic's SDK, connected to these bytes."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=data, headers={"content-type": kind})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return anthropic.AsyncAnthropic(api_key="x", base_url="http://gateway", http_client=http, max_retries=0)


def streamed(deltas: list[Delta]) -> bytes:
    request = dialect.parse_messages(body(stream=True))
    stream = dialect.stream(request, id="msg_1", request_id="req_1", input_tokens=14)
    return stream.start() + b"".join(stream.encode(delta) for delta in deltas) + stream.end()


def assembled(deltas: list[Delta]) -> bytes:
    assembly = dialect.assembly(dialect.parse_messages(body()), id="msg_1")
    for delta in deltas:
        assembly.add(delta)
    return assembly.body()


async def test_the_sdk_reads_a_stream_and_a_whole_answer_alike() -> None:
    """Anthropic's SDK reads the same thinking, text and two tool calls from a stream and from a whole answer."""
    ask: Any = {"model": "claude-x", "max_tokens": 100, "messages": [USER]}
    async with sdk(streamed(DELTAS), "text/event-stream").messages.stream(**ask) as stream:
        kinds = [event.type async for event in stream]
        told = await stream.get_final_message()
    whole = await sdk(assembled(DELTAS), "application/json").messages.create(**ask)
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    for message in (told, whole):
        thinking, text, first, second = message.content
        assert thinking.type == "thinking"
        assert thinking.thinking == "Let me think."
        assert text.type == "text"
        assert text.text == "Héllo"
        assert first.type == "tool_use"
        assert (first.id, first.name, first.input) == ("t1", "look_up", {"q": 1})
        assert second.type == "tool_use"
        assert (second.id, second.input) == ("t2", {})
        assert message.stop_reason == "tool_use"
        assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (10, 4)
        assert message.usage.output_tokens == 8


def test_block_indices_are_sequential_and_every_block_is_closed() -> None:
    """Events of a stream come in the order that clients depend on: each block is closed before the next opens."""
    frames = [json.loads(part.split("data: ")[1]) for part in streamed(DELTAS).decode().split("\n\n") if part]
    names = [part.split("\n")[0].removeprefix("event: ") for part in streamed(DELTAS).decode().split("\n\n") if part]
    assert names == [frame["type"] for frame in frames]
    assert frames[0]["message"]["usage"]["input_tokens"] == 14
    open_block = None
    count = 0
    for frame in frames:
        match frame["type"]:
            case "content_block_start":
                assert open_block is None
                assert frame["index"] == count
                open_block, count = frame["index"], count + 1
            case "content_block_delta":
                assert frame["index"] == open_block
            case "content_block_stop":
                assert frame["index"] == open_block
                open_block = None
            case "message_delta":
                assert open_block is None
    assert count == 4


async def test_an_error_inside_a_stream_raises_in_the_sdk() -> None:
    """An error inside a stream raises in the SDK and is never a clean end."""
    request = dialect.parse_messages(body(stream=True))
    stream = dialect.stream(request, id="msg_1", request_id="req_1")
    data = stream.start() + stream.encode(Text(text="x")) + stream.error(Unavailable("The engine died."))
    asked = sdk(data, "text/event-stream").messages.stream(model="m", max_tokens=5, messages=[USER])  # type: ignore[list-item]
    with pytest.raises(anthropic.APIStatusError, match="The engine died"):
        async with asked as events:
            await events.get_final_message()


async def test_error_bodies_are_read_by_the_sdk() -> None:
    """Errors have Anthropic's own types, and the words that make Claude Code compact."""
    data = dialect.error_body(ContextLengthExceeded("8,000 tokens do not fit."), "req_1")
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        await sdk(data, "application/json", 400).messages.create(model="m", max_tokens=5, messages=[USER])  # type: ignore[list-item]
    assert json.loads(dialect.error_body(Unauthorized("No."), "req_1")) == {
        "type": "error",
        "error": {"type": "authentication_error", "message": "No."},
        "request_id": "req_1",
    }


async def test_the_sdk_lists_models() -> None:
    """The list of models can be read by OpenAI's and by Anthropic's clients, and says what each can."""
    models = {"auto": traits(Capability.IMAGES, Capability.THINKING, context=4096), "local": traits(context=None)}
    listed = await sdk(models_body(models, created=1700000000), "application/json").models.list()
    assert [(model.id, model.lifecycle) for model in listed.data] == [("auto", "active"), ("local", "active")]
    auto, local = listed.data
    assert (auto.max_input_tokens, local.max_input_tokens) == (4096, None)
    assert auto.capabilities is not None
    assert local.capabilities is not None
    assert auto.capabilities.image_input.supported
    assert auto.capabilities.thinking.types.enabled.supported
    assert not local.capabilities.thinking.supported
    assert not auto.capabilities.structured_outputs.supported


@pytest.mark.parametrize("make", [streamed, assembled])
def test_unfinished_answers(make: Any) -> None:
    """An answer without finish and usage has no end and is an error."""
    with pytest.raises(TargetProtocolError):
        make([Text(text="x")])
    with pytest.raises(TargetProtocolError):
        make([Text(text="x"), Finish(reason=FinishReason.STOP)])


def test_tool_arguments_must_be_an_object() -> None:
    """A tool call whose arguments are broken JSON is an error."""
    deltas: list[Delta] = [ToolCallPart(call=0, id="t", name="f", arguments="{nope"), *DELTAS[-2:]]
    with pytest.raises(TargetProtocolError, match="not valid JSON"):
        assembled(deltas)


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        (Finish(reason=FinishReason.STOP, stop="END"), ("stop_sequence", "END")),
        (Finish(reason=FinishReason.STOP, stop="other"), ("end_turn", None)),
        (Finish(reason=FinishReason.STOP), ("end_turn", None)),
        (Finish(reason=FinishReason.TOOL_CALLS, stop="END"), ("tool_use", None)),
    ],
)
def test_a_stop_sequence_is_told(finish: Finish, expected: tuple[str, str | None]) -> None:
    """The stop sequence that ended an answer is told, streamed and whole; one that the client did not send is not."""
    request = dialect.parse_messages(body(stop_sequences=["END"]))
    deltas = (Text(text="a"), finish, UsageReport(usage=Usage(input=1, output=1)))
    whole = dialect.assembly(request, id="msg_1")
    stream = dialect.stream(request, id="msg_1", request_id="req_1")
    frames = b""
    for delta in deltas:
        whole.add(delta)
        frames += stream.encode(delta)
    found = json.loads(whole.body())
    assert (found["stop_reason"], found["stop_sequence"]) == expected
    streamed = json.loads(next(line for line in frames.splitlines() if b'"message_delta"' in line)[6:])["delta"]
    assert (streamed["stop_reason"], streamed["stop_sequence"]) == expected
