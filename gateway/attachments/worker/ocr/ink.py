"""Whether the lines that were read explain all that is drawn: what is left over nobody has read."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.attachments.worker.ocr.models import Pixels
from gateway.attachments.worker.ocr.placed import Box, Placed, lengths

Mask: TypeAlias = NDArray[np.uint8]  # (height, width): 255 or 0
Place: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom, in pixels

_LARGEST = 4_000_000  # pixels that are looked at: more are halved
_PLAIN = 12  # steps of 256 between neighbours: what is drawn plainly
_HALO = 33  # pixels around that in which compression leaves traces; elsewhere one step beyond the noise counts
_NOISE = 5.0  # edges count from so many times what half of the picture's neighbours differ
_CLEAR = 90
_SPECK = 9  # pixels of a blot that is no letter
_RULE = 0.08  # of the picture's longer side: lines this long, and thin, frame tables and fields
_EVEN = 0.8  # of a rule: the rest is crossed by others
_CROSSED = 12  # parts of a rule's least length, of which another rule hides one
_THIN = 11  # pixels of a rule with its two edges
_PHOTOGRAPH = 0.02  # of the picture, covered by what no line explains
_REACH = 0.55  # heights of its line that a letter covers to each side
_TALLEST, _FEW = 96, 3  # pixels, letters: what is larger, and says less, is rather a drawing
_NEAR = 15  # pixels between blots that are looked at together


class LeftOver(msgspec.Struct, frozen=True):
    """What is drawn and not read.

    `share`: of the picture, besides the lines; `in_lines`: some stands in a line, so that its letters are not known.
    """

    share: float = 0.0
    in_lines: bool = False
    places: tuple[Place, ...] = ()

    @property
    def textured(self) -> bool:
        """Whether so much is drawn that the picture is one of something."""
        return self.share > _PHOTOGRAPH


def left_over(picture: Pixels, lines: Iterable[Placed]) -> LeftOver:
    """Return what is drawn and not read. Frames of tables and rules do not count."""
    explained, boxes = np.zeros(picture.shape[:2], np.uint8), np.zeros(picture.shape[:2], np.uint8)
    for placed in lines:
        if _rather_drawn(placed):
            continue
        cv2.fillConvexPoly(boxes, placed.box.astype(np.int32), 255)
        for part in _explained(placed):
            cv2.fillConvexPoly(explained, part.astype(np.int32), 255)
    halved = 1
    while picture.shape[0] * picture.shape[1] > _LARGEST:
        picture, halved = cv2.pyrDown(picture), halved * 2
    height, width = picture.shape[:2]
    explained = cv2.resize(explained, (width, height), interpolation=cv2.INTER_NEAREST)
    calm: Pixels = cv2.GaussianBlur(picture, (3, 3), 0)
    plain = _steps(calm, _PLAIN)
    rules = _rules(plain, picture, _PLAIN)
    blots = _without_specks(cv2.subtract(plain, explained | rules))
    halo = cv2.dilate(plain | explained | rules, np.ones((_HALO, _HALO), np.uint8))
    faint = _steps(picture, 1)
    blots |= _without_specks(cv2.subtract(faint, halo | _rules(faint, picture, 1)))
    if not blots.any():
        return LeftOver()
    inside = cv2.resize(boxes, (width, height), interpolation=cv2.INTER_NEAREST)
    near = cv2.morphologyEx(blots, cv2.MORPH_CLOSE, np.ones((_NEAR, _NEAR), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    places = [
        (int(left) * halved, int(top) * halved, int(left + wide) * halved, int(top + high) * halved)
        for left, top, wide, high, _ in stats[1:]
    ]
    besides = np.count_nonzero(cv2.subtract(near, inside)) / near.size
    return LeftOver(besides, bool((blots & inside).any()), tuple(places))


def _rather_drawn(placed: Placed) -> bool:
    """Say whether it is rather a ring than the letter O."""
    return lengths(placed.box)[1] > _TALLEST and len(placed.line.letters) < _FEW


def _explained(placed: Placed) -> Iterator[Box]:
    """Yield the part of a line that each of its letters covers: where the line says nothing, nothing is explained."""
    start, along, down = placed.box[0], placed.box[1] - placed.box[0], placed.box[3] - placed.box[0]
    width, height = lengths(placed.box)
    reach = _REACH * height / max(1.0, width)
    start, down = start - 0.12 * down, 1.24 * down  # accents and tails stand out of the box
    for letter in placed.line.letters:
        if letter.text != " ":
            begin, end = start + (letter.at - reach) * along, start + (letter.at + reach) * along
            yield np.stack((begin, end, end + down, begin + down))


def _steps(picture: Pixels, least: int, along: tuple[int, int] = (3, 3)) -> Mask:
    """Return where neighbours differ by at least so much, in any colour, and by more than noise does.

    `along`: how many neighbours below each other and beside each other.
    """
    steps = cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(axis=2)
    # Half of most pages is paper: what differs there is noise.
    noise = _NOISE * float(np.quantile(steps[::4, ::4], 0.4))
    if along != (3, 3):
        steps = cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, np.ones(along, np.uint8)).max(axis=2)
    return np.where(steps >= max(least, min(_CLEAR, noise)), np.uint8(255), np.uint8(0))


def _rules(edges: Mask, picture: Pixels, least: int) -> Mask:
    """Return the long thin lines, level or upright, along which nothing changes: small letters in a row are none."""
    length = max(24, round(_RULE * max(edges.shape)))
    rules = np.zeros_like(edges)
    for long, along, across in (((1, length), (1, 3), (_THIN, 1)), ((length, 1), (3, 1), (1, _THIN))):
        changed = cv2.dilate(
            _steps(picture, least, along), np.ones(tuple(1 + 2 * (3 - side) for side in along), np.uint8)
        )
        even = cv2.subtract(edges, changed)
        share = cv2.blur(even, long[::-1], borderType=cv2.BORDER_CONSTANT)
        middle = np.where(share >= 255 * _EVEN, np.uint8(255), np.uint8(0))
        near = cv2.dilate(even, np.ones(tuple(max(1, side // _CROSSED) for side in long), np.uint8))
        runs = cv2.dilate(middle, np.ones(long, np.uint8)) & near & edges
        thick = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones(across, np.uint8))
        rules |= cv2.subtract(runs, thick)
    wider: Mask = cv2.dilate(rules, np.ones((5, 5), np.uint8))
    return wider


def _without_specks(edges: Mask) -> Mask:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(edges, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] > _SPECK
    large[0] = False
    return np.where(large[labels], np.uint8(255), np.uint8(0))
