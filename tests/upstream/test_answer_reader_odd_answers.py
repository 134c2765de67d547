"""Answers of unusual form lose no text, and leave in one strict form; broken ones are errors behind their text."""

import json
from typing import Any

import pytest

from gateway.core.delta import Delta, Extra, Finish, FinishReason, Reasoning, Text, ToolCallPart
from gateway.core.document import freeze_object
from gateway.core.errors import TargetProtocolError
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.framing.sse import ServerSentEvent

DOCUMENT = freeze_object({"messages": [{"role": "user", "content": "hello"}]})
CALL = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}


def read(*payloads: Any) -> list[Delta]:
    """The deltas of these payloads, up to a clean end."""
    reader = AnswerReader("t", DOCUMENT)
    deltas = [delta for payload in payloads for delta in reader.payload(json.dumps(payload).encode())]
    return [*deltas, *reader.end()]


def chunk(finish: Any = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def finishes(deltas: list[Delta]) -> list[str]:
    return [delta.reason for delta in deltas if isinstance(delta, Finish)]


WORDS = {
    "stop": ["stop", "STOP", "Stop", " stop ", "end_turn", "endTurn", "eos", "COMPLETE", "FinishReason.STOP"],
    "length": ["length", "LENGTH", "max_tokens", "MAX_TOKENS", "maxTokens", "max_output_tokens", "model_length"],
    "content_filter": ["content_filter", "SAFETY", "RECITATION", "sensitive", "refusal", "PROHIBITED_CONTENT"],
}


@pytest.mark.parametrize(("reason", "word"), [(reason, word) for reason, words in WORDS.items() for word in words])
def test_words_for_the_end_of_an_answer(reason: str, word: str) -> None:
    """The reasons of many servers, in any spelling, become OpenAI's."""
    assert finishes(read(chunk(content="x"), chunk(word))) == [reason]


@pytest.mark.parametrize("word", ["done", "whatever", "OTHER", 1, True, {"type": "stop"}, ["stop"]])
def test_an_end_that_nobody_knows_is_an_end(word: Any) -> None:
    """A reason that is not known ends the answer as `stop` does, and its text is kept."""
    deltas = read(chunk(content="x"), chunk(word))
    assert (deltas[0], finishes(deltas)) == (Text(text="x"), ["stop"])


@pytest.mark.parametrize("word", ["", " ", "null", "None", None, False, 0, {}, [], "FINISH_REASON_UNSPECIFIED"])
def test_words_that_say_that_the_answer_goes_on(word: Any) -> None:
    """An empty reason, or a word for none, ends nothing: such an answer is incomplete."""
    with pytest.raises(TargetProtocolError, match="before it was complete"):
        read(chunk(content="x"), chunk(word))
    assert finishes(read(chunk(word, content="x"), chunk("length"), chunk(word))) == ["length"]


@pytest.mark.parametrize(
    "word", ["error", "ERROR", "abort", "cancelled", "network_error", "insufficient_system_resource"]
)
def test_a_server_that_says_that_it_broke_off_is_believed(word: str) -> None:
    """A reason that tells of a failure is an error, behind the text that came with it."""
    reader = AnswerReader("t", DOCUMENT)
    deltas = iter(reader.payload(json.dumps(chunk(word, content="x")).encode()))
    assert next(deltas) == Text(text="x")
    with pytest.raises(TargetProtocolError, match="broke off"):
        next(deltas)


def test_a_reason_with_every_piece_counts_once_and_at_the_end() -> None:
    """Where each piece has a finish reason, all text is kept and the last reason is the answer's."""
    deltas = read(chunk("stop", content="a"), chunk("stop", content="b"), chunk("length", content="c"), chunk(""))
    assert deltas[:4] == [Text(text="a"), Text(text="b"), Text(text="c"), Finish(reason=FinishReason.LENGTH)]


OLD_CALL = [chunk(function_call={"name": "f", "arguments": ""}), chunk(function_call={"arguments": "{}"})]
REASONS: list[tuple[list[Any], str]] = [
    ([chunk(tool_calls=[CALL]), chunk("tool_calls")], "tool_calls"),
    ([chunk(tool_calls=[CALL]), chunk("stop")], "tool_calls"),
    ([chunk("TOOL_CALLS", tool_calls=[CALL])], "tool_calls"),
    ([chunk(tool_calls=[CALL]), chunk("unknown")], "tool_calls"),
    ([chunk(tool_calls=[CALL]), chunk("length")], "length"),
    ([chunk(content="x"), chunk("tool_calls")], "stop"),
    ([*OLD_CALL, chunk("function_call")], "tool_calls"),
    ([{"choices": [{"message": {"tool_calls": [CALL]}, "finish_reason": "stop"}]}], "tool_calls"),
]


@pytest.mark.parametrize(("chunks", "reason"), REASONS)
def test_a_client_learns_from_the_reason_whether_there_are_calls(chunks: list[Any], reason: str) -> None:
    """The reason is `tool_calls` where there are calls, and only there, so that agents neither stop early nor wait."""
    deltas = read(*chunks)
    calls = [delta for delta in deltas if isinstance(delta, ToolCallPart)]
    assert finishes(deltas) == [reason]
    assert ("".join(part.arguments for part in calls) == "{}") is (reason != "stop")


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize(("arguments", "whole"), [('{"path":"x"}', True), ('{"path":', False), ("", False)])
def test_whole_calls_need_no_reason_where_the_server_says_that_it_is_done(
    arguments: str, whole: bool, marked: bool
) -> None:
    """Calls that are whole JSON, and `[DONE]` behind them, are a complete answer; anything less is incomplete."""
    reader = AnswerReader("t", DOCUMENT)
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": arguments}}
    list(reader.payload(json.dumps(chunk(tool_calls=[call])).encode()))
    if whole and marked:
        assert finishes(list(reader.event(ServerSentEvent(data=b"[DONE]")))) == ["tool_calls"]
    else:
        with pytest.raises(TargetProtocolError, match="before it was complete"):
            list(reader.end(marked=marked))


WHOLE_AGAIN = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}
STRANGER = {"index": 1, "delta": {"content": "y"}}
ODD: dict[str, list[Any]] = {
    "nulls everywhere": [
        {"id": None, "choices": None, "usage": None, "error": None},
        {"choices": [{"index": None, "delta": None, "logprobs": None, "finish_reason": None}]},
        chunk(content=None, reasoning_content=None, refusal=None, tool_calls=None, role=None),
        chunk("stop", content="x"),
    ],
    "no role, no index": [{"choices": [{"delta": {"content": "x"}}]}, {"choices": [{"finish_reason": "stop"}]}],
    "index as text": [{"choices": [{"index": "0", "delta": {"content": "x"}, "finish_reason": "stop"}]}],
    "index from 1": [{"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}]}],
    "choices that are no list": [{"choices": {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}}],
    "choices among other things": [{"choices": [None, 5, {"delta": {"content": "x"}, "finish_reason": "stop"}]}],
    "a choice that nobody asked for": [
        {"choices": [{"index": 0, "delta": {"content": "x"}}, STRANGER]},
        {"choices": [STRANGER]},
        chunk("stop"),
    ],
    "delta as text": [{"choices": [{"delta": "x", "finish_reason": "stop"}]}],
    "delta and message": [{"choices": [{"delta": {}, "message": {"content": "x"}, "finish_reason": "stop"}]}],
    "delta and text": [{"choices": [{"delta": {"content": ""}, "text": "x", "finish_reason": "stop"}]}],
    "the whole answer again at the end": [chunk(content="x"), WHOLE_AGAIN],
    "an empty error beside the text": [chunk("stop", content="x") | {"error": {"code": 0, "message": ""}}],
    "a chunk that is null": [None, chunk("stop", content="x")],
    "usage of other types": [chunk("stop", content="x") | {"usage": [1, "x"]}, {"usage": {"prompt_tokens": "9"}}],
    "text in parts": [chunk(content=[{"type": "text", "text": {"value": "x"}}, {"type": "image"}, 5]), chunk("stop")],
    "a text among parts": [chunk(content=["x"]), chunk("stop")],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_chunks_lose_no_text(name: str) -> None:
    """Fields that are missing, null or of another type cost neither the text nor the answer."""
    deltas = read(*ODD[name])
    assert [delta for delta in deltas if isinstance(delta, Text)] == [Text(text="x")]
    assert finishes(deltas) == ["stop"]


def test_half_a_surrogate_pair_costs_one_character() -> None:
    """An emoji that a server cuts in two is replaced; the text around it stays."""
    reader = AnswerReader("t", DOCUMENT)
    [delta] = reader.payload(b'{"choices":[{"delta":{"content":"so \\ud83d far"}}]}')
    assert delta == Text(text="so \N{REPLACEMENT CHARACTER} far")


def test_an_error_beside_text_comes_behind_it() -> None:
    """A chunk that has text and an error gives the text first."""
    reader = AnswerReader("t", DOCUMENT)
    deltas = iter(reader.payload(json.dumps(chunk(content="x") | {"error": {"message": "no"}}).encode()))
    assert next(deltas) == Text(text="x")
    with pytest.raises(TargetProtocolError, match="no"):
        next(deltas)


@pytest.mark.parametrize("numbers", [(0, 1), ("0", "1"), (None, None)])
def test_choices_keep_apart(numbers: tuple[Any, Any]) -> None:
    """Several choices, numbered or not, each have their own text and end."""
    reader = AnswerReader("t", freeze_object({**DOCUMENT, "n": 2}))
    both = [
        {"index": number, "delta": {"content": text}, "finish_reason": "stop"}
        for number, text in zip(numbers, "ab", strict=True)
    ]
    deltas = [*reader.payload(json.dumps({"choices": both}).encode()), *reader.end()]
    assert deltas[:2] == [Text(text="a"), Text(text="b", index=1)]
    assert finishes(deltas) == ["stop", "stop"]


@pytest.mark.parametrize("data", [b"[DONE]", b" [DONE] ", b'"[DONE]"', b"[done]", b"[DONE]\n"])
def test_marks_of_the_end(data: bytes) -> None:
    """`[DONE]` is understood with blanks, in quotes and in small letters."""
    reader = AnswerReader("t", DOCUMENT)
    list(reader.payload(json.dumps(chunk("stop", content="x")).encode()))
    list(reader.event(ServerSentEvent(data=data)))
    assert reader.done


@pytest.mark.parametrize(
    "event",
    [
        ServerSentEvent(data=b"", name="message"),
        ServerSentEvent(data=b"  "),
        ServerSentEvent(data=b"not JSON", name="ping"),
        ServerSentEvent(data=b"{}", name="keepalive"),
        ServerSentEvent(data=b"null"),
        ServerSentEvent(data=b'{"choices":[]}', name="completion.chunk"),
    ],
)
def test_events_that_say_nothing(event: ServerSentEvent) -> None:
    """Keep-alives and events without content are passed over."""
    assert list(AnswerReader("t", DOCUMENT).event(event)) == []


def test_fields_that_nobody_knows_go_on() -> None:
    """Fields that OpenAI does not have reach the client as they are, if they say anything, beside the text."""
    details = [{"type": "reasoning.text", "text": "Hm", "signature": None, "index": 0}]
    deltas = read(
        chunk(content="", reasoning="Hm", reasoning_details=details, audio=None, annotations=[]),
        chunk(content="x", extra_content={"google": {"thought_signature": "c2ln"}}, name=""),
        chunk("stop", reasoning_details=[]),
    )
    assert deltas[:4] == [
        Reasoning(text="Hm"),
        Extra(fields={"reasoning_details": (details[0],)}),
        Text(text="x"),
        Extra(fields={"extra_content": {"google": {"thought_signature": "c2ln"}}}),
    ]
    assert isinstance(deltas[4], Finish)
