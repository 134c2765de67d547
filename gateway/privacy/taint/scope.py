"""How far the memory reaches between the keys of clients. Pure.

What is told under one key is looked for under another only as far as the setting says, so that nobody can find out by
labels what somebody else has told. Whatever the setting was when a text was told, its own key knows it again.
"""

import enum
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

_SIZE = 16


class BetweenKeys(enum.StrEnum):
    """What is known again under another key than that under which it was told."""

    NOTHING = "nothing"
    PASSAGES = "passages"
    EVERYTHING = "everything"


class Scope(msgspec.Struct, frozen=True):
    """The memory as one client's key sees it. Hashes are made for everybody, and turned into a key's own here."""

    secret: bytes
    between: BetweenKeys

    @classmethod
    def of(cls, name: str, between: BetweenKeys, key: bytes) -> "Scope":
        """Return the scope of the client's key of this name; `key` is the secret of all hashes."""
        secret = blake2b(name.encode("utf-8", "surrogatepass"), key=key, digest_size=32, person=b"aduana-scope")
        return cls(secret.digest(), between)

    def looked_for(self, hashes: Iterable[bytes]) -> tuple[bytes, ...]:
        """Return the hashes by which the key knows a text again: everybody's, then its own."""
        known = tuple(hashes)
        return (*known, *self._own(known))

    def passages(self, hashes: Iterable[bytes], *, shared: bool = False) -> tuple[bytes, ...]:
        """Return what is remembered of passages. `shared`: of texts that many conversations have in common."""
        far = self.between is BetweenKeys.EVERYTHING or (self.between is BetweenKeys.PASSAGES and not shared)
        return tuple(hashes) if far else self._own(hashes)

    def short(self, hashes: Iterable[bytes]) -> tuple[bytes, ...]:
        """Return what is remembered of lines and conversations."""
        return tuple(hashes) if self.between is BetweenKeys.EVERYTHING else self._own(hashes)

    def _own(self, hashes: Iterable[bytes]) -> tuple[bytes, ...]:
        return tuple(
            blake2b(item, key=self.secret, digest_size=_SIZE, person=b"aduana-own").digest() for item in hashes
        )
