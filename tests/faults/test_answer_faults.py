"""Rows 11 to 18, 21, 23, 24: a server that answers, but wrongly. Cloud and local targets behave alike."""

import gzip

import pytest

from gateway.core.delta import Finish, UsageReport
from tests.faults.fault_server import (
    DONE,
    FINISH,
    GOOD,
    STREAM,
    USAGE,
    Exchange,
    FaultServer,
    Script,
    event,
    plain,
    streamed,
    text,
    usage,
)
from tests.faults.targets import WAYS, Probe

pytestmark = pytest.mark.parametrize("kind", WAYS)


async def reset_after_text(exchange: Exchange) -> None:
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello"))
    exchange.reset()


async def close_inside_chunk(exchange: Exchange) -> None:
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello"))
    await exchange.send(b"fff\r\ndata: {")
    exchange.reset()


async def no_chunk(exchange: Exchange) -> None:
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello"))
    await exchange.send(b"zzz\r\nwhat is this?")
    await exchange.until_gone()


async def endless_line(exchange: Exchange) -> None:
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello"))
    await exchange.send(b"4000000\r\ndata: ")
    for _ in range(64):
        await exchange.send(b"x" * 2**20)


def whole(body: bytes, **headers: str) -> Script:
    return plain(200, body, "text/event-stream", **headers)


BOMB = gzip.compress(b"data: " + b"x" * (4 * 2**20), 9)

# name → (script, code of the error, text that had arrived before; "…": as the network has it)
BROKEN: dict[str, tuple[Script, str, str]] = {
    "11 text/html": (plain(200, b"<html>Sign in</html>", "text/html"), "target_protocol_error", ""),
    "11 no body": (plain(200, b"", "text/plain"), "target_protocol_error", ""),
    "12 end without anything": (streamed(), "incomplete_answer", ""),
    "12 end without finish": (streamed(text("Hello")), "incomplete_answer", "Hello"),
    "13 [DONE] without finish": (streamed(text("Hello"), DONE), "incomplete_answer", "Hello"),
    "13 unknown finish": (
        streamed(text("Hello"), event({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}), DONE),
        "incomplete_answer",
        "Hello",
    ),
    "14 reset after the first token": (reset_after_text, "incomplete_answer", "…"),
    "14 cut inside a chunk": (close_inside_chunk, "incomplete_answer", "…"),
    "14 what follows is no chunk": (no_chunk, "incomplete_answer", "Hello"),
    "15 error event": (streamed(text("Hello"), event({"error": {"message": "Overloaded"}})), "target_error", "Hello"),
    "15 error event by name": (streamed(text("Hello"), b'event: error\ndata: {"x":1}\n\n'), "target_error", "Hello"),
    "15 error as text": (streamed(text("Hello"), event({"error": "overloaded"})), "target_error", "Hello"),
    "17 invalid UTF-8": (
        streamed(text("Hello"), b'data: {"choices":[{"delta":{"content":"\xff\xfe"}}]}\n\n', FINISH, DONE),
        "target_protocol_error",
        "Hello",
    ),
    "17 invalid JSON": (streamed(text("Hello"), b"data: {nope\n\n", DONE), "target_protocol_error", "Hello"),
    "17 deep JSON": (
        streamed(text("Hello"), b"data: " + b'{"x":' + b"[" * 100_000 + b"\n\n", DONE),
        "target_protocol_error",
        "Hello",
    ),
    "17 no object": (streamed(text("Hello"), b"data: []\n\n", DONE), "target_protocol_error", "Hello"),
    "18 a line without end": (endless_line, "target_protocol_error", "Hello"),
    "21 bad gzip": (whole(b"this is not gzip", Content_Encoding="gzip"), "target_protocol_error", ""),
    "21 cut gzip": (whole(gzip.compress(text("Hello"))[:-12], Content_Encoding="gzip"), "target_protocol_error", "…"),
    "21 gzip bomb": (whole(BOMB, Content_Encoding="gzip"), "target_protocol_error", ""),
    "21 unknown encoding": (whole(b"xx", Content_Encoding="br"), "target_protocol_error", ""),
}


@pytest.mark.parametrize("row", BROKEN)
async def test_a_broken_answer_is_an_error_and_never_a_clean_end(kind: str, row: str) -> None:
    """Text that had arrived stays, then an error follows: no finish reason is made up and nothing is asked twice."""
    script, code, before = BROKEN[row]
    async with FaultServer(script) as server, Probe(kind, server.base_url, retries=2) as probe:
        asked = await probe.ask()
        assert asked.code == code
        assert before == "…" or asked.text == before
        assert not asked.finished
        assert asked.usage is None
        assert len(server.posts) == 1
        assert asked.error is not None
        assert asked.error.status in (502, 503)


