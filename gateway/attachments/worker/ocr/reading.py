"""What a picture says, as pieces of text, and why that may not be all."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.attachments.worker.ocr.codes import codes_in
from gateway.attachments.worker.ocr.likeness import other_readings
from gateway.attachments.worker.ocr.page import Page, read_page
from gateway.attachments.worker.ocr.placed import Placed, lengths
from gateway.attachments.worker.parts import Budget, Part, Parts, Reason, Unread
from gateway.core.attachment import Piece

_SURE = 0.9  # a line that is less sure was not read
_SMALL, _SMALL_DIGITS = 12, 14  # pixels: in lines less tall other letters, and other digits, are read as if sure
_UNSURE = 0.6  # a letter this unsure is a guess
# Capitals that Greek or Cyrillic has, too: what reads lines knows no Cyrillic and takes these for Latin ones.
_ELSEWHERE = (frozenset("ABEHIKMNOPTXYZ"), frozenset("ABCEHIKMOPTXY"))
_FEW = 6  # letters that are of these by chance
_MOST_GUESSES = 0.1  # of a line's letters; of its digits none: one that is wrong makes another number of it


def read_pixels(pixels: NDArray[np.uint8], place: str, budget: Budget) -> Parts:
    """Yield what a picture says; where nothing is drawn, nothing.

    Args:
        pixels: `(height, width, 3)` RGB.
        place: Before the places of its pieces.
        budget: Its time is looked at before each line.
    """
    page = read_page(pixels, lambda: budget.seconds > 0)
    yield from _texts(page, place)
    budget.time()
    yield from _unread(page)
    if page.left_over.places or page.left_over.in_lines:
        budget.time()
        yield from _codes(pixels, place)


def _texts(page: Page, place: str) -> Iterator[Part]:
    if text := "\n".join(_rows(page.lines)):
        yield Piece(place=place, text=text, recognised=True)
    others = [reading for placed in page.lines for reading in other_readings(placed.line)]
    if others:
        where = f"{place}, other readings" if place else "other readings"
        yield Piece(place=where, text="\n".join(others), recognised=True)


def _rows(lines: Sequence[Placed]) -> Iterator[str]:
    """Yield the text of each row: boxes beside each other are one, as a field and its value are."""
    row: list[Placed] = []
    for placed in lines:
        if row and not _beside(row[-1], placed):
            yield " ".join(one.line.text for one in row)
            row = []
        row.append(placed)
    if row:
        yield " ".join(one.line.text for one in row)


def _beside(left: Placed, right: Placed) -> bool:
    _, height = lengths(left.box)
    same = abs(float(left.box[:, 1].mean() - right.box[:, 1].mean())) < height / 2
    return same and float(right.box[:, 0].min()) >= float(left.box[:, 0].mean())


def _unread(page: Page) -> Iterator[Part]:
    if page.left_over.in_lines or not all(_sure(placed) for placed in page.lines) or _of_another_script(page.lines):
        yield Unread(reason=Reason.LOW_CONFIDENCE)
    if page.left_over.share:
        yield Unread(reason=Reason.PHOTOGRAPH if page.left_over.textured else Reason.DRAWING)


def _sure(placed: Placed) -> bool:
    line = placed.line
    letters = [letter for letter in line.letters if letter.text != " "]
    guesses = [letter for letter in letters if letter.sureness < _UNSURE]
    digits = any(letter.text.isdigit() for letter in letters)
    if line.sureness < _SURE or lengths(placed.box)[1] < (_SMALL_DIGITS if digits else _SMALL):
        return False
    return len(guesses) <= _MOST_GUESSES * len(letters) and not any(letter.text.isdigit() for letter in guesses)


def _of_another_script(lines: Sequence[Placed]) -> bool:
    """Say whether everything that is written may be Greek or Cyrillic."""
    letters = [letter.text for placed in lines for letter in placed.line.letters if letter.text.isalpha()]
    return len(letters) > _FEW and any(script.issuperset(letters) for script in _ELSEWHERE)


def _codes(pixels: NDArray[np.uint8], place: str) -> Iterator[Part]:
    for text in codes_in(pixels):
        yield Unread(reason=Reason.CODE)
        if text:
            yield Piece(place=f"{place}, code" if place else "code", text=text)
