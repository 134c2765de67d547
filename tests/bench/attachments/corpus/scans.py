"""Scanned pages: rendered documents, clean and damaged, as pictures and in PDFs."""

# ruff: noqa: E501 - tables are read by their rows

import io
import random
import time
from collections.abc import Callable, Iterator

import pypdfium2
from PIL import Image

from tests.bench.attachments.corpus import damage
from tests.bench.attachments.corpus.facts import HARMLESS
from tests.bench.attachments.corpus.layouts import LAYOUTS, Content, clean, clean_table
from tests.bench.attachments.corpus.pdfs import WRITERS
from tests.bench.attachments.corpus.sample import Sample, Tier

Damage = Callable[[Image.Image, random.Random], Image.Image]
_DAY = time.gmtime(1_714_694_400)
_SET = ("word processor", "embedded font", "typewriter")


def rendered(content: Content, writer: str, dpi: int) -> Image.Image:
    """Return the page as a scanner with this many dots an inch sees it."""
    document = pypdfium2.PdfDocument(WRITERS[writer](content))
    try:
        image = document[0].render(scale=dpi / 72).to_pil().convert("RGB")
    finally:
        document.close()
    return image


def saved(image: Image.Image, ending: str, dpi: int) -> bytes:
    """Return a file with the page."""
    target = io.BytesIO()
    match ending:
        case "pdf":
            image.save(target, "PDF", resolution=dpi, quality=85, creationDate=_DAY, modDate=_DAY)
        case "jpg":
            image.convert("RGB").save(target, "JPEG", quality=85, dpi=(dpi, dpi))
        case "tif":
            image.save(target, "TIFF", compression="group4" if image.mode == "1" else "tiff_deflate", dpi=(dpi, dpi))
        case _:
            image.convert("L" if image.mode == "L" else "RGB").save(target, "PNG", dpi=(dpi, dpi))
    return target.getvalue()


def _nothing(image: Image.Image, rng: random.Random) -> Image.Image:
    return image


def _scanner(image: Image.Image, rng: random.Random) -> Image.Image:
    return damage.noisy(image, rng, 4)


CLEAN: dict[str, tuple[int, str, Damage]] = {
    "150 dpi, PDF": (150, "pdf", _scanner), "150 dpi, JPEG": (150, "jpg", _scanner), "150 dpi, PNG": (150, "png", _nothing),
    "150 dpi, grey": (150, "png", lambda image, rng: image.convert("L")), "150 dpi, TIFF": (150, "tif", _nothing),
    "200 dpi, PDF": (200, "pdf", _scanner), "200 dpi, fax": (200, "tif", lambda image, rng: damage.black_and_white(image)),
    "300 dpi, PDF": (300, "pdf", _scanner), "300 dpi, JPEG": (300, "jpg", _scanner),
}  # fmt: skip
ROUGH: dict[str, tuple[int, str, Damage]] = {
    "100 dpi": (100, "pdf", _scanner),
    "100 dpi, JPEG 40": (100, "jpg", lambda image, rng: damage.compressed(image, 40)),
    "noise": (150, "pdf", damage.noisy),
    "strong noise": (150, "jpg", lambda image, rng: damage.noisy(image, rng, 45)),
    "specks": (150, "png", damage.speckled),
    "JPEG 15": (150, "jpg", lambda image, rng: damage.compressed(image, 15)),
    "rotated 90": (150, "pdf", lambda image, rng: damage.turned(image, 90)),
    "rotated 180": (150, "jpg", lambda image, rng: damage.turned(image, 180)),
    "rotated 270": (150, "png", lambda image, rng: damage.turned(image, 270)),
    "rotated 180, 200 dpi, noise": (200, "pdf", lambda image, rng: damage.noisy(damage.turned(image, 180), rng)),
    "skewed 1.5": (150, "pdf", lambda image, rng: damage.turned(image, 1.5)),
    "skewed -3": (150, "jpg", lambda image, rng: damage.turned(image, -3)),
    "skewed 5": (150, "png", lambda image, rng: damage.turned(image, 5)),
    "skewed 93": (150, "pdf", lambda image, rng: damage.turned(image, 93)),
    "faded": (150, "jpg", lambda image, rng: damage.faded(image)),
    "shadow": (150, "jpg", lambda image, rng: damage.shaded(image)),
    "stamp": (150, "png", damage.stamped),
    "out of focus": (150, "jpg", lambda image, rng: damage.blurred(image, 1.6)),
    "skewed, noise, JPEG 30": (150, "jpg", lambda image, rng: damage.compressed(damage.noisy(damage.turned(image, 2), rng, 18), 30)),
    "faded fax": (200, "tif", lambda image, rng: damage.black_and_white(damage.speckled(damage.blurred(image, 1.2), rng, 0.004))),
    "mirrored back": (150, "png", lambda image, rng: damage.shown_through(image, rendered(clean(rng, "en"), "typewriter", 150))),
}  # fmt: skip


def samples(rng: random.Random) -> Iterator[Sample]:
    """Yield pages with each damage, two of the clean ones and of the rough ones, and clean twins of some."""
    layouts = list(LAYOUTS)
    for tier, rows in ((Tier.SCAN, CLEAN), (Tier.ROUGH, ROUGH)):
        for number, (case, (dpi, ending, harm)) in enumerate(rows.items()):
            for turn, language in enumerate(
                ("es", "en") if tier is Tier.SCAN or number % 3 == 0 else (rng.choice(("es", "en")),)
            ):
                layout = layouts[(number + 4 * turn) % len(layouts)]
                content = LAYOUTS[layout](rng, language)
                image = harm(rendered(content, rng.choice(_SET), dpi), rng)
                yield Sample(
                    name=f"{tier.name.lower()}-{number}-{turn}.{ending}", data=saved(image, ending, dpi), kind="scan",
                    case=f"{case}; {layout}, {language}", tier=tier, values=tuple(one.value for one in content.facts),
                    told=content.told, ink=True,
                )  # fmt: skip
            if number % 3 == 0:
                language = rng.choice(("es", "en"))
                content = clean_table(rng, language) if number % 2 else clean(rng, language, HARMLESS[language])
                image = harm(rendered(content, rng.choice(_SET), dpi), rng)
                yield Sample(
                    name=f"{tier.name.lower()}-{number}-clean.{ending}", data=saved(image, ending, dpi), kind="scan",
                    case=case, tier=tier, ink=True,
                )  # fmt: skip
