"""What scanners, cameras and careless hands do to a page. Seeded."""

import io
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.bench.attachments.corpus.pdfs import FONTS

_PAPER = (255, 255, 255)


def noisy(image: Image.Image, rng: random.Random, strength: float = 22) -> Image.Image:
    """Add the noise of a sensor."""
    dice = np.random.default_rng(rng.randrange(2**32))
    grey = np.asarray(image.convert("RGB"), np.float32) + dice.normal(0, strength, (image.height, image.width, 1))
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def speckled(image: Image.Image, rng: random.Random, share: float = 0.01) -> Image.Image:
    """Put black and white specks on it, as old copiers do."""
    dice = np.random.default_rng(rng.randrange(2**32))
    pixels = np.array(image.convert("L"))
    where = dice.random(pixels.shape)
    pixels[where < share / 2], pixels[where > 1 - share / 2] = 0, 255
    return Image.fromarray(pixels).convert("RGB")


def compressed(image: Image.Image, quality: int) -> Image.Image:
    """Save it as JPEG and open it again."""
    target = io.BytesIO()
    image.convert("RGB").save(target, "JPEG", quality=quality)
    return Image.open(io.BytesIO(target.getvalue())).convert("RGB")


def turned(image: Image.Image, degrees: float) -> Image.Image:
    """Turn it; what comes in at the corners is paper."""
    return image.convert("RGB").rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_PAPER)


def faded(image: Image.Image, darkest: int = 165, lightest: int = 225) -> Image.Image:
    """Leave little contrast."""
    return image.convert("L").point(lambda level: darkest + (lightest - darkest) * level // 255).convert("RGB")


def shaded(image: Image.Image, depth: float = 0.55) -> Image.Image:
    """Lay a shadow over it from one corner, as over a page under a lamp."""
    down, across = np.mgrid[0 : image.height, 0 : image.width]
    light = 1 - depth * np.clip(1.2 - (down / image.height + across / image.width), 0, 1)
    pixels = np.asarray(image.convert("RGB"), np.float32) * light[..., None]
    return Image.fromarray(pixels.astype(np.uint8))


def stamped(image: Image.Image, rng: random.Random) -> Image.Image:
    """Stamp half-transparent red ink over the text."""
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    font = ImageFont.truetype(str(FONTS / "VeraBd.ttf"), image.width // 16)
    x, y = image.width * rng.uniform(0.1, 0.3), image.height * rng.uniform(0.06, 0.16)
    draw.text((x, y), rng.choice(("PAGADO", "RECEIVED", "COPIA", "URGENT")), font=font, fill=(200, 20, 20, 110))
    draw.rectangle((x - 10, y - 8, x + image.width * 0.42, y + image.width // 13), outline=(200, 20, 20, 150), width=4)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def blurred(image: Image.Image, radius: float) -> Image.Image:
    """Take it out of focus."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def shown_through(image: Image.Image, back: Image.Image) -> Image.Image:
    """Let the other side of the paper show through."""
    mirrored = back.convert("L").transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize(image.size)
    pale = np.asarray(mirrored, np.float32) * 0.3 + 255 * 0.7
    return Image.fromarray(np.minimum(np.asarray(image.convert("L"), np.float32), pale).astype(np.uint8)).convert("RGB")


def black_and_white(image: Image.Image) -> Image.Image:
    """Leave black and white, as a fax does."""
    return image.convert("L").point(lambda level: 255 if level > 160 else 0).convert("1")


def in_perspective(image: Image.Image, ground: Image.Image, rng: random.Random, slant: float = 0.06) -> Image.Image:
    """Lay it on a ground and look at it from the side."""
    width, height = ground.size
    scale = min(width * 0.82 / image.width, height * 0.82 / image.height)
    flat = image.convert("RGB").resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.LANCZOS)
    left, top = (width - flat.width) / 2, (height - flat.height) / 2

    def off(x: float, y: float) -> tuple[float, float]:
        return x + rng.uniform(-slant, slant) * flat.width, y + rng.uniform(-slant, slant) * flat.height

    corners = [
        off(left, top),
        off(left + flat.width, top),
        off(left + flat.width, top + flat.height),
        off(left, top + flat.height),
    ]
    source = [(0, 0), (flat.width, 0), (flat.width, flat.height), (0, flat.height)]
    numbers = _perspective(corners, source)
    laid = flat.transform(ground.size, Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BICUBIC)
    mask = Image.new("L", flat.size, 255).transform(ground.size, Image.Transform.PERSPECTIVE, numbers)
    return Image.composite(laid, ground, mask)


def _perspective(to: list[tuple[float, float]], of: list[tuple[float, float]]) -> tuple[float, ...]:
    rows, wanted = [], []
    for (x, y), (u, v) in zip(to, of, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return tuple(np.linalg.solve(np.array(rows, float), np.array(wanted, float)))


def wood(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Return a table top with grain."""
    dice = np.random.default_rng(rng.randrange(2**32))
    rows = np.cumsum(dice.normal(0, 1.4, size[1]))
    grain = rows[:, None] * 3 + dice.normal(0, 7, (size[1], size[0])) + 9 * np.sin(np.arange(size[0]) / 37)[None, :]
    base = np.array([150, 108, 66], np.float32)[None, None, :] + grain[..., None]
    return Image.fromarray(np.clip(base, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
