"""Bytes → text, in the encoding that they are in, where they are text at all."""

import codecs
import re

import msgspec

_MARKS = (  # UTF-32 before UTF-16: its mark begins with the other's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What no text has: control characters but tab, line ends, form feed and, in terminals' logs, backspace and escape.
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")
_WESTERN = re.compile(r"[áéíóúüñçàèìòùâêîôûäöëïßåæøÁÉÍÓÚÜÑÇÀÈÌÒÙÂÊÎÔÛÄÖËÏÅÆØ¿¡ºª€·«»“”‘’–—…°§£©®½¼¾²³\xa0]")
_RUN = re.compile(rb"(?:[\x20-\x7e]|[\xc3\xc2][\x80-\xbf]){5,}")
_WIDE_RUN = re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\x00){5,}")
_SAMPLE = 64 * 1024


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Decoded text. `sure`: the bytes leave no doubt about the encoding."""

    text: str
    sure: bool


def decoded(data: bytes, declared: str = "") -> Text | None:
    """Return the text of bytes; None: they are not text. `declared`: the encoding that they say they are in."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _in(data[len(mark) :], encoding)
    wide = _wide(data)
    if wide is not None:
        return _in(data, wide)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _declared(data, declared) or _western(data)
    return Text(text=text, sure=True) if _CONTROL.search(text) is None else None


def _declared(data: bytes, encoding: str) -> Text | None:
    try:
        text = data.decode(encoding) if encoding else ""
    except (LookupError, UnicodeError):
        return None
    return Text(text=text, sure=True) if text and _mostly_text(text) else None


def runs(data: bytes) -> list[str]:
    """Return the texts that stand between other bytes, in one byte a letter or two, as in certificates."""
    narrow = [found.group().decode("utf-8", "replace") for found in _RUN.finditer(data)]
    wide = [found.group()[::2].decode("cp1252", "replace") for found in _WIDE_RUN.finditer(data)]
    return [*narrow, *wide]


def _in(data: bytes, encoding: str) -> Text | None:
    try:
        text, sure = data.decode(encoding), True
    except UnicodeDecodeError:
        text, sure = data.decode(encoding, "replace"), False
    return Text(text=text, sure=sure) if _mostly_text(text) else None


def _wide(data: bytes) -> str | None:
    """Return UTF-16 without a mark by its zeros, which stand in every second byte of Latin text."""
    sample = data[:_SAMPLE]
    if len(sample) < 4 or len(data) % 2:
        return None
    half = len(sample) // 2
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if high > 0.7 * half and low < 0.05 * half:
        return "utf-16-le"
    if low > 0.7 * half and high < 0.05 * half:
        return "utf-16-be"
    return None


def _western(data: bytes) -> Text | None:
    """Return bytes that are no UTF-8 as Windows-1252, of which Latin-1's letters are a part.

    Sure only where nearly all that is not ASCII are letters and signs that Western texts have.
    """
    text = data.decode("cp1252", "replace")
    if not _mostly_text(text):
        return None
    strange = [character for character in text if character > "\x7f"]
    western = sum(_WESTERN.match(character) is not None for character in strange)
    sure = "\ufffd" not in text and western >= 0.98 * len(strange) and len(strange) < 0.2 * len(text)
    return Text(text=text, sure=sure)


def _mostly_text(text: str) -> bool:
    sample = text[:_SAMPLE]
    return _CONTROL.search(sample) is None and sample.count("\ufffd") <= len(sample) // 100
