"""A running answer on its way to the client: noted in its account, as long as the window is open.

One generator does all of it, for all pieces of all answers pass here, but for the texts that go the short way
(`upstream/fast_path.py`) while it waits for the next one.
"""

import asyncio
from collections.abc import AsyncGenerator

from gateway.core.delta import Delta
from gateway.pipeline.drain import Wait
from gateway.pipeline.settlement import RequestAccount


async def passed_on(
    first: Delta, rest: AsyncGenerator[Delta, None], account: RequestAccount, wait: Wait
) -> AsyncGenerator[Delta, None]:
    """Yield the first delta and those behind it.

    Raises:
        TargetProtocolError: The answer ends without its usage report.
        ShuttingDown: The window has closed.
        KeyRevoked: The same, for this key alone.
        CancelledError: Whoever reads it was cancelled.
    """
    try:
        account.note(first)
        yield first
        del first  # it may be large, and the answer long
        wait.begin()
        async for delta in rest:
            wait.over()
            account.note(delta)
            yield delta
            wait.begin()
        account.check_end()
    except asyncio.CancelledError:
        if wait.over():
            raise wait.ended() from None
        raise
    finally:
        wait.over()
        await rest.aclose()
