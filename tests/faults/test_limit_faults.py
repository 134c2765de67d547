"""Limits in the whole gateway: what is refused, how it is said, and what is given back."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fault_server import DONE, FINISH, GOOD, Exchange, streamed, text, usage
from tests.faults.house import CLIENT_KEY, chat, opened, request

Capture = pytest.CaptureFixture[str]
RATES = {"overrides": {"big-1": {"input": 1.0, "output": 10.0}}}  # micro-dollars a token
PUBLIC = {"x_aduana_tags": "public"}
KEY = {"authorization": f"Bearer {CLIENT_KEY}"}


def keys(folder: Path, **fields: Any) -> dict[str, Any]:
    """One configured key, `chat` of the user `ana`, with these fields."""
    (folder / "client").write_text(CLIENT_KEY)
    return {"chat": {"secret": f"file:{folder / 'client'}", "user": "ana"} | fields}


def billed(prompt: int, completion: int) -> Any:
    """An answer of a cloud that bills so much."""
    return streamed(text("Hello"), FINISH, usage({"prompt_tokens": prompt, "completion_tokens": completion}), DONE)


@pytest.mark.parametrize(
    ("count", "limits"),
    [
        (60, {"keys": {"chat": {"usd_month": 0.003}}}),
        (60, {"keys": {"default": {"usd_day": 0.003}}}),
        (300, {"users": {"ana": {"usd_month": 0.003}}}),
        (60, {"users": {"default": {"usd_day": 0.003}}}),
        (60, {"tags": {"public": {"usd_month": 0.003}}}),
        (60, {"targets": {"big": {"usd_day": 0.003}}}),
    ],
    ids=["key", "any key's day", "user", "any user's day", "tag", "target's day"],
)
async def test_many_at_once_never_overspend_what_a_limit_of_money_allows(
    tmp_path: Path, capfd: Capture, count: int, limits: dict[str, Any]
) -> None:
    """Worth three answers: what the cloud bills stays below it, and all others are answered at home."""
    body = chat(max_tokens=90)
    async with opened(
        tmp_path, capfd, big=billed(10, 90), den=GOOD, prices=RATES, keys=keys(tmp_path), limits=limits
    ) as one:
        gate = asyncio.Semaphore(50)

        async def ask() -> int:
            async with gate:
                return (await one.ask(body, **PUBLIC, **KEY)).status

        assert set(await asyncio.gather(*(ask() for _ in range(count)))) == {200}
        assert 0 < len(one.big.posts) * 0.00091 <= 0.003
        assert len(one.big.posts) == 3
        assert len(await one.settled(count)) == count


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_a_rate_is_refused_with_the_time_when_there_is_room(tmp_path: Path, capfd: Capture, dialect: str) -> None:
    """429 in the client's words, the wait of the window, the standard headers, and a receipt with its settlement."""
    limits = {"keys": {"chat": {"requests_per_minute": 2, "tokens_per_minute": 100_000}}}
    path = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}[dialect]
    body = chat(max_tokens=50)
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD, keys=keys(tmp_path), limits=limits) as one:
        first, second, third = [await one.ask(body, path=path, **KEY) for _ in range(3)]
        assert (first.status, second.status, third.status) == (200, 200, 429)
        assert 50 <= int(third.headers["retry-after"]) <= 60
        if dialect == "openai":
            assert third.error["code"] == "rate_limit_exceeded"
            assert third.error["type"] == "rate_limit_error"
            told = [one.headers["x-ratelimit-remaining-requests"] for one in (first, second, third)]
            assert second.headers["x-ratelimit-limit-requests"] == "2"
            assert second.headers["x-ratelimit-limit-tokens"] == "100000"
            assert int(second.headers["x-ratelimit-remaining-tokens"]) < 100_000
        else:
            assert json.loads(third.body)["error"]["type"] == "rate_limit_error"
            told = [one.headers["anthropic-ratelimit-requests-remaining"] for one in (first, second, third)]
            assert second.headers["anthropic-ratelimit-tokens-limit"] == "100000"
            assert second.headers["anthropic-ratelimit-requests-reset"].endswith("Z")
        assert told == ["1", "0", "0"]
        assert "x-should-retry" not in third.headers
        assert await one.settled(3) == [
            ("ok", "den", None),
            ("ok", "den", None),
            ("refused", None, "rate_limit_exceeded"),
        ]
        metrics = (await one.send(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")).body
        assert b'aduana_limit_refusals_total{scope="key",limit="requests_per_minute"} 1' in metrics


async def test_a_target_without_room_lets_the_next_one_answer(tmp_path: Path, capfd: Capture) -> None:
    """Two go to the cloud in a minute, the others stay at home; where nothing else may answer, they are refused."""
    limits = {"targets": {"big": {"requests_per_minute": 2}}}
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD, limits=limits) as one:
        for _ in range(4):
            assert (await one.ask(**PUBLIC)).status == 200
        assert [target for _, target, _ in await one.settled(4)] == ["big", "big", "den", "den"]
        assert len(one.big.posts) == 2


async def test_running_requests_are_limited_and_every_end_gives_its_place_back(tmp_path: Path, capfd: Capture) -> None:
    """Answers that end, fail or are left by their clients free their place; never do more run than may."""
    running = most = 0

    async def hold(exchange: Exchange) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        await (GOOD if exchange.number % 3 else broken)(exchange)

    async def broken(exchange: Exchange) -> None:
        exchange.reset()

    limits = {"users": {"default": {"parallel": 2}}}
    body = chat(stream=True)
    async with opened(tmp_path, capfd, big=GOOD, den=hold, keys=keys(tmp_path), limits=limits) as one:

        async def ask(number: int) -> int:
            if number % 4:
                return (await one.ask(body, **KEY)).status
            _, writer = await one.connect()
            writer.write(request(body, **KEY))
            await asyncio.sleep(0.01)
            writer.close()
            return 0

        for _ in range(10):
            statuses = Counter(await asyncio.gather(*(ask(number) for number in range(12))))
            assert statuses[429]
        assert most <= 2
        await one.settled(1)
        async with asyncio.timeout(20):
            while (await one.ask(**KEY)).status == 429:  # noqa: ASYNC110 - the limiter has no event
                await asyncio.sleep(0.05)
        assert (await one.ask(**KEY)).status in (200, 502)


async def test_tokens_of_the_day_are_known_after_a_restart(tmp_path: Path, capfd: Capture) -> None:
    """What was used today counts on; what was used of a minute begins at 0."""
    limits = {"users": {"ana": {"tokens_per_day": 1_000, "requests_per_minute": 1}}}
    settings = {"keys": keys(tmp_path), "limits": limits, "timezone": "Europe/Madrid"}
    body = chat(max_tokens=20)
    async with opened(tmp_path, capfd, big=GOOD, den=billed(900, 90), **settings) as one:
        assert (await one.ask(body, **KEY)).status == 200
        assert (await one.ask(body, **KEY)).status == 429
    async with opened(tmp_path, capfd, big=GOOD, den=billed(900, 90), **settings) as one:
        refused = await one.ask(body, **KEY)
        assert refused.status == 429
        assert "tokens a day" in refused.error["message"]
        assert refused.headers["x-should-retry"] == "false"
        assert 0 < int(refused.headers["retry-after"]) <= 25 * 3600
