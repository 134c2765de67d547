"""Signatures and times of tokens, and the keys they are checked with: what needs joserfc.

INVARIANT: which algorithm and which key count is decided here, by the owner's list and the provider's keys, never by
the token alone: `none` is never on a list, and a shared secret never stands where a public key does.

Imported where a provider, or a front end's secret, is configured: with X.509 behind it it takes 2 MB and a twentieth of
a start.
"""

from collections.abc import Callable, Mapping, Sequence

from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from gateway.accounts.token import Claims, InvalidToken

LEEWAY_SECONDS = 60  # between two machines' clocks
_MUST_SAY = {"iss": "its issuer", "aud": "its audience", "exp": "its end"}


def public_key(kind: str, members: Mapping[str, str]) -> Key | None:
    """Return the key of a JWK's public members; None: it is damaged, or of a curve that is not known."""
    try:
        match kind:
            case "RSA":
                return RSAKey.import_key({"kty": kind, **members})
            case "EC":
                return ECKey.import_key({"kty": kind, **members})
            case _:
                return OKPKey.import_key({"kty": kind, **members})
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def shared_key(secret: str) -> Key:
    """Return the key that both sides sign and check with."""
    return OctKey.import_key(secret)


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
