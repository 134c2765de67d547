"""Upstreams that answer in odd forms, as a client of the whole gateway meets them, in each dialect."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fault_server import (
    DONE,
    FINISH,
    GOOD,
    USAGE,
    Exchange,
    Script,
    event,
    plain,
    streamed,
    text,
    usage,
)
from tests.faults.house import Reply, chat, opened

Capture = pytest.CaptureFixture[str]
TOOLS = [{"type": "function", "function": {"name": "read_file", "parameters": {"type": "object"}}}]


@pytest.fixture
def house(tmp_path: Path, capfd: Capture) -> Any:
    """Opens a gateway whose upstreams answer well, unless told otherwise."""

    def make(**given: Any) -> Any:
        return opened(tmp_path, capfd, **({"big": GOOD, "den": GOOD} | given))

    return make


def frames(reply: Reply) -> list[Any]:
    """The events of a stream, without `[DONE]`."""
    events = [line[6:] for line in reply.body.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(one) for one in events if one != "[DONE]"]


def calls(*pieces: dict[str, Any], finish: str | None = None) -> bytes:
    """A chunk with pieces of tool calls."""
    return event({"choices": [{"index": 0, "delta": {"tool_calls": list(pieces)}, "finish_reason": finish}]})


def piece(arguments: str, name: str = "read_file", **fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def ended(reason: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})


MIXED = [
    calls(piece('{"pa', index=0, id="c0"), piece('{"path":', index=1, id="c1")),
    calls({"index": 0, "function": {"arguments": 'th":"a"}'}}),
    calls({"index": 1, "function": {"arguments": '"b"}'}}),
]
TWO_CALLS: dict[str, Script] = {
    "all number 0": streamed(
        calls(piece('{"path":"a"}', index=0, id="a1")),
        calls(piece('{"path":"b"}', index=0, id="b2")),
        ended("stop"),
        DONE,
    ),
    "mixed": streamed(*MIXED, ended("tool_calls"), DONE),
    "no numbers, no ids, no reason": streamed(calls(piece('{"path":"a"}'), piece('{"path":"b"}')), DONE),
}


@pytest.mark.parametrize("name", TWO_CALLS)
async def test_two_tool_calls_reach_every_dialect(house: Any, name: str) -> None:
    """Two calls stay two calls for OpenAI's, Anthropic's and Ollama's clients, streamed or whole."""
    body = chat(tools=TOOLS)
    async with house(den=TWO_CALLS[name]) as one:
        reply = await one.ask(body)
        [choice] = json.loads(reply.body)["choices"]
        found = choice["message"]["tool_calls"]
        assert [json.loads(call["function"]["arguments"]) for call in found] == [{"path": "a"}, {"path": "b"}]
        assert len({call["id"] for call in found}) == 2
        assert choice["finish_reason"] == "tool_calls"

        reply = await one.ask(chat(tools=TOOLS, stream=True))
        joined: dict[int, str] = {}
        for frame in frames(reply):
            for part in frame["choices"][0]["delta"].get("tool_calls", ()):
                joined[part["index"]] = joined.get(part["index"], "") + part["function"]["arguments"]
        assert {index: json.loads(text) for index, text in joined.items()} == {0: {"path": "a"}, 1: {"path": "b"}}

        tools = [{"name": "read_file", "input_schema": {"type": "object"}}]
        reply = await one.ask(chat(tools=tools, max_tokens=50, stream=True), path="/v1/messages")
        inputs = [frame["delta"]["partial_json"] for frame in frames(reply) if "partial_json" in frame.get("delta", {})]
        assert "".join(inputs) == '{"path":"a"}{"path":"b"}'
        assert b'"stop_reason":"tool_use"' in reply.body

        reply = await one.ask(chat(tools=TOOLS, stream=False), path="/api/chat")
        found = json.loads(reply.body)["message"]["tool_calls"]
        assert [call["function"]["arguments"] for call in found] == [{"path": "a"}, {"path": "b"}]
        assert {outcome for outcome, _, _ in await one.settled(4)} == {"ok"}


