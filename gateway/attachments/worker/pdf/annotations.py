"""What stands on a page beside its text: notes, links, form fields, attached files, texts for screen readers."""

import ctypes
from collections.abc import Iterator
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from gateway.attachments.worker.parts import Budget, Inside, Parts, Reason, Unread
from gateway.attachments.worker.pdf.strings import narrow, wide
from gateway.core.attachment import Piece

_KEYS = (b"Contents", b"T", b"Subj", b"RC", b"NM", b"DS", b"OverlayText", b"CA", b"A", b"Name")
_FIELD = (
    "FPDFAnnot_GetFormFieldName", "FPDFAnnot_GetFormFieldAlternateName", "FPDFAnnot_GetFormFieldValue",
    "FPDFAnnot_GetFormFieldExportValue",
)  # fmt: skip
_NOT_READ = frozenset(
    {raw.FPDF_ANNOT_SOUND, raw.FPDF_ANNOT_MOVIE, raw.FPDF_ANNOT_SCREEN, raw.FPDF_ANNOT_THREED, raw.FPDF_ANNOT_RICHMEDIA}
)
_ACTIONS = range(12, 16)  # the JavaScript of a field: on a key, to format, to check, to calculate
_MOST_ANNOTATIONS, _MOST_OPTIONS, _MOST_ELEMENTS, _DEEPEST = 5000, 2000, 20_000, 64


def read(page: pdfium.PdfPage, place: str, budget: Budget) -> Parts:
    """Yield the texts of a page's annotations, form fields and structure, and the files that are pinned to it."""
    lines: list[str] = []
    count = raw.FPDFPage_GetAnnotCount(page)
    if count > _MOST_ANNOTATIONS:
        yield Unread(reason=Reason.TOO_LARGE)
    for index in range(min(count, _MOST_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            lines += _texts(page, annotation)
            if raw.FPDFAnnot_GetSubtype(annotation) in _NOT_READ:
                yield Unread(reason=Reason.OBJECT)
            if _has_script(page, annotation):
                yield Unread(reason=Reason.PROGRAM)
            yield from pinned(raw.FPDFAnnot_GetFileAttachment(annotation), f"{place}, attachment {index + 1}", budget)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    if lines:
        yield Piece(place=f"{place}, annotations", text="\n".join(lines))
    described = "\n".join(_structure(page))
    if described:
        yield Piece(place=f"{place}, descriptions", text=described)


def draw(page: pdfium.PdfPage) -> bool:
    """Draw onto the page what its annotations show, hidden ones too. Say whether there was anything; then open it anew.

    What an annotation shows need not be what it says of itself.
    """
    drawn = False
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if annotation:
            if raw.FPDFAnnot_HasKey(annotation, b"AP"):
                drawn = True
                raw.FPDFAnnot_SetFlags(annotation, raw.FPDF_ANNOT_FLAG_NONE)
            raw.FPDFPage_CloseAnnot(annotation)
    return drawn and raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_FAIL


def pinned(attachment: Any, place: str, budget: Budget) -> Parts:
    """Yield an attached file, and what is said of it."""
    if not attachment:
        return
    name = wide(raw.FPDFAttachment_GetName, attachment)
    words = "\n".join(text for text in (name, wide(raw.FPDFAttachment_GetDescription, attachment)) if text)
    if words:
        yield Piece(place=f"{place}, name", text=words)
    length = ctypes.c_ulong()
    raw.FPDFAttachment_GetFile(attachment, None, 0, length)
    budget.unpack(length.value)
    buffer = ctypes.create_string_buffer(length.value)
    if length.value and raw.FPDFAttachment_GetFile(attachment, buffer, length.value, length):
        yield Inside(place=place, data=buffer.raw[: length.value], name=name)
    else:
        yield Unread(reason=Reason.OBJECT)  # it stands outside of the file, or is empty


def _texts(page: pdfium.PdfPage, annotation: Any) -> Iterator[str]:
    yield from filter(None, (wide(raw.FPDFAnnot_GetStringValue, annotation, key) for key in _KEYS))
    link = raw.FPDFAnnot_GetLink(annotation)
    action = raw.FPDFLink_GetAction(link) if link else None
    if action:
        yield from filter(None, (narrow(raw.FPDFAction_GetURIPath, page.pdf, action),))
        yield from filter(None, (narrow(raw.FPDFAction_GetFilePath, action),))
    if page.formenv is not None and raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET:
        yield from filter(None, (wide(getattr(raw, name), page.formenv, annotation) for name in _FIELD))
        options = min(max(0, raw.FPDFAnnot_GetOptionCount(page.formenv, annotation)), _MOST_OPTIONS)
        for index in range(options):
            yield wide(raw.FPDFAnnot_GetOptionLabel, page.formenv, annotation, index)


def _has_script(page: pdfium.PdfPage, annotation: Any) -> bool:
    if page.formenv is None:
        return False
    script = raw.FPDFAnnot_GetFormAdditionalActionJavaScript
    return any(wide(script, page.formenv, annotation, event) for event in _ACTIONS)


def _structure(page: pdfium.PdfPage) -> Iterator[str]:
    """Yield the texts that stand in for pictures and signs, in documents that are made for screen readers."""
    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return
    try:
        waiting = [(raw.FPDF_StructTree_GetChildAtIndex(tree, index), 0)
                   for index in reversed(range(raw.FPDF_StructTree_CountChildren(tree)))]  # fmt: skip
        for _ in range(_MOST_ELEMENTS):
            if not waiting:
                return
            element, depth = waiting.pop()
            if not element:
                continue
            for function in (raw.FPDF_StructElement_GetAltText, raw.FPDF_StructElement_GetActualText,
                             raw.FPDF_StructElement_GetExpansion, raw.FPDF_StructElement_GetTitle):  # fmt: skip
                text = wide(function, element)
                if text:
                    yield text
            if depth < _DEEPEST:
                children = reversed(range(max(0, raw.FPDF_StructElement_CountChildren(element))))
                waiting += [(raw.FPDF_StructElement_GetChildAtIndex(element, index), depth + 1) for index in children]
    finally:
        raw.FPDF_StructTree_Close(tree)
