"""Subtitles of a transcript: SubRip (`.srt`) and WebVTT (https://www.w3.org/TR/webvtt1/). Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_MOST_SECONDS = 100 * 3600.0


def srt(segments: Sequence[Mapping[str, Any]]) -> str:
    """Return segments as SubRip: a number, the time and the text of each, with an empty line behind it."""
    cues = [
        f"{number}\n{_time(begin, ',')} --> {_time(end, ',')}\n{text}\n"
        for number, (begin, end, text) in enumerate(_cues(segments), 1)
    ]
    return "\n".join(cues) + ("\n" if cues else "")


def vtt(segments: Sequence[Mapping[str, Any]]) -> str:
    """Return segments as WebVTT."""
    cues = [f"{_time(begin, '.')} --> {_time(end, '.')}\n{text}\n\n" for begin, end, text in _cues(segments)]
    return "WEBVTT\n\n" + "".join(cues)


def _cues(segments: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, float, str]]:
    """Yield begin, end and text of what can be shown. An arrow in a text would end it, so it is written otherwise."""
    for segment in segments:
        begin, end = _seconds(segment.get("start")), _seconds(segment.get("end"))
        lines = [line.strip() for line in str(segment.get("text") or "").splitlines()]
        text = "\n".join(line for line in lines if line).replace("-->", "->")
        if text:
            yield begin, max(begin, end), text


def _seconds(value: Any) -> float:
    return min(max(float(value), 0.0), _MOST_SECONDS) if isinstance(value, int | float) else 0.0


def _time(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"
