"""What the steps of a model cost on this machine, kept on disk: a restart need not measure it again.

Measuring takes up to a second of each load. A record holds for one CPU, one build of llama.cpp, one model file and the
same settings, and for a week: what was measured beside other work must not count for ever.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.engine.messages import StepCosts
from gateway.engine.settings import EngineSettings
from gateway.local.embedded.process.compatibility import fingerprint

_WEEK = 7 * 86_400.0
_MOST = 64  # records kept, the newest


class CostRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. `at` in Unix seconds."""

    key: str
    at: float
    costs: StepCosts


class StepCostStore:
    """File of measurements. Where it can't be read or written, the worker measures."""

    def __init__(self, file: Path | None, *, wall: Callable[[], float] = time.time) -> None:
        """Use this file; None: nothing is kept."""
        self._file = file
        self._wall = wall

    async def known(self, settings: EngineSettings) -> StepCosts | None:
        """Return what was measured with these settings. None: nothing, or too long ago."""
        return await asyncio.to_thread(self._known, settings) if self._file is not None else None

    async def keep(self, settings: EngineSettings, costs: StepCosts) -> None:
        """Keep a measurement, unless it is the one that is kept."""
        if self._file is not None:
            await asyncio.to_thread(self._keep, self._file, settings, costs)

    def _known(self, settings: EngineSettings) -> StepCosts | None:
        key, now = _key(settings), self._wall()
        return next((one.costs for one in self._read() if one.key == key and 0 <= now - one.at < _WEEK), None)

    def _keep(self, file: Path, settings: EngineSettings, costs: StepCosts) -> None:
        if self._known(settings) == costs:
            return
        key = _key(settings)
        record = CostRecord(key=key, at=self._wall(), costs=costs)
        records = [*(one for one in self._read() if one.key != key), record][-_MOST:]
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".step-costs-", delete=False) as copy:
                copy.write(msgspec.json.encode(records))
                copy.flush()
                os.fsync(copy.fileno())
            Path(copy.name).replace(file)

    def _read(self) -> list[CostRecord]:
        if self._file is None:
            return []
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[CostRecord])
        except (OSError, msgspec.DecodeError):
            return []


def _key(settings: EngineSettings) -> str:
    """Name machine, build, model file and settings together."""
    digest = hashlib.sha256(fingerprint(Path(settings.model)).encode())
    digest.update(msgspec.json.encode(settings, order="sorted"))
    return digest.hexdigest()
