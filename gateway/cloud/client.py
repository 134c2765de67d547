"""The one file that can reach the cloud: the `openai` package's client, whose one way out is `_Door`.

What leaves is decided there in one place: one address, a fixed set of headers, no redirect, no cookie, no proxy and no
setting from the environment, verified TLS. What comes back is raw bytes, or one of our errors. Connections, TLS and the
reading of answers are aiohttp's; the few bytes of a request's head are written here, which is most of what is saved.
"""

import asyncio
import logging
import re
import ssl
from datetime import UTC, datetime
from typing import NoReturn

import aiohttp
import httpx2
import openai
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from yarl import URL

from gateway import __version__
from gateway.cloud.settings import CloudSettings
from gateway.core.errors import AduanaError, TargetBusy, TargetError, TargetProtocolError
from gateway.core.secret import Credential, CredentialForm
from gateway.core.target import Api
from gateway.upstream import errors as faults
from gateway.upstream.arrival.connections import ArrivingConnector, Take, come, pour
from gateway.upstream.body import BodyShape
from gateway.upstream.framing.decompression import Inflater

# INVARIANT: no header value is logged, at any level. At DEBUG these packages would write whole response heads, and
# the environment (OPENAI_LOG) could turn that on.
for _talkative in ("openai", "httpx2", "httpcore2", "aiohttp"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)

_MOST_CONNECTIONS = 1000
_KEEP_ALIVE_SECONDS = 30.0
_MOST_HEAD_BYTES = 64 * 1024  # of one line of an answer's head
_MOST_HEADERS = 256
_PIECE_BYTES = 256 * 1024  # of a body
_VERSION = "api-version"  # the one query that leaves, to services like Azure's
_JSON = "application/json"
_FORM = re.compile(r"multipart/form-data; boundary=[0-9a-f]{32}")
_VALUE = re.compile(r"[\x20-\x7e]*")  # of a header
_BROKEN = (aiohttp.ClientError, HttpProcessingError, ssl.SSLError, OSError)  # what a connection may end with


class CloudReply:
    """Answer that has begun with status 200 and whose body is still to be read."""

    def __init__(self, door: "_Door", response: "_Answer", most_bytes: int) -> None:
        self._door = door
        self._response = response
        self._closed = False
        self.shape = BodyShape(
            content_type=response.said("Content-Type"),
            content_encoding=response.said("Content-Encoding"),
            most_bytes=most_bytes,
        )

    async def read(self) -> bytes:
        """Return all raw bytes that have come, or else the next ones; empty at the end.

        Raises:
            TargetCutOff: the body is cut.
        """
        try:
            return await self._response.content.readany()
        except _BROKEN as error:
            raise faults.cut_off(self._door.target) from error

    def come(self) -> bytes:
        """Return raw bytes that have come, without waiting; as `arrival.connections.come` does."""
        return come(self._response.content, self._response.protocol)

    async def pour(self, take: Take) -> bool:
        """Hand raw bytes to `take` as they arrive; as `arrival.connections.pour` does."""
        return await pour(self._response.content, self._response.protocol, take)

    @property
    def ended(self) -> bool:
        """Whether the answer was read to its end."""
        return self._response.content.at_eof()

    async def close(self) -> None:
        """End the answer, and with it the connection if the answer has not come to its end."""
        if not self._closed:
            self._closed = True
            self._door.end(self._response)


class ProviderClient(openai.AsyncOpenAI):
    """Client of one provider, which sends finished documents. Owns its connections; knows nothing of policy.

    It is the package's own client, with everything automatic turned off. Its HTTP client is shut: what goes out goes by
    `send`.
    """

    def __init__(self, target: str, settings: CloudSettings) -> None:
        """Connect to nobody yet; to be called where an event loop runs."""
        self._door = _Door(target, settings)
        super().__init__(
            base_url=settings.base_url,
            api_key="the-door-has-it",  # so that no part of the package can show or log the real one
            admin_api_key="",
            organization="",
            project="",
            webhook_secret="",
            max_retries=0,
            http_client=httpx2.AsyncClient(transport=_Shut(), trust_env=False, follow_redirects=False),
        )

    async def send(
        self,
        path: str,
        body: bytes,
        *,
        most_bytes: int,
        credential: Credential | None = None,
        content_type: str = _JSON,
    ) -> CloudReply:
        """Send one document and return the answer that begins.

        Args:
            path: Where it goes, behind the base URL.
            body: The document.
            most_bytes: The largest answer, unpacked.
            credential: The client's own, for this one request. None: the configured key.
            content_type: The body's: JSON, or a form with a boundary of ours.

        Raises:
            AduanaError: no connection, or an answer with any status but 200.
            TargetError: the request could not be made.
        """
        return CloudReply(self._door, await self._door.send(path, body, content_type, credential), most_bytes)

    async def close(self) -> None:
        """Close all connections."""
        await super().close()
        await self._door.close()


