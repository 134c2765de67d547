"""Who may look at the console, and as whom a visitor acts: an administrator's key, or the own machine."""

from urllib.parse import urlsplit

import msgspec
from aiohttp import HttpVersion11, web
from multidict import CIMultiDictProxy

from gateway.console.sessions import COOKIE, Sessions
from gateway.core.errors import AduanaError, Forbidden, Unauthorized
from gateway.core.request import Caller
from gateway.server.auth import LOOPBACK, HostGuard, KeyRing, hostname

_FORWARDED = frozenset({"forwarded", "x-real-ip", "via"})  # and whatever begins with `x-forwarded-`


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever looks at a page. `caller`: as whom they make requests and load models; None: a key is needed for that."""

    caller: Caller | None
    may_look: bool
    signed_in: bool = False

    @property
    def administers(self) -> bool:
        """Return whether this visitor may do what needs an administrator's key."""
        return self.caller is not None and self.caller.admin


class Door:
    """Guard of the console. INVARIANT: what a visitor may do is never more than the same caller may over the API."""

    def __init__(self, *, guard: HostGuard, keys: KeyRing, sessions: Sessions, own_machine: bool) -> None:
        """Keep the parts.

        Args:
            guard: Refuses other people's hosts and web pages.
            keys: The API keys.
            sessions: The sessions of people who signed in.
            own_machine: Whether the gateway listens on loopback alone.
        """
        self._guard = guard
        self._keys = keys
        self._sessions = sessions
        self._own_machine = own_machine

    def visitor(self, http: web.Request) -> Visitor:
        """Return who asks, with a session, with a key in the header, or with neither.

        Raises:
            BadRequest: Headers contradict each other.
            Forbidden: The host or the origin is not one of ours.
        """
        self._guard.check(http)
        if "Origin" in http.headers and not _same_origin(http.headers):
            # Pages of server.allowed_origins may ask models, and read nothing here.
            raise Forbidden("Other pages may not read the console.", code="foreign_page")
        signed_in = self._signed_in(http)
        caller, at_home = signed_in or self._caller(http.headers), self._at_home(http)
        if caller is not None and not at_home and self._keys.is_anonymous(caller):
            # Whoever needs no key owns this machine only while sitting at it.
            caller = msgspec.structs.replace(caller, admin=False)
        may_look = (caller is not None and caller.admin) or at_home
        return Visitor(caller=caller, may_look=may_look, signed_in=signed_in is not None)

    def enter(self, secret: str) -> str | None:
        """Begin a session with an API key, and return what its cookie holds; None: the key is not known here."""
        digest = self._keys.digest_of(secret.strip())
        return self._sessions.begin(digest) if digest is not None else None

    def leave(self, http: web.Request) -> None:
        """End the visitor's session, if there is one."""
        self._sessions.end(http.cookies.get(COOKIE, ""))

    def _signed_in(self, http: web.Request) -> Caller | None:
        digest = self._sessions.key_digest(http.cookies.get(COOKIE, ""))
        return self._keys.of_digest(digest) if digest is not None else None

    def _caller(self, headers: CIMultiDictProxy[str]) -> Caller | None:
        try:
            return self._keys.caller(headers)
        except AduanaError:
            return None

    def _at_home(self, http: web.Request) -> bool:
        """Return whether the visitor sits at this machine: by a name of loopback, and by no proxy that can be told."""
        by_name = hostname(http.headers.get("Host", "")) in LOOPBACK
        return self._own_machine and by_name and not _proxied(http)


def _proxied(http: web.Request) -> bool:
    """Return whether a proxy passes this on: it says so, or speaks HTTP/1.0, as nginx does unless told otherwise."""
    names = [name.lower() for name in http.headers]
    says_so = any(name in _FORWARDED or name.startswith("x-forwarded-") for name in names)
    return says_so or http.version < HttpVersion11


def require_caller(visitor: Visitor) -> Caller:
    """Return as whom a visitor acts.

    Raises:
        Unauthorized: A key is needed.
    """
    if visitor.caller is None:
        raise Unauthorized("This needs an API key of this gateway: sign in first.")
    return visitor.caller


def require_administrator(visitor: Visitor) -> Caller:
    """Return as whom a visitor acts, where that may do what administrators do.

    Raises:
        Unauthorized: A key is needed.
        Forbidden: The key is not an administrator's.
    """
    caller = require_caller(visitor)
    if not caller.admin:
        raise Forbidden("This needs a key with 'admin: true'.", code="admin_only")
    return caller


def refuse_foreign(headers: CIMultiDictProxy[str]) -> None:
    """Refuse a form or a script of another web page, which a browser sends with the visitor's cookie or place.

    Raises:
        Forbidden: The request comes from elsewhere, or does not say where it comes from.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        own = site == "same-origin"
    elif origin is not None:
        own = _same_origin(headers)
    else:
        own = "Authorization" in headers or "X-Api-Key" in headers  # a program, which no other page can make send this
    if not own:
        raise Forbidden("This was not sent from the console’s own page.", code="foreign_page")


def _same_origin(headers: CIMultiDictProxy[str]) -> bool:
    try:
        return urlsplit(headers["Origin"].lower()).netloc == headers.get("Host", "").lower()
    except ValueError:  # as of "http://["
        return False
