"""The one way into the readers: a file is read by its kind, and so is every file inside it."""

from collections.abc import Iterator
from typing import TypeAlias

from gateway.attachments.worker import archive, mail, markup, pdf, picture, sound, text
from gateway.attachments.worker.extensions import agrees
from gateway.attachments.worker.kinds import Format, also, format_of
from gateway.attachments.worker.office import compound, open_document, open_xml, rich_text
from gateway.attachments.worker.parts import Budget, BudgetSpent, Inside, Kind, Pages, Parts, Read, Reason, Unread
from gateway.core.attachment import FileKind, Piece

Found: TypeAlias = Kind | Piece | Unread | Pages


def _unreadable(data: bytes, budget: Budget) -> Parts:
    yield Unread(reason=Reason.UNREADABLE)


def _unknown(data: bytes, budget: Budget) -> Parts:
    yield Unread(reason=Reason.UNKNOWN_KIND)


def _nothing(data: bytes, budget: Budget) -> Parts:
    yield from ()


READERS: dict[Format, tuple[FileKind, Read]] = {
    Format.ARCHIVE: (FileKind.ARCHIVE, _unreadable),
    Format.AUDIO: (FileKind.SOUND, sound.read),
    Format.EMPTY: (FileKind.TEXT, _nothing),
    Format.PACKED: (FileKind.ARCHIVE, archive.read_packed),
    Format.HTML: (FileKind.WEB_PAGE, markup.read_html),
    Format.MAIL: (FileKind.MAIL, mail.read),
    Format.ODF: (FileKind.DOCUMENT, open_document.read),
    Format.OLE: (FileKind.UNKNOWN, compound.read),
    Format.OOXML: (FileKind.DOCUMENT, open_xml.read),
    Format.PDF: (FileKind.PDF, pdf.read),
    Format.PICTURE: (FileKind.PICTURE, picture.read),
    Format.RTF: (FileKind.DOCUMENT, rich_text.read),
    Format.TAR: (FileKind.ARCHIVE, archive.read_tar),
    Format.TEXT: (FileKind.TEXT, text.read),
    Format.UNKNOWN: (FileKind.UNKNOWN, _unknown),
    Format.VIDEO: (FileKind.VIDEO, sound.read),
    Format.XML: (FileKind.WEB_PAGE, markup.read_xml),
    Format.ZIP: (FileKind.ARCHIVE, archive.read_zip),
}


def read_file(data: bytes, budget: Budget, name: str = "") -> Iterator[Found]:
    """Yield the kind of a file, then everything that it and the files inside it say. Never raises.

    Args:
        data: The file.
        budget: What it and the files inside it may cost together.
        name: Of the file; only its extension is looked at.
    """
    try:
        yield from _read(data, budget, name, "", 0)
    except BudgetSpent as spent:
        yield Unread(reason=spent.reason)


def _read(data: bytes, budget: Budget, name: str, place: str, depth: int) -> Iterator[Found]:
    budget.time()
    format_ = format_of(data)
    kind, read = READERS[format_]
    yield Kind(kind=kind)
    if not agrees(name, format_):
        yield Unread(reason=Reason.EXTENSION)
    if also(data, format_):
        yield Unread(reason=Reason.POLYGLOT)
    try:
        for part in read(data, budget):
            match part:
                case Inside():
                    yield from _inside(part, budget, place, depth)
                case Piece():
                    yield from _clean(part, place, budget)
                case _:
                    yield part
    except BudgetSpent:
        raise
    except MemoryError:
        yield Unread(reason=Reason.MEMORY)
    except Exception:  # noqa: BLE001 - whatever a parser raises about a stranger's file: what was read until here counts
        yield Unread(reason=Reason.BROKEN)


def _inside(part: Inside, budget: Budget, place: str, depth: int) -> Iterator[Found]:
    if depth >= budget.depth:
        yield Unread(reason=Reason.TOO_DEEP)
        return
    for found in _read(part.data, budget, part.name, _joined(place, part.place), depth + 1):
        if not isinstance(found, Kind):  # the kind is the outermost file's
            yield found


def _clean(piece: Piece, place: str, budget: Budget) -> Iterator[Found]:
    """Yield a piece at its place in the outermost file, as text that can be sent; of one too long, the beginning.

    Raises:
        BudgetSpent: it was too long.
    """
    encoded = piece.text.encode("utf-8", "replace")  # lone surrogates
    left = budget.text(len(encoded))
    text = encoded[:left].decode("utf-8", "ignore")
    if text:
        yield Piece(place=_joined(place, piece.place), text=text, recognised=piece.recognised)
    if left < len(encoded):
        raise BudgetSpent(Reason.TOO_LONG)


def _joined(outer: str, inner: str) -> str:
    return f"{outer}, {inner}" if outer and inner else outer or inner
