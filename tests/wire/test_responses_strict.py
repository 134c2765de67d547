"""Every object and event of the Responses API passes readers that check its schema to the last field."""

import json
from collections.abc import Iterator
from typing import Any

import pydantic
import pytest
from openai.types import responses as types

from gateway.core.delta import Delta, FinishReason, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import AduanaError, ContextLengthExceeded, TargetBusy, Unavailable
from gateway.core.usage import Usage
from gateway.engine.messages import TokenLog
from gateway.local.embedded.text.formats.answer_format import HERMES, AnswerFormat, Tool
from gateway.local.embedded.text.output import Choice
from gateway.upstream.answer_reader import AnswerReader as CloudReader
from gateway.wire import responses as dialect

EVENT: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(types.ResponseStreamEvent)
# Fields of OpenAI's published answers that the types of its Python package don't have.
PUBLISHED = {"frequency_penalty", "presence_penalty", "store", "status", "bytes", "name"}
# Where the types allow null, and the Open Responses specification wants a value.
VALUES: dict[str, tuple[type, ...]] = {
    "background": (bool,),
    "created_at": (int,),
    "frequency_penalty": (int, float),
    "metadata": (dict,),
    "parallel_tool_calls": (bool,),
    "presence_penalty": (int, float),
    "reasoning": (dict,),
    "service_tier": (str,),
    "status": (str,),
    "store": (bool,),
    "temperature": (int, float),
    "text": (dict,),
    "top_logprobs": (int,),
    "top_p": (int, float),
    "truncation": (str,),
}
# And where it wants the field, although it may be null.
PRESENT = {
    *("completed_at", "error", "incomplete_details", "instructions", "max_output_tokens", "max_tool_calls"),
    *("previous_response_id", "prompt_cache_key", "safety_identifier", "usage", "user"),
}
FUNCTION = {"type": "function", "name": "look_up"}
TOOLS = [
    FUNCTION,
    {"type": "function", "name": "full", "description": "d", "parameters": {"type": "object"}, "strict": True},
    {"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
    {"type": "namespace", "name": "files", "tools": [{"type": "function", "name": "read"}, {"type": "namespace"}]},
    {"type": "web_search"},
    {"type": "mcp"},
]
SCHEMA = {"type": "json_schema", "schema": {"type": "object"}}


def request(**fields: Any) -> dialect.ResponsesRequest:
    return dialect.parse_response(json.dumps({"model": "auto", "input": "hi", "tools": TOOLS} | fields).encode())


def cloud(*said: dict[str, Any], finish: str = "stop") -> list[Delta]:
    """What the reader of a cloud's chunks makes of an answer."""
    reader = CloudReader(
        "cloud", freeze_object({"messages": [], "tools": [{"type": "function", "function": FUNCTION}]})
    )
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, **one}]} for one in said]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}})
    deltas = [delta for chunk in chunks for delta in reader.payload(json.dumps(chunk).encode())]
    return [*deltas, *reader.end(marked=True)]


def content(text: str, **more: Any) -> dict[str, Any]:
    return {"delta": {"content": text}, **more}


def called(call: int, name: str, *pieces: str) -> list[dict[str, Any]]:
    first: dict[str, Any] = {"index": call, "id": f"c{call}", "type": "function", "function": {"name": name}}
    rest: list[dict[str, Any]] = [{"index": call, "function": {"arguments": piece}} for piece in pieces]
    return [{"delta": {"tool_calls": [one]}} for one in (first, *rest)]


