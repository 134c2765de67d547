"""Values that were broken over lines, or over two texts, put together. Pure and bounded."""

import re
from collections.abc import Callable, Iterator

from gateway.privacy.patterns import late

_HEAD = late(r"[^\s,;]{1,200}(?:[ .-][0-9A-Z]{1,6}(?![a-z])){0,6}")


def _tail(text: str) -> str:
    """Return the last word of a text, with the short groups before it."""
    groups = text.rsplit(maxsplit=7)
    if not groups:
        return ""
    tail = re.split("[,;]", groups[-1])[-1]
    for group in reversed(groups[-7:-1] if len(tail) == len(groups[-1]) else ()):
        if len(group) > 6 or not group.isalnum():
            break
        tail = f"{group} {tail}"
    return tail


def seam(first: str, second: str) -> tuple[str, ...]:
    """Return the readings of a value that the end of one text begins and the beginning of the next ends."""
    head = _HEAD.match(second[:240].lstrip())
    left = _tail(first[-240:])
    if not left or head is None:
        return ()
    right = head[0]
    if len(left) + len(right) < 8 or not any(character.isdecimal() for character in left + right):
        return ()
    if left[-1] == "-":
        return (left + right, left[:-1] + right)
    return (left + right, f"{left} {right}") if " " in left or " " in right else (left + right,)


_DIGIT = late(r"[0-9]")
_MARGIN = " \t\r>#*|-"


def broken(text: str, step: Callable[[], None]) -> Iterator[tuple[str, int, int]]:
    """Yield values that were broken over lines, put together, with the place that each has in the text.

    `step` is called for each line, and may raise.
    """
    at = text.find("\n")
    while at >= 0:
        step()
        following = text.find("\n", at + 1)
        before, after = text[max(0, at - 240) : at].rstrip(" \t\r"), text[at + 1 : at + 241].lstrip(_MARGIN)
        if before and after and _may_go_on(before, after):
            for joined in seam(before, after):
                yield joined, max(0, at - len(joined)), min(len(text), at + len(joined))
        at = following


_SETS_ITSELF = late(r"[A-Za-z_][\w.-]{2,60}[ \t]?=[^\s=]")  # base64 ends with its signs of equality


def _may_go_on(before: str, after: str) -> bool:
    if _SETS_ITSELF.match(after):
        return False
    if _DIGIT.search(before, len(before) - 12) is None and _DIGIT.search(after, 0, 12) is None:
        return False
    return (before[-1].isalnum() or before[-1] in "-_/+.=@") and (after[0].isalnum() or after[0] in "-_/+.=@")
