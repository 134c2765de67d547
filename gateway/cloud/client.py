"""The one file that can reach the cloud: the `openai` package with everything automatic turned off.

What leaves is decided here in one place, `_Door`: one address, a fixed set of headers, no redirect, no proxy and no
setting from the environment, verified TLS. What comes back is raw bytes, or one of our errors.
"""

import logging
import re
import ssl
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import cast

import httpx2
import msgspec
import openai

from gateway import __version__
from gateway.cloud.settings import CloudSettings
from gateway.core.errors import AduanaError, TargetBusy, TargetError, TargetProtocolError
from gateway.core.secret import Credential, CredentialForm
from gateway.core.target import Api
from gateway.upstream import errors as faults
from gateway.upstream.body import BodyShape
from gateway.upstream.framing.decompression import Inflater

# INVARIANT: no header value is logged, at any level. At DEBUG these packages would write whole response heads, and
# the environment (OPENAI_LOG) could turn that on.
for _talkative in ("openai", "httpx2", "httpcore2"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)

_MOST_CONNECTIONS = 1000
_KEEP_ALIVE_SECONDS = 30.0
_VERSION = "api-version"  # the one query that leaves, to services like Azure's
_JSON = "application/json"
_FORM = re.compile(r"multipart/form-data; boundary=[0-9a-f]{32}")


