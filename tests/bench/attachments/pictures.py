"""What is read of scanned pages and what it costs on one core, beside Tesseract (tesserocr) on the same pages.

Run: `python -m tests.bench.attachments.pictures [pages of each kind]`. Tesseract is left out where tesserocr or its
Spanish weights (Debian's `tesseract-ocr-spa`; `TESSDATA_PREFIX` says where) are missing. Prints shares of identifiers
that are in the text, letter by letter but for spaces; of pages, how many of those with a missing one are kept as a
doubt; and processor seconds for a page. Asserts nothing.
"""

import importlib.util
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from gateway.attachments.worker.ocr.reading import read_pixels
from gateway.attachments.worker.parts import Budget, Limits, Unread
from gateway.core.attachment import Piece
from tests.bench.attachments.pages import CONDITIONS, Case, cases

_WEIGHTS = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata")


class Ours:
    """The reader of pictures, without its process."""

    name = "ours"

    def __call__(self, image: Image.Image) -> tuple[str, bool]:
        """Return the text, and whether it is all that is there."""
        texts, whole = [], True
        for part in read_pixels(np.array(image.convert("RGB")), "", Budget(Limits(seconds=600))):
            match part:
                case Piece():
                    texts.append(part.text)
                case Unread():
                    whole = False
        return "\n".join(texts), whole


class Tesseract:
    """Tesseract with its Spanish weights; that it may turn pages is allowed where its weights for that are there."""

    name = "tesseract"

    def __init__(self, weights: str) -> None:
        """Load the weights in a folder."""
        import tesserocr

        self._api = tesserocr.PyTessBaseAPI(path=weights, lang="spa", psm=tesserocr.PSM.AUTO)

    def __call__(self, image: Image.Image) -> tuple[str, bool]:
        """Return the text. Tesseract never says that there is more."""
        self._api.SetImage(image.convert("L"))
        return self._api.GetUTF8Text(), True


def systems() -> list[Callable[[Image.Image], tuple[str, bool]]]:
    """Ours, and Tesseract where it is there."""
    found: list[Callable[[Image.Image], tuple[str, bool]]] = [Ours()]
    folder = os.environ.get("TESSDATA_PREFIX") or next((path for path in _WEIGHTS if Path(path).exists()), None)
    if folder and importlib.util.find_spec("tesserocr"):
        found.append(Tesseract(folder))
    return found


def measured(system: Callable[[Image.Image], tuple[str, bool]], pages: list[Case]) -> tuple[int, int, float]:
    """Return identifiers that were read, those read or on a page that is kept as a doubt, and seconds for a page."""
    read = kept = 0
    begun = time.process_time()
    for case in pages:
        text, whole = system(case.image)
        squeezed = "".join(text.split())
        hits = sum("".join(identifier.split()) in squeezed for identifier in case.identifiers)
        read += hits
        kept += hits if whole else len(case.identifiers)
    return read, kept, (time.process_time() - begun) / len(pages)


def main(count: int) -> None:
    """Measure every condition."""
    readers = systems()
    readers[0](cases("clean", 1)[0].image)  # loads the weights
    print(f"{'':18}" + "".join(f"{'read':>12}{'or doubt':>10}{'seconds':>9}" for _ in readers))
    for condition in CONDITIONS:
        pages = cases(condition, count)
        total = sum(len(case.identifiers) for case in pages)
        row, times = f"{condition:18}", []
        for reader in readers:
            read, kept, seconds = measured(reader, pages)
            row += f"{read / total:12.1%}{kept / total:10.1%}{seconds:9.2f}"
            times.append(seconds)
        print(row + (f"   ours takes {times[0] / times[1]:.1f} of its time" if len(times) > 1 else ""), flush=True)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
