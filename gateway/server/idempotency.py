"""What a retry with the same `Idempotency-Key` needs: a key that can be used, and the answer while it is sent."""

from typing import Protocol

from gateway.core.errors import BadRequest
from gateway.core.kept_answers import HEADER, Identity, KeptAnswer

_LONGEST_KEY = 255
_LARGEST_ANSWER = 2**20


class KeptAnswers(Protocol):
    """Owner of kept answers, and of what runs under a key (`core.kept_answers`): here or in another process."""

    async def begin(self, identity: Identity, fingerprint: bytes) -> KeptAnswer | None:
        """Return the answer to repeat; None: the request runs from now on, until `keep` or `drop`.

        Raises:
            BadRequest: The key was used for another request (422), or the same one still runs (409).
            Unavailable: Nobody says.
        """
        ...

    def keep(self, identity: Identity, answer: KeptAnswer) -> None:
        """Keep the answer of a request that has ended well."""
        ...

    def drop(self, identity: Identity) -> None:
        """Forget a request that failed or was cut off, so that a retry is a new one."""
        ...


class Recording:
    """The frames of an answer that is being sent, as long as they are small enough to be kept."""

    def __init__(self, largest: int = _LARGEST_ANSWER) -> None:
        self._largest = largest
        self._frames: list[bytes] = []
        self._size = 0

    def add(self, frame: bytes) -> None:
        """Take note of a frame."""
        self._size += len(frame)
        if self._size <= self._largest:
            self._frames.append(frame)
        else:
            self._frames.clear()

    def body(self) -> bytes | None:
        """Return the whole answer; None: it was too large."""
        return b"".join(self._frames) if self._size <= self._largest else None


def checked_key(value: str) -> str:
    """Return an `Idempotency-Key`.

    Raises:
        BadRequest: It is empty, too long, or has characters that are not printable ASCII.
    """
    key = value.strip()
    if not 0 < len(key) <= _LONGEST_KEY or any(not " " <= character <= "~" for character in key):
        raise BadRequest(
            f"{HEADER}: write 1 to {_LONGEST_KEY} printable ASCII characters, for example a UUID.",
            code="invalid_idempotency_key",
            param=HEADER,
        )
    return key
