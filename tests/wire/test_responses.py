"""The Responses API: bodies become chat documents, answers are what OpenAI's own SDK reads."""

import json
from typing import Any

import httpx2
import openai
import pytest

from gateway.core.delta import (
    Delta,
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
from gateway.core.document import freeze_object, thaw
from gateway.core.errors import BadRequest, NotFound, TargetProtocolError, Unavailable
from gateway.core.request import Media
from gateway.core.usage import Usage
from gateway.wire import responses as dialect

FUNCTION = {
    "type": "function",
    "name": "look_up",
    "description": "Looks.",
    "parameters": {"type": "object"},
    "strict": True,
}
CUSTOM = {"type": "custom", "name": "apply_patch", "description": "Patches."}
SPACE = {"type": "namespace", "name": "files", "description": "Files.", "tools": [{"type": "function", "name": "read"}]}
TOOLS = [FUNCTION, CUSTOM, SPACE, {"type": "web_search"}]


def parse(**fields: Any) -> dialect.ResponsesRequest:
    return dialect.parse_response(json.dumps({"model": "auto", "input": "hi"} | fields).encode())


def document(**fields: Any) -> Any:
    return thaw(parse(**fields).chat.document)


def test_a_plain_body() -> None:
    """An input that is a text becomes a user's message."""
    assert document(instructions="Be brief.", max_output_tokens=9, temperature=0.5) == {
        "model": "auto",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "max_completion_tokens": 9,
        "temperature": 0.5,
    }


def test_a_codex_body() -> None:
    """Codex's body is accepted: developer messages, tools of every kind, a history with calls and sealed thinking."""
    found = document(
        stream=True,
        store=False,
        include=["reasoning.encrypted_content"],
        parallel_tool_calls=False,
        prompt_cache_key="k",
        reasoning={"effort": "medium"},
        tools=TOOLS,
        tool_choice="auto",
        input=[
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Sandbox."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix it."}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "zzz"},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Looking."}]},
            {"type": "function_call", "call_id": "c1", "name": "look_up", "arguments": '{"q":1}'},
            {"type": "function_call", "call_id": "c2", "name": "read", "namespace": "files", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "One"},
            {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "Two"}]},
            {"type": "custom_tool_call", "call_id": "c3", "name": "apply_patch", "input": "*** Begin"},
            {"type": "custom_tool_call_output", "call_id": "c3", "output": "Done"},
        ],
    )

    def call(call_id: str, name: str, arguments: str) -> Any:
        return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}

    assert found["messages"] == [
        {"role": "system", "content": "These tools are not available here: web_search. Work without them."},
        {"role": "developer", "content": "Sandbox."},
        {"role": "user", "content": "Fix it."},
        {
            "role": "assistant",
            "content": "Looking.",
            "reasoning_content": "Hm.",
            "reasoning_details": [
                {
                    "type": "reasoning.encrypted",
                    "data": "zzz",
                    "format": "openai-responses-v1",
                    "index": 0,
                    "id": "rs_1",
                }
            ],
            "tool_calls": [call("c1", "look_up", '{"q":1}'), call("c2", "files__read", "{}")],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "One"},
        {"role": "tool", "tool_call_id": "c2", "content": "Two"},
        {"role": "assistant", "content": None, "tool_calls": [call("c3", "apply_patch", '{"input":"*** Begin"}')]},
        {"role": "tool", "tool_call_id": "c3", "content": "Done"},
    ]
    assert [tool["function"]["name"] for tool in found["tools"]] == ["look_up", "apply_patch", "files__read"]
    assert (found["stream"], found["tool_choice"], found["parallel_tool_calls"]) == (True, "auto", False)
    assert (found["prompt_cache_key"], found["reasoning_effort"]) == ("k", "medium")


