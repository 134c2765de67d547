"""Compound files: Office before 2007, Outlook's messages, encrypted Office. Never whole: only letters in them are read.

Format: [MS-CFB], https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb/.
"""

from gateway.attachments.worker.charset import runs
from gateway.attachments.worker.parts import Budget, Kind, Parts, Reason, Unread
from gateway.core.attachment import FileKind, Piece


def _name(text: str) -> bytes:
    """Return how the name of a stream stands in the directory."""
    return text.encode("utf-16-le")


_KINDS = (
    (_name("__substg1.0_"), FileKind.MAIL),
    (_name("WordDocument"), FileKind.DOCUMENT),
    (_name("Workbook"), FileKind.SPREADSHEET),
    (_name("PowerPoint Document"), FileKind.PRESENTATION),
)
_ENCRYPTED = _name("EncryptedPackage")
_MACROS = (_name("_VBA_PROJECT"), _name("Macros"))


def read(data: bytes, budget: Budget) -> Parts:
    """Yield the letters that stand in the file."""
    yield Kind(kind=next((kind for name, kind in _KINDS if name in data), FileKind.UNKNOWN))
    if _ENCRYPTED in data:
        yield Unread(reason=Reason.ENCRYPTED)
        return
    if any(name in data for name in _MACROS):
        yield Unread(reason=Reason.PROGRAM)
    text = "\n".join(runs(data))
    if text:
        yield Piece(place="", text=text)
    yield Unread(reason=Reason.UNREADABLE)
