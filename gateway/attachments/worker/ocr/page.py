"""A picture of text: its lines in the order in which they are read, whichever way up it lies."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import cv2
import msgspec
import numpy as np

from gateway.attachments.worker.ocr.ink import LeftOver, Place, left_over
from gateway.attachments.worker.ocr.letters import Line, line_of
from gateway.attachments.worker.ocr.lines import boxes
from gateway.attachments.worker.ocr.models import Pixels
from gateway.attachments.worker.ocr.placed import Box, Placed, lengths

_SHORT_SIDE = 832  # pixels of the shorter side that the model sees: an A4 page at 100 dpi
_TINY = 480  # a picture this small is looked at enlarged
_PROBED = 4  # lines that are read both ways up
_TALL = 1.5  # height by width of a line that stands upright
_SURE = 0.95  # a line this sure is upright
_HARDLY = 0.5  # a line less sure is none
_POOR = 0.85  # a line this unsure may stand on its head
_SECOND_LOOK = 2.0  # times that small letters are enlarged
_MOST_PLACES = 12
_MOST_PIXELS = 600_000  # of places that are looked at again
_MARGIN = 24

GoOn: TypeAlias = Callable[[], bool]


class Page(msgspec.Struct, frozen=True):
    """What was read, and what else is drawn."""

    lines: tuple[Placed, ...] = ()
    left_over: LeftOver = LeftOver()


def read_page(picture: Pixels, go_on: GoOn) -> Page:
    """Return the lines of a picture.

    Args:
        picture: RGB.
        go_on: Asked before each part of the work, of which the rest is left when it says no.
    """
    if not go_on():
        return Page()
    found = list(boxes(picture, _scale(picture)))
    if sum(_tall(box) for box in found) * 2 > len(found):
        picture, found = _quarter(picture, found)
    if _upside_down(picture, found, go_on):
        picture, found = _half(picture, found)
    lines = _read(picture, found, go_on, _HARDLY)
    rest = left_over(picture, lines)
    if rest.places and not rest.textured:
        again = _read(picture, _looked_at_again(picture, rest, go_on), go_on, _POOR)
        if again:
            lines = [*(one for one in lines if not any(_same(one, other) for other in again)), *again]
            rest = left_over(picture, lines)
    return Page(tuple(_in_order(lines)), rest)


def _scale(picture: Pixels) -> float:
    short, long = sorted(picture.shape[:2])
    return 2.0 if long < _TINY else min(1.0, _SHORT_SIDE / short)


def _tall(box: Box) -> bool:
    width, height = lengths(box)
    return height > _TALL * width


def _quarter(picture: Pixels, found: Sequence[Box]) -> tuple[Pixels, list[Box]]:
    """Turn all a quarter, against the clock."""
    width = picture.shape[1]
    turned = [np.stack((box[:, 1], width - 1 - box[:, 0]), axis=1) for box in found]
    return np.ascontiguousarray(np.rot90(picture)), [box[[1, 2, 3, 0]] for box in turned]


def _half(picture: Pixels, found: Sequence[Box]) -> tuple[Pixels, list[Box]]:
    """Turn all by half."""
    height, width = picture.shape[:2]
    end = np.asarray((width - 1, height - 1), np.float32)
    return np.ascontiguousarray(picture[::-1, ::-1]), [(end - box)[[2, 3, 0, 1]] for box in found]


def _upside_down(picture: Pixels, found: Sequence[Box], go_on: GoOn) -> bool:
    """Say whether the widest lines read better with the picture on its head."""
    upright = turned = 0.0
    for box in sorted(found, key=lambda box: -lengths(box)[0])[:_PROBED]:
        if not go_on():
            break
        crop = level(picture, box)
        worth = _worth(line_of(crop))
        if worth > _SURE:
            return False  # the usual case costs one line
        upright += worth
        turned += _worth(line_of(crop[::-1, ::-1]))
    return turned > upright


def _worth(line: Line) -> float:
    return line.sureness if len(line.letters) > 3 else 0.0


def _read(picture: Pixels, found: Iterable[Box], go_on: GoOn, least: float) -> list[Placed]:
    """Return the lines that are at least so sure: what is not, is rather something else that is drawn."""
    lines = [Placed(_best(picture, box), box) for box in found if go_on()]
    return [placed for placed in lines if placed.line.sureness >= least]


def _best(picture: Pixels, box: Box) -> Line:
    """Return the line, read the way up in which it is the surest."""
    crop = level(picture, box)
    line = line_of(crop)
    if line.sureness >= _POOR:
        return line
    ways = [np.rot90(crop), np.rot90(crop, 3)] if _tall(box) else [crop[::-1, ::-1]]
    return max([line, *map(line_of, ways)], key=lambda one: one.sureness)


def level(picture: Pixels, box: Box) -> Pixels:
    """Return what stands in a box, level."""
    width, height = (max(1, round(length)) for length in lengths(box))
    corners = np.asarray(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    turned = cv2.getPerspectiveTransform(box, corners)
    crop: Pixels = cv2.warpPerspective(
        picture, turned, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return crop


def _looked_at_again(picture: Pixels, rest: LeftOver, go_on: GoOn) -> list[Box]:
    """Return boxes of lines that are found where something is left over, enlarged."""
    found: list[Box] = []
    pixels = 0
    for left, top, right, bottom in _widened(rest.places, picture)[:_MOST_PLACES]:
        place = picture[top:bottom, left:right]
        pixels += place.shape[0] * place.shape[1]
        if pixels > _MOST_PIXELS or not go_on():
            break
        found += [box + np.asarray((left, top), np.float32) for box in boxes(place, _SECOND_LOOK)]
    return found


def _widened(places: Iterable[Place], picture: Pixels) -> list[Place]:
    """Return places with a margin; those that touch then are one."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for left, top, right, bottom in places:
        mask[max(0, top - _MARGIN) : bottom + _MARGIN, max(0, left - _MARGIN) : right + _MARGIN] = 1
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    return [(int(x), int(y), int(x + wide), int(y + high)) for x, y, wide, high, _ in stats[1:]]


def _same(one: Placed, other: Placed) -> bool:
    """Say whether the middle of a line lies in another one."""
    x, y = one.box.mean(axis=0)
    (left, top), (right, bottom) = other.box.min(axis=0), other.box.max(axis=0)
    return bool(left <= x <= right and top <= y <= bottom)


def _in_order(lines: Iterable[Placed]) -> list[Placed]:
    """Return lines from top to bottom, those of one row from left to right."""
    rows: list[list[Placed]] = []
    for placed in sorted(lines, key=_middle):
        if rows and abs(_middle(placed) - _middle(rows[-1][0])) < lengths(placed.box)[1] / 2:
            rows[-1].append(placed)
        else:
            rows.append([placed])
    return [placed for row in rows for placed in sorted(row, key=lambda one: one.box[:, 0].min())]


def _middle(placed: Placed) -> float:
    return float(placed.box[:, 1].mean())
