"""Owner of the policy in force: loads it, watches its files, swaps it whole or keeps the old one.

Requests in flight keep the policy that they started with: they hold the object itself.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from gateway.core.errors import ConfigurationError
from gateway.core.target import Catalog
from gateway.policy import Policy, load_policy_files

LOG = structlog.get_logger("aduana.policy")
_WATCH_SECONDS = 1.0


class PolicyStore:
    """`current` is the policy for new requests."""

    def __init__(
        self,
        paths: Sequence[Path],
        catalog: Catalog,
        *,
        candidate: Sequence[Path] = (),
        rates: Mapping[str, float],
    ) -> None:
        """Raises ConfigurationError when the files don't load."""
        self._paths = tuple(paths)
        self._catalog = catalog
        self._rates = dict(rates)
        self._changed: Callable[[Policy | None], None] = lambda policy: None
        self._read: dict[str, str] = {}
        self._asked = asyncio.Event()
        self.problem: str | None = None
        self._candidate_paths = tuple(candidate)
        self.current, self.candidate = self._load()

    def on_change(self, changed: Callable[[Policy | None], None]) -> None:
        """`changed` hears of each new policy, and None for a reload that was refused."""
        self._changed = changed

    def ask_to_reload(self) -> None:
        """Load again soon, whether or not a file has changed (SIGHUP)."""
        self._asked.set()

    async def reload(self) -> bool:
        """Load again, in a thread; on any problem the old policy stays, loudly. Whether the new one is in force."""
        try:
            policy, candidate = await asyncio.to_thread(self._load)
        except ConfigurationError as error:
            self.problem = error.problems[0]
            for problem in error.problems:
                LOG.error("policy.reload_refused", problem=problem, kept=self.current.digest)
            self._changed(None)
            return False
        self.problem = None
        if policy.digest != self.current.digest:
            LOG.info("policy.reloaded", digest=policy.digest, before=self.current.digest)
        self.current, self.candidate = policy, candidate
        self._changed(policy)
        return True

    async def watch(self) -> None:
        """Looks at the files once a second, in a thread; reloads when their text has changed. Runs until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), _WATCH_SECONDS)
            asked = self._asked.is_set()
            self._asked.clear()
            if asked or await asyncio.to_thread(self._texts_changed):
                await self.reload()

    def _load(self) -> tuple[Policy, Policy | None]:
        texts: dict[str, str] = {}

        def read(path: str) -> str:
            texts[path] = _text(path)
            return texts[path]

        try:
            current = load_policy_files(self._paths, self._catalog, rates=self._rates, read=read)
            if not self._candidate_paths:
                return current, None
            return current, load_policy_files(self._candidate_paths, self._catalog, rates=self._rates, read=read)
        finally:
            self._read = texts or self._read

    def _texts_changed(self) -> bool:
        for path, text in tuple(self._read.items()):
            try:
                if _text(path) != text:
                    return True
            except ConfigurationError:
                return True
        return False


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError((f"{path}: can't be read: {error}.",)) from error