class Letters:
    """A vocabulary whose tokens are single bytes."""

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The byte, whether or not it is `special`."""
        del special
        return bytes([token])


def engine(text: str, reason: FinishReason = FinishReason.STOP, *, log: TokenLog | None = None) -> list[Delta]:
    """What the embedded engine's reader makes of a model's tokens."""
    tools = (Tool(name="look_up", parameters={}),)
    choice = Choice(0, Letters(), form=AnswerFormat(calls=HERMES), tools=tools)  # type: ignore[arg-type]
    deltas = [delta for token in text.encode() for delta in choice.token(token, log)]
    return [*deltas, *choice.finish(reason), UsageReport(usage=Usage(input=9, output=4, reasoning=1))]


CALL = '<tool_call>{"name": "look_up", "arguments": {"q": 1}}</tool_call>'
LOGPROBS = {
    "content": [{"token": "H", "logprob": -0.5, "bytes": [72], "top_logprobs": [{"token": "H", "logprob": -9}]}]
}
ANSWERS: dict[str, list[Delta]] = {
    "engine: plain": engine("Hello."),
    "engine: empty": engine(""),
    "engine: logprobs": engine("Hi", log=TokenLog(logprob=-0.5, top=((72, -0.5), (73, float("-inf"))))),
    "engine: reasoning": engine("<think>Hm.</think>Yes"),
    "engine: call": engine(f"<think>Hm.</think>Let me see.{CALL}{CALL}"),
    "engine: structured": engine('{"x": 1}'),
    "engine: incomplete": engine("Hello", FinishReason.LENGTH),
    "engine: incomplete thought": engine("<think>Hm", FinishReason.LENGTH),
    "cloud: plain": cloud(content("Hel"), content("lo.")),
    "cloud: empty": cloud(content("")),
    "cloud: logprobs": cloud(content("H", logprobs=LOGPROBS), content("i")),
    "cloud: reasoning": cloud({"delta": {"reasoning_content": "Hm."}}, content("Yes")),
    "cloud: calls": cloud(
        content("Let me see."),
        *called(0, "look_up", '{"q":', "1}"),
        *called(1, "patch", '{"input":"***"}'),
        *called(2, "files__read", "{}"),
        *called(3, "nobody_offered_this", "{}"),
        finish="tool_calls",
    ),
    "cloud: incomplete call": cloud(*called(0, "look_up", '{"q":'), finish="length"),
    "cloud: incomplete custom call": cloud(*called(0, "patch", '{"input":"*'), finish="length"),
    "cloud: refusal": cloud({"delta": {"refusal": "No."}}),
    "cloud: incomplete": cloud(content("Hel"), finish="length"),
    "cloud: filtered": cloud(content("Hel"), finish="content_filter"),
}
REQUESTS: dict[str, dict[str, Any]] = {
    "nothing": {"tools": None},
    "nulls": dict.fromkeys(("temperature", "top_p", "tool_choice", "text", "reasoning", "metadata", "truncation")),
    "everything": {
        "instructions": "Be brief.",
        "max_output_tokens": 9,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "reasoning": {"effort": "low", "summary": "auto"},
        "safety_identifier": "s",
        "temperature": 0.5,
        "text": {"format": SCHEMA | {"name": "x", "strict": True, "description": "d"}, "verbosity": "low"},
        "tool_choice": {"type": "function", "name": "look_up", "more": 1},
        "top_logprobs": 2,
        "top_p": 0.5,
        "truncation": "auto",
        "user": "u",
    },
    "half of it": {"text": {"verbosity": "low"}, "reasoning": {"summary": "auto"}, "tool_choice": "required"},
    "a schema without a name": {"text": {"format": SCHEMA}},
    "an object": {"text": {"format": {"type": "json_object"}}},
    "a custom tool": {"tool_choice": {"type": "custom", "name": "patch"}},
    "allowed tools": {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [FUNCTION]}},
    "allowed tools of a provider": {
        "tool_choice": {"type": "allowed_tools", "tools": [{"type": "web_search"}]},
    },
    "words nobody knows": {
        "metadata": {"a": 1, "b": "c"},
        "reasoning": {"effort": "huge", "summary": 5},
        "service_tier": "gold",
        "text": {"verbosity": "endless"},
        "truncation": 5,
    },
}


def unknown(value: Any) -> set[str]:
    """Names of fields, at any depth, that the types do not have."""
    if isinstance(value, pydantic.BaseModel):
        fields = [getattr(value, name) for name in type(value).model_fields]
        return set(value.model_extra or {}).union(*map(unknown, fields))
    if isinstance(value, list):
        return set[str]().union(*map(unknown, value))
    return set()


def check_response(document: dict[str, Any]) -> None:
    """A response object has every field, with a value where a reader may want one."""
    model = types.Response.model_validate_json(json.dumps(document), strict=True)
    assert unknown(model) <= PUBLISHED
    assert {name: document.get(name) for name, kinds in VALUES.items() if type(document.get(name)) not in kinds} == {}
    assert document.keys() >= PRESENT
    for tool in document["tools"]:
        inner = [tool, *tool.get("tools", ())]
        assert all(one.keys() >= {"description", "parameters", "strict"} for one in inner if one["type"] == "function")
        assert all(type(one["strict"]) is bool for one in inner if one["type"] == "function")
    assert document["text"]["format"]["type"]
    assert document["reasoning"].keys() == {"effort", "summary"}
    for item in document["output"]:
        assert item["id"]
        assert item["status"] in ("completed", "incomplete")


def events_of(data: bytes) -> Iterator[dict[str, Any]]:
    body, mark, rest = data.decode().partition("data: [DONE]\n\n")  # behind whole answers, as Open Responses wants it
    assert (bool(mark), rest) == ("event: response.failed\n" not in body, "")
    for block in body.strip().split("\n\n"):
        name, line = block.split("\n")
        event = json.loads(line.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        yield event


def check_stream(data: bytes) -> dict[str, Any]:
    """Every event validates, belongs to an item and a part that are open, and the last one repeats what was said."""
    opened: dict[int, str] = {}
    said: dict[int, str] = {}
    done: list[dict[str, Any]] = []
    event: dict[str, Any] = {}
    for number, event in enumerate(events_of(data)):
        model = EVENT.validate_json(json.dumps(event), strict=True)
        assert unknown(model) <= PUBLISHED
        assert event["sequence_number"] == number
        kind, place = event["type"], event.get("output_index", -1)
        if "response" in event:
            check_response(event["response"])
        elif kind == "response.output_item.added":
            assert place == len(opened) == len(done)
            opened[place], said[place] = event["item"]["id"], ""
            assert event["item"]["status"] == "in_progress"
        elif kind == "response.output_item.done":
            assert event["item"]["id"] == opened[place]
            done.append(event["item"])
        else:
            assert event["item_id"] == opened[place]
            assert place == len(done)
            assert event.get("content_index", 0) == 0
            if kind.endswith(".delta"):
                said[place] += event["delta"]
            elif not kind.startswith("response.content_part"):
                assert said[place] in event.values()
    response: dict[str, Any] = event["response"]
    if response["status"] != "failed":
        assert response["output"] == done
        assert len(set(opened.values())) == len(opened)
    return response


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_every_kind(name: str) -> None:
    """Each answer is valid whole and streamed, event by event, and both say the same."""
    asked = request()
    stream = dialect.stream(asked, id="resp_1", created=1700000000)
    data = stream.start() + b"".join(map(stream.encode, ANSWERS[name])) + stream.end()
    assembly = dialect.assembly(asked, id="resp_1", created=1700000000)
    for delta in ANSWERS[name]:
        assembly.add(delta)
    whole = json.loads(assembly.body())
    check_response(whole)
    streamed = check_stream(data)
    calls = [item for item in streamed["output"] if "call_id" in item]
    assert (streamed | {"output": []}) == (whole | {"output": []})
    assert [item["type"] for item in streamed["output"]] == [item["type"] for item in whole["output"]]
    assert len(calls) == sum(getattr(delta, "id", None) is not None for delta in ANSWERS[name])
    cut = any(word in name for word in ("incomplete", "filtered"))
    assert streamed["status"] == ("incomplete" if cut else "completed")
    assert {item["status"] for item in streamed["output"][-1:]} <= {streamed["status"]}


@pytest.mark.parametrize("error", [Unavailable("Gone."), TargetBusy("Busy."), ContextLengthExceeded("Long.")])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_failures(error: AduanaError, after: int) -> None:
    """A stream that fails, before or after its first words, ends with a valid failed response."""
    stream = dialect.stream(request(), id="resp_1", created=1700000000)
    data = stream.start() + b"".join(map(stream.encode, ANSWERS["engine: reasoning"][:after])) + stream.error(error)
    assert check_stream(data)["status"] == "failed"


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_repeated_of_the_request(name: str) -> None:
    """Whatever the client gave or left out, what the response repeats of it has its value and its form."""
    stream = dialect.stream(request(**REQUESTS[name]), id="resp_1", created=1700000000)
    data = stream.start() + b"".join(map(stream.encode, ANSWERS["cloud: plain"])) + stream.end()
    response = check_stream(data)
    if name == "everything":
        same = ("instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "prompt_cache_key", "reasoning")
        same += ("safety_identifier", "temperature", "text", "top_logprobs", "top_p", "user")
        assert {key: response[key] for key in same} == {key: REQUESTS[name][key] for key in same}


def test_only_tools_that_the_model_was_offered_are_repeated() -> None:
    """Tools of a provider, which nobody here runs, are not among the response's tools."""
    assembly = dialect.assembly(request(), id="resp_1", created=1)
    for delta in ANSWERS["cloud: plain"]:
        assembly.add(delta)
    assert [tool["name"] for tool in json.loads(assembly.body())["tools"]] == ["look_up", "full", "patch", "files"]


def test_a_count_of_tokens() -> None:
    """The answer of `/v1/responses/input_tokens` is valid."""
    body = dialect.input_tokens_body(7)
    assert unknown(types.InputTokenCountResponse.model_validate_json(body, strict=True)) == set()
