"""Running answers that end from outside: with the service, or with their key."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from gateway.core.delta import Delta, Text
from gateway.core.errors import KeyRevoked, ShuttingDown
from gateway.pipeline.answer_deltas import passed_on
from gateway.pipeline.drain import DrainWindow
from gateway.pipeline.settlement import RequestAccount
from tests.observe.conftest import make_receipt


async def endless() -> AsyncGenerator[Delta, None]:
    """Yield one delta, and never another."""
    yield Text(text="b")
    await asyncio.Event().wait()


def answer(window: DrainWindow, key: str) -> AsyncGenerator[Delta, None]:
    """Return a running answer for a key, which never ends by itself."""
    account = RequestAccount(make_receipt(), None, lambda: 0.0)
    return passed_on(Text(text="a"), endless(), account, window.wait(key))


async def test_a_revoked_key_ends_its_own_answers_alone():
    """Who waits for a delta, or begins to, is told that the key was revoked; other keys' answers go on."""
    window = DrainWindow()
    ours, others = answer(window, "ours"), answer(window, "others")
    for one in (ours, others, ours, others):
        await anext(one)
    waiting = [asyncio.ensure_future(anext(one)) for one in (ours, others)]
    await asyncio.sleep(0)
    window.revoke(["ours"])
    window.revoke(["ours"])
    with pytest.raises(KeyRevoked):
        await waiting[0]
    with pytest.raises(KeyRevoked), window.wait("ours"):
        raise AssertionError("a revoked key begins nothing")
    assert not waiting[1].done()
    window.close_at(asyncio.get_running_loop().time())
    with pytest.raises(ShuttingDown):
        await waiting[1]
    await ours.aclose()
    await others.aclose()


async def test_the_end_of_the_service_and_of_a_key_at_once():
    """Both at the same moment end the answer once, with one of the two errors."""
    window = DrainWindow()
    deltas = answer(window, "ours")
    await anext(deltas)
    await anext(deltas)
    waiting = asyncio.ensure_future(anext(deltas))
    await asyncio.sleep(0)
    window.close_at(asyncio.get_running_loop().time())
    await asyncio.sleep(0)
    window.revoke(["ours"])
    with pytest.raises(KeyRevoked):
        await waiting
    await deltas.aclose()


async def test_a_client_that_goes_away_as_the_window_closes_has_gone_away():
    """Its request is cancelled, whoever else ends it in the same moment."""
    window = DrainWindow()
    deltas = answer(window, "ours")
    await anext(deltas)
    await anext(deltas)
    waiting = asyncio.ensure_future(anext(deltas))
    await asyncio.sleep(0)
    waiting.cancel()
    window.revoke(["ours"])
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await deltas.aclose()
