"""Pictures: every frame as Pillow decodes it, what is written in it, and what the file says besides.

A picture is whole only where lines explain everything that is drawn: what else it shows nobody here can tell.
"""

import importlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence

from gateway.attachments.worker import exif, ocr
from gateway.attachments.worker.parts import Budget, Pages, Parts, Reason, Unread
from gateway.attachments.worker.segments import Segments, segments
from gateway.core.attachment import Piece

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000")
MOST_PIXELS = 50_000_000  # what the largest cameras of telephones take
LONGEST = 32_000  # pixels of a side: a long page as one picture
_MOST_FRAMES = 24
_DECODED = 12_000_000  # pixels: JPEG is decoded at half its size while it has more

_FAULTS = exif.FAULTS
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")

for _name in ("Avif", "Jpeg2K", "Tiff", "WebP"):  # Pillow knows the others from its start
    importlib.import_module(f"PIL.{_name}ImagePlugin")
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses twice as many, wherever a format says its size
warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # beyond the half it only warns


def read(data: bytes, budget: Budget) -> Parts:
    """Yield what a picture says: metadata first, then each frame."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        yield Unread(reason=Reason.TOO_LARGE)
        return
    except _FAULTS:
        yield Unread(reason=Reason.UNREADABLE)  # a format that Pillow does not know, or no more than its first bytes
        return
    with image:
        beside = segments(data)
        try:
            yield from _frames(image, beside, budget)
        except (*_FAULTS, Image.DecompressionBombError):
            yield Unread(reason=Reason.BROKEN)
        yield from exif.read(image, beside)


def read_rendered(image: Image.Image, budget: Budget) -> Parts:
    """Yield what a rendered page says; one with nothing on it is whole. Places are within the page."""
    if not ocr.installed():
        yield Unread(reason=Reason.UNREADABLE)
        return
    from gateway.attachments.worker.ocr.reading import read_pixels

    yield from read_pixels(_colours(image), "", budget)


def _frames(image: Image.Image, beside: Segments, budget: Budget) -> Parts:
    count = getattr(image, "n_frames", 1)
    yield Pages(count=count)
    if max(image.size) > LONGEST:
        yield Unread(reason=Reason.TOO_LARGE)
        return
    if not ocr.installed():
        yield Unread(reason=Reason.UNREADABLE)
        return
    from gateway.attachments.worker.ocr.reading import read_pixels

    if count > _MOST_FRAMES:
        yield Unread(reason=Reason.TOO_MANY_PAGES)
    known: set[int] = set()
    said = False
    blank = image.format == "JPEG" and image.width * image.height <= _DECODED  # others may keep more than 8 bits
    for number, frame in zip(range(min(count, _MOST_FRAMES)), ImageSequence.Iterator(image), strict=False):
        budget.page()
        budget.unpack(3 * frame.width * frame.height)
        place = f"frame {number + 1}" if count > 1 else ""
        if frame.mode in _DEEP:
            yield Unread(reason=Reason.OBJECT)  # more shades than are looked at
        for pixels in _views(frame):
            mark = hash(pixels.tobytes())
            if mark in known:
                continue
            known.add(mark)
            blank = blank and _is_white(pixels)
            for part in read_pixels(pixels, place, budget):
                said = said or isinstance(part, Piece)
                yield part
    if not said and not blank:
        yield Unread(reason=Reason.PHOTOGRAPH)


def _is_white(pixels: NDArray[np.uint8]) -> bool:
    """Say whether nothing is drawn at all: an empty page, as templates of documents have it for their preview.

    Only white leaves no doubt: in a JPEG, inks below full black and values beyond their range make one colour of many.
    """
    return bool((pixels == 255).all())


def _views(frame: Image.Image) -> Iterator[NDArray[np.uint8]]:
    """Yield the pixels of a frame as they are seen: if some are transparent, on white, on black, and without that."""
    if frame.format in ("JPEG", "MPO"):
        while frame.width * frame.height > _DECODED and frame.draft(None, (frame.width // 2, frame.height // 2)):
            pass
    frame.load()
    upright = ImageOps.exif_transpose(frame)
    if not upright.has_transparency_data:
        yield _colours(upright)
        return
    layers = upright.convert("RGBA")
    if layers.getchannel("A").getextrema() == (255, 255):
        yield _colours(layers)
        return
    for ground in ("white", "black"):
        yield _colours(Image.alpha_composite(Image.new("RGBA", layers.size, ground), layers))
    yield _colours(layers)


def _colours(image: Image.Image) -> NDArray[np.uint8]:
    """Return `(height, width, 3)` uint8 RGB."""
    if image.mode in _DEEP:
        values = np.asarray(image, dtype=np.float32)
        low, high = float(values.min()), float(values.max())
        shades = (values - low) * (255 / (high - low) if high > low else 0)
        image = Image.fromarray(shades.astype(np.uint8))
    return np.array(image.convert("RGB"))
