"""Connections to one server in the user's own network, by aiohttp; the few bytes of a request's head are written here.

Connecting, TLS and the reading of answers are aiohttp's. Its session is not used: whatever it does for each request
(redirects, cookies, proxies, the environment) is not wanted here, and takes longer than all the rest.
"""

import asyncio
import ssl
from functools import lru_cache
from socket import socket
from typing import NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from multidict import CIMultiDictProxy
from yarl import URL

from gateway import __version__
from gateway.local.http.address import is_own_address, not_local
from gateway.local.http.settings import HttpSettings
from gateway.upstream.arrival.connections import ArrivingConnector

_MOST_CONNECTIONS = 1000
_KEEP_ALIVE_SECONDS = 30.0
_PLACES = 64  # addresses whose heads are kept: pages have others with each picture
_SENT_AT_ONCE = 256 * 1024  # bytes of a body
_AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]

PIECE = 64 * 1024
"""Bytes of an answer at a time: one whose reader is slow shall wait at its server, not here."""
BROKEN = (aiohttp.ClientError, HttpProcessingError, ssl.SSLError, OSError)
"""What a connection may end with."""


class _Place(NamedTuple):
    """An address as the connector wants to be told, and the head of each request to it but for what tells the body."""

    request: aiohttp.ClientRequest
    head: bytes


class ServerAnswer:
    """Answer that has begun, with whatever status. To be closed by whoever gets it."""

    def __init__(self, connection: Connection, message: RawResponseMessage, content: aiohttp.StreamReader) -> None:
        self.status: int = message.code
        self.headers: CIMultiDictProxy[str] = message.headers
        self.content = content
        self.protocol = connection.protocol
        self._connection = connection

    @property
    def ended(self) -> bool:
        """Whether it was read to its end."""
        return self.content.at_eof()

    def close(self) -> None:
        """Keep the connection for the next request, if both sides have said all; end it otherwise."""
        protocol = self._connection.protocol
        transport = None if protocol is None else protocol.transport
        if (
            not self.ended
            or protocol is None
            or transport is None
            or protocol.should_close
            or transport.get_write_buffer_size()
        ):
            _cut(self._connection)
        else:
            self._connection.release()


def _cut(connection: Connection) -> None:
    """End a connection at once. Closing it would first send all of a body that waits, also where nobody wants it."""
    if connection.protocol is not None:
        connection.protocol.abort()
    connection.close()


class ServerConnections:
    """Connections to one local server. INVARIANT: none to an address outside the user's own network."""

    def __init__(self, target: str, settings: HttpSettings) -> None:
        """Connect to nobody yet; to be called where an event loop runs."""
        self._target = target
        self._settings = settings
        self._connector = ArrivingConnector(
            limit=_MOST_CONNECTIONS,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            ttl_dns_cache=10,
            happy_eyeballs_delay=None,  # one address after the other, so that a refused one stops everything
            socket_factory=self._socket,
            ssl=trusting(settings.ca_file),
        )
        self._limits = aiohttp.ClientTimeout(
            total=None, connect=settings.connect_seconds, sock_connect=settings.connect_seconds
        )
        self._place = lru_cache(_PLACES)(self._new_place)

    async def ask(self, method: str, url: str, body: bytes | None, content_type: str) -> ServerAnswer:
        """Send one request, and return the answer that begins, with whatever status.

        Raises:
            AduanaError: The address is not the user's own.
            ValueError: The address or the key can stand in no request.
            ClientOSError: There was no connection, or it broke; so do all of `BROKEN`.
            ServerDisconnectedError: It ended before the answer began.
        """
        place = self._place(method, url)
        head = place.head
        if body is not None:
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n".encode()
        try:
            return await self._begun(place, head + b"\r\n", body or b"")
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # A connection that was kept may have ended just now; a page may be asked for twice, a document may not.
            if method != "GET" or isinstance(error, aiohttp.ClientConnectorError):
                raise
        return await self._begun(place, head + b"\r\n", b"")

    async def close(self) -> None:
        """Close all connections."""
        await self._connector.close()

    async def _begun(self, place: _Place, head: bytes, body: bytes) -> ServerAnswer:
        connection, protocol = await self._connected(place)
        try:
            assert protocol.transport is not None
            protocol.set_response_params(
                read_until_eof=True,
                auto_decompress=False,  # our own reader has a limit
                read_bufsize=PIECE // 2,  # aiohttp holds twice as much before it stops reading
            )
            # At once, whatever its size: an answer may come, and end the connection, before all of it has left.
            # Never an empty piece: asyncio's own transport, from Python 3.12 on, would try for ever to send it.
            protocol.transport.writelines((head, body[:_SENT_AT_ONCE]) if body else (head,))
            for start in range(_SENT_AT_ONCE, len(body), _SENT_AT_ONCE):
                protocol.transport.write(body[start : start + _SENT_AT_ONCE])
            message, content = await protocol.read()
            while 100 <= message.code < 200 and message.code != 101:
                message, content = await protocol.read()
        except BaseException:  # also cancelled, which the server learns at once
            _cut(connection)
            raise
        return ServerAnswer(connection, message, content)

    async def _connected(self, place: _Place) -> tuple[Connection, ResponseHandler]:
        """Return a connection that nobody uses.

        Raises:
            ConnectionTimeoutError: There was none in time.
        """
        while True:
            try:
                connection = await self._connector.connect(place.request, [], self._limits)
            except TimeoutError as error:
                raise aiohttp.ConnectionTimeoutError("no connection in time") from error
            protocol = connection.protocol
            assert protocol is not None
            # INVARIANT: bytes that came while nobody had asked are not the answer to what is asked next.
            if not protocol.should_close:
                return connection, protocol
            _cut(connection)

    def _new_place(self, method: str, url: str) -> _Place:
        headers = {
            "Accept": "text/event-stream, application/json, */*;q=0.5",
            "Accept-Encoding": "identity",
            "User-Agent": f"aduana/{__version__}",
        }
        if self._settings.api_key is not None:
            headers["Authorization"] = f"Bearer {self._settings.api_key.reveal()}"
        request = aiohttp.ClientRequest(method, URL(url), headers=headers, loop=asyncio.get_running_loop())
        told = [(name, value) for name, value in request.headers.items() if name not in _OF_THE_BODY]
        lines = [f"{method} {request.url.raw_path_qs} HTTP/1.1", *(f"{name}: {value}" for name, value in told)]
        if any(not _ENDS.isdisjoint(line) for line in lines):
            raise ValueError("a line of a head can have no end in it")
        return _Place(request, "".join([f"{line}\r\n" for line in lines]).encode())

    def _socket(self, info: _AddressInfo) -> socket:
        # INVARIANT: called for each connection with the very address that is dialled.
        family, kind, protocol, _, address = info
        if not self._settings.trusted_host and not is_own_address(str(address[0])):
            raise not_local(self._target)
        return socket(family, kind, protocol)


_OF_THE_BODY = frozenset({"Content-Type", "Content-Length", "Transfer-Encoding"})
_ENDS = frozenset("\r\n\0")


def trusting(authorities: str | None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities, and those in a file (PEM), alike with every Python.

    `ssl.create_default_context` asks more from 3.13 on: it refuses authorities that lack key identifiers, as many do
    that people have made for their house.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    if authorities is not None:
        context.load_verify_locations(cafile=authorities)
    return context
