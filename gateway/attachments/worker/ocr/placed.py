"""Lines and where they stand."""

from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.attachments.worker.ocr.letters import Line

Box: TypeAlias = NDArray[np.float32]  # (4, 2): x and y of the corners, clockwise from where the text begins


class Placed(msgspec.Struct, frozen=True):
    """A line and the corners of its box, in pixels of the picture as it was read."""

    line: Line
    box: Box


def lengths(box: Box) -> tuple[float, float]:
    """Return how wide and how high a box is, in pixels."""
    return float(np.linalg.norm(box[1] - box[0])), float(np.linalg.norm(box[3] - box[0]))
