"""An answer that has come whole, sent in one write."""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import ClientConnectionResetError, HttpVersion10, HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http_writer import _serialize_headers

JSON = "application/json"
_JOINED = 16 * 1024  # bytes up to which a body is copied behind its head, so that both are one piece
_NONE: Mapping[str, str] = MappingProxyType({})


class WholeAnswer(web.StreamResponse):
    """Answer whose body is known; never one of a status without a body.

    aiohttp's own for this can also compress, set cookies and send files, and asks itself each time whether it shall.
    """

    def __init__(
        self, body: bytes, *, status: int = 200, content_type: str = JSON, headers: Mapping[str, str] = _NONE
    ) -> None:
        super().__init__(status=status, headers=headers)
        self._headers["Content-Type"] = content_type
        self.body = body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send head and body, and return when the client has taken all but a little of it.

        Raises:
            ClientConnectionResetError: The client is gone.
        """
        if self._eof_sent:
            return None
        self._eof_sent = True
        await request._prepare_hook(self)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ClientConnectionResetError("Cannot write to closing transport")
        head, body = self._head(request), b"" if request.method == "HEAD" else self.body
        if len(body) <= _JOINED:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)
        if request.protocol.writing_paused:
            await request.writer.drain()
        return None

    def _head(self, request: web.BaseRequest) -> bytes:
        headers, version = self._headers, request.version
        headers["Content-Length"] = str(len(self.body))
        headers["Date"] = rfc822_formatted_time()
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        if self._keep_alive:
            if version == HttpVersion10:
                headers.setdefault("Connection", "keep-alive")
        elif version == HttpVersion11:
            headers.setdefault("Connection", "close")
        # Refuses what would end a line.
        return _serialize_headers(f"HTTP/{version[0]}.{version[1]} {self._status} {self._reason}", headers)
