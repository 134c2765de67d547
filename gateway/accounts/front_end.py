"""Whom a front end asks for, by the headers that Open WebUI sends: a signed token, or plain words.

A front end is a program that people sign in to, and that asks here with one key of its own for all of them. Only what
comes with a key that the owner has marked as a front end's is looked at.

Sources: Open WebUI, `ENABLE_FORWARD_USER_INFO_HEADERS` (`X-OpenWebUI-User-Id`, `-Email`, `-Role`) and, in place of
those, `FORWARD_USER_INFO_HEADER_JWT_SECRET` (HS256; `sub`, `email`, `name`, `role`, `iss`, `iat`, `exp` after 300 s).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from gateway.accounts.names import checked_name
from gateway.accounts.token import Claims, InvalidToken, groups_of, head_of, user_of
from gateway.core.errors import Unauthorized
from gateway.core.secret import Secret

_SIGNED_WITH = ("HS256", "HS384", "HS512")
LEAST_SECRET = 32  # characters: as long as what HS256 digests with


class Headers(Protocol):
    """Headers of a request, without regard to case."""

    def getall(self, key: str, default: Sequence[str], /) -> Sequence[str]:
        """Return all values of a header."""


class FrontEndSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How front ends say who asks."""

    secret: Secret | None = None  # of their signed token; None: they send plain words
    header: str = "X-OpenWebUI-User-Jwt"
    issuer: str | None = "open-webui"
    claim: str = "email"
    group_claim: str = "role"
    plain_name: str = "X-OpenWebUI-User-Email"
    plain_group: str = "X-OpenWebUI-User-Role"
    required: bool = False  # what comes without a user is refused


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user by name, and the groups that this user is in."""

    name: str
    groups: tuple[str, ...] = ()


class FrontEnd:
    """Reader of the headers of front ends."""

    def __init__(self, settings: FrontEndSettings, *, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._signatures = None if settings.secret is None else _Signatures(settings, settings.secret, now)

    @property
    def believes_bodies(self) -> bool:
        """Return whether the field `user` of a body counts, where no header names a user."""
        return self._signatures is None and not self._settings.required

    def person(self, headers: Headers) -> Person | None:
        """Return whom a front end asks for; None: nobody in particular.

        Where tokens are configured, plain words count for nothing: whoever has the key alone could write them.

        Raises:
            InvalidToken: The token does not count.
            Unauthorized: A user is needed and none is named, or the name can't be read.
        """
        found = self._plain(headers) if self._signatures is None else self._signed(headers, self._signatures)
        if found is None and self._settings.required:
            wanted = self._settings.plain_name if self._signatures is None else self._settings.header
            raise Unauthorized(
                f"This key is a front end's, and the header {wanted!r} that says for whom it asks is missing. Let the "
                "front end send it (in Open WebUI: ENABLE_FORWARD_USER_INFO_HEADERS=true).",
                code="user_required",
            )
        return found

    def _signed(self, headers: Headers, signatures: "_Signatures") -> Person | None:
        token = _only(headers, self._settings.header)
        if token is None:
            return None
        if not signatures.permit(token):
            raise InvalidToken(
                f"The token in {self._settings.header!r} is not signed with the secret that is shared here."
            )
        claims = signatures.claims(token)
        name = user_of(claims, self._settings.claim)
        return Person(name=name, groups=groups_of(claims, self._settings.group_claim))

    def _plain(self, headers: Headers) -> Person | None:
        given = _only(headers, self._settings.plain_name)
        if given is None:
            return None
        name = checked_name(given)
        if name is None:
            raise Unauthorized(f"The header {self._settings.plain_name!r} is no name.", code="invalid_user")
        group = _only(headers, self._settings.plain_group)
        return Person(name=name, groups=() if group is None else (group,))


class _Signatures:
    """Check of what a front end signs with the secret that is shared with it."""

    def __init__(self, settings: FrontEndSettings, secret: Secret, now: Callable[[], float]) -> None:
        from gateway.accounts.signatures import TokenCheck, shared_key  # not where nothing is signed: see there

        self._check = TokenCheck(issuer=settings.issuer, audiences=(), algorithms=_SIGNED_WITH, now=now)
        self._key = shared_key(secret.reveal())

    def permit(self, token: str) -> bool:
        """Return whether a token says that it is signed with such a secret."""
        return self._check.permits(head_of(token).algorithm)

    def claims(self, token: str) -> Claims:
        """Return the claims of a token that counts; raises InvalidToken where it does not."""
        return self._check.claims(token, self._key)


def _only(headers: Headers, name: str) -> str | None:
    """Return a header's value; None: it is not there, or empty.

    Raises:
        Unauthorized: It stands there twice.
    """
    values: Sequence[str] = headers.getall(name, ())
    if len(values) > 1:
        raise Unauthorized(f"The header {name!r} stands twice. Send it once.", code="invalid_user")
    return values[0].strip() or None if values else None


def user_in(document: Mapping[str, object]) -> str | None:
    """Return the user whom a body names in OpenAI's field `user`; None: nobody, or no name that can be shown."""
    return checked_name(document.get("user"))
