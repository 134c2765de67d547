"""Owner of the API keys' secrets: reads them anew while the gateway runs, or keeps the old ones and says why.

A key whose file has a new secret is changed by writing the file: the new secret counts at once, the old one no more.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping

import structlog

from gateway.core.errors import ConfigurationError
from gateway.core.request import Caller
from gateway.server import KeyRing

LOG = structlog.get_logger("aduana.keys")
Secrets = Mapping[str, tuple[str, Caller]]
_LOOK_SECONDS = 2.0
_SETTLED_SECONDS = 0.2  # a file that is being written may be half there: it is read twice


class KeyStore:
    """Owner of the key ring. `watch` renews it when a secret has changed; requests under way keep their caller."""

    def __init__(
        self,
        read: Callable[[], Secrets],
        *,
        anonymous: Caller | None,
        look_seconds: float = _LOOK_SECONDS,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Read the secrets.

        Args:
            read: Reads every key's secret from where the configuration says. Blocks.
            anonymous: The caller of a request without a key. None: a key is needed.
            look_seconds: Time between looks at the secrets.
            wall: Unix time in seconds.

        Raises:
            ConfigurationError: A secret can't be read, or two keys have the same one.
        """
        self._read = read
        self._look_seconds = look_seconds
        self._wall = wall
        self._asked = asyncio.Event()
        self._secrets = read()
        self.ring = KeyRing(self._secrets, anonymous=anonymous)
        self.renewed_at: float | None = None  # Unix time at which secrets last changed; None: not since the start
        self.problem: str | None = None

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
            secrets = await self._settled()
            if secrets != self._secrets:
                self.ring.renew(secrets)
        except ConfigurationError as error:
            problem = error.problems[0]
            if problem != self.problem:
                LOG.error("keys.reload_refused", problem=problem)
            self.problem = problem
            return False
        self.problem = None
        changed = [name for name, (secret, _) in secrets.items() if self._secrets[name][0] != secret]
        self._secrets = secrets
        for name in changed:
            self.renewed_at = self._wall()
            LOG.info("keys.renewed", key=name)
        return True

    async def _settled(self) -> Secrets:
        """Read the secrets until two readings agree, so that no half-written secret counts.

        Raises:
            ConfigurationError: One can't be read.
        """
        before = self._secrets
        while (now := await asyncio.to_thread(self._read)) != before:
            before = now
            await asyncio.sleep(_SETTLED_SECONDS)
        return now
