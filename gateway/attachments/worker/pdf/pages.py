"""Text layer of a page, and whether the page may show more than its text layer says."""

import ctypes
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pypdfium2 as pdfium
from pypdfium2 import raw

from gateway.attachments.worker.pdf.strings import wide

_OBJECTS = [raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_TEXT]
_CURVES = 24  # more are likely letters that were turned into outlines, or a drawing
SPACES = frozenset({"\r", "\n", " ", "\t", "\xa0", "\x02", "\ufffe", "\0"})
_LETTER = re.compile(r"[^\W\d_]|[\ue000-\uf8ff]")
_RARE_LETTER = re.compile(r"[\u0100-\u024f\ue000-\uf8ff]")  # Latin letters with signs, and those of private use
_RARE = 3  # one in so many letters; no language has more than one in five
_MOST_OBJECTS = 20_000
_SMALLEST, _DENSEST = 24, 600  # pixels of a side that may hold a line of text; dots an inch that a page still shows


class PageText(msgspec.Struct, frozen=True, kw_only=True):
    """Text layer of a page, and its letters with the addresses of their fonts.

    `sure`: every letter has its Unicode in the file; `lost`: some letters have no size.
    """

    text: str
    sure: bool
    lost: bool
    letters: frozenset[tuple[int, str]] = frozenset()


def text_of(page: pdfium.PdfPage) -> PageText:
    """Return the text layer: also what is white, tiny, covered or outside of the page, or replaced by other words."""
    instead = _replaced(page)
    textpage = page.get_textpage()
    try:
        count = textpage.count_chars()
        text = textpage.get_text_range()
        unknown, handle = raw.FPDFText_HasUnicodeMapError, textpage.raw
        sure = _plausible(text) and not any(unknown(handle, index) == 1 for index in range(count))
        left_out: list[pdfium.PdfTextObj] = []
        letters: set[tuple[int, str]] = set()
        for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
            said = wide(raw.FPDFTextObj_GetText, one, textpage)
            if said:
                font = address(raw.FPDFTextObj_GetFont(one))
                letters.update((font, letter) for letter in set(said) - SPACES)
            else:
                left_out.append(one)
    finally:
        textpage.close()
    shown = [text, *_enlarged(page, left_out)]
    # U+0002 stands where a word was divided at the end of a line.
    whole = "\n".join([*shown, *instead]).replace("\x02", "").replace("\r\n", "\n").replace("\ufffe", "")
    return PageText(text=whole, sure=sure, lost=len(shown) <= len(left_out), letters=frozenset(letters))


def address(font: Any) -> int:
    """Return where a font is in memory; no other font is there while a page with it is open."""
    return (ctypes.cast(font, ctypes.c_void_p).value or 0) if font else 0


def without_replacements(page: pdfium.PdfPage) -> None:
    """Take away what stands in the place of letters for whoever copies them (`ActualText`)."""
    for text, mark in _replacements(page):
        raw.FPDFPageObj_RemoveMark(text, mark)


def _replaced(page: pdfium.PdfPage) -> list[str]:
    """Return the text with its replacements, and take them away; nothing if there are none."""
    if next(_replacements(page), None) is None:
        return []
    textpage = page.get_textpage()
    try:
        text = textpage.get_text_range()
    finally:
        textpage.close()
    without_replacements(page)
    return [text]


def _replacements(page: pdfium.PdfPage) -> Iterator[tuple[pdfium.PdfObject, Any]]:
    for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
        for index in reversed(range(max(0, raw.FPDFPageObj_CountMarks(one)))):
            mark = raw.FPDFPageObj_GetMark(one, index)
            if raw.FPDFPageObjMark_GetParamValueType(mark, b"ActualText") != raw.FPDF_OBJECT_UNKNOWN:
                yield one, mark


def _enlarged(page: pdfium.PdfPage, left_out: list[pdfium.PdfTextObj]) -> list[str]:
    """Return texts that PDFium leaves out since nobody could see them: each is given a size and a line of its own."""
    if not left_out:
        return []
    sized = [_has_size(one) for one in left_out]
    for index, one in enumerate(left_out):
        one.set_matrix(pdfium.PdfMatrix(1, 0, 0, 1, 0, 20 * index))
        raw.FPDFTextObj_SetFontSize(one, 12.0)
    textpage = page.get_textpage()
    try:
        texts = [wide(raw.FPDFTextObj_GetText, one, textpage) for one in left_out]
    finally:
        textpage.close()
    # Chromium writes single spaces as texts of their own: such a text has a size, and even enlarged no extent.
    said = zip(left_out, texts, sized, strict=True)
    return [text for one, text, has_size in said if text or (has_size and _is_blank(one))]


