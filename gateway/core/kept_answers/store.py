"""Answers kept for a retry with the same `Idempotency-Key`: in memory only, few, small and not for long. Pure.

A retry of the same caller with the same key and body gets the same bytes, without a second generation. The header's
shape follows the draft of the IETF (draft-ietf-httpapi-idempotency-key-header). Keys are never logged.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from gateway.core.errors import BadRequest

HEADER = "Idempotency-Key"
_SECONDS = 600.0  # an answer is kept for so long
_MOST_BYTES = 32 * 2**20  # all of them together
_MOST_ANSWERS = 4096
_RETRY_SECONDS = 1.0


class Identity(msgspec.Struct, frozen=True):
    """Who asks, under which key. Answers are never shared between two of them."""

    caller: tuple[str, ...]
    key: str


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer as it was sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    fingerprint: bytes
    answer: KeptAnswer
    until: float


class IdempotencyStore:
    """Owner of the kept answers, and of what runs under a key just now."""

    def __init__(
        self,
        *,
        seconds: float = _SECONDS,
        most_bytes: int = _MOST_BYTES,
        most_answers: int = _MOST_ANSWERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._most_answers = most_answers
        self._clock = clock
        self._running: dict[Identity, bytes] = {}
        self._kept: OrderedDict[Identity, _Kept] = OrderedDict()  # the oldest first
        self._bytes = 0

    async def begin(self, identity: Identity, fingerprint: bytes) -> KeptAnswer | None:
        """Return the answer to repeat; None: the request runs from now on, until `keep` or `drop`.

        Args:
            identity: Who asks, under which key.
            fingerprint: A digest of all that the answer depends on.

        Raises:
            BadRequest: The key was used for another request (422), or the same one still runs (409).
        """
        self._forget()
        kept = self._kept.get(identity)
        known = kept.fingerprint if kept is not None else self._running.get(identity)
        if known is not None and known != fingerprint:
            raise BadRequest(
                f"This {HEADER} was used for another request. Use a new key for each request, and the same one only "
                "to send the very same request again.",
                code="idempotency_key_reused",
                param=HEADER,
                status=422,
            )
        if kept is not None:
            return kept.answer
        if known is not None:
            raise BadRequest(
                f"The request with this {HEADER} is still running. Ask again for its answer.",
                code="idempotency_key_in_use",
                param=HEADER,
                status=409,
                retry_after=_RETRY_SECONDS,
            )
        self._running[identity] = fingerprint
        return None

    def keep(self, identity: Identity, answer: KeptAnswer) -> None:
        """Keep the answer of a request that has ended well."""
        fingerprint = self._running.pop(identity)
        self._kept[identity] = _Kept(fingerprint=fingerprint, answer=answer, until=self._clock() + self._seconds)
        self._bytes += len(answer.body)
        self._forget()

    def drop(self, identity: Identity) -> None:
        """Forget a request that failed or was cut off, so that a retry is a new one."""
        self._running.pop(identity, None)

    def _forget(self) -> None:
        now = self._clock()
        while self._kept:
            oldest = next(iter(self._kept.values()))
            full = self._bytes > self._most_bytes or len(self._kept) > self._most_answers
            if oldest.until > now and not full:
                return
            self._kept.popitem(last=False)
            self._bytes -= len(oldest.answer.body)