class _Shut(httpx2.AsyncBaseTransport):
    """The package's own way to the network, which leads nowhere."""

    async def handle_async_request(self, request: httpx2.Request) -> NoReturn:
        raise openai.OpenAIError("Nothing leaves by the package's own HTTP client.")


class _Answer:
    """Answer that has begun, with whatever status."""

    def __init__(self, connection: Connection, message: RawResponseMessage, content: aiohttp.StreamReader) -> None:
        self.status = message.code
        self.headers = message.headers
        self.content = content
        self.protocol = connection.protocol
        self._connection = connection

    def said(self, name: str) -> str:
        """Return what the head says under one name, in letters that can be passed on."""
        return ", ".join(self.headers.getall(name, ())).encode("ascii", "replace").decode()

    def close(self) -> None:
        """Keep the connection for the next request, if both sides have said all; end it otherwise."""
        protocol = self._connection.protocol
        transport = None if protocol is None else protocol.transport
        if protocol is None or transport is None or protocol.should_close or transport.get_write_buffer_size():
            _cut(self._connection)
        else:
            self._connection.release()


def _cut(connection: Connection) -> None:
    """End a connection at once. Closing it would first send all of a body that waits, also where nobody wants it."""
    if connection.protocol is not None:
        connection.protocol.abort()
    connection.close()


