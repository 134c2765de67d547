"""Files that somebody may be writing just now: they count once they stay as they are."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def settled(read: Callable[[], T], before: T, *, seconds: float) -> T:
    """Read until two readings agree, so that nothing half-written counts.

    Args:
        read: Reads. Blocks, so it runs in a thread; what it raises is raised here.
        before: The reading that counts so far; where nothing has changed since, one more is enough.
        seconds: Time between two readings.
    """
    while (now := await asyncio.to_thread(read)) != before:
        before = now
        await asyncio.sleep(seconds)
    return now
