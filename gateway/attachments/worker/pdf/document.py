"""The order in which a PDF is read: all its text first, and pictures of pages, which take seconds, at the end.

Earlier versions of the file stand in it, too: whoever saves a change may only have added it behind the old text. Each
is read as a file of its own, and what the last version no longer says is told as well.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b

import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from gateway.attachments.worker import picture
from gateway.attachments.worker.charset import runs
from gateway.attachments.worker.parts import Budget, Inside, Pages, Part, Parts, Reason, Unread
from gateway.attachments.worker.pdf import annotations, beside, pages
from gateway.attachments.worker.pdf.lettering import Lettering
from gateway.attachments.worker.pdf.structure import Structure, structure_of
from gateway.core.attachment import Piece

_END = re.compile(rb"startxref\s{1,4}(\d{1,12})\s{1,4}%%EOF[ \t]*\r?\n?")
_TABLE = re.compile(rb"\s{0,4}(?:xref\b|\d+\s+\d+\s+obj\b)")
_MOST_VERSIONS = 8
_PASSWORD, _SECURITY = 4, 5  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY
_STRAY = 64  # bytes behind the end that programs leave there
_PIXELS, _DPI = 12_000_000, 200
_LARGEST = 50_000_000  # pixels of a picture in a page; what has more is not decoded


def read_document(data: bytes, budget: Budget) -> Parts:
    """Yield what the last version says, then what only earlier ones say, then what its pages show."""
    end = data.rfind(b"%%EOF")
    if end < 0:
        yield Unread(reason=Reason.BROKEN)
    elif data[end + 5 :].strip(b"\0\r\n\t ")[_STRAY:]:
        yield Unread(reason=Reason.POLYGLOT)
    yield from _around(data, end)
    document = _opened(data)
    if isinstance(document, Unread):
        yield document
        return
    if raw.FPDF_GetSecurityHandlerRevision(document) >= 0:
        yield Unread(reason=Reason.ENCRYPTED)  # any reader opens it, but what is beside its pages can't be read here
    structure = structure_of(data, budget)
    if structure.scripts:
        yield Unread(reason=Reason.PROGRAM)
    said: set[str] = set()
    seen: list[int] = []
    with document:
        lettering = Lettering(document)
        for part in _texts(document, data, structure, budget, seen, lettering):
            if isinstance(part, Piece):
                said.add(part.text)
            yield part
        yield from _earlier(data, structure, budget, said)
        known: set[bytes] = set()
        for number in sorted({*seen, *lettering.pages}):
            if number in seen or not lettering.is_shown(number, budget):
                yield from _shown(document, number, structure, known, budget)


def _around(data: bytes, end: int) -> Parts:
    """Yield the letters that stand before the file's beginning, and behind its end."""
    tail = data[end + 5 :] if end >= 0 else b""
    for place, part in (("before the beginning", data[: max(0, data.find(b"%PDF-"))]), ("behind the end", tail)):
        text = "\n".join(runs(part))
        if text.strip():
            yield Piece(place=place, text=text)


def _opened(data: bytes) -> pdfium.PdfDocument | Unread:
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        locked = getattr(error, "err_code", None) in (_PASSWORD, _SECURITY)
        return Unread(reason=Reason.ENCRYPTED if locked else Reason.BROKEN)
    document.init_forms()
    return document


def _texts(
    document: pdfium.PdfDocument, data: bytes, structure: Structure, budget: Budget, seen: list[int],
    lettering: Lettering,
) -> Iterator[Part]:  # fmt: skip
    """Yield all texts of one version; `seen` gets the pages that have to be looked at, too, `lettering` all others."""
    yield Pages(count=len(document))
    yield from beside.read(document, data, budget)
    for number in range(len(document)):
        budget.page()
        try:
            page = document[number]
        except pdfium.PdfiumError:
            yield Unread(reason=Reason.BROKEN)
            continue
        place = f"page {number + 1}"
        try:
            yield from annotations.read(page, place, budget)
            text = pages.text_of(page)
            look = pages.must_be_seen(page, text, patterns=structure.patterns)
            if not look:
                lettering.note(number, text.letters)
            drawn = annotations.draw(page)
        finally:
            page.close()
        if text.text.strip():
            yield Piece(place=place, text=text.text)
        if text.lost:
            yield Unread(reason=Reason.OBJECT)
        if drawn:
            drawn_look, more = _drawn(document, number, text.text, structure, lettering)
            look = look or drawn_look
            if more:
                yield Piece(place=f"{place}, shown in annotations", text=more)
        if look:
            seen.append(number)