class _Door:
    """Last step before the socket, which every request to the cloud passes."""

    # INVARIANT: only these headers, only this origin, and no query but the configured one.

    def __init__(self, target: str, settings: CloudSettings) -> None:
        self.target = target
        self._settings = settings
        self._places: dict[str, aiohttp.ClientRequest] = {}
        self._heads: dict[str, bytes] = {}  # of requests with JSON and the configured key, by path
        self._under_way = 0
        self._proxy = None if settings.proxy is None else URL(settings.proxy)
        context = httpx2.create_ssl_context(trust_env=False)
        context.set_alpn_protocols(["http/1.1"])
        if settings.ca_file is not None:
            context.load_verify_locations(cafile=settings.ca_file)
        self._connector = ArrivingConnector(
            ssl=context,
            resolver=aiohttp.ThreadedResolver(),
            limit=_MOST_CONNECTIONS,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
        )
        # `connect`: with the wait for a free connection, and for the name. Silence is measured by the target, which
        # knows what has arrived.
        self._limits = aiohttp.ClientTimeout(
            total=None, connect=2 * settings.connect_seconds, sock_connect=settings.connect_seconds
        )

    async def send(self, path: str, body: bytes, content_type: str, credential: Credential | None) -> _Answer:
        """Send one body, and return the answer that begins with status 200.

        Raises:
            AduanaError: it was not sent, or there is no such answer.
        """
        if content_type != _JSON and not _FORM.fullmatch(content_type):
            raise TargetError(f"The target {self.target!r} would have been sent something of an unknown type.")
        place = self._place(path)
        usual = credential is None and content_type == _JSON
        head = self._heads.get(path) if usual else None
        if head is None:
            head = self._head(place, content_type, credential)
            if usual:
                self._heads[path] = head
        self._under_way += 1
        try:
            response = await self._begun(place, head + b"Content-Length: %d\r\n\r\n" % len(body), body)
        except BaseException:
            self._under_way -= 1
            raise
        if response.status == 200:
            return response
        try:
            raise await self._fault(response, credential)
        finally:
            self.end(response)

    def end(self, response: _Answer) -> None:
        """End an answer that `send` began, once."""
        self._under_way -= 1
        response.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._connector.close()

    async def _begun(self, place: aiohttp.ClientRequest, head: bytes, body: bytes) -> _Answer:
        """Return the answer that begins, with whatever status.

        Raises:
            TargetError: there is none.
        """
        try:
            connection, protocol = await self._connected(place)
        except _BROKEN as error:
            raise self._connection_fault(error) from error
        try:
            assert protocol.transport is not None
            protocol.set_response_params(
                read_until_eof=True,
                auto_decompress=False,
                max_line_size=_MOST_HEAD_BYTES,
                max_field_size=_MOST_HEAD_BYTES,
                max_headers=_MOST_HEADERS,
            )
            # At once, whatever its size: an answer may come, and end the connection, before all of it has left. In
            # pieces: TLS says how much waits only from where its own socket is full.
            # Never an empty piece: asyncio's own transport, from Python 3.12 on, would try for ever to send it.
            protocol.transport.writelines((head, body[:_PIECE_BYTES]) if body else (head,))
            for start in range(_PIECE_BYTES, len(body), _PIECE_BYTES):
                protocol.transport.write(body[start : start + _PIECE_BYTES])
            message, content = await protocol.read()
            while 100 <= message.code < 200 and message.code != 101:
                message, content = await protocol.read()
        except _BROKEN as error:
            _cut(connection)
            raise self._connection_fault(error) from error
        except BaseException:  # cancelled, which the provider learns at once
            _cut(connection)
            raise
        return _Answer(connection, message, content)

    async def _connected(self, place: aiohttp.ClientRequest) -> tuple[Connection, ResponseHandler]:
        """Return a connection that nobody uses."""
        while True:
            connection = await self._connector.connect(place, [], self._limits)
            protocol = connection.protocol
            assert protocol is not None
            # INVARIANT: bytes that came while nobody had asked are not the answer to what is asked next.
            if not protocol.should_close:
                return connection, protocol
            _cut(connection)

    def _head(self, place: aiohttp.ClientRequest, content_type: str, credential: Credential | None) -> bytes:
        """Return the head of a request, but for what tells the length of its body.

        Raises:
            TargetError: a key or a version can stand in no header.
        """
        headers = {
            "Content-Type": content_type,
            "Accept": "text/event-stream, application/json, */*;q=0.5",
            "Accept-Encoding": "identity",
            "User-Agent": f"aduana/{__version__}",
        } | self._provider_headers(credential)
        if not all(map(_VALUE.fullmatch, headers.values())):
            raise TargetError(f"The target {self.target!r} could not be asked: its key is none that can be sent.")
        url, to_proxy = place.url, {}
        if self._proxy is not None and url.scheme == "http":  # such a proxy is told the whole address
            target = str(url)
            if password := place.headers.get("Proxy-Authorization"):
                to_proxy = {"Proxy-Authorization": password}
        else:
            target = url.raw_path_qs
        lines = [f"{name}: {value}\r\n" for name, value in {**headers, **to_proxy}.items()]
        return f"POST {target} HTTP/1.1\r\nHost: {place.headers['Host']}\r\n{''.join(lines)}".encode("ascii")

    def _place(self, path: str) -> aiohttp.ClientRequest:
        """Return where a path behind the base URL is, as the connector wants to be told.

        Raises:
            TargetError: it would be another server's, or have a query of its own.
        """
        place = self._places.get(path)
        if place is not None:
            return place
        base = URL(self._settings.base_url).with_user(None)
        address = URL(f"{str(base).rstrip('/')}{path}")
        if address.origin() != base.origin():
            raise TargetError(f"The target {self.target!r} would have been asked at another address.")
        if address.raw_query_string or address.raw_fragment:
            raise TargetError(f"The target {self.target!r} would have been asked with another query.")
        if self._settings.api_version:
            address = address.with_query({_VERSION: self._settings.api_version})
        place = aiohttp.ClientRequest("POST", address, loop=asyncio.get_running_loop(), proxy=self._proxy)
        self._places[path] = place
        return place

    def _provider_headers(self, credential: Credential | None) -> dict[str, str]:
        """Return the key as the provider wants it, and the version of its API: from the configuration.

        In place of its key: the client's own credential, where the target is asked with that.
        """
        settings = self._settings
        secret = settings.api_key if credential is None else credential.secret
        key = secret.reveal() if secret is not None else ""
        if settings.api is Api.MESSAGES:
            betas = ",".join(settings.anthropic_betas)
            headers = {"anthropic-version": settings.anthropic_version, "anthropic-beta": betas}
            is_token = credential is not None and credential.form is CredentialForm.BEARER
            headers |= {"Authorization": f"Bearer {key}"} if is_token else {"x-api-key": key}
        elif settings.api_version:
            headers = {"api-key": key}
        else:
            headers = {"Authorization": f"Bearer {key}" if key else ""}
        return {name: value for name, value in headers.items() if value}

    async def _fault(self, response: _Answer, credential: Credential | None) -> AduanaError:
        retry_after = faults.retry_after_seconds(response.headers, datetime.now(UTC))
        body = await self._error_body(response)
        if credential is not None:  # a provider may quote it
            key = credential.secret.reveal()
            for written in (key, key.replace("/", "\\/")):
                body = body.replace(written.encode(), b"(a key)")
        status = response.status
        fault = faults.fault_of_status(self.target, status, faults.complaint_in(body), retry_after=retry_after)
        return fault if credential is None else faults.fault_of_client(self.target, status, fault)

    async def _error_body(self, response: _Answer) -> bytes:
        """Return the beginning of an error's body; empty if it can't be read, because the status alone says enough."""
        body = b""
        try:
            inflater = Inflater(response.said("Content-Encoding"), faults.MOST_ERROR_BYTES)
            while chunk := await response.content.readany():
                for piece in inflater.feed(chunk):
                    body += piece
        except (TargetProtocolError, *_BROKEN):
            return b""
        return body

    def _connection_fault(self, error: BaseException) -> TargetError:
        """Return our error for a connection that could not be had, or ended before the answer began."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError | ssl.CertificateError):
                return faults.untrusted(self.target)
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, TimeoutError) and self._under_way > _MOST_CONNECTIONS:
            return TargetBusy(f"All connections to the target {self.target!r} are in use.", retry_after=1.0)
        if isinstance(error, TimeoutError | aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError):
            return faults.unreachable(self.target)
        return faults.disconnected(self.target)
