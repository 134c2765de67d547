"""One client's connection: its requests, answered one after the other, and what it has not taken yet."""

import asyncio
import contextlib
import socket
import struct
import sys
from typing import Any, Protocol, cast

from aiohttp import StreamReader, web
from aiohttp.http_writer import StreamWriter
from aiohttp.web_protocol import ERROR, _ErrInfo

_SEND_BUFFER = 256 * 1024  # bytes that the system keeps for one slow reader; Linux takes it twice
_TCP_INFO = struct.Struct("=24xI92xQ16xI")  # tcpi_unacked (segments), tcpi_bytes_acked, tcpi_notsent_bytes


class Owner(Protocol):
    """Whoever hears of a connection from the first to the last moment."""

    def opened(self, connection: "Connection") -> None:
        """Note a new connection."""

    def began(self, connection: "Connection") -> None:
        """Note that a connection has a request that is being answered."""

    def ended(self, connection: "Connection") -> None:
        """Note that the answer has gone out, or that there will be none."""

    def closed(self, connection: "Connection") -> None:
        """Note that a connection has ended."""


class Connection(web.RequestHandler):
    """One client's connection, which its owner hears of."""

    __slots__ = ("_owner", "_was_stopped", "progress", "wire")

    def __init__(self, server: web.Server, owner: Owner, **settings: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **settings)
        self._owner = owner
        self._was_stopped = False  # its parser may then stop once more, within a later body, and does not say so
        self.wire: asyncio.Transport | None = None  # stays while a closed connection still has bytes to send
        self.progress: tuple[int, float] | None = None  # what it has taken, and since when it has taken no more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve."""
        self.wire = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from asyncio's
        self.wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._owner.opened(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End what runs for this client."""
        self.wire = None
        self._owner.closed(self)
        super().connection_lost(exc)

    def pause_reading(self) -> None:
        """Stop reading, until what has come was read."""
        self._was_stopped = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading, where it was ever stopped; each look into a body asks for it."""
        if self._was_stopped:
            super().resume_reading(resume_parser)

    @property
    def delivery(self) -> tuple[int, int]:
        """Return how much the client has not taken yet, 0: nothing; and a number that changes when it takes some."""
        return _delivery(self.wire) if self.wire is not None else (0, 0)

    async def start(self) -> None:
        """Answer one request after the other, until the connection ends.

        This is aiohttp's own loop, but for two things: a request is answered here, where aiohttp starts one more task
        for each, and nothing of it is held while the connection waits for the next.

        Raises:
            CancelledError: The client is gone, or the gateway ends.
        """
        loop, waiting = self._loop, self._messages
        make, answer = self._request_factory, self._request_handler
        assert make is not None
        assert answer is not None
        while not self._force_close:
            if not waiting:
                self._waiter = loop.create_future()
                try:
                    await self._waiter
                finally:
                    self._waiter = None
            message, payload = waiting.popleft()
            if self._parser is not None:
                self._parser.message_consumed()
            if self._buffer_paused and len(waiting) <= self._msg_queue_resume_size:
                self._resume_reading_if_drained()
            broken, head = (message, ERROR) if isinstance(message, _ErrInfo) else (None, message)  # the first: no HTTP
            request = make(head, payload, self, StreamWriter(self, loop), cast(Any, self._task_handler))
            self._owner.began(self)
            try:
                if broken is not None or self._upgraded:
                    handler = answer if broken is None else self._make_error_handler(broken)
                    response, gone = await self._handle_request(request, None, handler)
                    if gone:
                        break
                else:
                    self._current_request, self._request_in_progress = request, True
                    response = await answer(request)
                    self._current_request = None
                    await response.prepare(request)
                    await response.write_eof()
                self._keepalive = bool(response.keep_alive)
                if not payload.is_eof():
                    await self._pass_over(payload)
            except ConnectionError:
                break
            except asyncio.CancelledError:
                self.force_close()
                raise
            except Exception as error:  # noqa: BLE001 - the connection's own end, as in aiohttp
                self.log_exception("Unhandled exception", exc_info=error)
                self.force_close()
                break
            except BaseException:
                self.force_close()
                raise
            finally:
                request._task = cast(Any, None)  # else it holds itself where there was an exception
                self._current_request, self._request_in_progress = None, False
                if self._handler_waiter is not None and not self._handler_waiter.done():
                    self._handler_waiter.set_result(None)  # of whoever ends the gateway
                self._owner.ended(self)
            del message, head, payload, request, response
            if not self._keepalive or self._close or self._force_close:
                break
            self._next_keepalive_close_time = ends = loop.time() + self._keepalive_timeout
            if self._keepalive_handle is None:
                self._keepalive_handle = loop.call_at(ends, self._process_keepalive)
        if not self._force_close:
            self._task_handler = None
            if self.transport is not None:
                self.transport.close()

    async def _pass_over(self, payload: StreamReader) -> None:
        """Read and drop what is left of a body for a moment, so that the client reads its answer; then close."""
        if not self._force_close and self._lingering_time:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._lingering_time):
                    while not payload.is_eof():
                        await payload.readany()
        if not payload.is_eof() and not self._force_close:
            self.close()


def _delivery(transport: asyncio.Transport) -> tuple[int, int]:
    """Return how much was not taken (0: nothing), and how much was, as Linux counts it (`struct tcp_info`)."""
    waiting = transport.get_write_buffer_size()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError, struct.error):
            told = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
            on_the_way, acknowledged, unsent = _TCP_INFO.unpack(told)
            return waiting + on_the_way + unsent, acknowledged
    return waiting, waiting