def _drawn(
    document: pdfium.PdfDocument, number: int, before: str, structure: Structure, lettering: Lettering
) -> tuple[bool, str]:
    """Return whether a page with its annotations drawn onto it has to be looked at, and the lines that they add."""
    page = document[number]
    try:
        text = pages.text_of(page)
        look = pages.must_be_seen(page, text, patterns=structure.patterns)
        if not look:
            lettering.note(number, text.letters)
    finally:
        page.close()
    known = set(before.split("\n"))
    return look, "\n".join(line for line in text.text.split("\n") if line not in known)


def _earlier(data: bytes, structure: Structure, budget: Budget, said: set[str]) -> Parts:
    # An end counts where it points to a table: that of an embedded PDF counts from another beginning.
    ends = [found.end() for found in _END.finditer(data) if _TABLE.match(data, int(found.group(1)))][:-1]
    if b"/Linearized" in data[:1024]:
        ends = ends[1:]  # the first part of a file that is laid out for the web ends so, too
    if len(ends) > _MOST_VERSIONS:
        yield Unread(reason=Reason.EARLIER_VERSION)
    for number, end in enumerate(ends[:_MOST_VERSIONS], 1):
        document = _opened(data[:end])
        if isinstance(document, Unread):
            yield Unread(reason=Reason.EARLIER_VERSION)
            continue
        seen: list[int] = []
        with document:
            lettering = Lettering(document)
            for part in _texts(document, data[:end], structure, budget, seen, lettering):
                if isinstance(part, Piece) and part.text not in said:
                    said.add(part.text)
                    yield Piece(place=f"earlier version {number}, {part.place}", text=part.text)
                elif isinstance(part, Unread):
                    yield part
                elif isinstance(part, Inside):
                    yield Inside(place=f"earlier version {number}, {part.place}", data=part.data, name=part.name)
            shown = not seen and all(lettering.is_shown(page, budget) for page in lettering.pages)
        if not shown:
            yield Unread(reason=Reason.EARLIER_VERSION)  # what its pages showed is not looked at


def _shown(document: pdfium.PdfDocument, number: int, structure: Structure, known: set[bytes], budget: Budget) -> Parts:
    """Yield what can be read in the picture of a page, and in pictures that it hides. `known`: those read already."""
    budget.time()
    page = document[number]
    place = f"page {number + 1}"
    try:
        if pages.largest_picture(page) > _LARGEST:
            yield Unread(reason=Reason.TOO_LARGE)
            return
        width, height = page.get_size()
        scale = min(_DPI / 72, (_PIXELS / max(1.0, width * height)) ** 0.5)
        yield from _seen(page.render(scale=scale, may_draw_forms=True, rev_byteorder=True).to_pil(), place, budget)
        for index, image in enumerate(pages.buried(page, layers=structure.layers), 1):
            mark = blake2b(bytes(image.get_data()), digest_size=16).digest()
            if mark not in known:
                known.add(mark)
                yield from _seen(image.get_bitmap().to_pil(), f"{place}, picture {index}", budget)
    except pdfium.PdfiumError:
        yield Unread(reason=Reason.BROKEN)
    finally:
        page.close()


def _seen(image: Image.Image, place: str, budget: Budget) -> Parts:
    """Yield what the reader of pictures reads, at its place."""
    budget.time()
    for part in picture.read_rendered(image, budget):
        match part:
            case Piece():
                yield Piece(place=f"{place}, {part.place}" if part.place else place, text=part.text, recognised=True)
            case Pages():
                pass
            case _:
                yield part
