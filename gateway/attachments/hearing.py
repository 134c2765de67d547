"""Recordings in attachments, by whoever hears them: what a reader of files leaves unread in them.

A recording is heard once and then remembered for a while, by a keyed digest and in memory only.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Protocol, TypeAlias

import msgspec
from cachetools import LRUCache

from gateway.attachments.worker.parts import Reason
from gateway.core.attachment import FileKind, Reading

Hear: TypeAlias = Callable[[bytes], Awaitable[Reading]]
"""Writes down what a recording says. Never raises: what can't be heard is a reading that says why."""

_REMEMBERED = 4 * 2**20  # characters
_OVERHEAD = 256
_PASSING = frozenset({Reason.READER_FAILED.value, Reason.TIME.value})  # another time it may be heard


class Reads(Protocol):
    """Reader of files."""

    async def read(self, data: bytes, *, name: str = "", key: str = "") -> Reading:
        """Return what a file says."""


class HearingReader:
    """Reader of files that also hears. Owns what is being heard, and what was."""

    def __init__(self, reader: Reads, hear: Hear) -> None:
        self._reader = reader
        self._hear = hear
        self._key = secrets.token_bytes(32)
        self._known: LRUCache[bytes, Reading] = LRUCache(_REMEMBERED, getsizeof=_size)
        self._hearing: dict[bytes, asyncio.Task[Reading]] = {}

    async def read(self, data: bytes, *, name: str = "", key: str = "") -> Reading:
        """Return what a file says, in writing and aloud. Never raises.

        A caller that is cancelled leaves at once; what has begun goes on, and is remembered.
        """
        reading = await self._reader.read(data, name=name, key=key)
        if Reason.RECORDING.value not in reading.reasons or reading.kind not in (FileKind.SOUND, FileKind.VIDEO):
            return reading
        mark = blake2b(data, key=self._key, digest_size=32).digest()
        heard = self._known.get(mark)
        if heard is None:
            task = self._hearing.get(mark) or self._begin(mark, data)
            await asyncio.wait([task])
            if task.cancelled():
                return reading
            heard = task.result()
        return _joined(reading, heard)

    async def close(self) -> None:
        """End what is being heard."""
        tasks = tuple(self._hearing.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _begin(self, mark: bytes, data: bytes) -> asyncio.Task[Reading]:
        task = asyncio.get_running_loop().create_task(self._heard(mark, data), name="hearing an attachment")
        self._hearing[mark] = task
        task.add_done_callback(lambda _: self._hearing.pop(mark, None))
        return task

    async def _heard(self, mark: bytes, data: bytes) -> Reading:
        heard = await self._hear(data)
        if not _PASSING & set(heard.reasons) and _size(heard) <= self._known.maxsize:
            self._known[mark] = heard
        return heard


def _joined(read: Reading, heard: Reading) -> Reading:
    """Return both together. Of a film, what it shows stays unread."""
    left = [reason for reason in read.reasons if reason != Reason.RECORDING or read.kind is FileKind.VIDEO]
    reasons = tuple(dict.fromkeys((*left, *heard.reasons)))
    return msgspec.structs.replace(
        read, pieces=(*read.pieces, *heard.pieces), whole=heard.whole and not reasons, reasons=reasons
    )


def _size(reading: Reading) -> int:
    return _OVERHEAD + sum(_OVERHEAD + len(piece.text) for piece in reading.pieces)
