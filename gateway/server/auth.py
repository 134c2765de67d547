"""Who may talk to the gateway: host and origin checks, and API keys."""

import base64
import functools
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from multidict import CIMultiDictProxy

from gateway.accounts.keys import StoredKey
from gateway.accounts.secrets import SecretDigest, is_mistyped
from gateway.core.errors import BadRequest, ConfigurationError, Forbidden, KeyExpired, KeyRevoked, Unauthorized
from gateway.core.request import Caller
from gateway.core.secret import Credential, CredentialForm, Secret
from gateway.server.headers import KEY, REQUEST_HEADERS, all_known, refuse_unknown_headers, remembered

_CACHED_HOSTS = 256
_EXPOSED = "x-request-id, x-aduana-target, x-aduana-zone, x-aduana-label, x-aduana-reasons"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_BEARER, _API_KEY = "authorization", "x-api-key"
_CREDENTIALS = (_BEARER, _API_KEY, "api-key", KEY)
_SENDABLE = re.compile(r"[!-~]{1,8192}\Z")  # what may stand in a header that goes on
_SINGLE = (_BEARER, _API_KEY, "api-key", "host", "origin", "content-type", "idempotency-key", *REQUEST_HEADERS)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One secret that is known here: whose it is, and of a stored key what may have ended it."""

    caller: Caller
    key: StoredKey | None = None  # None: it stands in the configuration
    ends_at: float | None = None  # another secret took its place

    def refusal(self, now: float) -> Unauthorized | None:
        """Return why it does not count any more; None: it counts."""
        if self.key is None:
            return None
        if self.key.revoked_at is not None:
            return KeyRevoked("This API key was revoked. Ask the owner of this gateway for a new one.")
        if self.key.expires_at is not None and now >= self.key.expires_at:
            day = datetime.fromtimestamp(self.key.expires_at, UTC).date()
            return KeyExpired(f"This API key expired on {day}. Ask the owner of this gateway for a new one.")
        if self.ends_at is not None and now >= self.ends_at:
            return KeyRevoked("This API key has a new secret, and this one has ended. Ask its owner for the new one.")
        return None


class KeyRing:
    """All API keys, in a table by the keyed digests of their secrets. No secret is kept in memory as text.

    INVARIANT: a secret is looked up, never compared: with the digests' key unknown, how long that takes tells nothing.
    INVARIANT: no two keys have one secret, so that the first can't take the place of another with other tags.
    """

    def __init__(
        self,
        secrets: Mapping[str, tuple[str, Caller]],
        *,
        anonymous: Caller | None,
        stored: Sequence[StoredKey] = (),
        digest: SecretDigest | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Keep the digests of the secrets.

        Args:
            secrets: For each configured key's name, its secret and its caller.
            anonymous: The caller of a request without a key. None: a key is needed.
            stored: Keys that the ledger's database holds.
            digest: Makes digests as theirs were made. None: there are none of them.
            wall: Unix time in seconds.

        Raises:
            ConfigurationError: Two keys have the same secret.
        """
        self._digest = digest or SecretDigest(os.urandom(32))
        self._wall = wall
        self._anonymous = anonymous
        self._known = self._table(secrets, stored)

    def renew(
        self,
        secrets: Mapping[str, tuple[str, Caller]],
        stored: Sequence[StoredKey] = (),
        *,
        anonymous: Caller | None,
    ) -> None:
        """Put these keys in place of the known ones, all at once.

        Raises:
            ConfigurationError: Two keys have the same secret; the known ones stay.
        """
        self._known = self._table(secrets, stored)
        self._anonymous = anonymous

    @property
    def any(self) -> bool:
        """Return whether there are keys at all, be they revoked."""
        return bool(self._known)

    @property
    def open(self) -> bool:
        """Return whether anybody may ask without a key."""
        return self._anonymous is not None

    def caller(self, headers: CIMultiDictProxy[str]) -> Caller:
        """Return the caller whom a request's credentials name.

        Apps send several, of which some are meant for others: the one that is known here counts.

        Raises:
            BadRequest: The request has keys of two callers.
            Unauthorized: No key is known, or there is none and one is needed; or the one in `x-aduana-key` is not. Or
                the key is known, and has expired or was revoked.
        """
        given = credentials_of(headers)
        now = self._wall()
        ended: Unauthorized | None = None
        found: Caller | None = None
        for secret in given:
            known = self._known.get(self._digest.of(secret))
            if known is None:
                continue
            refusal = None if known.key is None else known.refusal(now)
            if refusal is not None:
                ended = ended or refusal
            elif found is not None and found.key != known.caller.key:
                raise BadRequest(
                    "Two API keys of this gateway in one request. Send exactly one.", code="ambiguous_credentials"
                )
            else:
                found = known.caller
        if KEY in headers and (own := headers[KEY].strip()):
            self._check_own(own, now)
        if found is not None:
            return found
        if ended is not None:
            raise ended
        # Apps insist on sending some key: where none are configured, whatever they send is nobody's secret.
        if self._anonymous is not None and not (given and self._known):
            return self._anonymous
        if not given:
            raise Unauthorized("This gateway needs an API key: send it as 'Authorization: Bearer …'.")
        if any(map(is_mistyped, given)):
            raise Unauthorized(
                "This API key is mistyped or cut: keys of this gateway begin with 'adu_'. Copy it whole."
            )
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
        if self._known and not own:
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
                if value != own and _SENDABLE.match(value) and self._of(value) is None
            ]
        )

    def knows_one_of(self, headers: CIMultiDictProxy[str]) -> bool:
        """Return whether one of a request's credentials is a known key, be it ended."""
        return any(self._of(secret) is not None for secret in credentials_of(headers))

    def named(self, name: str) -> Caller | None:
        """Return the caller whose key has this name; None: there is no such key, or none may ask without one."""
        if self._anonymous is not None and name == self._anonymous.key:
            return self._anonymous
        now = self._wall()
        known = [one for one in self._known.values() if one.caller.key == name and one.refusal(now) is None]
        return known[0].caller if known else None

    def is_anonymous(self, caller: Caller) -> bool:
        """Return whether this is the caller of requests without a key."""
        return caller is self._anonymous

    def digest_of(self, secret: str) -> bytes | None:
        """Return the digest of a secret that is a known key's; None: it is not."""
        digest = self._digest.of(secret)
        return digest if self.of_digest(digest) is not None else None

    def of_digest(self, digest: bytes) -> Caller | None:
        """Return the caller whose key's secret has this digest; None: there is no such key, or no more."""
        known = self._known.get(digest)
        return known.caller if known is not None and known.refusal(self._wall()) is None else None

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
        return self.of_digest(self._digest.of(secret))

    def _of(self, secret: str) -> Known | None:
        return self._known.get(self._digest.of(secret))

    def _check_own(self, secret: str, now: float) -> None:
        """Look at the key in the header that is for this gateway alone.

        Raises:
            Unauthorized: There are keys, and it is none of them, or one that has ended.
        """
        known = self._of(secret)
        if known is not None and (refusal := known.refusal(now)) is not None:
            raise refusal
        if known is None and self._known:
            raise Unauthorized(f"The API key in {KEY!r} is not known here. Ask the owner of this gateway for one.")

    def _table(self, secrets: Mapping[str, tuple[str, Caller]], stored: Sequence[StoredKey]) -> dict[bytes, Known]:
        names: dict[bytes, str] = {}
        table: dict[bytes, Known] = {}
        for name, (secret, caller) in secrets.items():
            digest = self._digest.of(secret)
            if digest in names:
                raise _same_secret(name, f"keys.{names[digest]}")
            names[digest] = name
            table[digest] = Known(caller=caller)
        for key in stored:
            caller = key.caller
            for one in key.secrets:
                if one.digest in names:
                    raise _same_secret(names[one.digest], f"the key {key.name!r} of 'aduana keys'")
                table[one.digest] = Known(caller=caller, key=key, ends_at=one.ends_at)
        return table