def _has_size(text: pdfium.PdfTextObj) -> bool:
    size = ctypes.c_float()
    return bool(raw.FPDFTextObj_GetFontSize(text.raw, size)) and size.value > 0


def _is_blank(text: pdfium.PdfTextObj) -> bool:
    left, bottom, right, top = text.get_bounds()
    return bool(left == right and bottom == top)


def _plausible(text: str) -> bool:
    """Say whether these may be the letters that the page shows: a font's wrong table says rare ones throughout."""
    return _RARE * len(_RARE_LETTER.findall(text)) <= len(_LETTER.findall(text))


def must_be_seen(page: pdfium.PdfPage, text: PageText, *, patterns: bool) -> bool:
    """Say whether the page has to be looked at as a picture: it has one, letters as drawings, or no sure text.

    Args:
        page: The page.
        text: Its text layer.
        patterns: Whether the file has patterns, which may be made of letters.
    """
    if not text.sure:
        return True
    curves = 0
    for number, found in enumerate(page.get_objects(filter=_OBJECTS)):
        if number >= _MOST_OBJECTS or found.type == raw.FPDF_PAGEOBJ_IMAGE:
            return True
        if found.type == raw.FPDF_PAGEOBJ_PATH:
            curves += _curves(found)
            if curves > _CURVES or (patterns and _has_pattern(page, found)):
                return True
        elif not _has_font(found):
            return True
    return False


def buried(page: pdfium.PdfPage, *, layers: bool) -> list[pdfium.PdfImage]:
    """Return the pictures of a page that have to be looked at by themselves.

    A bar over a picture hides it from whoever looks at the page, and from nobody who takes the file apart. So only a
    picture that is alone on its page is seen well enough there. `layers`: whether the page may not show all of itself.
    """
    images = list(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE]))
    over = [raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING]
    alone = len(images) == 1 and next(page.get_objects(filter=over), None) is None
    if alone and not layers and not raw.FPDFPageObj_HasTransparency(images[0]) and _on_page(page, images[0]):
        return []
    return [one for one in images if min(one.get_px_size()) >= _SMALLEST]


def largest_picture(page: pdfium.PdfPage) -> int:
    """Return the most pixels that a picture of the page has."""
    sizes = (one.get_px_size() for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE]))
    return max((width * height for width, height in sizes), default=0)


def _on_page(page: pdfium.PdfPage, image: pdfium.PdfImage) -> bool:
    """Say whether a picture is shown whole, and large enough that a page's pixels hold its own."""
    left, bottom, right, top = image.get_bounds()
    page_left, page_bottom, page_right, page_top = page.get_bbox()
    inside = left >= page_left - 1 and bottom >= page_bottom - 1 and right <= page_right + 1 and top <= page_top + 1
    width, height = image.get_px_size()
    return bool(inside and max(width, height) <= _DENSEST / 72 * max(right - left, top - bottom))


def _curves(path: pdfium.PdfObject) -> int:
    segments = min(raw.FPDFPath_CountSegments(path), 10 * _CURVES)
    kinds = (raw.FPDFPathSegment_GetType(raw.FPDFPath_GetPathSegment(path, index)) for index in range(segments))
    return sum(kind == raw.FPDF_SEGMENT_BEZIERTO for kind in kinds)


def _has_pattern(page: pdfium.PdfPage, path: pdfium.PdfObject) -> bool:
    for drawn in (raw.FPDFPageObj_GetRenderedFillPattern, raw.FPDFPageObj_GetRenderedStrokePattern):
        bitmap = drawn(page.pdf, path)
        if bitmap:
            raw.FPDFBitmap_Destroy(bitmap)
            return True
    return False


def _has_font(text: pdfium.PdfObject) -> bool:
    """Say whether letters come from a font: those of Type 3 are drawings, and have no font's data."""
    font, length = raw.FPDFTextObj_GetFont(text), ctypes.c_size_t()
    return bool(font and raw.FPDFFont_GetFontData(font, None, 0, length) and length.value)
