"""What a line says: its letters, how sure each is, and what an unsure one may be instead."""

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.attachments.worker.ocr import models
from gateway.attachments.worker.ocr.models import Pixels

_HEIGHT = 48  # pixels, of the model
_CONTENT = 40  # of them the line: smaller letters read as well, and a fifth quicker
_SHORTEST = 16
_STEP = 8  # columns of pixels that make one step
_LONGEST = 4800  # columns
_SURE = 0.95
_RIVAL = 0.02  # less likely is no other reading


class Letter(msgspec.Struct, frozen=True):
    """One letter. `at`: 0…1 along the line; `other`: what else it may be, empty where it is sure."""

    text: str
    sureness: float
    at: float
    other: str = ""


class Line(msgspec.Struct, frozen=True):
    """What a line says."""

    letters: tuple[Letter, ...] = ()

    @property
    def text(self) -> str:
        """The letters, one after the other."""
        return "".join(letter.text for letter in self.letters)

    @property
    def sureness(self) -> float:
        """How sure the line is, 0…1: the mean of its letters, without spaces."""
        sure = [letter.sureness for letter in self.letters if letter.text != " "]
        return sum(sure) / len(sure) if sure else 0.0


def line_of(crop: Pixels) -> Line:
    """Return what one line says, which lies level and upright in `crop`."""
    height, width = crop.shape[:2]
    columns = min(_LONGEST, max(_SHORTEST, round(_CONTENT * width / height)))
    how = cv2.INTER_AREA if height > _CONTENT else cv2.INTER_CUBIC
    content: Pixels = cv2.resize(crop, (columns, _CONTENT), interpolation=how)
    above = (_HEIGHT - _CONTENT) // 2
    beside = -columns % _STEP
    framed: Pixels = cv2.copyMakeBorder(content, above, _HEIGHT - _CONTENT - above, 0, beside, cv2.BORDER_REPLICATE)
    model, alphabet = models.of_letters()
    return _decoded(model(framed)[0], alphabet)


def _decoded(steps: NDArray[np.float32], alphabet: tuple[str, ...]) -> Line:
    """Return the best of `(steps, letters)` probabilities: equal neighbours are one letter, number 0 is none."""
    best = steps.argmax(axis=1)
    letters: list[Letter] = []
    last = 0
    for step, number in enumerate(best):
        if number and number != last:
            sureness = float(steps[step, number])
            other = _other(steps[step], int(number), alphabet) if sureness < _SURE else ""
            letters.append(Letter(alphabet[number], sureness, (step + 0.5) / len(steps), other))
        last = number
    return Line(tuple(letters))


def _other(step: NDArray[np.float32], best: int, alphabet: tuple[str, ...]) -> str:
    rivals = step.copy()
    rivals[[0, best]] = 0
    rival = int(rivals.argmax())
    return alphabet[rival] if rivals[rival] >= _RIVAL else ""
