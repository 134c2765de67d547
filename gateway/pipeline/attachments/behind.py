"""Reading behind the answer: what stays at home anyway is not kept waiting for it, and its texts are remembered still.

A request of the same key that would leave waits for such readings, so that what they say is known before it goes.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.core.attachment import FileKind
from gateway.core.errors import AduanaError
from gateway.core.events import AttachmentRead
from gateway.pipeline.ports import Observer

LOG = structlog.get_logger("aduana.attachments")
_MOST, _MOST_BYTES = 32, 64 * 2**20  # that wait or run; what is beyond stays unread, and is counted
_PATIENCE = 60.0  # seconds that a request waits for those of its key
_FAREWELL = 5.0  # seconds at the end of the process


class ReadingsBehind:
    """Owner of the tasks that read attachments after their requests were decided on."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._tasks: dict[asyncio.Task[None], tuple[str, int]] = {}  # with their keys and sizes

    def start(self, key: str, size: int, work: Callable[[], Awaitable[None]]) -> None:
        """Begin to read so many bytes for a key, unless too much is being read."""
        waiting = sum(other for _, other in self._tasks.values())
        if len(self._tasks) >= _MOST or (self._tasks and waiting + size > _MOST_BYTES):
            self._observer.on(AttachmentRead(kind=FileKind.UNKNOWN, outcome="skipped", seconds=0.0))
            return
        task = asyncio.create_task(self._run(work), name="attachments behind an answer")
        self._tasks[task] = key, size
        task.add_done_callback(self._ended)

    def busy(self, key: str) -> bool:
        """Return whether anything is being read for a key."""
        return bool(self._tasks) and any(other == key for other, _ in self._tasks.values())

    async def caught_up(self, key: str) -> bool:
        """Wait until what was begun for a key is read; return whether there was any.

        Raises:
            TimeoutError: It takes too long.
        """
        tasks = [task for task, (other, _) in self._tasks.items() if other == key]
        if not tasks:
            return False
        _, late = await asyncio.wait(tasks, timeout=_PATIENCE)
        if late:
            raise TimeoutError
        return True

    async def close(self) -> None:
        """Give what runs a moment, then end it."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_FAREWELL)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except AduanaError as error:
            LOG.warning("attachments.not_remembered", code=error.code)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and task.exception() is not None:
            LOG.error("attachments.reading_failed", error=type(task.exception()).__name__)
