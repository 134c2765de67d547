"""Owner of the API keys: reads them anew while the gateway runs, or keeps the old ones and says why.

A configured key whose file has a new secret is changed by writing the file: the new secret counts at once, the old one
no more. Keys that commands make are in the ledger's database, where one row tells that there was a change.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from gateway.accounts.keys import StoredKey
from gateway.accounts.secrets import SecretDigest
from gateway.app.service.settling import settled
from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.core.request import Caller
from gateway.server import KeyRing

LOG = structlog.get_logger("aduana.keys")
Secrets = Mapping[str, tuple[str, Caller]]
_LOOK_SECONDS = 2.0
_SETTLED_SECONDS = 0.2  # a file that is being written may be half there: it is read twice
_CHANGE_SECONDS = 0.25  # between looks at the row that tells of changes: some ten microseconds each


class StoredKeys(Protocol):
    """Source of the keys that commands make."""

    async def key_changes(self) -> int:
        """Return how often one was made or changed."""

    async def stored_keys(self) -> tuple[StoredKey, ...]:
        """Return all of them, the revoked ones too."""


class KeyStore:
    """Owner of the key ring. `watch` and `watch_stored` renew it; requests under way keep their caller.

    INVARIANT: where keys of both kinds have one name, the configured one counts.
    """

    def __init__(
        self,
        read: Callable[[], Secrets],
        *,
        anonymous: Callable[[bool], Caller | None],
        stored: Sequence[StoredKey] = (),
        digest: SecretDigest | None = None,
        others: frozenset[str] = frozenset(),
        look_seconds: float = _LOOK_SECONDS,
        change_seconds: float = _CHANGE_SECONDS,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Read the secrets.

        Args:
            read: Reads every configured key's secret from where the configuration says. Blocks.
            anonymous: Returns the caller of a request without a key, by whether there are keys that commands made;
                None: a key is needed.
            stored: Keys that commands made.
            digest: Makes digests as theirs were made. None: there are none of them.
            others: Names of others who ask, which no key that a command made can have.
            look_seconds: Time between looks at the secrets.
            change_seconds: Time between looks for keys that commands changed.
            wall: Unix time in seconds.

        Raises:
            ConfigurationError: A secret can't be read, or two keys have the same one.
        """
        self._read = read
        self._look_seconds = look_seconds
        self._change_seconds = change_seconds
        self._wall = wall
        self._anonymous = anonymous
        self._asked = asyncio.Event()
        self._secrets = read()
        self._others = others
        self._changed: Callable[[Sequence[StoredKey]], None] = lambda stored: None
        self.stored = tuple(stored)
        self.ring = KeyRing(
            self._secrets, stored=self._counting(), anonymous=anonymous(bool(stored)), digest=digest, wall=wall
        )
        self.renewed_at: float | None = None  # Unix time at which keys last changed; None: not since the start
        self.problem: str | None = None
        self._tell_namesakes()

    def on_change(self, changed: Callable[[Sequence[StoredKey]], None]) -> None:
        """Call `changed` with all keys that commands made, whenever one was made or changed."""
        self._changed = changed

    def ask_to_reload(self) -> None:
        """Read the secrets again soon (SIGHUP)."""
        self._asked.set()

    async def watch(self) -> None:
        """Renew the keys when a secret has changed, or when asked to. Runs until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self._look_seconds)
            self._asked.clear()
            await self.reload()

    async def reload(self) -> bool:
        """Read the secrets, and return whether they are in force; on any problem the old ones stay."""
        try:
            secrets = await settled(self._read, self._secrets, seconds=_SETTLED_SECONDS)
            if secrets != self._secrets:
                self._renew(secrets, self.stored)
        except ConfigurationError as error:
            self._refused(error.problems[0])
            return False
        self.problem = None
        changed = [name for name, (secret, _) in secrets.items() if self._secrets[name][0] != secret]
        self._secrets = secrets
        for name in changed:
            self.renewed_at = self._wall()
            LOG.info("keys.renewed", key=name)
        return True

    async def watch_stored(self, source: StoredKeys) -> None:
        """Renew the keys that commands made within a second of a change. Runs until cancelled.

        While the database can't be read the known keys stay: then nothing can be written down and nothing is sent.
        """
        seen: int | None = None
        while True:
            with contextlib.suppress(LedgerUnavailable):
                changes = await source.key_changes()
                if changes != seen and self.take(await source.stored_keys()):
                    seen = changes
            await asyncio.sleep(self._change_seconds)

    def take(self, stored: Sequence[StoredKey]) -> bool:
        """Put these keys in place of those that commands had made, and return whether they are in force."""
        before = {key.name: key for key in self.stored}
        if tuple(stored) == self.stored:
            return True
        try:
            self._renew(self._secrets, stored)
        except ConfigurationError as error:
            self._refused(error.problems[0])
            return False
        self.stored = tuple(stored)
        self.renewed_at = self._wall()
        for key in stored:
            if key != before.get(key.name):
                LOG.info("keys.revoked" if key.revoked_at is not None else "keys.renewed", key=key.name)
        self._tell_namesakes()
        self._changed(self.stored)
        return True

    def _renew(self, secrets: Secrets, stored: Sequence[StoredKey]) -> None:
        self.ring.renew(secrets, self._counting(stored), anonymous=self._anonymous(bool(stored)))

    def _counting(self, stored: Sequence[StoredKey] | None = None) -> list[StoredKey]:
        keys = self.stored if stored is None else stored
        return [key for key in keys if key.name not in self._secrets and key.name not in self._others]

    def _tell_namesakes(self) -> None:
        for key in self.stored:
            if (key.name in self._secrets or key.name in self._others) and key.revoked_at is None:
                LOG.warning("keys.namesake", key=key.name, reason="aduana.yaml has this name too, and it counts there")

    def _refused(self, problem: str) -> None:
        if problem != self.problem:
            LOG.error("keys.reload_refused", problem=problem)
        self.problem = problem
