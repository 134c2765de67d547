"""A provider of tokens (OpenID Connect) on loopback: it signs tokens and serves the keys to check them with."""

import base64
import hmac
import json
import ssl
import time
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

AUDIENCE = "aduana"
ISSUER = "https://auth.example.org"
_RSA = {kid: RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("rsa-1", "rsa-2")}
SIGNERS: dict[str, tuple[str, Key]] = {
    "rsa-1": ("RS256", _RSA["rsa-1"]),
    "rsa-2": ("RS256", _RSA["rsa-2"]),
    "ec-1": ("ES256", ECKey.generate_key("P-256", {"kid": "ec-1"})),
    "ed-1": ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "ed-1"})),
}


def key_document(*kids: str) -> bytes:
    """Return the JWKS document with the public keys of these ids."""
    return json.dumps({"keys": [SIGNERS[kid][1].as_dict(private=False) for kid in kids]}).encode()


def claims_of(user: str = "ana", groups: tuple[str, ...] = (), **changed: Any) -> dict[str, Any]:
    """Return the claims of a token that counts for five minutes; `changed`: others, None takes one away."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user, "groups": list(groups), "iat": now, "exp": now + 300}
    return {name: value for name, value in (claims | changed).items() if value is not None}


def signed(claims: dict[str, Any], signer: str = "rsa-1", **header: Any) -> str:
    """Return a token with these claims; `header`: what it says of itself otherwise."""
    algorithm, key = SIGNERS[signer]
    return jwt.encode({"alg": algorithm, "kid": signer, **header}, claims, key, algorithms=[algorithm])


def token_of(user: str = "ana", groups: tuple[str, ...] = (), *, signer: str = "rsa-1", **changed: Any) -> str:
    """Return a token that counts, but for what is changed in its claims."""
    return signed(claims_of(user, groups, **changed), signer)


def shared(claims: dict[str, Any], secret: str, algorithm: str = "HS256") -> str:
    """Return a token that is signed with a shared secret, as Open WebUI does."""
    # By hand, for the library refuses to take a public key for a secret, which is what an attacker does.
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    text = ".".join(_written(part) for part in parts)
    return f"{text}.{_written(hmac.digest(secret.encode(), text.encode(), f'sha{algorithm[2:]}'))}"


def _written(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


class StandInProvider:
    """`async with StandInProvider() as provider:`; `provider.url` has the keys in `provider.document`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.document = key_document("rsa-1", "ec-1")
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "StandInProvider":
        application = web.Application()
        application.router.add_get("/jwks.json", self._keys)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{port}/jwks.json"
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _keys(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(body=self.document, status=self.status, headers=self.headers)