ODD: dict[str, Script] = {
    "plain": GOOD,
    "16 an endless line behind [DONE]": streamed(
        text("Hello"), text(" there"), FINISH, usage(USAGE), DONE + b"data: " + b"x" * (2 * 2**20), text("!")
    ),
    "16 second [DONE] and more": streamed(text("Hello"), text(" there"), FINISH, usage(USAGE), DONE, DONE, text("!")),
    "choices: []": streamed(event({"choices": []}), text("Hello"), text(" there"), FINISH, usage(USAGE), DONE),
    "finish twice": streamed(text("Hello"), text(" there"), FINISH, FINISH, usage(USAGE), DONE),
    "no [DONE]": streamed(text("Hello"), text(" there"), FINISH, usage(USAGE)),
    "CRLF and comments": streamed(
        b": hi\r\n\r\n", text("Hello").replace(b"\n", b"\r\n"), text(" there"), FINISH, usage(USAGE), DONE
    ),
    "byte order mark": streamed(b"\xef\xbb\xbf", text("Hello"), text(" there"), FINISH, usage(USAGE), DONE),
    "gzip though not asked for": whole(
        gzip.compress(text("Hello") + text(" there") + FINISH + usage(USAGE) + DONE), Content_Encoding="gzip"
    ),
    "whole answer instead of a stream": plain(
        200,
        b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello there"},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":7,"completion_tokens":2}}',
    ),
}


@pytest.mark.parametrize("row", ODD)
async def test_an_odd_answer_is_read_whole(kind: str, row: str) -> None:
    """An answer that is only unusual is read whole: the text, one finish, one usage report, in this order."""
    async with FaultServer(ODD[row]) as server, Probe(kind, server.base_url) as probe:
        asked = await probe.ask()
        assert asked.error is None
        assert asked.text == "Hello there"
        assert asked.finished == ["stop"]
        assert asked.usage is not None
        assert (asked.usage.prompt_tokens, asked.usage.completion_tokens) == (7, 2)
        assert not asked.usage.estimated
        assert isinstance(asked.deltas[-1], UsageReport)
        assert isinstance(asked.deltas[-2], Finish)


ABSURD: dict[str, bytes] = {
    "23 missing": b"",
    "23 null": usage(None),
    "24 NaN": b'data: {"choices":[],"usage":{"prompt_tokens":NaN,"completion_tokens":2}}\n\n',
    "24 negative": usage({"prompt_tokens": -7, "completion_tokens": 2}),
    "24 1e30": usage({"prompt_tokens": 7, "completion_tokens": 1e30}),
    "24 thirty digits": usage({"prompt_tokens": 10**30, "completion_tokens": 2}),
    "24 fraction": usage({"prompt_tokens": 7.5, "completion_tokens": 2}),
    "24 text": usage({"prompt_tokens": "7", "completion_tokens": "2"}),
    "24 true": usage({"prompt_tokens": True, "completion_tokens": True}),
    "24 nothing for an answer": usage({"prompt_tokens": 0, "completion_tokens": 0}),
}


@pytest.mark.parametrize("row", ABSURD)
async def test_absurd_usage_is_counted_here_and_marked(kind: str, row: str) -> None:
    """An answer with an absurd usage report is kept; its usage is counted here and marked as an estimate."""
    script = streamed(text("Hello there, and good morning."), FINISH, ABSURD[row], DONE)
    async with FaultServer(script) as server, Probe(kind, server.base_url) as probe:
        asked = await probe.ask()
        assert asked.error is None
        assert asked.usage is not None
        assert asked.usage.estimated
        assert 5 <= asked.usage.prompt_tokens <= 12
        assert 5 <= asked.usage.completion_tokens <= 12


async def test_a_bomb_stops_at_the_cap(kind: str) -> None:
    """Row 21: what unpacks to more than the cap is cut, even if each event in it is small."""
    bomb = gzip.compress(text("x" * 1000) * 5000, 9)
    async with (
        FaultServer(whole(bomb, Content_Encoding="gzip")) as server,
        Probe(kind, server.base_url, most_answer_bytes=2**20) as probe,
    ):
        asked = await probe.ask()
    assert asked.code == "target_protocol_error"
    assert 0 < len(asked.text) <= 2**20


async def test_a_bomb_in_an_error_answer_is_not_unpacked(kind: str) -> None:
    """Row 21: an error answer that would unpack to too much is read by its status alone."""
    bomb = gzip.compress(b"x" * (64 * 2**20), 9)
    async with FaultServer(plain(400, bomb, Content_Encoding="gzip")) as server, Probe(kind, server.base_url) as probe:
        assert (await probe.ask()).code == "target_rejected"


async def test_n_choices_must_all_finish(kind: str) -> None:
    """A server that ignores `n` and gives fewer choices than were asked for gave an incomplete answer."""
    body = b'{"model":"auto","n":2,"messages":[{"role":"user","content":"hi"}]}'
    async with FaultServer(GOOD) as server, Probe(kind, server.base_url) as probe:
        asked = await probe.ask(body)
    assert asked.code == "incomplete_answer"


async def test_the_connection_serves_again(kind: str) -> None:
    """A complete answer leaves its connection for the next request."""
    async with FaultServer(GOOD) as server, Probe(kind, server.base_url) as probe:
        for _ in range(3):
            assert (await probe.ask()).error is None
        assert len(server.posts) == 3
        assert server.connections <= (2 if probe.kind == "local" else 1)
