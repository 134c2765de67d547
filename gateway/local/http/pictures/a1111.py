"""The way of a request through AUTOMATIC1111, Forge or sd-server: one answer, its progress beside it, and a stop."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from gateway.core.delta import Delta
from gateway.core.document import JsonObject
from gateway.core.errors import AduanaError
from gateway.core.progress import Progress
from gateway.core.request import MediaWork
from gateway.local.http.pictures.server import PictureServer
from gateway.upstream.media.a1111 import a1111_body, read_a1111, read_progress
from gateway.upstream.media.answers import made

_LOOK_SECONDS = 1.0


async def a1111_answer(
    server: PictureServer, work: MediaWork, document: JsonObject, deadline: float, progress: Progress | None
) -> AsyncGenerator[Delta, None]:
    """Yield the pictures. A client that goes away stops the work, where the server can be told.

    Raises:
        AduanaError: The server can't be asked, or does not answer well and in time.
        CancelledError: The client is gone.
    """
    sent = await made(partial(a1111_body, server.target, work, document), document)
    read = partial(read_a1111, server.target, document)
    watch = asyncio.get_running_loop().create_task(_watched(server, progress, deadline)) if progress else None
    try:
        deltas = await server.asked(sent, read, deadline)
    except asyncio.CancelledError:
        await server.told("/sdapi/v1/interrupt", b"{}")
        raise
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.wait({watch})
    for delta in deltas:
        yield delta


async def _watched(server: PictureServer, progress: Progress, deadline: float) -> None:
    """Note how far the server is, as long as it says so."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            found = await server.fetched("/sdapi/v1/progress?skip_current_image=true", deadline)
        except AduanaError:
            return  # it has no such page, and the work goes on
        share = read_progress(found)
        if share is None:
            return
        progress.share = share
