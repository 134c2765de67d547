"""Owner of the work that goes on behind the requests: what dies is said, begun again, and keeps `/readyz` from 200.

Each piece of work has a name and runs as long as the gateway. One that ends with an error is begun anew after a pause,
and counts as failed until it has run for a while, so that one that dies at every start is not called well in between.
"""

import asyncio
from collections.abc import Mapping

import structlog

from gateway.core.background import Work

LOG = structlog.get_logger("aduana")


class Supervisor:
    """Owner of background tasks. `keep` begins one, `failed` names those that died, `close` ends all."""

    def __init__(self, *, pause: float = 1.0, longest_pause: float = 5.0, proven_seconds: float = 3.0) -> None:
        """Begin with nothing.

        Args:
            pause: Seconds before dead work is begun again; doubled each time it dies at once.
            longest_pause: The most that they become: a SIGHUP is heard within it.
            proven_seconds: Work that has run this long is well again.
        """
        self._pause = pause
        self._longest = longest_pause
        self._proven = proven_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: dict[str, str] = {}

    def keep(self, name: str, work: Work, *, once: bool = False) -> asyncio.Task[None]:
        """Run `work` until it is cancelled, and begin it again when it dies; `once`: it may come to an end."""
        task = asyncio.get_running_loop().create_task(self._run(name, work, once), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def failed(self) -> Mapping[str, str]:
        """Return the work that died and does not run again yet, by name, and the kind of error that ended it."""
        return dict(self._failed)

    async def close(self) -> None:
        """Cancel everything, and return when it has ended."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, name: str, work: Work, once: bool) -> None:
        loop = asyncio.get_running_loop()
        pause = self._pause
        while True:
            begun = loop.time()
            cause = await self._one_life(name, work)
            if once and cause is None:
                self._failed.pop(name, None)
                return
            self._failed[name] = cause or "it ended"
            pause = self._pause if loop.time() - begun >= self._proven else pause
            LOG.error("background.died", name=name, error=self._failed[name], retry_in=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._longest)

    async def _one_life(self, name: str, work: Work) -> str | None:
        """Run the work once. Return the kind of error that ended it; None: it came to its end.

        Raises:
            CancelledError: This task was cancelled.
        """
        loop = asyncio.get_running_loop()
        proving = loop.call_later(self._proven, self._well, name)
        try:
            await work()
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return type(error).__name__  # something inside was cancelled, not this work
        except Exception as error:  # noqa: BLE001 - whatever it is, the work has to go on, and somebody has to know
            return type(error).__name__
        finally:
            proving.cancel()
        return None

    def _well(self, name: str) -> None:
        if self._failed.pop(name, None) is not None:
            LOG.info("background.runs_again", name=name)
