"""Answers of Anthropic's Messages API become deltas, whole or streamed, and end well or with an error."""

import json
from typing import Any

import pytest

from gateway.core.delta import Delta, Extra, Finish, FinishReason, Reasoning, Text, ToolCallPart, UsageReport
from gateway.core.document import freeze_object, thaw
from gateway.core.errors import AduanaError, ContextLengthExceeded, TargetBusy, TargetProtocolError, TargetUnavailable
from gateway.core.provider_fields import BLOCKS, DELTAS
from gateway.core.target import Api
from gateway.core.usage import Usage
from gateway.upstream.anthropic.answers import MessagesReader, usage_of
from gateway.upstream.framing.sse import ServerSentEvent

DOCUMENT = freeze_object({"messages": [{"role": "user", "content": "hello"}]})
START = {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}}
STOP = {"type": "message_stop"}


def ends(reason: str = "end_turn", stop: str | None = None, **usage: Any) -> dict[str, Any]:
    delta = {"stop_reason": reason, "stop_sequence": stop}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9} | usage}


def block(index: int, fields: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": fields},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def said(text: str) -> list[dict[str, Any]]:
    return block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": text})


def fault(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def read(*events: Any) -> list[Delta]:
    reader = MessagesReader("t", DOCUMENT)
    deltas = [
        delta
        for event in events
        for delta in reader.event(ServerSentEvent(data=json.dumps(event).encode(), name=event.get("type", "")))
    ]
    return [*deltas, *reader.end()]


def test_a_plain_answer() -> None:
    """Text, why it ended and the usage; a ping and events of other kinds say nothing."""
    assert read(START, {"type": "ping"}, *said("Hello"), {"type": "odd"}, ends(), STOP) == [
        Text(text="Hello"),
        Finish(reason=FinishReason.STOP),
        UsageReport(usage=Usage(input=5, output=9), api=Api.MESSAGES),
    ]


def test_thoughts_calls_and_what_this_api_alone_has() -> None:
    """Thoughts come with their signature behind them, calls as arguments in pieces, other blocks whole."""
    citation = {"type": "citations_delta", "citation": {"cited_text": "x"}}
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    deltas = read(
        START,
        *block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "Hm"},
               {"type": "signature_delta", "signature": "sig"}),
        *block(1, {"type": "redacted_thinking", "data": "zzz"}),
        *block(2, {"type": "text", "text": ""}, {"type": "text_delta", "text": "so"}, citation),
        *block(3, search, {"type": "input_json_delta", "partial_json": '{"query":"x"}'}),
        *block(4, {"type": "tool_use", "id": "a", "name": "f", "input": {}},
               {"type": "input_json_delta", "partial_json": '{"q":'},
               {"type": "input_json_delta", "partial_json": "1}"}),
        *block(5, {"type": "tool_use", "id": "b", "name": "g", "input": {}}),
        ends("tool_use"),
        STOP,
    )  # fmt: skip
    extras = [thaw(delta.fields) for delta in deltas if isinstance(delta, Extra)]
    signed, sealed, cited, own = extras
    assert signed["reasoning_details"][0] | {"text": "Hm", "signature": "sig"} == signed["reasoning_details"][0]  # type: ignore[index]
    assert sealed["reasoning_details"][0]["data"] == "zzz"  # type: ignore[index]
    assert cited == {DELTAS: [citation]}
    assert own == {BLOCKS: [search | {"input": {"query": "x"}}]}
    assert [delta for delta in deltas if not isinstance(delta, Extra | UsageReport)] == [
        Reasoning(text="Hm"),
        Text(text="so"),
        ToolCallPart(call=0, id="a", name="f"),
        ToolCallPart(call=0, arguments='{"q":'),
        ToolCallPart(call=0, arguments="1}"),
        ToolCallPart(call=1, id="b", name="g"),
        ToolCallPart(call=1, arguments="{}"),
        Finish(reason=FinishReason.TOOL_CALLS),
    ]