def test_images_files_and_formats() -> None:
    """Media is found, a schema becomes a response format, and `include` asks for log-probabilities."""
    request = parse(
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What?"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
                ],
            }
        ],
        text={"format": {"type": "json_schema", "name": "x", "strict": True, "schema": {"type": "object"}}},
        include=["message.output_text.logprobs"],
        top_logprobs=2,
    )
    picture: Any = thaw(request.chat.document["messages"])
    assert picture[0]["content"][1]["image_url"] == {"url": "data:image/png;base64,AAAA", "detail": "low"}
    assert request.chat.media == {Media.IMAGE, Media.FILE}
    assert (request.chat.response_format.kind, request.chat.response_format.strict) == ("json_schema", True)
    assert (request.chat.sampling.logprobs, request.chat.sampling.top_logprobs) == (True, 2)


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def output(call_id: str, *parts: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": list(parts)}


@pytest.mark.parametrize(
    ("part", "file"),
    [
        ({"type": "input_file", "file_id": "file-1"}, {"file_id": "file-1"}),
        ({"type": "input_image", "file_id": "file-1", "detail": "auto"}, {"file_id": "file-1"}),
        ({"type": "input_file", "file_url": "https://x.example/a.pdf"}, {"file_url": "https://x.example/a.pdf"}),
        (
            {"type": "input_file", "filename": "b.pdf", "file_url": "https://x.example/a.pdf"},
            {"filename": "b.pdf", "file_url": "https://x.example/a.pdf"},
        ),
    ],
)
def test_files_that_are_only_named(part: dict[str, Any], file: dict[str, str]) -> None:
    """A file's id or address stands in a part of its own, where the file is put in before inspection."""
    (message,) = document(input=[{"role": "user", "content": [part]}])["messages"]
    assert message["content"] == [{"type": "file", "file": file}]


def test_pictures_in_tools_outputs_go_to_the_user() -> None:
    """A picture or a file that a tool returned stands in a turn of the user behind the outputs."""
    words = {"type": "input_text", "text": "seen"}
    request = parse(
        input=[
            {"role": "user", "content": "what is on it?"},
            {"type": "function_call", "call_id": "c1", "name": "view", "arguments": "{}"},
            {"type": "function_call", "call_id": "c2", "name": "view", "arguments": "{}"},
            output("c1", IMAGE),
            output("c2", words, IMAGE, {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"}),
            {"role": "assistant", "content": "A house."},
            {"type": "custom_tool_call", "call_id": "c3", "name": "view", "input": ""},
            {"type": "custom_tool_call_output", "call_id": "c3", "output": [IMAGE]},
        ]
    )
    messages: Any = thaw(request.chat.document["messages"])
    assert [message["role"] for message in messages] == [
        *("user", "assistant", "tool", "tool", "user", "assistant", "tool", "user")
    ]
    assert [message["content"] for message in messages[2:4]] == ["", "seen"]
    assert [part["type"] for part in messages[4]["content"]] == ["image_url", "image_url", "file"]
    assert messages[7]["content"] == [PICTURE]
    assert request.chat.media == {Media.IMAGE, Media.FILE}


def test_thoughts_before_a_call_stay_with_the_turn() -> None:
    """Thinking between an assistant's text and its call belongs to the one turn that both become."""
    found = document(
        input=[
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": "I look."},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "look first"}]},
            {"type": "function_call", "call_id": "c1", "name": "look_up", "arguments": "{}"},
        ]
    )
    assert found["messages"][1]["reasoning_content"] == "look first"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "picture of the assistant": ({"input": [{"role": "assistant", "content": [IMAGE]}]}, "input[0].content"),
    "no model": ({"model": ""}, "model"),
    "a chat's body": ({"input": None, "messages": []}, "messages"),
    "role": ({"input": [{"role": "boss", "content": "x"}]}, "input[0].role"),
    "unknown part": ({"input": [{"role": "user", "content": [{"type": "hologram"}]}]}, "input[0].content[0].type"),
    "image without one": (
        {"input": [{"role": "user", "content": [{"type": "input_image", "detail": "low"}]}]},
        "input[0].content[0].image_url",
    ),
    "call without id": ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
    "background": ({"background": True}, "background"),
    "limit": ({"max_output_tokens": 0}, "max_output_tokens"),
    "tool without name": ({"tools": [{"type": "function"}]}, "tools[0].name"),
    "unknown tool": ({"tools": TOOLS, "tool_choice": {"type": "function", "name": "x"}}, "tool_choice.name"),
    "format": ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
    "override": ({"base_url": "x"}, "base_url"),
}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("previous_response_id", "resp_1", "previous_response_not_found"),
        ("conversation", "conv_1", "conversation_not_found"),
        ("conversation", {"id": "conv_1"}, "conversation_not_found"),
    ],
)
def test_where_nothing_is_stored_nothing_is_found(field: str, value: object, code: str) -> None:
    """A body that continues something gets a 404 with OpenAI's code for an id that is not there."""
    with pytest.raises(NotFound) as caught:
        parse(**{field: value})
    assert (caught.value.param, caught.value.code) == (field, code)


