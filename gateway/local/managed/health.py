"""Look whether a server answers that it is well."""

import asyncio
import contextlib
from typing import Any

from gateway.core.errors import AduanaError
from gateway.local.http.session import LocalSession

_MOST_BYTES = 1 << 20


async def is_well(session: LocalSession, path: str, ended: "asyncio.Future[str]", seconds: float) -> bool:
    """Say whether `path` answers with 200 within so many seconds, and before the server has ended."""
    look: asyncio.Future[bool] = asyncio.create_task(_look(session, path))
    both: list[asyncio.Future[Any]] = [look, ended]
    try:
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return look.done() and look.result()
    finally:
        look.cancel()


async def _look(session: LocalSession, path: str) -> bool:
    with contextlib.suppress(AduanaError):
        reply = await session.about("GET", path, None, most_bytes=_MOST_BYTES)
        if reply is not None:
            await reply.close()
            return True
    return False
