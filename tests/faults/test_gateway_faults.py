"""Upstream faults as a client of the whole gateway meets them: another permitted target, or an honest error."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fault_server import DONE, FINISH, GOOD, STREAM, Exchange, Script, event, plain, streamed, text, usage
from tests.faults.house import Reply, chat, opened

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def house(tmp_path: Path, capfd: Capture) -> Any:
    """Opens a gateway whose upstreams answer well, unless told otherwise."""

    def make(**given: Any) -> Any:
        return opened(tmp_path, capfd, **({"big": GOOD, "den": GOOD} | given))

    return make


async def hang_up(exchange: Exchange) -> None:
    exchange.reset()


BEFORE: dict[str, tuple[Script, str]] = {
    "redirect": (plain(307, b"", Location="http://127.0.0.1:1/v1"), "target_protocol_error"),
    "401": (plain(401, b'{"error":{"message":"Bad key sk-provider-0123"}}'), "target_misconfigured"),
    "429": (plain(429, b"{}", Retry_After="9"), "target_busy"),
    "500": (plain(500), "target_failed"),
    "503": (plain(503), "target_overloaded"),
    "html": (plain(200, b"<html>", "text/html"), "target_protocol_error"),
    "hang-up": (hang_up, "target_disconnected"),
    "end before text": (streamed(), "incomplete_answer"),
    "too long": (plain(400, b'{"error":{"code":"context_length_exceeded"}}'), "context_length_exceeded"),
}


@pytest.mark.parametrize("name", BEFORE)
@pytest.mark.parametrize("stream", [False, True])
async def test_before_the_first_byte_the_next_permitted_target_answers(house: Any, name: str, stream: bool) -> None:
    """The client does not notice a target that fails; the ledger knows which one failed and which answered."""
    async with house(big=BEFORE[name][0]) as one:
        reply = await one.ask(chat(stream=stream), x_aduana_tags="public")
        assert (reply.status, reply.headers["x-aduana-target"]) == (200, "den")
        assert "Hello" in reply.body.decode()
        assert await one.settled(1) == [("ok", "den", None)]


@pytest.mark.parametrize("name", BEFORE)
async def test_what_must_stay_at_home_never_falls_back_to_the_cloud(house: Any, name: str) -> None:
    """However the server at home fails, the client gets an error that says so, and the cloud sees nothing."""
    script, code = BEFORE[name]
    async with house(den=script) as one:
        reply = await one.ask(x_aduana_tags="health")
        assert reply.status in (400, 429, 502, 503)
        assert reply.error["code"] == code
        assert "sk-provider" not in reply.raw.decode()
        assert not one.big.connections
        assert [outcome for outcome, _, _ in await one.settled(1)] == ["error"]


async def reset(exchange: Exchange) -> None:
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello"))
    exchange.reset()


INSIDE: dict[str, Script] = {
    "no finish": streamed(text("Hello")),
    "[DONE] without finish": streamed(text("Hello"), DONE),
    "reset": reset,
    "error event": streamed(text("Hello"), event({"error": {"message": "Overloaded"}})),
    "invalid JSON": streamed(text("Hello"), b"data: {nope\n\n"),
    "invalid UTF-8": streamed(text("Hello"), b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n'),
}


def frames(reply: Reply) -> list[Any]:
    """The events of a stream; `[DONE]` as text."""
    events = [line[6:] for line in reply.body.decode().splitlines() if line.startswith("data: ")]
    return ["[DONE]" if one == "[DONE]" else json.loads(one) for one in events]


@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("tags", ["public", "health"])
async def test_after_the_first_byte_a_stream_ends_with_an_error(house: Any, name: str, tags: str) -> None:
    """After the first byte no second answer is begun, no finish reason is made up and no `[DONE]` is sent."""
    async with house(big=INSIDE[name], den=INSIDE[name]) as one:
        reply = await one.ask(chat(stream=True), x_aduana_tags=tags)
        assert reply.status in (200, 502)  # a reset may overtake the first text
        if reply.status == 200:
            *sent, last = frames(reply)
            assert set(last) == {"error"}
            assert all(choice["finish_reason"] is None for frame in sent for choice in frame["choices"])
        assert [outcome for outcome, _, _ in await one.settled(1)] == ["error"]
        assert len(one.big.posts) + len(one.den.posts) == (1 if reply.status == 200 else 2 if tags == "public" else 1)


@pytest.mark.parametrize("name", INSIDE)
async def test_a_whole_answer_that_breaks_is_an_error(house: Any, name: str) -> None:
    """Without streaming too, a broken answer is an error and never half an answer with a good status."""
    async with house(den=INSIDE[name]) as one:
        reply = await one.ask(x_aduana_tags="health")
        assert reply.status == 502
        assert reply.error["type"] == "server_error"
        assert [outcome for outcome, _, _ in await one.settled(1)] == ["error"]


async def test_a_refused_request_is_not_tried_elsewhere(house: Any) -> None:
    """A request that the target calls bad goes back to the client, who can mend it, and to no other target."""
    async with house(big=plain(400, b'{"error":{"message":"Unknown parameter","param":"foo"}}')) as one:
        reply = await one.ask(x_aduana_tags="public")
        assert (reply.status, reply.error["code"]) == (400, "target_rejected")
        assert not one.den.posts
        await one.settled(1)


async def test_usage_without_a_report_is_estimated_in_the_ledger(house: Any) -> None:
    """An answer without a usage report is delivered, and the ledger holds an estimate."""
    absurd = streamed(text("Hello there"), FINISH, usage({"prompt_tokens": -1, "completion_tokens": 1e30}), DONE)
    async with house(den=absurd) as one:
        reply = await one.ask()
        found = json.loads(reply.body)["usage"]
        assert reply.status == 200
        assert 0 < found["prompt_tokens"] < 50
        assert 0 < found["completion_tokens"] < 10
        assert await one.settled(1) == [("ok", "den", None)]


WAITS: dict[str, tuple[Script, Script, int, int | None]] = {
    "the first to be back": (plain(429, b"{}", Retry_After="12"), plain(429, b"{}", Retry_After="300"), 429, 12),
    "the last to be asked": (plain(429, b"{}", Retry_After="300"), plain(503, b"{}", Retry_After="12"), 503, 12),
    "the only one to say": (plain(429, b"{}", Retry_After="12"), plain(401, b"{}"), 502, 12),
    "nobody says": (plain(401, b"{}"), plain(404, b"{}"), 502, None),
}


@pytest.mark.parametrize("name", WAITS)
async def test_a_client_hears_when_the_first_target_is_back(house: Any, name: str) -> None:
    """Where all targets fail, `Retry-After` is the shortest time that one of them named, and none where none did."""
    big, den, status, seconds = WAITS[name]
    async with house(big=big, den=den) as one:
        reply = await one.ask(x_aduana_tags="public")
        assert reply.status == status
        assert reply.headers.get("retry-after") == (None if seconds is None else str(seconds))
        assert ("x-should-retry" in reply.headers) is (seconds is None)


async def test_a_held_target_tells_what_is_left_of_its_hold(house: Any) -> None:
    """While the only permitted target is held, a request is refused with the rest of the time that it named."""
    async with house(den=plain(429, b"{}", Retry_After="30")) as one:
        first = await one.ask(x_aduana_tags="health")
        assert (first.status, first.headers["retry-after"]) == (429, "30")
        second = await one.ask(x_aduana_tags="health")
        assert second.status == 503
        assert 0 < int(second.headers["retry-after"]) <= 30
        assert int(second.headers["retry-after-ms"]) > 15_000  # not a few seconds, as if nobody had said anything
        assert len(one.den.posts) == 1


ODD_ANSWERS: dict[str, Script] = {
    "broken JSON": streamed(text("Hello"), b"data: {nope\n\n"),
    "no end": streamed(text("Hello"), DONE),
    "a page": plain(200, b"<html>", "text/html"),
    "a failure in words": streamed(text("Hello"), event({"choices": [{"delta": {}, "finish_reason": "error"}]})),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
async def test_odd_answers_to_one_client_leave_the_target_to_others(house: Any, name: str) -> None:
    """However many answers to one request are broken, the next request is sent."""
    async with house(den=[*[ODD_ANSWERS[name]] * 6, GOOD]) as one:
        for _ in range(6):
            assert (await one.ask(x_aduana_tags="health")).status == 502
        assert (await one.ask(x_aduana_tags="health")).status == 200


async def test_a_stream_to_an_old_client_ends_with_its_connection(house: Any) -> None:
    """A client that speaks HTTP/1.0, as nginx does by default, gets its stream without chunks."""
    body = chat(stream=True)
    head = f"POST /v1/chat/completions HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    async with house() as one:
        for more in ("", "Connection: keep-alive\r\n"):
            reply = await one.send(f"{head}{more}\r\n".encode() + body)
            assert reply.status == 200
            assert "transfer-encoding" not in reply.headers
            assert reply.body.startswith(b"data: {")
            assert reply.body.endswith(b"data: [DONE]\n\n")
        assert [outcome for outcome, _, _ in await one.settled(2)] == ["ok", "ok"]
