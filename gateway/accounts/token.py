"""The claims of a signed token, once its signature and its times are known to be right.

INVARIANT: which algorithm and which key count is decided here, by the owner's list and the provider's keys, never by
the token alone: `none` is never on a list, and a shared secret never stands where a public key does.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from gateway.accounts.names import checked_name
from gateway.core.errors import Unauthorized

LEEWAY_SECONDS = 60  # between two machines' clocks
_SHAPE = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\Z")
_MUST_SAY = {"iss": "its issuer", "aud": "its audience", "exp": "its end"}
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


class TokenCheck:
    """Check of signature, issuer, audience and times."""

    def __init__(
        self, *, issuer: str | None, audiences: Sequence[str], algorithms: Sequence[str], now: Callable[[], float]
    ) -> None:
        """Keep what must hold.

        Args:
            issuer: Who must have made the token; None: whoever has the key.
            audiences: For whom it must be, one of them; empty: for anybody.
            algorithms: By which it may be signed.
            now: Unix time in seconds.
        """
        options: dict[str, ClaimsOption] = {"exp": {"essential": True}}
        if issuer is not None:
            options["iss"] = {"essential": True, "value": issuer}
        if audiences:
            options["aud"] = {"essential": True, "values": list(audiences)}
        self._audiences = tuple(audiences)
        self._algorithms = tuple(algorithms)
        self._registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
        self._claims = JWTClaimsRegistry(now=lambda: int(now()), leeway=LEEWAY_SECONDS, **options)

    def permits(self, algorithm: str) -> bool:
        """Return whether a token may be signed by this algorithm."""
        return algorithm in self._algorithms

    def claims(self, token: str, key: Key) -> Claims:
        """Return the claims of a token that counts.

        Raises:
            InvalidToken: It does not.
        """
        try:
            claims = jwt.decode(token, key, registry=self._registry).claims
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise InvalidToken("This token's signature is wrong. Sign in again.") from error
        if not isinstance(claims, dict):
            raise InvalidToken("This token can't be read. Sign in again.")
        try:
            self._claims.validate(claims)
        except ClaimError as error:
            raise InvalidToken(self._wrong(error)) from error
        return claims

    def _wrong(self, error: ClaimError) -> str:
        match error:
            case ExpiredTokenError():
                return "This token has expired. Sign in again, or let the app renew it."
            case InvalidClaimError(claim="nbf" | "iat"):
                return "This token is not valid yet. If it was just made, the clocks of two machines differ."
            case InvalidClaimError(claim="aud"):
                wanted = " or ".join(repr(audience) for audience in self._audiences)
                return f"This token is for another application. Ask the provider for one whose audience is {wanted}."
            case InvalidClaimError(claim="iss"):
                return "This token was made by somebody else than it should be."
            case _:
                what = _MUST_SAY.get(error.claim, "what it must say")
                return f"This token lacks {what} ({error.claim!r}), or has it in no usable form."


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
