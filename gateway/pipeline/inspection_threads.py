"""Threads of their own for the inspection of long documents, with a bounded queue.

The default pool of the event loop also reads files, bodies and the ledger: a flood of long documents must not make
those wait, and must not pile up in memory.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from typing import TypeVar

from gateway.core.errors import Unavailable

Result = TypeVar("Result")

_MOST_THREADS = 4
_WAITING = 32
_SECONDS = 1.0  # that the longest inspection computes, by default


class InspectionThreads:
    """Pool of threads that take one document each; beyond a number that wait, a request is refused."""

    def __init__(self, threads: int = min(_MOST_THREADS, os.cpu_count() or 1), waiting: int = _WAITING) -> None:
        self._threads, self._waiting = threads, waiting
        self._pool = ThreadPoolExecutor(threads, "inspection")
        self._lock = threading.Lock()
        self._taken = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what the work returns, once a thread was free for it.

        Raises:
            Unavailable: Too many wait already. Its `retry_after` is the time that those take at most.
        """
        with self._lock:
            if self._taken >= self._threads + self._waiting:
                raise Unavailable(
                    "Too many long requests wait to be inspected. Please try again soon.",
                    code="inspection_busy",
                    retry_after=float(ceil(self._waiting * _SECONDS / self._threads)),
                )
            self._taken += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._release)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Take no more work, and let what waits go. What runs ends by its own limit of time."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _release(self, _: "Future[Result]") -> None:
        with self._lock:
            self._taken -= 1
