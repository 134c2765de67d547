"""Pictures as people send them: how large they are, by their header alone, and their pixels.

The size is read in the gateway, before anything is decoded; pixels only in the worker's process, for decoders of
pictures have had holes. Pillow reads the formats, because llama.cpp's own way knows no WebP, leaves photographs of
telephones lying on their side, and starts ffmpeg for what it can't read.
"""

import io
import struct
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MOST_PIXELS = 50_000_000  # what the largest cameras of telephones take; decoded, 150 MB
_TURNED = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
_ORIENTATION = 0x0112
_FAULTS = (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, EOFError, struct.error)

Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses twice as many, wherever a format says its size
warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # beyond the half it only warns


class PictureFault(Exception):
    """Fault of a picture; the message is the end of a sentence about it, for the client."""


def size_of(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels, as the picture will be seen. Only its header is read.

    Raises:
        PictureFault: it is no picture, of another format, or too large.
    """
    with _opened(data) as image:
        width, height = image.size
        return (height, width) if _orientation(image) in _TURNED else (width, height)


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels, `(height, width, 3)` uint8 RGB: upright, of the first frame, on white where transparent.

    Raises:
        PictureFault: it can't be decoded.
    """
    with _opened(data) as image:
        try:
            upright = ImageOps.exif_transpose(image) if _orientation(image) > 1 else image
            return np.ascontiguousarray(_coloured(upright))
        except (*_FAULTS, MemoryError, Image.DecompressionBombError) as error:
            raise PictureFault("is damaged or incomplete") from error


def _opened(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise PictureFault(f"has more than {MOST_PIXELS // 10**6} million pixels: send a smaller one") from None
    except _FAULTS as error:
        raise PictureFault("can't be read: PNG, JPEG, WebP, GIF and BMP can") from error
    if min(image.size) < 1:
        raise PictureFault("has no pixels")
    return image


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8. Only where it stands in the header: of a PNG all would be decoded for it."""
    if image.format not in ("JPEG", "WEBP"):
        return 1
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except _FAULTS:
        return 1
    return found if isinstance(found, int) else 1


def _coloured(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16 bits of grey: Pillow would cut them off, not scale them
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        paper = Image.new("RGBA", coloured.size, "white")
        return np.asarray(Image.alpha_composite(paper, coloured).convert("RGB"))
    return np.asarray(image.convert("RGB"))
