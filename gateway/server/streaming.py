"""Streaming of an answer to a client, no faster than it reads."""

import asyncio
import contextlib

import structlog
from aiohttp import HttpVersion11, web

from gateway.pipeline.settlement import ClientGone
from gateway.server.idempotency import Recording

LOG = structlog.get_logger("aduana.server")
RECORDING = web.RequestKey("recording", Recording)  # gets what is streamed, where a retry may ask for it
_PIECE = 16 * 1024  # bytes; the transport lets 64 KiB and one piece wait for a client
_AT_ONCE = 64 * 1024  # bytes, about, that may go in one write to a client that has taken all before
EVENTS = "text/event-stream; charset=utf-8"
COMMENT = b": still working\n\n"  # readers of events pass over it
_FIRST_SECONDS = 2.0  # an error that comes sooner still has its own status
_PAUSE_SECONDS = 10.0  # proxies and clients wait for 30 seconds and more
_GONE = "the client closed the connection"
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # a reverse proxy must not hold events back
}


class EventStream:
    """Answer that is being sent to a client.

    Writing waits for the client; the listener cuts off one that takes nothing, which ends the waiting.
    """

    def __init__(
        self,
        http: web.Request,
        *,
        content_type: str,
        waiting: bytes | None = COMMENT,
        first_seconds: float = _FIRST_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        """Prepare an answer without sending anything.

        Args:
            http: The request that is answered.
            content_type: The type of a stream in this dialect.
            waiting: What is sent while nothing of the answer comes; empty: nothing. None: not even the head.
            first_seconds: How long the head waits for the answer's beginning, so that an error keeps its status.
            pause_seconds: The longest silence.
        """
        self._http = http
        self._waiting = waiting
        self._first_seconds = first_seconds
        self._pause_seconds = pause_seconds
        self._recording = http.get(RECORDING)
        self._wire = http.transport
        self._connection = http.protocol
        self._opening = asyncio.Lock()
        self._writing = False
        self._ended = False
        self._sent_at = 0.0  # in the loop's clock
        self._alarm: asyncio.TimerHandle | None = None  # begins the task below; most answers begin before it rings
        self._clock: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._chunked = http.version >= HttpVersion11
        self.response = web.StreamResponse(headers=_HEADERS | {"Content-Type": content_type})
        if self._chunked:
            self.response.enable_chunked_encoding()
        else:
            self.response.force_close()  # the end of the connection is the answer's end, whatever the client wants kept

    @property
    def opened(self) -> bool:
        """Return whether the head was sent, so that an error has to go into the stream."""
        return self.response.prepared

    def expect(self, headers: dict[str, str], start: bytes) -> None:
        """Begin to wait for an answer: after a moment the head and `start` are sent without it, then signs of life.

        INVARIANT: nothing of the answer is sent here.
        """

        def begin() -> None:
            self._alarm, self._clock = None, self._loop.create_task(self._live(headers, start))

        if self._alarm is None and self._clock is None and self._waiting is not None:
            self._alarm = self._loop.call_later(self._first_seconds, begin)

    async def rest(self) -> None:
        """Stop sending signs of life; whoever called `expect` calls this at the end."""
        if self._alarm is not None:
            self._alarm.cancel()
        clock, self._alarm, self._clock = self._clock, None, None
        if clock is not None:
            clock.cancel()
            await asyncio.wait([clock])
            if not clock.cancelled() and (fault := clock.exception()) is not None:
                # Whoever sends the answer goes on, and hears of a connection that is broken itself.
                LOG.error("stream.waiting_failed", error=type(fault).__name__)

    async def _live(self, headers: dict[str, str], start: bytes) -> None:
        with contextlib.suppress(ClientGone):  # whoever sends the answer hears of it too
            await self.open(headers, start)
            while self._waiting:
                left = self._sent_at + self._pause_seconds - self._loop.time()
                await asyncio.sleep(max(left, 0.001))
                if not self._writing and self._sent_at + self._pause_seconds <= self._loop.time():
                    self._sent_at = self._loop.time()
                    self._put(self._waiting)
                    await self._taken()

    async def open(self, headers: dict[str, str], start: bytes = b"") -> bool:
        """Send the head and `start`, and return True; if the head was sent before, return False.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        async with self._opening:
            if self.response.prepared:
                return False
            self.response.headers.update(headers)
            try:
                await self.response.prepare(self._http)
            except ConnectionError as error:
                raise ClientGone(_GONE) from error
            if start:
                await self.send(start)
            self._sent_at = self._loop.time()
            return True

    async def send(self, frame: bytes) -> None:
        """Send one frame: in pieces, so that no more than a few of them wait for a slow reader.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        if self._recording is not None:
            self._recording.add(frame)
        self._writing = True
        if len(frame) <= _PIECE:
            self._put(frame)
            if self._connection.writing_paused:
                await self._taken()
        else:
            for start in range(0, len(frame), _PIECE):
                self._put(frame[start : start + _PIECE])
                if self._connection.writing_paused:
                    await self._taken()
        self._writing = False
        self._sent_at = self._loop.time()

    def takes(self, size: int) -> bool:
        """Return whether about so many bytes may go by `send_now`: the client has taken all that was sent before."""
        wire = self._wire
        if wire is None or wire.is_closing() or self._recording is not None or size > _AT_ONCE:
            return False  # `send` says so, writes both, or waits
        return wire.get_write_buffer_size() == 0

    def send_now(self, frames: bytes) -> None:
        """Send frames in one write, where `takes` has just said so: behind the head, and not within a `send`.

        Raises:
            ClientGone: The client has closed the connection.
        """
        self._put(frames)
        self._sent_at = self._loop.time()

    def _put(self, frames: bytes) -> None:
        """Write behind the head, past aiohttp's writer, which would do the same in five calls.

        Raises:
            ClientGone: The client has closed the connection, or was cut off.
        """
        wire = self._wire
        if wire is None or wire.is_closing():
            raise ClientGone(_GONE)
        if frames:  # an empty chunk would be the end of the body
            wire.write(b"%x\r\n%b\r\n" % (len(frames), frames) if self._chunked else frames)

    async def _taken(self) -> None:
        """Wait until the client has taken most of what was sent.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        try:
            await self._http.writer.drain()
        except ConnectionError as error:
            raise ClientGone(_GONE) from error

    async def fail(self, words: bytes) -> None:
        """End an answer that failed with what the dialect says of it; without words, or behind its end, cut it off.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        if words and not self._ended:
            await self.send(words)
            await self.close()
        elif self._http.transport is not None:  # a clean end would say that the answer is whole
            self._http.transport.abort()

    async def close(self) -> None:
        """End the body.

        Raises:
            ClientGone: The client has closed the connection, or reads nothing.
        """
        self._ended = True
        try:
            await self.response.write_eof()
        except ConnectionError as error:
            raise ClientGone(_GONE) from error