@pytest.mark.parametrize("name", BAD)
def test_bad_bodies(name: str) -> None:
    """A bad body is refused, and the error names the field."""
    fields, param = BAD[name]
    with pytest.raises(BadRequest) as caught:
        parse(**fields)
    assert caught.value.param == param


LOGPROB = TokenLogprob(token="Hé", logprob=-0.5, raw=b"H\xc3\xa9")
DELTAS: list[Delta] = [
    Reasoning(text="Let me "),
    Reasoning(text="think."),
    Text(text="Hé", logprobs=(LOGPROB,)),
    Text(text="llo"),
    ToolCallPart(call=0, id="c1", name="look_up"),
    ToolCallPart(call=0, arguments='{"q":'),
    ToolCallPart(call=0, arguments="1}"),
    ToolCallPart(call=1, id="c2", name="apply_patch", arguments='{"input":"*** '),
    ToolCallPart(call=1, arguments='Begin"}'),
    ToolCallPart(call=2, id="c3", name="files__read", arguments="{}"),
    Finish(reason=FinishReason.TOOL_CALLS),
    UsageReport(usage=Usage(input=10, input_cached=4, output=6, reasoning=2)),
]


def sdk(data: bytes, kind: str = "application/json") -> openai.AsyncOpenAI:
    """The SDK with strict validation, connected to these bytes."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=data, headers={"content-type": kind})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return openai.AsyncOpenAI(
        api_key="x", base_url="http://gateway/v1", http_client=http, max_retries=0, _strict_response_validation=True
    )


def streamed(deltas: list[Delta], **fields: Any) -> bytes:
    stream = dialect.stream(parse(tools=TOOLS, **fields), id="resp_1", created=1700000000)
    return stream.start() + b"".join(stream.encode(delta) for delta in deltas) + stream.end()


def assembled(deltas: list[Delta], **fields: Any) -> bytes:
    assembly = dialect.assembly(parse(tools=TOOLS, **fields), id="resp_1", created=1700000000)
    for delta in deltas:
        assembly.add(delta)
    return assembly.body()


async def test_the_sdk_reads_a_whole_response() -> None:
    """OpenAI's SDK reads thinking, text, and the calls under the client's own names."""
    answer = await sdk(assembled(DELTAS, instructions="Be brief.")).responses.create(model="auto", input="hi")
    thinking, message, function, custom, read = answer.output
    assert answer.output_text == "Héllo"
    assert (answer.status, answer.instructions) == ("completed", "Be brief.")
    assert thinking.type == "reasoning"
    assert thinking.content is not None
    assert thinking.content[0].text == "Let me think."
    assert message.type == "message"
    assert function.type == "function_call"
    assert (function.call_id, function.name, function.arguments) == ("c1", "look_up", '{"q":1}')
    assert custom.type == "custom_tool_call"
    assert (custom.call_id, custom.name, custom.input) == ("c2", "apply_patch", "*** Begin")
    assert read.type == "function_call"
    assert (read.name, read.namespace) == ("read", "files")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (14, 8, 22)
    assert answer.usage.input_tokens_details.cached_tokens == 4


async def test_the_sdk_reads_a_streamed_response() -> None:
    """Every event has its number, the order is the one that clients depend on, and the last event holds the whole."""
    stream = await sdk(streamed(DELTAS), "text/event-stream").responses.create(model="auto", input="hi", stream=True)
    events = [event async for event in stream]
    kinds = [event.type.removeprefix("response.") for event in events]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert kinds[:2] == ["created", "in_progress"]
    start = kinds.index("output_text.delta") - 2
    assert kinds[start : start + 7] == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
    ]
    assert kinds.count("output_item.added") == kinds.count("output_item.done") == 5
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output == (await sdk(assembled(DELTAS)).responses.create(model="auto", input="hi")).output


async def test_the_sdk_s_own_collector() -> None:
    """The SDK's own collector, `responses.stream`, puts the same text together."""
    texts = [*DELTAS[2:4], Finish(reason=FinishReason.STOP), DELTAS[-1]]
    async with sdk(streamed(texts), "text/event-stream").responses.stream(model="auto", input="hi") as stream:
        answer = await stream.get_final_response()
    assert answer.output_text == "Héllo"


