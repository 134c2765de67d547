"""Files in requests: as the data URLs that they stand there as, and what a reader says of one. Pure."""

import base64
import binascii
import enum
import re

import msgspec

_URL = re.compile(r"data:(?P<type>[a-z]+/[a-z0-9.+-]+)(?:;[^,;]{1,200}){0,4};base64,", re.IGNORECASE)  # RFC 2397


class FileKind(enum.StrEnum):
    """What a file is, by its bytes; what a client or a name says of it does not count."""

    TEXT = "text"
    PDF = "pdf"
    PICTURE = "picture"
    DOCUMENT = "document"  # of a word processor
    SPREADSHEET = "spreadsheet"
    PRESENTATION = "presentation"
    WEB_PAGE = "web_page"  # HTML, SVG, other XML
    MAIL = "mail"
    ARCHIVE = "archive"
    SOUND = "sound"
    VIDEO = "video"
    UNKNOWN = "unknown"


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Text of a file, and where it stands in it: `page 3`, `sheet 2, hidden`, `EXIF`, `attachment 1, page 1`.

    INVARIANT: a place is made of numbers and words of ours, never of what the file says.
    """

    place: str
    text: str
    recognised: bool = False  # read from pixels or sound: letters may be wrong


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read of a file.

    INVARIANT: `whole` only where nothing in it went unread, and nothing was read with low confidence; else `reasons`
    has why, in words such as `encrypted`, `photograph`, `low_confidence`, `too_many_pages`, `time`, `reader_failed`.
    """

    kind: FileKind = FileKind.UNKNOWN
    pieces: tuple[Piece, ...] = ()
    pages: int = 0
    whole: bool = False
    reasons: tuple[str, ...] = ()


class FileContent(msgspec.Struct, frozen=True, kw_only=True):
    """A file's bytes, and its media type as `image/png`."""

    media_type: str
    data: bytes


def data_url(media_type: str, data: bytes) -> str:
    """Return a file as a data URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def is_data_url(text: str) -> bool:
    """Say whether a text is a data URL in base64, by its beginning."""
    return _URL.match(text) is not None


def content_of(url: str) -> FileContent | None:
    """Return the file that a data URL holds; None: it is no data URL, or its base64 is broken."""
    found = _URL.match(url)
    if found is None:
        return None
    try:
        data = base64.b64decode(url[found.end() :], validate=True)
    except (binascii.Error, ValueError):
        return None
    return FileContent(media_type=found["type"].lower(), data=data)


class SeenAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment of a request as decisions see it: where it stands and how far it was read, never what it says.

    INVARIANT: `path` has a name only after it was cleaned, so that it can stand in an explanation.
    """

    path: str
    kind: FileKind = FileKind.UNKNOWN
    pages: int = 0
    read: bool = False  # it was looked into; else the kind is what its place says
    whole: bool = False
    reasons: tuple[str, ...] = ()  # why it was not read whole
    left: bool = False  # read whole and clean, and the configuration lets it leave: no doubt is raised for it
