"""Answers of OpenAI's Responses API become deltas, whole or streamed, and end well or with an error."""

import json
from typing import Any

import pytest

from gateway.core.delta import (
    Delta,
    Extra,
    Finish,
    FinishReason,
    ModelRefusal,
    Reasoning,
    Text,
    ToolCallPart,
    UsageReport,
)
from gateway.core.document import freeze_object, thaw
from gateway.core.errors import AduanaError, ContextLengthExceeded, TargetBusy, TargetProtocolError
from gateway.core.usage import Usage
from gateway.upstream.framing.sse import ServerSentEvent
from gateway.upstream.responses.answers import ResponsesReader

DOCUMENT = freeze_object({"messages": [{"role": "user", "content": "hello"}]})
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}
COUNTED = UsageReport(usage=Usage(input=5, input_cached=4, output=3, reasoning=2))


def event(kind: str, place: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "output_index": place, **fields}


def completed(status: str = "completed", **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{status}", "response": {"status": status, "usage": USAGE} | fields}


def read(*events: Any) -> list[Delta]:
    reader = ResponsesReader("t", DOCUMENT)
    deltas = [delta for one in events for delta in reader.event(ServerSentEvent(data=json.dumps(one).encode()))]
    return [*deltas, *reader.end()]


def test_a_plain_answer() -> None:
    """Text, why it ended and the usage; events that only announce say nothing."""
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hello", "annotations": []}]}
    assert read(
        event("created"),
        event("output_item.added", item={"type": "message"}),
        event("output_text.delta", delta="Hello", logprobs=[]),
        event("output_item.done", item=message),
        completed(),
    ) == [Text(text="Hello"), Finish(reason=FinishReason.STOP), COUNTED]


def test_thoughts_calls_refusals_and_annotations() -> None:
    """Summaries are thoughts, what is sealed comes with its id, calls come as arguments in pieces."""
    cited = {"type": "url_citation", "url": "https://a", "title": "A"}
    deltas = read(
        event("reasoning_summary_text.delta", delta="One", summary_index=0),
        event("reasoning_summary_part.added", summary_index=1),
        event("reasoning_summary_text.delta", delta="Two", summary_index=1),
        event("output_item.done", item={"type": "reasoning", "id": "rs_1", "encrypted_content": "zzz"}),
        event("output_item.added", 1, item={"type": "function_call", "call_id": "c1", "name": "f", "arguments": ""}),
        event("function_call_arguments.delta", 1, delta='{"q":'),
        event("function_call_arguments.delta", 1, delta="1}"),
        event("output_item.done", 1, item={"type": "function_call", "arguments": '{"q":1}'}),
        event("output_item.added", 2, item={"type": "custom_tool_call", "call_id": "c2", "name": "g"}),
        event("custom_tool_call_input.delta", 2, delta="text"),
        event("refusal.delta", 3, delta="No."),
        event("output_item.done", 3, item={"type": "message", "content": [{"refusal": "No.", "annotations": [cited]}]}),
        completed(),
    )
    extras = [thaw(delta.fields) for delta in deltas if isinstance(delta, Extra)]
    detail = {"type": "reasoning.encrypted", "data": "zzz", "format": "openai-responses-v1", "index": 0, "id": "rs_1"}
    assert extras == [
        {"reasoning_details": [detail]},
        {"annotations": [{"type": "url_citation", "url_citation": {"url": "https://a", "title": "A"}}]},
    ]
    assert [delta for delta in deltas if not isinstance(delta, Extra)] == [
        Reasoning(text="One"),
        Reasoning(text="\n\n"),
        Reasoning(text="Two"),
        ToolCallPart(call=0, id="c1", name="f"),
        ToolCallPart(call=0, arguments='{"q":'),
        ToolCallPart(call=0, arguments="1}"),
        ToolCallPart(call=1, id="c2", name="g", custom=True),
        ToolCallPart(call=1, arguments="text", custom=True),
        ModelRefusal(text="No."),
        Finish(reason=FinishReason.TOOL_CALLS),
        COUNTED,
    ]


def test_an_answer_in_one_piece() -> None:
    """A server that does not stream although it was asked to is understood."""
    output = [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]
    assert read({"object": "response", "status": "completed", "output": output, "usage": USAGE}) == [
        Reasoning(text="Hm"),
        Text(text="Hello"),
        ToolCallPart(call=0, id="c1", name="f"),
        ToolCallPart(call=0, arguments="{}"),
        Finish(reason=FinishReason.TOOL_CALLS),
        COUNTED,
    ]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("max_output_tokens", FinishReason.LENGTH), ("content_filter", FinishReason.CONTENT_FILTER)],
)
def test_an_answer_that_was_cut_says_why(reason: str, expected: FinishReason) -> None:
    """An incomplete response ends with the reason that it has."""
    deltas = read(event("output_text.delta", delta="x"), completed("incomplete", incomplete_details={"reason": reason}))
    assert deltas[-2] == Finish(reason=expected)


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([event("output_text.delta", delta="x")], TargetProtocolError),
        ([event("function_call_arguments.delta", delta="x")], TargetProtocolError),
        ([completed("failed", error={"code": "server_error", "message": "x"})], TargetProtocolError),
        ([completed("failed", error={"code": "rate_limit_exceeded", "message": "x"})], TargetBusy),
        ([{"type": "error", "code": "context_length_exceeded", "message": "x"}], ContextLengthExceeded),
    ],
)
def test_what_does_not_end_well_is_an_error(events: list[Any], error: type[AduanaError]) -> None:
    """A cut answer, a failed one and pieces of nothing are errors, each of its kind; no end is made up."""
    with pytest.raises(error):
        read(*events)


def test_odd_values_break_nothing() -> None:
    """A server that sends other types than it should ends in an answer or in a clean error."""
    assert Text(text="x") in read(
        {"type": "response.output_text.delta", "output_index": [1], "delta": "x", "logprobs": 7},
        {"type": "response.output_item.done", "output_index": {}, "item": {"type": ["reasoning"], "content": 3}},
        {"type": ["odd"]},
        completed(),
    )
    with pytest.raises(TargetProtocolError):
        read({"type": "response.completed", "response": 7})
