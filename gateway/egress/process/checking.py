"""The check of a signed clearance. What was used is remembered until it would not count any more."""

import hashlib
import hmac
import time
from collections import deque

from gateway.egress.messages import Ask, Broken, Claims, unpack

_LONGEST_SECONDS = 60.0  # that anything may be signed for


class NotSealed(Exception):
    """Reason why something is not sent, in one word, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Checker:
    """Checker of signatures for one life of the process."""

    def __init__(self, key: bytes, life: bytes) -> None:
        self._key = key
        self._life = life
        self._used: set[bytes] = set()
        self._order: deque[tuple[float, bytes]] = deque()

    def checked(self, ask: Ask) -> Claims:
        """Return what was signed; from then on it is used.

        Raises:
            NotSealed: The signature is not good, or was good for another life, another time, or once.
        """
        if not hmac.compare_digest(hmac.digest(self._key, ask.claims, "sha256"), ask.mac):
            raise NotSealed("signature")
        try:
            claims = unpack(ask.claims, Claims)
        except Broken as error:
            raise NotSealed("claims") from error
        now = time.monotonic()
        if claims.life != self._life:
            raise NotSealed("life")
        if not now <= claims.expires <= now + _LONGEST_SECONDS:
            raise NotSealed("expired")
        self._forget(now)
        if claims.nonce in self._used:
            raise NotSealed("used")
        self._used.add(claims.nonce)
        self._order.append((claims.expires, claims.nonce))
        return claims

    def _forget(self, now: float) -> None:
        while self._order and self._order[0][0] < now:
            self._used.discard(self._order.popleft()[1])


def is_body(claims: Claims, body: bytes) -> bool:
    """Say whether these are the very bytes that were signed."""
    return len(body) == claims.size and hmac.compare_digest(hashlib.sha256(body).digest(), claims.digest)
