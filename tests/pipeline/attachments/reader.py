"""A reader of attachments for tests: what a file says stands in a table, by the file's own bytes."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

from gateway.core.attachment import FileKind, Piece, Reading

PDF = b"%PDF-1.7 " + b"a report of the shop, in a form that only the reader knows " * 3
SCAN = b"%PDF-1.7 " + b"a scanned letter of which only a part can be read " * 3
PHOTO = b"\x89PNG\r\n\x1a\n" + b"the pixels of a page " * 20
SOUND = b"RIFF\x10\x00\x00\x00WAVE" + b"somebody says something " * 4


def pages(*texts: str, kind: FileKind = FileKind.PDF, whole: bool = True, reasons: tuple[str, ...] = ()) -> Reading:
    """Return what a reader says of a file with these pages."""
    pieces = tuple(Piece(place=f"page {number}", text=text) for number, text in enumerate(texts, 1))
    return Reading(kind=kind, pieces=pieces, pages=len(texts), whole=whole, reasons=reasons)


class FakeReader:
    """Reader that knows some files, and can be made to wait."""

    def __init__(self, known: Mapping[bytes, Reading]) -> None:
        self.known = dict(known)
        self.asked: list[bytes] = []
        self.keys: list[str] = []
        self.gate: asyncio.Event | None = None

    async def read(self, data: bytes, *, name: str = "", key: str = "") -> Reading:
        self.asked.append(data)
        self.keys.append(key)
        if self.gate is not None:
            await self.gate.wait()
        return self.known.get(data, Reading(reasons=("unknown_kind",)))


def url(data: bytes, kind: str = "application/pdf") -> str:
    """Return a data URL."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def file_part(data: bytes, name: str = "report.pdf") -> dict[str, Any]:
    """Return a part with a file, as OpenAI's chat has it."""
    return {"type": "file", "file": {"filename": name, "file_data": url(data)}}


def picture_part(data: bytes) -> dict[str, Any]:
    """Return a part with a picture, as OpenAI's chat has it."""
    return {"type": "image_url", "image_url": {"url": url(data, "image/png")}}


def asking(*parts: dict[str, Any], text: str = "What does it say?") -> dict[str, Any]:
    """Return a body that asks about attachments."""
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]}
