"""Time limit of an answer that comes in pieces."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TypeVar

from gateway.core.errors import TargetTimeout

T = TypeVar("T")


async def timely(items: AsyncGenerator[T, None], deadline: float, late: str) -> AsyncGenerator[T, None]:
    """Yield the same items until `deadline` (in the loop's clock); whoever takes them may do so at leisure.

    Raises:
        TargetTimeout: The next item did not come in time; `late` says what is late.
    """
    async with contextlib.aclosing(items):
        while True:
            try:
                async with asyncio.timeout_at(deadline):  # never around a `yield`: it would end its taker
                    item = await anext(items)
            except TimeoutError:
                raise TargetTimeout(late) from None
            except StopAsyncIteration:
                return
            yield item
