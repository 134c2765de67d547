"""A retry with the same `Idempotency-Key`: the same answer, never somebody else's, and never too many of them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import BadRequest
from gateway.server.idempotency import Recording, checked_key
from tests.faults.fault_server import GOOD, Exchange, answer
from tests.faults.house import chat, opened


def test_a_large_answer_is_not_recorded():
    """An answer over the limit takes no memory and is not kept."""
    recording = Recording(largest=4)
    for frame in (b"ab", b"cd"):
        recording.add(frame)
    assert recording.body() == b"abcd"
    recording.add(b"e")
    assert recording.body() is None


@pytest.mark.parametrize("key", ["", "  ", "k" * 256, "a\nb", "ñ", "\udcff"])
def test_a_key_that_cannot_be_used_is_told(key):
    """An empty, long or odd key is refused: nobody would know whether it protects."""
    with pytest.raises(BadRequest) as caught:
        checked_key(key)
    assert caught.value.code == "invalid_idempotency_key"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/chat/completions", {}),
        ("/v1/chat/completions", {"stream": True}),
        ("/v1/messages", {"max_tokens": 5}),
        ("/v1/messages", {"max_tokens": 5, "stream": True}),
        ("/api/chat", {"stream": True}),
    ],
)
async def test_a_retry_is_answered_without_asking_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], path: str, fields: dict[str, Any]
) -> None:
    """A retry gets the first answer byte by byte, streamed or not; the target is asked once and one receipt written."""
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD) as one:
        first = await one.ask(chat(**fields), path=path, Idempotency_Key="key-0001")
        again = await one.ask(chat(**fields), path=path, Idempotency_Key="key-0001")
        assert first.status == again.status == 200
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["x-request-id"] == first.headers["x-request-id"]
        assert again.headers["content-type"] == first.headers["content-type"]
        assert plain_body(again) == plain_body(first)
        assert len(one.den.posts) == 1
        assert len(await one.settled(1)) == 1
        other = await one.ask(chat(**fields, seed=7), path=path, Idempotency_Key="key-0001")
        tagged = await one.ask(chat(**fields), path=path, Idempotency_Key="key-0001", x_aduana_tags="health")
        assert (other.status, tagged.status) == (422, 422)
        assert len(one.den.posts) == 1
        assert (await one.ask(chat(**fields), path=path, Idempotency_Key="key-0002")).status == 200
        assert len(one.den.posts) == 2
        assert "key-0001" not in "".join(capfd.readouterr())


def plain_body(reply: Any) -> bytes:
    """Return a body without the lengths of its chunks."""
    if reply.headers.get("transfer-encoding") != "chunked":
        return bytes(reply.body)
    body, rest = b"", reply.body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body


async def test_callers_never_share_an_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Two keys' callers with the same Idempotency-Key and body are asked for separately."""
    for name in ("ana", "ben"):
        (tmp_path / name).write_text(f"{name}-key-0123456789")
    keys = {name: {"secret": f"file:{tmp_path / name}"} for name in ("ana", "ben")}
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD, keys=keys) as one:
        for name in keys:
            reply = await one.ask(Authorization=f"Bearer {name}-key-0123456789", Idempotency_Key="same-1")
            assert reply.status == 200
            assert "idempotent-replayed" not in reply.headers
        assert len(one.den.posts) == 2
        assert (await one.ask(Idempotency_Key="same-1")).status == 401


async def test_while_it_runs_a_retry_is_told_to_wait(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A retry of a request that still runs gets 409 with Retry-After, and the answer later."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        asked.set()
        await go_on.wait()
        await GOOD(exchange)

    async with opened(tmp_path, capfd, big=GOOD, den=slow) as one:
        running = asyncio.create_task(one.ask(Idempotency_Key="key-0001"))
        async with asyncio.timeout(60):
            await asked.wait()
        early = await one.ask(Idempotency_Key="key-0001")
        assert (early.status, early.headers["retry-after"]) == (409, "1")
        assert json.loads(early.body)["error"]["code"] == "idempotency_key_in_use"
        go_on.set()
        assert (await running).status == 200
        assert (await one.ask(Idempotency_Key="key-0001")).headers["idempotent-replayed"] == "true"
        assert len(one.den.posts) == 1


async def test_an_error_is_not_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What failed is tried again under the same key."""

    async def broken(exchange: Exchange) -> None:
        await exchange.send(answer(400, b'{"error":{"message":"no"}}'))

    async with opened(tmp_path, capfd, big=GOOD, den=[broken, GOOD]) as one:
        assert (await one.ask(Idempotency_Key="key-0001")).status == 400
        assert (await one.ask(Idempotency_Key="key-0001")).status == 200
