"""Texts as sequences of markers and words, so that what two of them share never ends within a marker."""

import regex

_SEGMENT = regex.compile(r"<[^<>\s]{1,64}>|\[/?[A-Z_ ]{2,32}\]|\s|<|[^<\[\s]+|.")
_TURN_END = regex.compile(r"\s{0,8}<[^<>\s]{0,32}(?:eos|eom_id|eot|end_of)[^<>\s]{0,32}>\s{0,8}\Z")
_MARKER = regex.compile(r"<[^<>\s]{1,64}>|\[/?[A-Z_ ]{2,32}\]")


def segments_of(text: str) -> list[str]:
    """Cut a text into markers, blanks and words."""
    return _SEGMENT.findall(text)


def shared_start(one: str, other: str) -> str:
    """Return the longest beginning that two texts share, in whole segments."""
    return "".join(_shared(segments_of(one), segments_of(other)))


def shared_end(one: str, other: str) -> str:
    """Return the longest end that two texts share, in whole segments."""
    return "".join(reversed(_shared(segments_of(one)[::-1], segments_of(other)[::-1])))


def _shared(one: list[str], other: list[str]) -> list[str]:
    count = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), -1)
    return one[: count if count >= 0 else min(len(one), len(other))]


def without_turn_end(text: str) -> str:
    """Return a text without a marker at its end by which a model ends its turn: it is never a part of the answer."""
    return _TURN_END.sub("", text)


def last_marker(text: str) -> tuple[str, str]:
    """Return the last marker of a text and what stands behind it; empty: there is none."""
    found = list(_MARKER.finditer(text))
    return (found[-1][0], text[found[-1].end() :]) if found else ("", text)


def markers_of(text: str) -> list[str]:
    """Return the markers of a text."""
    return [found[0] for found in _MARKER.finditer(text)]


def first_marker(text: str) -> tuple[str, str]:
    """Return the first marker of a text and what stands behind it; empty: there is none."""
    found = _MARKER.search(text)
    return (found[0], text[found.end() :]) if found else ("", text)
