"""Sessions of people who signed in: a signed name in a cookie, which says which key it began with, never an API key.

Nothing is kept of a session but that it has ended, so that whoever has the same secret knows it too: the workers of one
gateway. The secret is a new one at each start, so no session outlives the gateway.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable

import msgspec

COOKIE = "aduana_session"
LASTS_SECONDS = 12 * 3600
_MOST_ENDED = 32  # of one key; with one more, all that began with it until then are over
_SIGNATURE_BYTES = 32


class _Session(msgspec.Struct, frozen=True, array_like=True):
    id: bytes
    begun: float
    key: bytes  # digest of the API key


class Sessions:
    """Owner of the sessions. Each stands for the digest of the key that it began with, so it ends with that key."""

    def __init__(
        self,
        *,
        secret: bytes | None = None,
        ended: Iterable[str] = (),
        tell_ended: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without any.

        Args:
            secret: Signs names; the same for all that shall know each other's. None: a new one.
            ended: Names of sessions that are over.
            tell_ended: Is called with the name of each that ends here, for others with the secret.
            clock: Seconds, the same for all with the secret.
        """
        self._secret = secret or secrets.token_bytes(_SIGNATURE_BYTES)
        self._tell_ended = tell_ended
        self._clock = clock
        self._ended: dict[bytes, set[bytes]] = {}  # by key
        self._over: dict[bytes, float] = {}  # by key: what began until then is over
        for name in ended:
            self.ended(name)

    def begin(self, key_digest: bytes) -> str:
        """Begin a session for a key, and return what the cookie holds."""
        content = msgspec.msgpack.encode(_Session(secrets.token_bytes(16), self._clock(), key_digest))
        return base64.urlsafe_b64encode(self._signature(content) + content).decode()

    def key_digest(self, name: str) -> bytes | None:
        """Return the digest of the key that a session stands for; None: there is no such session, or it is over."""
        session = self._opened(name)
        return session.key if session is not None else None

    def end(self, name: str) -> None:
        """End a session, and tell others."""
        if self._opened(name) is not None:
            self.ended(name)
            self._tell_ended(name)

    def ended(self, name: str) -> None:
        """Take note of a session that has ended elsewhere."""
        session = self._opened(name)
        if session is None:
            return
        known = self._ended.setdefault(session.key, set())
        known.add(session.id)
        if len(known) > _MOST_ENDED:
            self._over[session.key] = self._clock()
            known.clear()

    def _opened(self, name: str) -> _Session | None:
        try:
            data = base64.urlsafe_b64decode(name.encode("ascii"))
        except (ValueError, binascii.Error):
            return None
        signature, content = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(content)):
            return None
        session = msgspec.msgpack.decode(content, type=_Session)  # signed, so it is one of ours
        over = session.begun <= self._over.get(session.key, float("-inf"))
        if over or session.id in self._ended.get(session.key, ()) or session.begun + LASTS_SECONDS <= self._clock():
            return None
        return session

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, b"aduana session 1\0" + content, hashlib.sha256)
