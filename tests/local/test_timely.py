"""Answers with a deadline: late pieces are an error, slow readers are not."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from gateway.core.errors import TargetTimeout
from gateway.local.timely import timely


async def items(ended: list[bool], *, hang: bool) -> AsyncGenerator[int, None]:
    """Yield two numbers, and note when it is over."""
    try:
        yield 1
        if hang:
            await asyncio.Event().wait()
        yield 2
    finally:
        ended.append(True)


async def test_what_comes_in_time_goes_on() -> None:
    """All of it, in order."""
    ended: list[bool] = []
    deadline = asyncio.get_running_loop().time() + 60
    assert [item async for item in timely(items(ended, hang=False), deadline, "late")] == [1, 2]
    assert ended == [True]


async def test_what_hangs_is_late() -> None:
    """The error says what is late, and the source is closed."""
    ended: list[bool] = []
    with pytest.raises(TargetTimeout, match="the tide is late"):
        async for _ in timely(items(ended, hang=True), asyncio.get_running_loop().time() + 0.05, "the tide is late"):
            pass
    assert ended == [True]


async def test_whoever_takes_them_may_be_slow() -> None:
    """The deadline ends no code of the reader's, and what is there already is still given."""
    ended: list[bool] = []
    slow = timely(items(ended, hang=False), asyncio.get_running_loop().time() + 0.05, "late")
    assert await anext(slow) == 1
    await asyncio.sleep(0.1)
    assert await anext(slow) == 2