class _Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What is handed from `post` to the door around the package, which never has a credential in its hands."""

    credential: Credential | None = None
    content_type: str = _JSON


_PLAIN = _Handed()
_HANDED: ContextVar[_Handed] = ContextVar("handed", default=_PLAIN)


class CloudReply:
    """Answer that has begun with status 200 and whose body is still to be read."""

    def __init__(self, target: str, response: httpx2.Response, most_bytes: int) -> None:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        self._target = target
        self._response = response
        self._parts = response.stream.__aiter__()
        self.shape = BodyShape(
            content_type=response.headers.get("content-type", ""),
            content_encoding=response.headers.get("content-encoding", ""),
            most_bytes=most_bytes,
        )

    async def read(self) -> bytes:
        """Return the next raw bytes; empty at the end.

        Raises:
            TargetProtocolError: the body is cut.
        """
        try:
            async for part in self._parts:
                if part:
                    return part
        except (httpx2.RequestError, ssl.SSLError, OSError) as error:
            raise faults.cut_off(self._target) from error
        return b""

    async def close(self) -> None:
        """End the answer, and with it the connection if the answer was not read to its end."""
        if isinstance(self._parts, AsyncGenerator):
            await self._parts.aclose()
        await self._response.aclose()


class ProviderClient:
    """Client of one provider, which sends finished documents. Owns its connections; knows nothing of policy."""

    def __init__(self, target: str, settings: CloudSettings) -> None:
        self._target = target
        self._door = _Door(target, settings)
        self._http = httpx2.AsyncClient(
            transport=self._door,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(
                connect=settings.connect_seconds,
                pool=settings.connect_seconds,
                write=settings.idle_seconds,
                read=None,  # silence is measured by the target, which knows what has arrived
            ),
        )
        self._sdk = openai.AsyncOpenAI(
            base_url=settings.base_url,
            default_query={_VERSION: settings.api_version} if settings.api_version else None,
            api_key="the-door-has-it",  # so that no part of the package can show or log the real one
            admin_api_key="",
            organization="",
            project="",
            webhook_secret="",
            max_retries=0,
            http_client=self._http,
        )

    async def post(
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
        handed = _HANDED.set(_Handed(credential=credential, content_type=content_type))
        try:
            response = cast(
                object,  # with `cast_to` an HTTP response the package gives just that, whatever its types say
                await self._sdk.post(
                    path,
                    cast_to=httpx2.Response,
                    content=body,
                    stream=True,
                    stream_cls=openai.AsyncStream[object],
                ),
            )
        except openai.APIConnectionError as error:
            raise _connection_fault(self._target, error) from error
        except openai.OpenAIError as error:
            raise TargetError(f"The target {self._target!r} could not be asked.") from error
        finally:
            _HANDED.reset(handed)
        assert isinstance(response, httpx2.Response)
        return CloudReply(self._target, response, most_bytes)

    async def close(self) -> None:
        """Close all connections."""
        await self._sdk.close()


class _Door(httpx2.AsyncBaseTransport):
    """Last step before the socket, which every request to the cloud passes."""

    # INVARIANT: only these headers, only this origin, and no query but the configured one.

    def __init__(self, target: str, settings: CloudSettings) -> None:
        self._target = target
        self._settings = settings
        self._base = httpx2.URL(settings.base_url)
        self._query = f"{_VERSION}={settings.api_version}" if settings.api_version else ""
        context = httpx2.create_ssl_context(trust_env=False)
        if settings.ca_file is not None:
            context.load_verify_locations(cafile=settings.ca_file)
        self._inner = httpx2.AsyncHTTPTransport(
            verify=context,
            trust_env=False,
            proxy=settings.proxy,
            limits=httpx2.Limits(
                max_connections=_MOST_CONNECTIONS,
                max_keepalive_connections=_MOST_CONNECTIONS,
                keepalive_expiry=_KEEP_ALIVE_SECONDS,
            ),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port):
            raise TargetError(f"The target {self._target!r} would have been asked at another address.")
        if url.query.decode("ascii", "replace") != self._query:
            raise TargetError(f"The target {self._target!r} would have been asked with another query.")
        handed = _HANDED.get()
        if handed.content_type != _JSON and not _FORM.fullmatch(handed.content_type):
            raise TargetError(f"The target {self._target!r} would have been sent something of an unknown type.")
        headers = {
            "Host": request.headers["Host"],
            "Content-Type": handed.content_type,
            "Content-Length": request.headers["Content-Length"],
            "Accept": "text/event-stream, application/json, */*;q=0.5",
            "Accept-Encoding": "identity",
            "User-Agent": f"aduana/{__version__}",
        }
        credential = handed.credential
        request.headers = httpx2.Headers(headers | self._provider_headers(credential))
        response = await self._inner.handle_async_request(request)
        if response.status_code == 200:
            return response
        try:
            raise await self._fault(response, credential)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        await self._inner.aclose()

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

    async def _fault(self, response: httpx2.Response, credential: Credential | None) -> AduanaError:
        retry_after = faults.retry_after_seconds(response.headers, datetime.now(UTC))
        body = await self._error_body(response)
        if credential is not None:  # a provider may quote it
            key = credential.secret.reveal()
            for written in (key, key.replace("/", "\\/")):
                body = body.replace(written.encode(), b"(a key)")
        status = response.status_code
        fault = faults.fault_of_status(self._target, status, faults.complaint_in(body), retry_after=retry_after)
        return fault if credential is None else faults.fault_of_client(self._target, status, fault)

    async def _error_body(self, response: httpx2.Response) -> bytes:
        """Return the beginning of an error's body; empty if it can't be read, because the status alone says enough."""
        body = b""
        try:
            inflater = Inflater(response.headers.get("content-encoding", ""), faults.MOST_ERROR_BYTES)
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            async for chunk in response.stream:
                for piece in inflater.feed(chunk):
                    body += piece
        except (TargetProtocolError, httpx2.RequestError, ssl.SSLError, OSError):
            return b""
        return body


def _connection_fault(target: str, error: openai.APIConnectionError) -> TargetError:
    """Return our error for a failed connection. The package wraps the HTTP client's error as the cause."""
    cause: BaseException | None = error.__cause__
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError | ssl.CertificateError):
            return faults.untrusted(target)
        if isinstance(cause, httpx2.PoolTimeout):
            return TargetBusy(f"All connections to the target {target!r} are in use.", retry_after=1.0)
        if isinstance(cause, httpx2.ReadError | httpx2.WriteError | httpx2.RemoteProtocolError):
            return faults.disconnected(target)
        cause = cause.__cause__ or cause.__context__
    return faults.unreachable(target)
