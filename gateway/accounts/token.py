"""What a signed token says: of itself, before anybody has checked it, and by its claims, once `signatures.py` has."""

import base64
import binascii
import re
from typing import Any

import msgspec

from gateway.accounts.names import checked_name
from gateway.core.errors import Unauthorized

_SHAPE = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\Z")
_LONGEST = 16 * 1024
# A logout token is signed with the same key for the same audience, and is no way in (OIDC Back-Channel Logout 2.4).
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})

Claims = dict[str, Any]


class InvalidToken(Unauthorized):
    """A token that does not count. The message says why, and has nothing of the token."""

    code = "invalid_token"


class TokenHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says of itself. Nobody has checked it: it only tells which key to check it with."""

    issuer: str
    algorithm: str
    key_id: str | None


def looks_like_token(credential: str) -> bool:
    """Return whether a credential has the form of a signed token (JWS, compact)."""
    return len(credential) <= _LONGEST and _SHAPE.match(credential) is not None


def head_of(token: str) -> TokenHead:
    """Return what a token says of itself.

    Raises:
        InvalidToken: It can't be read, or it is of a kind that is no one's way in.
    """
    if not looks_like_token(token):
        raise InvalidToken("This token is no signed JWT. Sign in again.")
    header, claims = (_part(part) for part in token.split(".")[:2])
    kind, key_id = header.get("typ", "jwt"), header.get("kid")
    if not isinstance(kind, str) or kind.lower() not in _TYPES or "events" in claims:
        raise InvalidToken("This token is not one to sign in with. Send an access token or an ID token.")
    if "crit" in header or "b64" in header:
        raise InvalidToken("This token asks for extensions that are not known here.")
    if key_id is not None and not isinstance(key_id, str):
        raise InvalidToken("This token names its key in a way that is not known here.")
    return TokenHead(issuer=str(claims.get("iss", "")), algorithm=str(header.get("alg", "")), key_id=key_id)


def _part(text: str) -> Claims:
    try:
        part = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        part = None
    if not isinstance(part, dict):
        raise InvalidToken("This token can't be read. Sign in again.")
    return part


def user_of(claims: Claims, claim: str) -> str:
    """Return the user whom a token names.

    Raises:
        InvalidToken: It names none by this claim.
    """
    name = checked_name(_at(claims, claim))
    if name is None:
        raise InvalidToken(
            f"This token does not say {claim!r}, by which users are known here. Ask the provider for a token that has "
            "it, or the owner of this gateway to name another claim."
        )
    return name


def groups_of(claims: Claims, claim: str) -> tuple[str, ...]:
    """Return the groups that a token names; a single one may stand without a list."""
    given = _at(claims, claim)
    if isinstance(given, str):
        return (given,)
    return tuple(name for name in given if isinstance(name, str)) if isinstance(given, list) else ()


def _at(claims: Claims, path: str) -> object:
    """Return a claim by its name, else by dots through claims within claims, as in `realm_access.roles`."""
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
