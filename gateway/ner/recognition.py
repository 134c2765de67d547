"""The owner of the worker processes and of what they have found: texts are sent once and then remembered.

Remembered by keyed hash, never as text. Whatever fails raises `RecognitionFailed`: the caller makes a doubt of it.
"""

import asyncio
import multiprocessing
import secrets
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

import msgspec
from cachetools import LRUCache

from gateway.ner.model import Piece, load, recognise
from gateway.ner.weights import PACKAGE, int8_model
from gateway.privacy.detectors.named_entities import Entity, joined

_AT_ONCE = 8_000  # characters in one job: what is too late is noticed soon


class RecognitionFailed(Exception):
    """Reason why names could not be looked for, in a few words for receipts. Never any text."""


class RecognitionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Number of worker processes, and how much is remembered."""

    cache: Path  # directory for the converted weights
    processes: int = 1
    threads: int = 1  # of each process
    remembered: int = 20_000  # texts
    pause_seconds: float = 5.0  # before processes that broke are started again


def installed() -> bool:
    """Tell whether the extra `ner` is installed."""
    return all(find_spec(name) is not None for name in (PACKAGE, "onnxruntime", "onnx", "tokenizers"))


class Recognition:
    """Worker processes and what they have found. `start` returns at once; until the model is loaded, texts wait."""

    def __init__(self, settings: RecognitionSettings) -> None:
        self._settings = settings
        self._key = secrets.token_bytes(32)
        self._known: LRUCache[bytes, tuple[Entity, ...]] = LRUCache(settings.remembered)
        self._pool: ProcessPoolExecutor | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closed = False
        self._turns = asyncio.Semaphore(settings.processes)
        self._broke = -settings.pause_seconds
        self.problem = "It is loading."  # empty: it works

    def start(self) -> None:
        """Begin to load."""
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def loaded(self) -> None:
        """Wait until the model is loaded, or could not be: `problem` tells."""
        if self._opening is not None:
            await asyncio.shield(self._opening)

    async def close(self) -> None:
        """End the processes."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        self._end()

    async def entities(self, texts: Sequence[str]) -> list[tuple[Entity, ...]]:
        """Return the entities of each text.

        Raises:
            RecognitionFailed: The model is not loaded, has failed, or its process died.
        """
        hashes = [blake2b(text.encode("utf-8", "surrogatepass"), key=self._key).digest() for text in texts]
        found = {mark: self._known[mark] for mark in hashes if mark in self._known}
        missing = {mark: text for mark, text in zip(hashes, texts, strict=True) if mark not in found}
        if missing:
            for batch in await asyncio.gather(*(self._recognise(marks, missing) for marks in _batches(missing))):
                found |= batch
        self._known.update(found)
        return [found[mark] for mark in hashes]

    async def _recognise(self, marks: list[bytes], texts: dict[bytes, str]) -> dict[bytes, tuple[Entity, ...]]:
        async with self._turns:
            pool = await self._ready()
            some = [texts[mark].encode("utf-8", "replace").decode() for mark in marks]  # lone surrogates
            try:
                pieces: list[list[Piece]] = await asyncio.get_running_loop().run_in_executor(pool, recognise, some)
            except (BrokenExecutor, RuntimeError) as error:
                self._lost(pool, error)
                raise RecognitionFailed("its process died") from error
            except Exception as error:
                raise RecognitionFailed(f"it failed with {type(error).__name__}") from error
        return {
            mark: tuple(joined([Entity(*piece) for piece in found], text))
            for mark, found, text in zip(marks, pieces, some, strict=True)
        }

    async def _ready(self) -> ProcessPoolExecutor:
        if self._opening is None:
            raise RecognitionFailed("it was not started")
        await asyncio.shield(self._opening)
        if self._pool is None and not self._closed:
            if asyncio.get_running_loop().time() - self._broke < self._settings.pause_seconds:
                raise RecognitionFailed("it could not be loaded")
            if self._opening.done():
                self.start()
            await asyncio.shield(self._opening)
        if self._pool is None:
            raise RecognitionFailed("it is closed" if self._closed else "it could not be loaded")
        return self._pool

    async def _open(self) -> None:
        settings = self._settings
        pool: ProcessPoolExecutor | None = None
        try:
            weights = await asyncio.to_thread(int8_model, settings.cache)
            pool = ProcessPoolExecutor(
                settings.processes,
                mp_context=multiprocessing.get_context("spawn"),  # a fork would copy the event loop and its sockets
                initializer=load,
                initargs=(weights, settings.threads),
            )
            await asyncio.get_running_loop().run_in_executor(pool, recognise, [""])
        except Exception as error:  # noqa: BLE001 - whatever it is, requests are told and stay at home
            self._lost(pool, error)
            return
        self._pool, self.problem = pool, ""

    def _lost(self, pool: ProcessPoolExecutor | None, error: Exception) -> None:
        if pool is not None and pool is not self._pool and self._pool is not None:
            return  # another text has noticed already, and new processes are up
        self._broke = asyncio.get_running_loop().time()
        self.problem = f"Its process died or could not start ({type(error).__name__})."
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _batches(texts: dict[bytes, str]) -> list[list[bytes]]:
    """Return the marks of texts, by the jobs in which they are sent."""
    batches: list[list[bytes]] = [[]]
    size = 0
    for mark, text in texts.items():
        if batches[-1] and size + len(text) > _AT_ONCE:
            batches.append([])
            size = 0
        batches[-1].append(mark)
        size += len(text)
    return batches
