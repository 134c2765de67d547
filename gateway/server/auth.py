"""Who may talk to the gateway: host and origin checks, and API keys."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDictProxy

from gateway.core.errors import BadRequest, ConfigurationError, Forbidden, Unauthorized
from gateway.core.request import Caller
from gateway.core.secret import Credential, CredentialForm, Secret
from gateway.server.headers import KEY, REQUEST_HEADERS, refuse_unknown_headers

_EXPOSED = "x-request-id, x-aduana-target, x-aduana-zone, x-aduana-label, x-aduana-reasons"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_BEARER, _API_KEY = "authorization", "x-api-key"
_CREDENTIALS = (_BEARER, _API_KEY, "api-key", KEY)
_SENDABLE = re.compile(r"[!-~]{1,8192}\Z")  # what may stand in a header that goes on
_SINGLE = (_BEARER, _API_KEY, "api-key", "host", "origin", "content-type", "idempotency-key", *REQUEST_HEADERS)


class KeyRing:
    """Configured API keys as digests: no secret is kept in memory as text; comparing takes constant time.

    INVARIANT: no two keys have one secret, so that the first can't take the place of another with other tags.
    """

    def __init__(self, secrets: Mapping[str, tuple[str, Caller]], *, anonymous: Caller | None) -> None:
        """Keep the digests of the secrets.

        Args:
            secrets: For each key's name, its secret and its caller.
            anonymous: The caller of a request without a key. None: a key is needed.

        Raises:
            ConfigurationError: Two keys have the same secret.
        """
        self._anonymous = anonymous
        self._callers = _digests(secrets)

    def renew(self, secrets: Mapping[str, tuple[str, Caller]]) -> None:
        """Put these keys in place of the known ones, all at once.

        Raises:
            ConfigurationError: Two keys have the same secret; the known ones stay.
        """
        self._callers = _digests(secrets)

    def caller(self, headers: CIMultiDictProxy[str]) -> Caller:
        """Return the caller whom a request's credentials name.

        Apps send several, of which some are meant for others: the one that is known here counts.

        Raises:
            BadRequest: The request has keys of two callers.
            Unauthorized: No key is known, or there is none and one is needed; or the one in `x-aduana-key` is not.
        """
        digests = [_digest(secret) for secret in _credentials(headers)]
        found = [caller for known, caller in self._callers if any([hmac.compare_digest(known, one) for one in digests])]
        if len(found) > 1:
            raise BadRequest(
                "Two API keys of this gateway in one request. Send exactly one.", code="ambiguous_credentials"
            )
        if self._callers and headers.get(KEY, "").strip() and not self._knows(headers[KEY].strip()):
            raise Unauthorized(f"The API key in {KEY!r} is not known here. Ask the owner of this gateway for one.")
        if found:
            return found[0]
        # Apps insist on sending some key: where none are configured, whatever they send is nobody's secret.
        if self._anonymous is not None and not (digests and self._callers):
            return self._anonymous
        if not digests:
            raise Unauthorized("This gateway needs an API key: send it as 'Authorization: Bearer …'.")
        raise Unauthorized(
            "This API key is not known here. Ask the owner of this gateway for one. If it is your own key for a "
            f"provider, send this gateway's beside it, as {KEY!r}."
        )

    def provider_credentials(self, headers: CIMultiDictProxy[str]) -> tuple[Credential, ...]:
        """Return what a caller sends for a provider: at most one credential of each form.

        INVARIANT: never a key of this gateway. Where it has keys, the caller's stands in `x-aduana-key`, or nothing
        counts as a provider's.
        """
        own = headers.get(KEY, "").strip()
        if self._callers and not own:
            return ()
        kind, _, rest = headers.get(_BEARER, "").strip().partition(" ")
        given = {
            CredentialForm.BEARER: rest.strip() if kind.lower() == "bearer" else "",
            CredentialForm.API_KEY: headers.get(_API_KEY, "").strip(),
        }
        return tuple(
            [
                Credential(form=form, secret=Secret(value))
                for form, value in given.items()
                if value != own and _SENDABLE.match(value) and not self._knows(value)
            ]
        )

    def _knows(self, secret: str) -> bool:
        digest = _digest(secret)
        return any([hmac.compare_digest(known, digest) for known, _ in self._callers])

    def named(self, name: str) -> Caller | None:
        """Return the caller whose key has this name; None: there is no such key, or none may ask without one."""
        if self._anonymous is not None and name == self._anonymous.key:
            return self._anonymous
        return next((caller for _, caller in self._callers if caller.key == name), None)

    def accepts(self, authorization: str) -> bool:
        """Return whether a Basic or Bearer credential holds a known key (as the password), or anybody may ask."""
        return self.holder(authorization) is not None or self._anonymous is not None

    def holder(self, authorization: str) -> Caller | None:
        """Return the caller whose key a Basic or Bearer credential holds (as the password); None: no known key."""
        kind, _, rest = authorization.strip().partition(" ")
        secret = rest.strip()
        if kind.lower() == "basic":
            try:
                secret = base64.b64decode(secret, validate=True).decode().partition(":")[2]
            except ValueError:
                return None
        digest = _digest(secret)
        found = [caller for known, caller in self._callers if hmac.compare_digest(known, digest)]
        return found[0] if found else None


def _digests(secrets: Mapping[str, tuple[str, Caller]]) -> list[tuple[bytes, Caller]]:
    names: dict[bytes, str] = {}
    for name, (secret, _) in secrets.items():
        digest = _digest(secret)
        if digest in names:
            raise ConfigurationError(
                (
                    f"keys.{names[digest]} and keys.{name} have the same secret, so a request with it could be either "
                    "one's, with the other's tags. Give each key a secret of its own.",
                )
            )
        names[digest] = name
    return [(_digest(secret), caller) for secret, caller in secrets.values()]


def _digest(secret: str) -> bytes:
    # A header's bytes need not be UTF-8: those that are not arrive as surrogates.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _credentials(headers: CIMultiDictProxy[str]) -> set[str]:
    """Return the different secrets of a request."""
    given: set[str] = set()
    for name in _CREDENTIALS:
        for value in headers.getall(name, ()):
            kind, _, rest = value.strip().partition(" ")
            given.add(
                (rest.strip() if kind.lower() == "bearer" else value.strip())
                if name == "authorization"
                else value.strip()
            )
    given.discard("")
    return given


class HostGuard:
    """Guard that knows our own `Host` and `Origin`: against DNS rebinding and other people's web pages."""

    def __init__(self, *, host: str, allowed_hosts: Sequence[str], allowed_origins: Sequence[str]) -> None:
        self._hosts = LOOPBACK | {host.lower()} | {name.lower() for name in allowed_hosts}
        self._any_host = "*" in allowed_hosts
        self._origins = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)

    def check(self, request: web.Request) -> None:
        """Refuse a request whose host, origin or headers are not in order.

        Raises:
            BadRequest: A header that may come once came twice, or one looks like ours and is not.
            Forbidden: The host or the origin is not one of ours.
        """
        headers = request.headers
        for name in _SINGLE:
            if len(headers.getall(name, ())) > 1:
                raise BadRequest(f"The header {name!r} stands twice. Send it once.", code="duplicate_header")
        refuse_unknown_headers(headers)
        host = _hostname(headers.get("Host", ""))
        if host not in self._hosts and not self._any_host:
            raise Forbidden(
                f"The host {host[:100]!r} is not served here. If it is yours, add it to server.allowed_hosts.",
                code="host_not_allowed",
            )
        origin = headers.get("Origin")
        if origin is not None and not self._own_origin(origin.lower(), headers.get("Host", "").lower()):
            raise Forbidden(
                f"Pages of {origin[:100]!r} may not use this gateway. If they are yours: server.allowed_origins.",
                code="origin_not_allowed",
            )

    def cors_headers(self, request: web.BaseRequest) -> dict[str, str]:
        """Return the headers that let an allowed web page read the answer; none for any other page."""
        origin = request.headers.get("Origin", "")
        if origin.lower() not in self._origins:
            return {}
        return {
            "Access-Control-Allow-Origin": _plain(origin),
            "Vary": "Origin",
            "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE, OPTIONS",
            "Access-Control-Allow-Headers": _plain(request.headers.get("Access-Control-Request-Headers", "*")),
            "Access-Control-Expose-Headers": _EXPOSED,
            "Access-Control-Max-Age": "600",
        }

    def _own_origin(self, origin: str, host: str) -> bool:
        if origin in self._origins:
            return True
        try:
            return urlsplit(origin).netloc == host
        except ValueError:  # as of "http://["
            return False


def _plain(value: str) -> str:
    """Return a client's header value without what may not stand in an answer's header."""
    return "".join(character for character in value if " " <= character <= "~")


def _hostname(host: str) -> str:
    """Return the `Host` header in lower case, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.rsplit(":", 1)[0] if ":" in host else host
