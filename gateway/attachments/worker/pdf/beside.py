"""What a PDF says beside its pages: metadata, outline, attached files, forms in XML, signatures, scripts."""

import ctypes
import re
from collections.abc import Iterator

import pypdfium2 as pdfium
from pypdfium2 import raw

from gateway.attachments.worker.charset import runs
from gateway.attachments.worker.parts import Budget, Inside, Parts, Reason, Unread
from gateway.attachments.worker.pdf import objects
from gateway.attachments.worker.pdf.annotations import pinned
from gateway.attachments.worker.pdf.strings import raw as bytes_of
from gateway.attachments.worker.pdf.strings import wide
from gateway.attachments.worker.pdf.structure import begins, streams, unpacked
from gateway.core.attachment import Piece

_METADATA = re.compile(rb"/Type\s*/Metadata\b")
_XML = (b"<?xpacket", b"<x:xmpmeta", b"<rdf:", b"<?xml")
_MOST_BOOKMARKS = 20_000


def read(document: pdfium.PdfDocument, data: bytes, budget: Budget) -> Parts:
    """Yield all of it. `data`: the file that the document was opened from."""
    for place, texts in (
        ("metadata", document.get_metadata_dict(skip_empty=True).values()),
        ("outline", _outline(document)),
        ("page labels", _labels(document)),
    ):
        text = "\n".join(texts)
        if text.strip():
            yield Piece(place=place, text=text)
    yield from _xmp(data, budget)
    for index in range(raw.FPDFDoc_GetAttachmentCount(document)):
        yield from pinned(raw.FPDFDoc_GetAttachment(document, index), f"attachment {index + 1}", budget)
    yield from _forms(document, budget)
    for index in range(max(0, raw.FPDF_GetSignatureCount(document))):
        yield from _signature(raw.FPDF_GetSignatureObject(document, index), f"signature {index + 1}")
    yield from _scripts(document)
    encrypted = raw.FPDF_GetSecurityHandlerRevision(document) >= 0  # then they are noise
    others = "" if encrypted else "\n".join(objects.texts(data, budget))
    if others:
        yield Piece(place="objects", text=others)


def _outline(document: pdfium.PdfDocument) -> Iterator[str]:
    for number, bookmark in enumerate(document.get_toc()):
        if number >= _MOST_BOOKMARKS:
            return
        yield bookmark.get_title()


def _labels(document: pdfium.PdfDocument) -> Iterator[str]:
    """Yield labels of pages that are words, not numbers."""
    for index in range(min(len(document), 1000)):
        label = document.get_page_label(index)
        if len(label) > 8:
            yield label


def _xmp(data: bytes, budget: Budget) -> Parts:
    """Yield the XML of metadata, which stands in streams of their own that PDFium has no function for."""
    every = (one for one in streams(data) if _METADATA.search(one[0]) or begins(*one).lstrip().startswith(_XML))
    for number, (words, content) in enumerate(every, 1):
        whole = unpacked(words, content, budget)
        if whole is None:
            yield Unread(reason=Reason.OBJECT)
        elif whole.strip():
            yield Inside(place=f"metadata {number}", data=whole.strip())


def _forms(document: pdfium.PdfDocument, budget: Budget) -> Parts:
    for index in range(max(0, raw.FPDF_GetXFAPacketCount(document))):
        length = ctypes.c_ulong()
        raw.FPDF_GetXFAPacketContent(document, index, None, 0, length)
        budget.unpack(length.value)
        buffer = ctypes.create_string_buffer(length.value + 1)
        if raw.FPDF_GetXFAPacketContent(document, index, buffer, length.value, length):
            yield Piece(place=f"form {index + 1}", text=buffer.raw[: length.value].decode("utf-8", "replace"))
        yield Unread(reason=Reason.PROGRAM)  # its scripts decide what is shown


def _signature(signature: object, place: str) -> Parts:
    """Yield the reason of a signature, and the names in its certificates: in Spain they hold an identity number."""
    if not signature:
        return
    text = "\n".join(
        (
            wide(raw.FPDFSignatureObj_GetReason, signature),
            *runs(bytes_of(raw.FPDFSignatureObj_GetContents, signature).rstrip(b"\0")),
        )
    )
    if text.strip():
        yield Piece(place=place, text=text)


def _scripts(document: pdfium.PdfDocument) -> Parts:
    for index in range(max(0, raw.FPDFDoc_GetJavaScriptActionCount(document))):
        script = raw.FPDFDoc_GetJavaScriptAction(document, index)
        if script:
            yield Piece(place=f"script {index + 1}", text=wide(raw.FPDFJavaScriptAction_GetScript, script))
            raw.FPDFDoc_CloseJavaScriptAction(script)
        yield Unread(reason=Reason.PROGRAM)
