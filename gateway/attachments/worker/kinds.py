"""Kind of a file by its bytes. What a client or a name says of it does not count, except as a contradiction.

Signatures: https://en.wikipedia.org/wiki/List_of_file_signatures and the formats' own specifications.
"""

import enum
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO

from gateway.attachments.worker.charset import decoded


class Format(enum.StrEnum):
    """Formats that are told apart."""

    ARCHIVE = "archive"  # known, and not opened: 7z, RAR, zstd …
    AUDIO = "audio"
    EMPTY = "empty"
    HTML = "html"
    MAIL = "mail"
    ODF = "odf"
    OLE = "ole"  # Office before 2007, Outlook messages, encrypted Office
    OOXML = "ooxml"
    PACKED = "packed"  # one file, compressed: gzip, bzip2, xz
    PDF = "pdf"
    PICTURE = "picture"
    RTF = "rtf"
    TAR = "tar"
    TEXT = "text"
    UNKNOWN = "unknown"
    VIDEO = "video"
    XML = "xml"  # SVG, too
    ZIP = "zip"


_SIGNATURES = tuple(
    (re.compile(pattern, re.DOTALL), format_)
    for pattern, format_ in (
        (rb"%PDF-", Format.PDF),
        (rb"PK(?:\x03\x04|\x05\x06)", Format.ZIP),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format.OLE),
        (rb"\{\\rtf", Format.RTF),
        (rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|II\*\0|MM\0\*|II\+\0|MM\0\+", Format.PICTURE),
        (rb"BM....\0\0\0\0....[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|8BPS\0|\0\0\x01\0[\x01-\xff]\0", Format.PICTURE),
        (rb"....ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1|avif|avis)|\xff\x0a|\0\0\0\x0cJXL ", Format.PICTURE),
        (rb"\0\0\0\x0cjP  \r\n|\xff\x4f\xff\x51|P[1-6]\s(?:#[^\n]*\n)?\s*\d+\s+\d+\s", Format.PICTURE),
        (rb"ID3[\x02-\x04]|fLaC\0|RIFF....WAVE|#!AMR|....ftypM4[AB]|MThd\0|FORM....AIF|\.snd\0|caff\0\x01",
         Format.AUDIO),
        (rb"OggS\0.{23,27}(?:theora|\x80theora)|....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI |FLV\x01|\0\0\x01[\xba\xb3]",
         Format.VIDEO),
        (rb"OggS\0|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xeb]|\xff[\xf0\xf1\xf8\xf9][\x40-\xbf]", Format.AUDIO),
        (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Format.VIDEO),  # ASF: WMA, WMV
        (rb"\x1f\x8b\x08|\xfd7zXZ\0|BZh[1-9]1AY&SY", Format.PACKED),
        (rb".{257}ustar", Format.TAR),
        (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18|MSCF\0",
         Format.ARCHIVE),
    )
)  # fmt: skip
_HEAD = 512
_SNIFF = 4096  # characters
_XML = re.compile(r"\s*<(?:\?xml\b|svg\b|\w+:svg\b)", re.IGNORECASE)
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|meta|title|table|div|p|span|a\s+href|img|br|h[1-6]|ul|script|style|iframe)\b",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(?:From |>?[A-Za-z][\w-]*:[ \t]?|[ \t]+\S)")
_MAIL = re.compile(
    r"^(?:from|to|cc|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to|x-[\w-]+):",
    re.IGNORECASE,
)


def format_of(data: bytes) -> Format:
    """Return the format that the bytes are in."""
    if not data:
        return Format.EMPTY
    head = data[:_HEAD]
    for pattern, format_ in _SIGNATURES:
        if pattern.match(head):
            return _packed(data) if format_ is Format.ZIP else format_
    if b"%PDF-" in data[:1024] and b"%%EOF" in data[-4096:]:
        return Format.PDF  # readers look for the mark in the first kilobyte
    text = decoded(data)
    return Format.UNKNOWN if text is None else _written(text.text)


def also(data: bytes, first: Format) -> bool:
    """Say whether the bytes are a file of another kind, too: a program that looks elsewhere would see other content."""
    if first is Format.PDF and data[: data.find(b"%PDF-")].strip():
        return True
    packed = first in (Format.ZIP, Format.OOXML, Format.ODF)
    if first is not Format.PDF and b"%PDF-" in data[:1024] and (first is not Format.TEXT or b"%%EOF" in data[-4096:]):
        return True
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if not packed and end >= 0 and zipfile.is_zipfile(BytesIO(data)):
        return True
    return packed and not data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _packed(data: bytes) -> Format:
    """Return what kind of ZIP it is, by the members that make an office document one."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return Format.ZIP
    if "[Content_Types].xml" in names:
        return Format.OOXML
    if "content.xml" in names and ("mimetype" in names or "META-INF/manifest.xml" in names):
        return Format.ODF
    return Format.ZIP


def _written(text: str) -> Format:
    """Return the format of a text by its beginning."""
    head = text[:_SNIFF].lstrip("\ufeff \t\r\n")
    if head.startswith("{\\rtf"):
        return Format.RTF
    if _XML.match(head):
        return Format.HTML if re.search(r"<html\b", head, re.IGNORECASE) else Format.XML
    if _is_mail(head):
        return Format.MAIL
    if head.startswith("<") and _HTML.search(head):
        return Format.HTML
    return Format.TEXT


def _is_mail(head: str) -> bool:
    known: set[str] = set()
    for line in _headers(head):
        match = _MAIL.match(line)
        if match is not None:
            known.add(match.group().lower())
    return len(known) >= 3 and bool(known & {"from:", "received:", "mime-version:", "message-id:", "return-path:"})


def _headers(head: str) -> Iterator[str]:
    """Yield the lines before the first empty one, where all of them are headers."""
    for line in head.splitlines():
        if not line.strip():
            return
        if not _HEADER.match(line):
            return
        yield line
