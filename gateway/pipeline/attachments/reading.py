"""The reading of a request's attachments, by whoever reads files: all at once, bounded, counted."""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

import msgspec

from gateway.core.attachment import Reading
from gateway.core.events import AttachmentRead
from gateway.core.finding import Inspection
from gateway.core.request import AnyRequest
from gateway.pipeline.attachments.attached import Attached, AttachedItem, AttachmentSettings, as_document
from gateway.pipeline.attachments.found import MOST, about_attachments, found
from gateway.pipeline.ports import Observer

_LONG_BASE64 = 256 * 1024  # bytes of a body: decoding more takes a thread


class AttachmentReader(Protocol):
    """Reader of files, in another process. It never raises: what it can't read is a reading that says why."""

    async def read(self, data: bytes, *, name: str = "", key: str = "") -> Reading:
        """Return what a file says. `name`: as its client calls it, which proves nothing; `key`: whose turn it takes."""


class Attachments:
    """Finder and reader of attachments. Without a reader they are found, and stay unread."""

    def __init__(
        self,
        reader: AttachmentReader | None = None,
        settings: AttachmentSettings = AttachmentSettings(),  # noqa: B008 - frozen
        observer: Observer | None = None,
    ) -> None:
        self._reader = reader
        self._observer = observer
        self.settings = settings

    @property
    def available(self) -> bool:
        """Whether anybody reads files."""
        return self._reader is not None

    async def found(self, request: AnyRequest, inspection: Inspection, size: int) -> Attached:
        """Return the attachments of a request that was inspected; `size` is about the bytes of its body."""
        if not inspection.doubts or not any(map(about_attachments, inspection.doubts)):
            return Attached()
        if size > _LONG_BASE64:
            items = await asyncio.to_thread(found, request.document, inspection.doubts)
        else:
            items = found(request.document, inspection.doubts)
        return Attached(items=tuple(AttachedItem(found=item) for item in items), may_leave=self.settings.may_leave)

    async def read(self, attached: Attached, key: str) -> Attached:
        """Return the same, with what can be read of each; keys whose files wait take turns."""
        if self._reader is None or not attached.unread:
            return attached
        items: Sequence[AttachedItem] = await asyncio.gather(
            *(self._read(self._reader, item, number, key) for number, item in enumerate(attached.items))
        )
        return msgspec.structs.replace(attached, items=tuple(items))

    async def _read(self, reader: AttachmentReader, item: AttachedItem, number: int, key: str) -> AttachedItem:
        if item.reading is not None or not item.found.data:
            return item
        if number >= MOST:
            return msgspec.structs.replace(item, reading=Reading(reasons=("too_many_attachments",)))
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(self.settings.patience):
                reading = await reader.read(item.found.data, name=item.found.name, key=key)
        except TimeoutError:
            reading = Reading(reasons=("time",))
        if self._observer is not None:
            outcome = "whole" if reading.whole else "partly" if reading.pieces else "nothing"
            seconds = time.perf_counter() - begun
            self._observer.on(AttachmentRead(kind=reading.kind, outcome=outcome, seconds=seconds))
        return msgspec.structs.replace(item, reading=reading, text=as_document(reading.pieces))
