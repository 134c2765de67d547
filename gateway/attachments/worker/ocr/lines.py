"""Where lines of text stand in a picture: boxes, found at a size that one core can afford."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.attachments.worker.ocr import models
from gateway.attachments.worker.ocr.models import Pixels
from gateway.attachments.worker.ocr.placed import Box

LONGEST = 1408  # pixels that the model gets at once, along the longer side
_GRID = 32  # the model halves five times
_SEAM = 8  # the last eighth of a tile is where it may be cut
_MARK = 0.3  # how likely a pixel of a line is one, at least
_LINE = 0.5  # and how likely they are on average
_GROWN = 1.6
_THINNEST = 3  # pixels
_MOST = 3000


def boxes(picture: Pixels, scale: float) -> Iterator[Box]:
    """Yield the box of each line, in pixels of the picture, which the model sees at `scale`, in tiles if it is long."""
    for top, left, tile in _tiles(picture, round(LONGEST / scale)):
        for box in _boxes(tile, scale):
            yield box + np.asarray((left, top), np.float32)


def _tiles(picture: Pixels, longest: int) -> Iterator[tuple[int, int, Pixels]]:
    """Yield parts of a picture with where they begin, y and x."""
    for top, bottom in _cuts(picture, longest):
        row = picture[top:bottom]
        for left, right in _cuts(row.transpose(1, 0, 2), longest):
            yield top, left, row[:, left:right]


def _cuts(picture: Pixels, longest: int) -> Iterator[tuple[int, int]]:
    """Yield begins and ends of parts along the first axis, cut where the least is drawn."""
    begin, end = 0, picture.shape[0]
    while end - begin > longest:
        window = picture[begin + longest - longest // _SEAM : begin + longest, :, 1]
        drawn = np.abs(np.diff(window.astype(np.int16), axis=1)).sum(axis=1)
        calm = np.convolve(drawn, np.ones(5), "same")  # the middle of a gap, not its edge
        cut = begin + longest - longest // _SEAM + int(calm.argmin())
        yield begin, cut
        begin = cut
    yield begin, end


def _boxes(tile: Pixels, scale: float) -> Iterator[Box]:
    height, width = tile.shape[:2]
    high, wide = (max(_GRID, round(side * scale / _GRID) * _GRID) for side in (height, width))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    seen: Pixels = cv2.resize(tile, (wide, high), interpolation=how)
    likely = models.of_lines()(seen)[0, 0]
    size, end = np.asarray((width / wide, height / high), np.float32), np.asarray((width - 1, height - 1), np.float32)
    for box in _shapes(likely):
        yield np.clip(box * size, 0, end)


def _shapes(likely: NDArray[np.float32]) -> Iterator[Box]:
    """Yield boxes around what likely is a line.

    The model marks only the middle of lines, so that they don't touch; boxes are the marks grown by as much as it was
    trained to leave out (Liao et al. 2019, Real-time Scene Text Detection with Differentiable Binarization, 3.3).
    """
    marks = cv2.dilate((likely > _MARK).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(marks, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines[:_MOST]:
        middle, (wide, high), angle = cv2.minAreaRect(outline)
        if min(wide, high) < _THINNEST or _mean(likely, (middle, (wide, high), angle)) < _LINE:
            continue
        grown = _GROWN * wide * high / (wide + high)  # 2 * ratio * area / perimeter
        yield _clockwise(cv2.boxPoints((middle, (wide + grown, high + grown), angle)))


def _mean(likely: NDArray[np.float32], shape: Any) -> float:
    """Return how likely a line is, on average, within a turned rectangle."""
    corners = cv2.boxPoints(shape)
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    part = likely[top:bottom, left:right]
    inside = np.zeros(part.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners - (left, top)).astype(np.int32), 1)
    return float(part[inside > 0].mean()) if inside.any() else 0.0


def _clockwise(corners: Box) -> Box:
    """Return corners from the upper left one on, as a line has them that is no more than 45 degrees askew."""
    by_x = corners[corners[:, 0].argsort(kind="stable")]
    (above, below), (upper, lower) = (pair[pair[:, 1].argsort(kind="stable")] for pair in (by_x[:2], by_x[2:]))
    return np.stack((above, upper, lower, below)).astype(np.float32)