def _same_secret(name: str, other: str) -> ConfigurationError:
    return ConfigurationError(
        (
            f"keys.{name}.secret: {other} and keys.{name} have the same secret, so a request with it could be either "
            "one's, with the other's tags. Give each key a secret of its own.",
        )
    )


def credentials_of(headers: CIMultiDictProxy[str]) -> set[str]:
    """Return the different secrets of a request."""
    given: set[str] = set()
    for name in _CREDENTIALS:
        for value in headers.getall(name) if name in headers else ():
            given.add(_secret_of(value) if name == "authorization" else value.strip())
    given.discard("")
    return given


def _secret_of(authorization: str) -> str:
    """Return the secret of a Bearer credential, the password of a Basic one, else the whole value."""
    kind, _, rest = authorization.strip().partition(" ")
    match kind.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            try:
                return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
            except ValueError:
                return authorization.strip()
        case _:
            return authorization.strip()


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
        names = tuple([name for name, _ in headers.items()])  # of its keys alone each would come once
        if not _in_order(names):
            twice = _twice(names)
            if twice is not None:
                raise BadRequest(f"The header {twice!r} stands twice. Send it once.", code="duplicate_header")
            refuse_unknown_headers(names)
        host = hostname(headers.get("Host", ""))
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


@remembered
def _in_order(names: tuple[str, ...]) -> bool:
    """Return whether nothing is wrong with the names of a head."""
    return _twice(names) is None and all_known(names)


def _twice(names: tuple[str, ...]) -> str | None:
    """Return the name of a header that may come once and came twice; None: there is none."""
    given = [name.lower() for name in names]
    return next((name for name in _SINGLE if given.count(name) > 1), None)


def _plain(value: str) -> str:
    """Return a client's header value without what may not stand in an answer's header."""
    return "".join(character for character in value if " " <= character <= "~")


@functools.lru_cache(_CACHED_HOSTS)
def hostname(host: str) -> str:
    """Return the `Host` header in lower case, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.rsplit(":", 1)[0] if ":" in host else host