@pytest.mark.parametrize(
    ("reason", "why"),
    [(FinishReason.LENGTH, "max_output_tokens"), (FinishReason.CONTENT_FILTER, "content_filter")],
)
async def test_an_answer_that_was_cut_says_so(reason: FinishReason, why: str) -> None:
    """An answer that was cut at a limit is `incomplete`, with the reason."""
    texts: list[Delta] = [Text(text="He"), Finish(reason=reason), DELTAS[-1]]
    answer = await sdk(assembled(texts)).responses.create(model="auto", input="hi")
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == why


async def test_a_refusal() -> None:
    """A model's refusal is read as a refusal and not as text."""
    texts: list[Delta] = [ModelRefusal(text="No."), Finish(reason=FinishReason.STOP), DELTAS[-1]]
    answer = await sdk(assembled(texts)).responses.create(model="auto", input="hi")
    [message] = answer.output
    assert message.type == "message"
    assert message.content[0].type == "refusal"


async def test_a_failure_inside_a_stream() -> None:
    """A stream that fails ends with `response.failed` and the error, without `response.completed`."""
    stream = dialect.stream(parse(stream=True), id="resp_1", created=1)
    data = stream.start() + stream.encode(Text(text="x")) + stream.error(Unavailable("The engine died."))
    events = await sdk(data, "text/event-stream").responses.create(model="auto", input="hi", stream=True)
    *_, last = [event async for event in events]
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert (last.response.error.code, last.response.error.message) == ("server_error", "The engine died.")


@pytest.mark.parametrize("make", [streamed, assembled])
def test_unfinished_answers(make: Any) -> None:
    """An answer without finish and usage has no end and is an error."""
    with pytest.raises(TargetProtocolError):
        make([Text(text="x")])
    with pytest.raises(TargetProtocolError):
        make([Text(text="x"), DELTAS[-1]])


def test_a_custom_call_that_is_no_text() -> None:
    """A custom tool call that does not keep to its shape is an error."""
    broken: list[Delta] = [ToolCallPart(call=0, id="c", name="apply_patch", arguments='{"x":1}'), *DELTAS[-2:]]
    with pytest.raises(TargetProtocolError, match="can't be read"):
        assembled(broken)


async def test_citations_and_sealed_thoughts_of_a_provider_are_passed_on() -> None:
    """What a provider says about its text stands at that text, and sealed thoughts in an item that comes back whole."""
    thought = {"type": "reasoning.encrypted", "data": "zzz", "format": "openai-responses-v1", "id": "rs_1"}
    cited = {
        "type": "url_citation",
        "url_citation": {"url": "https://a", "title": "A", "start_index": 0, "end_index": 2},
    }
    deltas: list[Delta] = [
        Extra(fields=freeze_object({"reasoning_details": [thought]})),
        Text(text="so"),
        Extra(fields=freeze_object({"annotations": [cited]})),
        Finish(reason=FinishReason.STOP),
        UsageReport(usage=Usage(input=1, output=1)),
    ]
    async with sdk(assembled(deltas)) as client:
        response = await client.responses.create(model="auto", input="hi")
    sealed, said = response.output
    assert said.content[0].annotations[0].url == "https://a"
    back = parse(input=[sealed.model_dump(exclude_none=True), {"role": "assistant", "content": "so"}])
    [detail] = thaw(back.chat.document)["messages"][0]["reasoning_details"]  # type: ignore[index]
    assert (detail["id"], detail["data"]) == ("rs_1", "zzz")
    assert b"response.output_text.annotation.added" in streamed(deltas)
