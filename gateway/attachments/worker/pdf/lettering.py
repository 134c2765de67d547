"""Whether a page shows the letters that its text layer says: a font's table of letters may be wrong, and may lie.

A font says which letter each of its shapes is (ISO 32000-1, 9.10.3), and nothing in a file proves it. So a few words
with every letter of every font are drawn, read as a picture, and compared: once for a document, not once for a page.
"""

import ctypes
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from difflib import SequenceMatcher
from typing import TypeAlias

import msgspec
import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from pypdfium2 import raw

from gateway.attachments.worker import ocr
from gateway.attachments.worker.ocr.models import Pixels
from gateway.attachments.worker.ocr.placed import Box, lengths
from gateway.attachments.worker.parts import Budget
from gateway.attachments.worker.pdf.pages import SPACES, address, without_replacements

Pair: TypeAlias = tuple[int, str]  # a font by its address, and a letter that it is said to show

_DPI = 200
_FINE = 8  # steps of a pixel in which places are counted
_TALL, _LARGER = 32, 16.0  # pixels: words that are less tall are drawn so many times larger at most
_PIXELS = 4_000_000  # of one word
_WORDS = (6, 40)  # letters that are read at once: fewer are read badly
_TRIES, _MOST = 3, 40  # of a letter; of all words of a page
_FONTS = 100  # pages with fonts of their own that are held
_PLAIN = 24  # shades between the darkest and the brightest pixel of what shows nothing
_UNLIKE = frozenset("0123456789dfgjlqsw")  # no Greek or Cyrillic letter and no sign looks like several of these
_SURPLUS = 2  # of them that are seen and not said
_STRANGE = 3  # different letters that are seen where only signs are said: signs may look like an o, an l or an x
_ALIKE = str.maketrans("I|!", "lll")  # nobody tells them apart


class _Sign(msgspec.Struct, frozen=True):
    """One sign of the text layer. `index`: its number on the page."""

    index: int
    pair: Pair


class Lettering:
    """What is known of the fonts of one document, and which letters of them its pages show."""

    def __init__(self, document: pdfium.PdfDocument) -> None:
        """Know nothing yet."""
        self._document = document
        self._pages: dict[int, set[Pair]] = {}
        self._unheld: set[int] = set()
        self._seen: set[Pair] = set()
        self._tried: Counter[Pair] = Counter()
        self._fonts: set[int] = set()
        # INVARIANT: the address of a font is its own as long as a page with it is open.
        self._held: list[pdfium.PdfPage] = []

    @property
    def pages(self) -> Iterable[int]:
        """Numbers of the pages that were noted."""
        return self._pages.keys()

    def note(self, number: int, letters: AbstractSet[Pair]) -> None:
        """Note which letters of which fonts a page has that is open, to be looked at later."""
        self._pages.setdefault(number, set()).update(letters)
        fonts = {font for font, _ in letters}
        if fonts <= self._fonts:
            return
        if len(self._held) >= _FONTS:
            self._unheld.add(number)
            return
        self._held.append(self._document[number])
        self._fonts |= fonts

    def is_shown(self, number: int, budget: Budget) -> bool:
        """Say whether a page shows what its text layer says, as far as words of it can be read.

        Raises:
            BudgetSpent: the time is over.
        """
        unknown = self._pages[number] - self._seen
        if not unknown:
            return True
        if number in self._unheld or not ocr.installed():
            return False
        page = self._document[number]
        without_replacements(page)
        textpage = page.get_textpage()
        try:
            return self._look(_Drawn(page, textpage), list(_words(textpage)), unknown, budget)
        finally:
            textpage.close()
            page.close()

    def _look(self, drawn: "_Drawn", words: list[list[_Sign]], unknown: set[Pair], budget: Budget) -> bool:
        nowhere: set[Pair] = set()  # what is not to be seen at all
        for _ in range(_MOST):
            if any(self._tried[pair] >= _TRIES for pair in unknown):
                return False
            left = unknown - nowhere
            word = max(words, key=lambda one: len(left.intersection(sign.pair for sign in one)), default=[])
            fresh = left.intersection(sign.pair for sign in word)
            if not fresh:
                break
            words.remove(word)
            budget.time()
            read = drawn.read(word)
            if read is None:
                nowhere |= fresh
                continue
            agreed = _agreed(word, read)
            self._seen |= agreed
            self._tried.update(fresh - agreed)
            unknown -= agreed
        return unknown <= nowhere


