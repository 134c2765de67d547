"""API keys that a command makes: what each may do, and the digests of its secrets. Never a secret itself."""

import msgspec

from gateway.core.limits import Limits
from gateway.core.request import Caller


class KeySecret(msgspec.Struct, frozen=True, kw_only=True):
    """One secret of a key, as its keyed digest. `ends_at`: a newer one took its place, and it counts until then."""

    digest: bytes
    created_at: float  # Unix seconds, as all times here
    ends_at: float | None = None


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that the ledger's database holds. Its name is never given to another one, also after it was revoked."""

    name: str
    user: str | None = None
    tags: frozenset[str] = frozenset()
    models: frozenset[str] | None = None  # None: everything
    admin: bool = False
    metrics: bool = False
    front_end: bool = False
    limits: Limits = Limits()
    created_at: float = 0.0
    expires_at: float | None = None
    revoked_at: float | None = None
    secrets: tuple[KeySecret, ...] = ()

    @property
    def caller(self) -> Caller:
        """Return who asks with this key."""
        return Caller(
            key=self.name,
            user=self.user,
            tags=self.tags,
            admin=self.admin,
            metrics=self.metrics,
            models=self.models,
            front_end=self.front_end,
            limits=self.limits,
        )

    def counts_at(self, now: float) -> bool:
        """Return whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
