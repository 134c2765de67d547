"""Sessions of people who signed in: random names in a cookie, kept in memory by their hashes, never an API key."""

import hashlib
import secrets
import time
from collections.abc import Callable

COOKIE = "aduana_session"
LASTS_SECONDS = 12 * 3600
_MOST = 256  # for one more, the oldest ends
_MOST_OF_ONE = 32  # of one key, so that nobody signs others out by signing in


class Sessions:
    """Owner of the sessions. Each stands for the digest of the key that it began with, so it ends with that key."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[bytes, tuple[bytes, float]] = {}

    def begin(self, key_digest: bytes) -> str:
        """Begin a session for a key, and return what the cookie holds."""
        self._forget(key_digest)
        name = secrets.token_urlsafe(32)
        self._known[_hashed(name)] = (key_digest, self._clock() + LASTS_SECONDS)
        return name

    def key_digest(self, name: str) -> bytes | None:
        """Return the digest of the key that a session stands for; None: there is no such session, or it is over."""
        found = self._known.get(_hashed(name))
        return found[0] if found is not None and found[1] > self._clock() else None

    def end(self, name: str) -> None:
        """End a session."""
        self._known.pop(_hashed(name), None)

    def _forget(self, key_digest: bytes) -> None:
        now = self._clock()
        self._known = {name: known for name, known in self._known.items() if known[1] > now}
        own = [name for name, (digest, _) in self._known.items() if digest == key_digest]
        for name in own[: max(0, len(own) - _MOST_OF_ONE + 1)]:
            del self._known[name]
        while len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]


def _hashed(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
