"""The owner of the worker processes and of what they have found: passages are sent once and then remembered.

Remembered by keyed hash, never as text, so a long conversation costs its new turn, and a text for which one request's
computing time was too short goes on where it stopped when it comes again. Whatever fails raises `RecognitionFailed`:
the caller makes a doubt of it.
"""

import asyncio
import multiprocessing
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

import msgspec
from cachetools import LRUCache

from gateway.ner.model import Piece, load, recognise, windows
from gateway.ner.weights import PACKAGE, int8_model
from gateway.privacy.detectors.named_entities import Entity, joined

_AT_ONCE = 12  # passages in one job: requests take turns, and a limit that was passed is noticed soon


class RecognitionFailed(Exception):
    """Reason why names could not be looked for, in a few words for receipts. Never any text."""


class RecognitionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Number of worker processes, and how much is remembered."""

    cache: Path  # directory for the converted weights
    processes: int = 1
    threads: int = 1  # of each process
    remembered: int = 100_000  # passages, of up to 480 characters
    pause_seconds: float = 5.0  # before processes that broke are started again


def installed() -> bool:
    """Tell whether the extra `ner` is installed."""
    return all(find_spec(name) is not None for name in (PACKAGE, "onnxruntime", "onnx", "tokenizers"))


class Recognition:
    """Worker processes and what they have found. `start` returns at once; until the model is loaded, texts wait."""

    def __init__(self, settings: RecognitionSettings) -> None:
        self._settings = settings
        self._key = secrets.token_bytes(32)
        self._known: LRUCache[bytes, tuple[Piece, ...]] = LRUCache(settings.remembered)
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

    async def entities(self, texts: Sequence[str], seconds: float = float("inf")) -> list[tuple[Entity, ...]]:
        """Return the entities of each text.

        Args:
            texts: All texts of one request.
            seconds: CPU time that the processes may spend on them. What was found until then is kept for the next try.

        Raises:
            RecognitionFailed: The model is not loaded, has failed, or its process died.
            TimeoutError: It would have taken longer.
        """
        passages = [[(at, self._mark(passage), passage) for at, passage in windows(text)] for text in texts]
        every = {mark: passage for of_text in passages for _, mark, passage in of_text}
        found = {mark: self._known[mark] for mark in every if mark in self._known}
        missing = [mark for mark in every if mark not in found]
        at_once = _AT_ONCE * self._settings.processes
        for first in range(0, len(missing), at_once):
            if seconds <= 0:
                raise TimeoutError
            marks = missing[first : first + at_once]
            jobs = [marks[at : at + _AT_ONCE] for at in range(0, len(marks), _AT_ONCE)]
            done = await asyncio.gather(*(self._recognise([every[mark] for mark in job]) for job in jobs))
            for job, (pieces, spent) in zip(jobs, done, strict=True):
                found |= zip(job, pieces, strict=True)
                seconds -= spent
            self._known.update((mark, found[mark]) for mark in marks)
        self._known.update(found)
        return [tuple(_entities(text, of_text, found)) for text, of_text in zip(texts, passages, strict=True)]

    def _mark(self, passage: str) -> bytes:
        return blake2b(passage.encode("utf-8", "surrogatepass"), key=self._key, digest_size=32).digest()

    async def _recognise(self, passages: list[str]) -> tuple[list[tuple[Piece, ...]], float]:
        """Return the pieces of each passage, and the CPU time that they took, in seconds.

        Raises:
            RecognitionFailed: The model is not loaded, has failed, or its process died.
        """
        async with self._turns:
            pool = await self._ready()
            some = [passage.encode("utf-8", "replace").decode() for passage in passages]  # lone surrogates
            try:
                pieces, spent = await asyncio.get_running_loop().run_in_executor(pool, recognise, some)
            except (BrokenExecutor, RuntimeError) as error:
                self._lost(pool, error)
                raise RecognitionFailed("its process died") from error
            except Exception as error:
                raise RecognitionFailed(f"it failed with {type(error).__name__}") from error
        return [tuple(found) for found in pieces], spent

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


def _entities(
    text: str, passages: Sequence[tuple[int, bytes, str]], found: Mapping[bytes, tuple[Piece, ...]]
) -> list[Entity]:
    """Return the entities of a text from the pieces of its passages."""
    pieces = [
        Entity(at + start, at + end, kind, score) for at, mark, _ in passages for start, end, kind, score in found[mark]
    ]
    return joined(pieces, text)
