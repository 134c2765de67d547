"""Pictures as telephones and browsers make them."""

import io

import numpy as np
import pytest
from PIL import Image

from gateway.engine.pictures import PictureFault, pixels_of, size_of


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a_photograph_is_turned_upright(form: str) -> None:
    """Its EXIF orientation counts, for its size too."""
    exif = Image.Exif()
    exif[0x0112] = 6
    photograph = Image.new("RGB", (40, 20), "black")
    photograph.paste("white", (0, 0, 20, 20))  # the left half, which is the upper one when it is upright
    data = saved(photograph, form, exif=exif)
    assert size_of(data) == (20, 40)
    pixels = pixels_of(data)
    assert pixels.shape == (40, 20, 3)
    assert pixels[:18].min() > 200
    assert pixels[22:].max() < 60


def test_what_is_transparent_lies_on_white() -> None:
    """A drawing in black on nothing stays a drawing."""
    drawing = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    drawing.putpixel((1, 1), (0, 0, 0, 255))
    pixels = pixels_of(saved(drawing, "PNG"))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [0, 0, 0]


def test_sixteen_bits_of_grey_are_scaled() -> None:
    """A scan with more shades than a screen shows is not cut off to white."""
    scan = Image.fromarray(np.full((3, 3), 0x8000, np.uint16))
    assert pixels_of(saved(scan, "PNG"))[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "can't be read"),
        (b"%PDF-1.7", "can't be read"),
        (saved(Image.new("RGB", (4, 4)), "TIFF"), "can't be read"),
        (saved(Image.new("1", (20_000, 20_000)), "PNG"), "million pixels"),
    ],
    ids=["nothing", "PDF", "TIFF", "bomb"],
)
def test_what_is_no_picture_for_models(data: bytes, says: str) -> None:
    """Other formats, and pictures that would fill the memory, are told by their header."""
    with pytest.raises(PictureFault, match=says):
        size_of(data)