class _Drawn:
    """Words of a page as pictures, large enough to be read."""

    def __init__(self, page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> None:
        self._page = page
        self._textpage = textpage
        self._width, self._height = (round(side * _DPI / 72) for side in page.get_size())

    def read(self, word: list[_Sign]) -> str | None:
        """Return what is read where a word stands; None: nothing is to be seen there."""
        from gateway.attachments.worker.ocr.letters import line_of
        from gateway.attachments.worker.ocr.page import level

        box = self._box(word)
        larger = min(_LARGER, max(1.0, _TALL / max(1.0, lengths(box)[1])))
        box *= larger
        (left, top), (right, bottom) = np.floor(box.min(axis=0)).astype(int), np.ceil(box.max(axis=0)).astype(int)
        if right < 0 or bottom < 0 or left > larger * self._width or top > larger * self._height:
            return None
        if (right - left) * (bottom - top) > _PIXELS:
            return ""
        drawn = self._picture(int(left), int(top), int(right - left), int(bottom - top), larger)
        crop = level(drawn, box - np.array((left, top), np.float32))
        return line_of(crop).text if int(crop.max()) - int(crop.min()) >= _PLAIN else None

    def _picture(self, left: int, top: int, width: int, height: int, larger: float) -> Pixels:
        bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        whole = round(self._width * larger), round(self._height * larger)
        raw.FPDF_RenderPageBitmap(bitmap, self._page, -left, -top, *whole, 0, 0)
        return np.ascontiguousarray(bitmap.to_numpy()[:, :, ::-1])

    def _box(self, word: list[_Sign]) -> Box:
        """Return the corners of a word, clockwise from where it begins."""
        corners = np.array([corner for sign in word for corner in self._corners(sign.index)], np.float32)
        along = self._origin(word[-1].index) - self._origin(word[0].index)
        length = float(np.hypot(*along))
        along = along / length if length > 1 else np.array((1.0, 0.0))
        down = np.array((-along[1], along[0]))
        (left, right), (top, bottom) = _ends(corners @ along), _ends(corners @ down)
        room = 0.2 * (bottom - top) + 2
        left, right, top, bottom = left - room, right + room, top - room, bottom + room
        box = [x * along + y * down for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
        return np.array(box, np.float32)

    def _corners(self, index: int) -> Iterator[tuple[float, float]]:
        left, right, bottom, top = (ctypes.c_double() for _ in range(4))
        raw.FPDFText_GetCharBox(self._textpage, index, left, right, bottom, top)
        for x in (left, right):
            for y in (bottom, top):
                yield self._at(x.value, y.value)

    def _origin(self, index: int) -> NDArray[np.float64]:
        x, y = ctypes.c_double(), ctypes.c_double()
        raw.FPDFText_GetCharOrigin(self._textpage, index, x, y)
        return np.array(self._at(x.value, y.value), np.float64)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the page is, in pixels."""
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(self._page, 0, 0, _FINE * self._width, _FINE * self._height, 0, x, y, across, down)
        return across.value / _FINE, down.value / _FINE


def _words(textpage: pdfium.PdfTextPage) -> Iterator[list[_Sign]]:
    """Yield words of a page as they follow each other on a line, so many together that they are read well."""
    word: list[_Sign] = []
    least, most = _WORDS
    for index in range(textpage.count_chars()):
        letter = chr(raw.FPDFText_GetUnicode(textpage, index))
        if letter not in SPACES:
            font = address(raw.FPDFTextObj_GetFont(raw.FPDFText_GetTextObject(textpage, index)))
            word.append(_Sign(index, (font, letter)))
        if word and (letter in "\r\n" or len(word) >= most or (letter in SPACES and len(word) >= least)):
            yield word
            word = []
    if word:
        yield word


def _agreed(word: Iterable[_Sign], read: str) -> set[Pair]:
    """Return the letters that are read where they are said."""
    said = [(sign.pair, plain) for sign in word for plain in _plain(sign.pair[1]) or " "]
    seen = "".join(_plain(read))
    blocks = SequenceMatcher(None, "".join(plain for _, plain in said), seen, autojunk=False).get_matching_blocks()
    matched = {place for block in blocks for place in range(block.a, block.a + block.size)}
    agreed = {pair for place, (pair, _) in enumerate(said) if place in matched}
    told = "".join(plain for _, plain in said)
    foreign = any(plain == " " and pair[1].isalpha() for pair, plain in said)
    likely = _telling(seen) <= _telling(told) + _SURPLUS and (foreign or len({*seen} - {*told}) <= _STRANGE)
    if likely and 2 * len(matched) >= sum(plain != " " for _, plain in said):
        agreed |= {pair for pair, plain in said if plain == " "}  # signs, and letters that can't be read here
    return agreed


def _plain(text: str) -> str:
    """Return letters of A to Z without accents, and digits; nothing for other signs."""
    folded = unicodedata.normalize("NFKD", text).translate(_ALIKE).lower()
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum())


def _telling(text: str) -> int:
    return sum(letter in _UNLIKE for letter in text)


def _ends(values: NDArray[np.floating]) -> tuple[float, float]:
    return float(values.min()), float(values.max())
