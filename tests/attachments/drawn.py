"""Pictures that tests draw: lines of text, as a screenshot or as a scan would show them."""

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SANS = "font_manrope/files/Manrope-Regular.ttf"
SERIF = "font_source_serif_pro/files/SourceSerifPro-Regular.otf"
ID = "12345678Z"
LINES = ("Paciente: María Núñez Ibáñez", f"DNI: {ID}", "Teléfono 612 345 678, habitación 14")


def font(size: float, path: str = SANS) -> ImageFont.FreeTypeFont:
    """A font out of its package, by its height in pixels."""
    package, _, inside = path.partition("/")
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return ImageFont.truetype(str(Path(spec.submodule_search_locations[0], inside)), size)


def written(
    lines: Sequence[str] = LINES,
    *,
    size: float = 28,
    path: str = SANS,
    ink: Any = 0,
    paper: Any = 255,
    mode: str = "L",
    margin: int = 30,
) -> Image.Image:
    """Lines of text on paper of their size."""
    letters = font(size, path)
    width = max(round(letters.getlength(line)) for line in lines) + 2 * margin
    image = Image.new(mode, (width, round(1.5 * size * len(lines)) + 2 * margin), paper)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((margin, margin + 1.5 * size * number), line, font=letters, fill=ink)
    return image


def page(lines: Sequence[str], *, points: float = 10, dpi: int = 150, path: str = SANS) -> Image.Image:
    """An A4 page."""
    image = Image.new("L", (round(8.27 * dpi), round(11.69 * dpi)), 255)
    letters = font(points * dpi / 72, path)
    for number, line in enumerate(lines):
        where = (0.8 * dpi, 0.7 * dpi + 1.45 * points * dpi / 72 * number)
        ImageDraw.Draw(image).text(where, line, font=letters, fill=10)
    return image


def scanned(
    image: Image.Image, *, turned: float = 0, noise: float = 0, blur: float = 0, quality: int | None = None
) -> Image.Image:
    """The same as a scanner sees it: turned by degrees, unsharp, with noise, through JPEG."""
    if turned:
        image = image.rotate(turned, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    if noise:
        dice = np.random.default_rng(int(noise))
        values = np.asarray(image, dtype=np.float32) + dice.normal(0, noise, (image.height, image.width))
        image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    return Image.open(io.BytesIO(encoded(image, "JPEG", quality=quality))) if quality else image


def photograph(width: int = 640, height: int = 480) -> Image.Image:
    """Something of many colours and no letters."""
    dice = np.random.default_rng(1)
    coarse = Image.fromarray(dice.integers(0, 255, (height // 16, width // 16, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()
