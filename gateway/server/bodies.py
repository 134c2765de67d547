"""Reading of request bodies, with a limit on their size and on the time they take."""

import asyncio

from aiohttp import web

from gateway.core.errors import BadRequest, RequestTimeout, TooLarge


class BodyReader:
    """Reader of request bodies with one server's limits."""

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def read(self, request: web.Request) -> bytes:
        """Read the whole body.

        Raises:
            TooLarge: It has more bytes than the limit.
            RequestTimeout: It did not arrive in time.
            BadRequest: It is compressed, which is not read here.
        """
        headers = request.headers
        if "Content-Encoding" in headers and headers["Content-Encoding"].strip().lower() not in ("", "identity"):
            raise BadRequest(
                "Compressed request bodies are not accepted. Send plain JSON.", code="unsupported_encoding", status=415
            )
        content = request.content
        if content.is_eof():  # it came together with its head, as most do: nothing to wait for
            body = content.read_nowait()
            if len(body) > self._max_bytes:
                raise self._too_large()
            return body
        if request.content_length is not None and request.content_length > self._max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._collect(request)
        except TimeoutError:
            raise RequestTimeout(f"The body did not arrive within {self._seconds:g} seconds.") from None

    async def _collect(self, request: web.Request) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > self._max_bytes:
                raise self._too_large()
            parts.append(chunk)
        return b"".join(parts)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The body is larger than {self._max_bytes} bytes (server.max_body_bytes).")
