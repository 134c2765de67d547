"""Pages of text: lines in their order, whichever way up, however small, and in long pictures."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gateway.attachments.worker import ocr
from tests.attachments.drawn import ID, SANS, SERIF, font, page, scanned, written

if not ocr.installed():
    pytest.skip("the extra 'documents' is not installed", allow_module_level=True)

from gateway.attachments.worker.ocr.page import read_page

LINES = (
    "Informe de alta, Hospital General",
    f"María Núñez Ibáñez, DNI {ID}",
    "ES91 2100 0418 4502 0005 1332",
    "¿Alergias? Penicilina; 5 mg/día",
)


def lines(image: Image.Image) -> list[str]:
    """The lines of a picture, in order."""
    pixels = np.array(image.convert("RGB"))
    return [placed.line.text for placed in read_page(pixels, lambda: True).lines]


@pytest.mark.parametrize("turned", [0, 90, 180, 270, 3, -6, 92])
def test_text_is_read_whichever_way_up_it_lies(turned: float) -> None:
    """A page that was put askew or on its head into a scanner has the same lines, in the same order."""
    found = lines(scanned(written(LINES), turned=turned))
    assert len(found) == len(LINES)
    assert ID in found[1]
    assert found[2].replace(" ", "") == "ES9121000418450200051332"


@pytest.mark.parametrize(
    ("size", "path"), [(13, SANS), (60, SANS), (15, SERIF)], ids=["a small font", "a large font", "a font with serifs"]
)
def test_sizes_and_kinds_of_letters(size: float, path: str) -> None:
    """From what a screen shows as its smallest letters to headings."""
    assert ID in "".join(lines(written(LINES, size=size, path=path)))


def test_light_letters_on_dark_and_colour_on_colour() -> None:
    """As screens at night show them, and where only the colour differs."""
    night = written(LINES, ink=(220, 220, 220), paper=(30, 30, 40), mode="RGB")
    coloured = written(LINES, ink=(60, 130, 60), paper=(200, 60, 60), mode="RGB")
    assert ID in "".join(lines(night))
    assert ID in "".join(lines(coloured))


def test_noise_and_jpeg() -> None:
    """A bad scan."""
    assert ID in "".join(lines(scanned(page(LINES), noise=12, blur=0.6, quality=50)))


def test_a_long_picture_is_read_to_its_end() -> None:
    """A conversation as one picture of many screens is read in parts, which cut no line."""
    many = [f"{number}. {ID}" for number in range(10, 50)]
    assert [line.replace(" ", "") for line in lines(written(many, size=26))] == [line.replace(" ", "") for line in many]


def test_one_turned_line_beside_level_ones() -> None:
    """As on forms with a number along their edge."""
    image = Image.new("L", (900, 620), 255)
    image.paste(written(LINES), (0, 0))
    image.paste(written([f"DNI {ID}"]).rotate(90, expand=True), (780, 40))
    assert f"DNI {ID}" in lines(image)


def test_small_letters_in_a_large_picture_are_looked_at_again() -> None:
    """What is left over after the first look is enlarged."""
    image = Image.new("L", (1600, 1200), 255)
    image.paste(written([f"tel 612345678, DNI {ID}, end"], size=11), (20, 600))
    assert ID in "".join(lines(image))


def test_a_number_in_boxes_of_a_form_is_read_once() -> None:
    """Each letter in a box of its own, whose frames are near the letters."""
    image = written(["Documento de identidad", ""])
    for place, letter in enumerate(ID):
        ImageDraw.Draw(image).rectangle((30 + 40 * place, 75, 66 + 40 * place, 115), outline=0)
        ImageDraw.Draw(image).text((40 + 40 * place, 79), letter, font=font(26), fill=0)
    assert "".join(lines(image)[1:]).replace(" ", "") == ID


def test_reading_stops_when_told_to() -> None:
    """The time is looked at before each line, and what was read before stays."""
    left = iter([True] * 4)
    page = read_page(np.array(written(LINES).convert("RGB")), lambda: next(left, False))
    assert 0 < len(page.lines) < len(LINES)
