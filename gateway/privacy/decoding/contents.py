"""Bytes → what they say: as text, as the members of an archive, or as the doubt of a picture, a recording or a file.

Pure, bounded.
"""

import html
import re

from gateway.privacy.decoding.archives import inflated, members
from gateway.privacy.decoding.budget import UNREADABLE, Decoding, DecodingLimit
from gateway.privacy.decoding.charsets import as_text, printable_runs
from gateway.privacy.decoding.icons import drawn
from gateway.privacy.decoding.public_bytes import public_parts
from gateway.privacy.patterns import late

_DEEPEST = 4  # archives in archives
_SMALLEST = 32  # bytes of a picture
_MEDIA = re.compile(
    rb"(?P<image>\x89PNG\r\n|\xff\xd8\xff[\xc0-\xfe]|GIF8[79]a|RIFF....WEBP|II\*\0|MM\0\*|\x00\x00\x01\x00[\x01-\x40]\x00"
    rb"|....ftyp(?:heic|heix|mif1|avif)|\xff\x0a|\0\0\0\x0cJXL |8BPS\0)"
    rb"|(?P<audio>ID3[\x02-\x04]|OggS\0|fLaC\0|RIFF....WAVE|#!AMR|....ftypM4A)"
    rb"|(?P<file>%PDF-\d|....ftyp(?:isom|iso[2-6]|mp4[12]|qt  |M4V |3gp.)|\x1a\x45\xdf\xa3|RIFF....AVI )",
    re.DOTALL,
)
_ENDS = late(r"</(?:\w+:)?(?:p|h|si|row|c|tc|table-cell|tr|td|li|div)>|<(?:\w+:)?(?:br|tab|line-break)\b[^>]*>")
_TAG = late(r"<[^<>]*>")


def said(data: bytes, decoding: Decoding, depth: int = 0) -> str | None:
    """Return what the bytes say, or what can be read in them beside a doubt; None: nothing that is known here.

    Raises:
        DecodingLimit: They unpack to more than is looked at.
    """
    medium = medium_of(data)
    if medium is not None:
        icon = drawn(data)
        if icon is None:
            decoding.doubt(medium)
        else:
            decoding.icon(data)
        return printable_runs(data[:4096] if icon is None else icon)
    parts = public_parts(data)
    if parts is not None:
        return _public(parts, decoding, depth)
    packed = members(data, decoding)
    if packed is not None:
        if depth >= _DEEPEST:
            raise DecodingLimit
        return "\n\n".join(
            text for name, content in packed for text in (name, _member(content, decoding, depth)) if text
        )
    text = as_text(data)
    if text is None and len(data) >= 8:
        unpacked = inflated(data, decoding)
        text = as_text(unpacked) if unpacked is not None else None
    if text is not None:
        decoding.spend(len(text))
    return text


def _public(parts: list[bytes], decoding: Decoding, depth: int) -> str:
    """Return what can be read in a certificate or a key: its names, and what was packed into its bits."""
    decoding.spend(sum(map(len, parts)))
    texts: list[str] = []
    for part in parts:
        text = as_text(part) if len(part) >= _SHORTEST else None
        packed = None
        if text is None and len(part) >= _LEAST_PACKED and depth < _DEEPEST and len(parts) > 1:
            packed = said(part, decoding, depth + 1)
        texts.append(text or packed or printable_runs(part))
    return "\n".join(text for text in texts if text)


_SHORTEST, _LEAST_PACKED = 4, 40  # bytes of a name; of what may be packed


def medium_of(data: bytes) -> str | None:
    """Return the kind of doubt that a picture, a recording, a film or a PDF is; None: it is none of them."""
    if len(data) < _SMALLEST:
        return None
    found = _MEDIA.match(data[:32])
    if found is not None:
        return found.lastgroup
    return "image" if data[:2] == b"BM" and int.from_bytes(data[2:6], "little") == len(data) else None


def _member(content: bytes, decoding: Decoding, depth: int) -> str:
    text = said(content, decoding, depth + 1)
    if text is None:
        if len(content) >= 16:
            decoding.doubt(UNREADABLE)
        return printable_runs(content) if len(content) >= 6 else content.decode("cp1252", "replace")
    return f"{text}\n\n{_without_tags(text)}" if text.lstrip("\ufeff \r\n").startswith("<") else text


def _without_tags(markup: str) -> str:
    """Return the text of a document's markup: a value that stands in several runs becomes one again."""
    return html.unescape(_TAG.sub("", _ENDS.sub("\n", markup)))
