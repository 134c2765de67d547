"""Signs a checkpoint when one is due, and brings the file elsewhere up to date."""

import asyncio
from pathlib import Path

import msgspec
import structlog

from gateway.app.checkpoints.file import CheckpointFile, NotWritten
from gateway.app.checkpoints.key import load_signer
from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.ledger import Ledger
from gateway.ledger.chain import SigningKey
from gateway.ledger.chain.checkpoints import parsed

LOG = structlog.get_logger("aduana")
_DAY = 86_400.0


class CheckpointSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When checkpoints are signed, and where they go besides the ledger."""

    file: Path | None = None
    requests: int = 1_000
    seconds: float = 900.0
    look_seconds: float = 2.0  # between two looks whether one is due
    idle_seconds: float = _DAY  # where there is nothing new, one is signed after this long all the same


class CheckpointKeeper:
    """Owner of the signing key and of the file. `open` before use, `run` in the background, `close` for the last."""

    def __init__(self, ledger: Ledger, state_dir: Path, settings: CheckpointSettings) -> None:
        self._ledger = ledger
        self._state_dir = state_dir
        self._settings = settings
        self._file = CheckpointFile(settings.file) if settings.file is not None else None
        self._key: SigningKey | None = None
        self._turn = asyncio.Lock()
        self._place = 0  # of the last checkpoint that is in the file
        self.problem: str | None = None

    async def open(self) -> None:
        """Read the key, or make it. Without one nothing is signed, and `problem` says why."""
        try:
            self._key = await asyncio.to_thread(load_signer, self._state_dir)
        except ConfigurationError as error:
            self._say(" ".join(error.problems))

    async def run(self) -> None:
        """Sign one after so many requests or seconds, as long as the gateway runs."""
        settings, loop = self._settings, asyncio.get_running_loop()
        signed, received = loop.time() - settings.seconds, 0
        while True:
            if loop.time() - signed >= settings.seconds or self._ledger.received - received >= settings.requests:
                signed, received = loop.time(), self._ledger.received
                await self.sign()
            await asyncio.sleep(settings.look_seconds)

    async def close(self) -> None:
        """Sign the last one."""
        await self.sign()

    async def sign(self) -> None:
        """Sign a checkpoint if there is something new, and bring the file up to date. Nothing here fails."""
        if self._key is None:
            return
        async with self._turn:
            try:
                await self._ledger.checkpoint(self._key, idle_seconds=self._settings.idle_seconds)
                if self._file is not None:
                    await self._bring_up(self._file)
            except LedgerUnavailable:
                return  # the ledger's own health says it
            except NotWritten as error:
                self._say(f"The file of checkpoints can't be written: {error}. They wait in the ledger until it can.")
                return
            self._say(None)

    async def _bring_up(self, file: CheckpointFile) -> None:
        """Append what the file lacks, which after a restore is not only what is newest.

        Raises:
            NotWritten: It can't be read or written now.
            LedgerUnavailable: Nor can the ledger be read.
        """
        there = await file.lines()
        lines = await self._ledger.checkpoints_behind(0 if there is not None else self._place)
        missing = lines if there is None else [line for line in lines if line not in there]
        if missing:
            await file.append(missing)
        newest = parsed(lines[-1]) if lines else None
        if newest is not None:
            self._place = newest.index

    def _say(self, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            LOG.warning("checkpoints.problem", problem=problem)
        elif problem is None and self.problem is not None:
            LOG.info("checkpoints.written_again")
        self.problem = problem
