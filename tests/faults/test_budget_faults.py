"""Budgets under load and with clients that leave: what a cloud bills never passes what the budget allowed for."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fault_server import DONE, FINISH, GOOD, Exchange, event, streamed, text, usage
from tests.faults.house import chat, opened, request

Capture = pytest.CaptureFixture[str]
RATES = {"overrides": {"big-1": {"input": 1.0, "output": 10.0}}}  # micro-dollars a token
LONG = "word " * 400


def full(prompt: int, completion: int) -> Any:
    """An answer of a cloud that bills so much."""
    return streamed(text("Hello"), FINISH, usage({"prompt_tokens": prompt, "completion_tokens": completion}), DONE)


def choices(count: int, prompt: int, completion: int) -> Any:
    """An answer with several choices."""
    parts = [
        event({"choices": [{"index": index, "delta": {"content": "Hi"}, "finish_reason": "stop"}]})
        for index in range(count)
    ]
    return streamed(*parts, usage({"prompt_tokens": prompt, "completion_tokens": completion}), DONE)


@pytest.mark.parametrize(
    ("fields", "prompt", "completion"),
    [
        ({"max_tokens": 100}, 402, 100),
        ({"max_tokens": 25, "n": 4}, 402, 100),
        (
            {"max_tokens": 100, "tools": [{"type": "function", "function": {"name": "f", "description": LONG}}]},
            804,
            100,
        ),
    ],
    ids=["plain", "n", "tools"],
)
async def test_many_at_once_never_overspend(
    tmp_path: Path, capfd: Capture, fields: dict[str, Any], prompt: int, completion: int
) -> None:
    """300 requests at once on a budget worth a few: what was billed stays below it, and the others are answered at home
    with the same budget named in their receipts.
    """
    budget = 0.0075
    script = full(prompt, completion) if "n" not in fields else choices(4, prompt, completion)
    den = GOOD if "n" not in fields else choices(4, prompt, completion)
    body = chat(messages=[{"role": "user", "content": LONG}], **fields)
    async with opened(tmp_path, capfd, big=script, den=den, prices=RATES, budgets={"day_usd": budget}) as one:
        gate = asyncio.Semaphore(50)

        async def ask() -> int:
            async with gate:
                return (await one.ask(body, x_aduana_tags="public")).status

        assert set(await asyncio.gather(*(ask() for _ in range(300)))) == {200}
        billed = len(one.big.posts) * (prompt * 1.0 + completion * 10.0) / 1e6
        assert 0 < billed <= budget


async def test_clients_that_leave_before_the_first_token_pay_their_prompt(tmp_path: Path, capfd: Capture) -> None:
    """The cloud has each prompt, and may bill it: the budget closes, whatever the clients do."""
    arrived = asyncio.Queue[None]()

    async def hold(exchange: Exchange) -> None:
        arrived.put_nowait(None)
        await asyncio.Event().wait()

    budget = 0.004
    body = chat(messages=[{"role": "user", "content": LONG}], max_tokens=100, stream=True)
    async with opened(tmp_path, capfd, big=hold, den=GOOD, prices=RATES, budgets={"day_usd": budget}) as one:
        for number in range(40):
            _, writer = await one.connect()
            writer.write(request(body, x_aduana_tags="public"))
            left = asyncio.ensure_future(arrived.get())
            home = asyncio.ensure_future(one.settled(number + 1))
            await asyncio.wait({left, home}, return_when=asyncio.FIRST_COMPLETED)
            writer.close()
            left.cancel()
            await home
        assert 0 < len(one.big.posts) * 402 / 1e6 <= budget
        assert len(one.big.posts) < 20


@pytest.mark.parametrize(("unpriced", "sent"), [("refuse", 0), ("allow", 1)])
async def test_a_cloud_without_a_price_is_closed_by_a_budget(
    tmp_path: Path, capfd: Capture, unpriced: str, sent: int
) -> None:
    """Nobody knows what it costs, so nothing is sent there unless the owner permits it."""
    budgets = {"day_usd": 5.0, "unpriced": unpriced}
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD, budgets=budgets) as one:
        assert (await one.ask(x_aduana_tags="public")).status == 200
        assert len(one.big.posts) == sent
