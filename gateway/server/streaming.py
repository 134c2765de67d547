"""Streaming of an answer to a client, no faster than it reads."""

import contextlib
from collections.abc import Iterator

from aiohttp import HttpVersion11, web

from gateway.pipeline.settlement import ClientGone
from gateway.server.idempotency import Recording

RECORDING = web.RequestKey("recording", Recording)  # gets what is streamed, where a retry may ask for it
_PIECE = 16 * 1024  # bytes; aiohttp lets 64 KiB and one piece wait for a client
EVENTS = "text/event-stream; charset=utf-8"
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # a reverse proxy must not hold events back
}


class EventStream:
    """Answer that is being sent to a client.

    Writing waits for the client; the listener cuts off one that takes nothing, which ends the waiting.
    """

    def __init__(self, http: web.Request, headers: dict[str, str], *, content_type: str) -> None:
        self._http = http
        self._recording = http.get(RECORDING)
        self.response = web.StreamResponse(headers=_HEADERS | {"Content-Type": content_type} | headers)
        if http.version >= HttpVersion11:
            self.response.enable_chunked_encoding()  # to older clients the end of the connection is the answer's end

    async def open(self) -> None:
        """Send the head.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        with _gone():
            await self.response.prepare(self._http)

    async def send(self, frame: bytes) -> None:
        """Send one frame: in pieces, so that no more than a few of them wait for a slow reader.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        if self._recording is not None:
            self._recording.add(frame)
        with _gone():
            if len(frame) <= _PIECE:
                await self.response.write(frame)
            else:
                for start in range(0, len(frame), _PIECE):
                    await self.response.write(frame[start : start + _PIECE])

    async def close(self) -> None:
        """End the body.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        with _gone():
            await self.response.write_eof()


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    """Say in the pipeline's words that the client is gone.

    Raises:
        ClientGone: The connection is closed, or was cut off.
    """
    try:
        yield
    except ConnectionError as error:
        raise ClientGone("the client closed the connection") from error
