"""HTTP to one server in the user's own network, by aiohttp with everything automatic turned off.

No redirect, no cookie, no proxy, nothing from the environment, and no connection to an address outside the user's
own network. Foreign exceptions end here.
"""

from collections.abc import Coroutine
from datetime import UTC, datetime

import aiohttp
from aiohttp.http import HttpProcessingError

from gateway.core.errors import AduanaError, TargetError, TargetMisconfigured, TargetProtocolError
from gateway.local.http.connections import BROKEN, PIECE, ServerAnswer, ServerConnections
from gateway.local.http.settings import HttpSettings
from gateway.upstream import errors as faults
from gateway.upstream.arrival.connections import Take, come, pour
from gateway.upstream.body import BodyShape
from gateway.upstream.framing.decompression import Inflater


class LocalReply:
    """Answer that has begun with status 200 and whose body is still to be read."""

    def __init__(self, target: str, response: ServerAnswer, most_bytes: int) -> None:
        self._target = target
        self._response = response
        self.shape = BodyShape(
            content_type=response.headers.get("Content-Type", ""),
            content_encoding=response.headers.get("Content-Encoding", ""),
            most_bytes=most_bytes,
        )

    async def read(self) -> bytes:
        """Return the next raw bytes; empty at the end.

        Raises:
            TargetProtocolError: the body is cut.
        """
        try:
            return await self._response.content.read(PIECE)
        except BROKEN as error:
            raise faults.cut_off(self._target) from error

    def come(self) -> bytes:
        """Return raw bytes that have come, without waiting; as `arrival.connections.come` does."""
        return come(self._response.content, self._response.protocol)

    @property
    def ended(self) -> bool:
        """Whether the answer was read to its end."""
        return self._response.content.at_eof()

    async def pour(self, take: Take) -> bool:
        """Hand raw bytes to `take` as they arrive; as `arrival.connections.pour` does."""
        return await pour(self._response.content, self._response.protocol, take)

    async def close(self) -> None:
        """End the answer; a connection whose answer was read to its end is kept."""
        self._response.close()


class LocalSession:
    """Connections to one local server."""

    def __init__(self, target: str, settings: HttpSettings) -> None:
        self._target = target
        self._base = settings.base_url.rstrip("/")
        self._root = self._base.removesuffix("/v1")
        self._connections = ServerConnections(target, settings)

    def post(
        self, path: str, body: bytes, *, most_bytes: int, content_type: str = "application/json"
    ) -> Coroutine[None, None, LocalReply]:
        """Send one document and return the answer that begins.

        Raises:
            AduanaError: no connection, an address that is not the user's own, or any status but 200.
        """
        return self._request("POST", path, body, most_bytes, content_type)

    def get(self, path: str, *, most_bytes: int) -> Coroutine[None, None, LocalReply]:
        """Ask for a page and return the answer that begins.

        Raises:
            AduanaError: no connection, an address that is not the user's own, or any status but 200.
        """
        return self._request("GET", path, None, most_bytes)

    async def about(self, method: str, path: str, body: bytes | None, *, most_bytes: int) -> LocalReply | None:
        """Ask for a page beside the API, such as `/api/tags`; None: the server has no such page.

        Raises:
            AduanaError: no connection, an address that is not the user's own, or a fault of the server.
        """
        response = await self._answer(method, self._root + path, body)
        if response.status == 200:
            return LocalReply(self._target, response, most_bytes)
        response.close()
        if response.status >= 500:
            raise faults.fault_of_status(self._target, response.status, faults.complaint_in(b""))
        return None

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def _request(
        self, method: str, path: str, body: bytes | None, most_bytes: int, content_type: str = "application/json"
    ) -> LocalReply:
        response = await self._answer(method, self._base + path, body, content_type)
        if response.status == 200:
            return LocalReply(self._target, response, most_bytes)
        try:
            raise await self._fault(response)
        finally:
            response.close()

    async def _answer(
        self, method: str, url: str, body: bytes | None, content_type: str = "application/json"
    ) -> ServerAnswer:
        try:
            return await self._connections.ask(method, url, body, content_type)
        except AduanaError:
            raise  # an address that is not ours
        except (*BROKEN, ValueError) as error:
            raise _connection_fault(self._target, error) from error

    async def _fault(self, response: ServerAnswer) -> AduanaError:
        retry_after = faults.retry_after_seconds(response.headers, datetime.now(UTC))
        said = faults.complaint_in(await self._error_body(response))
        return faults.fault_of_status(self._target, response.status, said, retry_after=retry_after)

    async def _error_body(self, response: ServerAnswer) -> bytes:
        """Return an error's body; empty if it can't be read, because the status alone says enough."""
        body = b""
        try:
            inflater = Inflater(response.headers.get("Content-Encoding", ""), faults.MOST_ERROR_BYTES)
            async for chunk in response.content.iter_any():
                for piece in inflater.feed(chunk):
                    body += piece
        except (TargetProtocolError, *BROKEN):
            return b""
        return body


def relayed(target: str, model: str) -> TargetMisconfigured:
    """Return the error for a model that the server at home passes on to somebody else's machines."""
    return TargetMisconfigured(
        f"The target {target!r} is declared 'zone: local', but its server says that it runs the model {model!r} "
        "elsewhere. Choose a model that runs on that machine, or use 'zone: cloud'.",
        code="target_not_local",
    )


def _connection_fault(target: str, error: BaseException) -> TargetError:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return faults.untrusted(target)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError() | aiohttp.InvalidURL():
            return faults.unreachable(target)
        case HttpProcessingError():
            return TargetProtocolError(f"The target {target!r} does not speak HTTP as it should.")
        case _:
            return faults.disconnected(target)
