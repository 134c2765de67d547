"""Streaming of an answer to a client, with a limit on how long it may refuse to read."""

import asyncio

from aiohttp import web

from gateway.pipeline.settlement import ClientGone

EVENTS = "text/event-stream; charset=utf-8"
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # a reverse proxy must not hold events back
}


class EventStream:
    """Answer that is being sent to a client. A client that takes nothing for `write_seconds` counts as gone."""

    def __init__(self, http: web.Request, headers: dict[str, str], *, content_type: str, write_seconds: float) -> None:
        self._http = http
        self._seconds = write_seconds
        self.response = web.StreamResponse(headers=_HEADERS | {"Content-Type": content_type} | headers)
        self.response.enable_chunked_encoding()

    async def open(self) -> None:
        """Send the head."""
        await self.response.prepare(self._http)

    async def send(self, frame: bytes) -> None:
        """Send one frame.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        transport = self._http.transport
        if transport is None or transport.is_closing():
            raise ClientGone("the client closed the connection")
        try:
            if transport.get_write_buffer_size() == 0:
                await self.response.write(frame)
            else:
                async with asyncio.timeout(self._seconds):
                    await self.response.write(frame)
        except TimeoutError:
            transport.abort()
            raise ClientGone(f"the client read nothing for {self._seconds:g} seconds") from None
        except ConnectionError as error:
            raise ClientGone("the client closed the connection") from error

    async def close(self) -> None:
        """End the body.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await self.response.write_eof()
        except (TimeoutError, ConnectionError) as error:
            raise ClientGone("the client closed the connection") from error