async def no_length(exchange: Exchange) -> None:
    """HTTP/1.0: the body ends with the connection."""
    await exchange.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    await exchange.send(text("Hello"), text(" there"), FINISH, usage(USAGE), DONE)
    exchange.close()


async def reset_behind_the_end(exchange: Exchange) -> None:
    """The connection breaks where only `[DONE]` is missing."""
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    await exchange.chunk(text("Hello"), text(" there"), FINISH, usage(USAGE))
    exchange.close()


LINES = b"".join(
    one.removeprefix(b"data: ").rstrip() + b"\n" for one in (text("Hello"), text(" there"), FINISH, usage(USAGE))
)
EVENTS = text("Hello") + text(" there") + FINISH + usage(USAGE) + DONE
ODD: dict[str, Script] = {
    "capitals": streamed(text("Hello"), text(" there"), ended("STOP"), usage(USAGE), DONE),
    "a reason with every piece": streamed(
        event({"choices": [{"delta": {"content": "Hello"}, "finish_reason": "stop"}]}),
        event({"choices": [{"delta": {"content": " there"}, "finish_reason": "stop"}]}),
        usage(USAGE),
        DONE,
    ),
    "an unknown reason": streamed(text("Hello"), text(" there"), ended("done_or_so"), usage(USAGE), DONE),
    "HTTP/1.0": no_length,
    "a connection that breaks behind the end": reset_behind_the_end,
    "events called JSON": plain(200, EVENTS, "application/json"),
    "events called text": plain(200, EVENTS, "text/plain; charset=utf-8"),
    "lines of JSON": plain(200, LINES, "application/x-ndjson"),
    "events without empty lines": plain(200, EVENTS.replace(b"\n\n", b"\n"), "text/event-stream"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_odd_answer_reaches_the_client_whole(house: Any, name: str, stream: bool) -> None:
    """The client gets all the text and a clean end, and the ledger what was used."""
    async with house(den=ODD[name]) as one:
        reply = await one.ask(chat(stream=stream))
        assert reply.status == 200
        if stream:
            *sent, last = frames(reply)
            assert "".join(frame["choices"][0]["delta"].get("content", "") for frame in (*sent, last)) == "Hello there"
            assert last["choices"][0]["finish_reason"] == "stop"
            assert b"data: [DONE]" in reply.body
        else:
            [choice] = json.loads(reply.body)["choices"]
            assert (choice["message"]["content"], choice["finish_reason"]) == ("Hello there", "stop")
            assert json.loads(reply.body)["usage"]["prompt_tokens"] == 7
        assert await one.settled(1) == [("ok", "den", None)]


async def test_a_signed_thought_goes_to_the_client_and_back(house: Any) -> None:
    """What a server wants back with a call in the next turn (Gemini's signature) reaches the client and the server."""
    signed = {"google": {"thought_signature": "c2lnbmF0dXJl"}}
    answer = streamed(calls(piece('{"path":"a"}', index=0, id="a1", extra_content=signed)), ended("tool_calls"), DONE)
    async with house(big=[answer, GOOD]) as one:
        reply = await one.ask(chat(tools=TOOLS), x_aduana_tags="public")
        message = json.loads(reply.body)["choices"][0]["message"]
        assert message["tool_calls"][0]["extra_content"] == signed
        result = {"role": "tool", "tool_call_id": "a1", "content": "ok"}
        turns = [{"role": "user", "content": "go"}, message, result]
        reply = await one.ask(chat(tools=TOOLS, messages=turns), x_aduana_tags="public")
        assert reply.status == 200
        sent = json.loads(one.big.posts[1].body)["messages"][1]["tool_calls"][0]
        assert sent["extra_content"] == signed
        assert sent["id"] == "a1"