def test_an_answer_in_one_piece() -> None:
    """A server that does not stream although it was asked to is understood."""
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"q": 1}},
    ]
    whole = {
        "type": "message",
        "content": content,
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 5, "output_tokens": 9},
    }
    deltas = read(whole)
    assert deltas[0] == Reasoning(text="Hm")
    assert deltas[2:4] == [ToolCallPart(call=0, id="a", name="f"), ToolCallPart(call=0, arguments='{"q":1}')]
    assert isinstance(deltas[-1], UsageReport)


@pytest.mark.parametrize(
    ("reason", "stop", "expected"),
    [
        ("max_tokens", None, Finish(reason=FinishReason.LENGTH)),
        ("model_context_window_exceeded", None, Finish(reason=FinishReason.LENGTH)),
        ("stop_sequence", "END", Finish(reason=FinishReason.STOP, stop="END")),
        ("refusal", None, Finish(reason=FinishReason.CONTENT_FILTER)),
        ("pause_turn", None, Finish(reason=FinishReason.STOP)),
    ],
)
def test_why_it_ended(reason: str, stop: str | None, expected: Finish) -> None:
    """Each reason is told, with the stop text that ended the answer."""
    assert expected in read(START, *said("x"), ends(reason, stop), STOP)


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([START, *said("x")], TargetProtocolError),
        ([START, *said("x"), STOP], TargetProtocolError),
        ([fault("overloaded_error", "Overloaded")], TargetUnavailable),
        ([fault("rate_limit_error", "x")], TargetBusy),
        ([fault("invalid_request_error", "prompt is too long: 9")], ContextLengthExceeded),
        ([said("x")[1]], TargetProtocolError),
        ([said("x")[0], said("x")[0]], TargetProtocolError),
    ],
)  # fmt: skip
def test_what_does_not_end_well_is_an_error(events: list[Any], error: type[AduanaError]) -> None:
    """A cut answer, an error event and mixed parts are errors, each of its kind; no end is made up."""
    with pytest.raises(error):
        read(*events)


def test_citations_that_are_no_list_say_nothing() -> None:
    """A server that writes something else there is read all the same."""
    deltas = read(START, *block(0, {"type": "text", "text": "Hello", "citations": True}), ends(), STOP)
    assert [delta for delta in deltas if isinstance(delta, Extra)] == []


def test_what_can_not_be_read_is_an_error() -> None:
    """An event that is no JSON object is an error."""
    with pytest.raises(TargetProtocolError):
        list(MessagesReader("t", DOCUMENT).event(ServerSentEvent(data=b"{")))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"input_tokens": 5, "output_tokens": 9}, Usage(input=5, output=9)),
        (
            {
                "input_tokens": 5,
                "cache_creation_input_tokens": 100,
                "cache_creation": {"ephemeral_1h_input_tokens": 40},
                "cache_read_input_tokens": 1000,
                "output_tokens": 9,
                "output_tokens_details": {"thinking_tokens": 4},
            },
            Usage(input=105, input_written=100, input_written_long=40, input_cached=1000, output=5, reasoning=4),
        ),
        ({"input_tokens": -1, "output_tokens": 9}, None),
        ({"input_tokens": 5, "output_tokens": 0}, None),
        ({}, None),
    ],
)
def test_usage(given: Any, expected: Usage | None) -> None:
    """Tokens read from a cache, written to one, thought and said are told apart; what can't be true is not taken."""
    assert usage_of(given, answered=True) == expected


def test_odd_values_break_nothing() -> None:
    """A server that sends other types than it should ends in an answer or in a clean error."""
    assert Text(text="x") in read(
        {"type": "message_start", "message": [1]},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ["a"]}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_stop", "index": {}},
        {"type": ["odd"]},
        {"type": "message_delta", "delta": {"stop_reason": ["end_turn"]}, "usage": {"output_tokens": "9"}},
        STOP,
    )
    with pytest.raises(TargetProtocolError):
        read({"type": "content_block_start", "index": [0], "content_block": {}})
