"""Where a document has attachments, and their bytes: whatever inspection has a doubt about, in whatever dialect. Pure.

Driven by inspection's own doubts, so that nothing is an attachment that is no doubt, and no doubt is explained by an
attachment that stands elsewhere.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote_to_bytes

import msgspec

from gateway.core.document import Json, JsonObject, inside
from gateway.core.finding import Doubt
from gateway.core.provider_fields import NATIVE
from gateway.core.request import Media
from gateway.pipeline.attachments.media_types import is_known_type
from gateway.privacy.decoding.contents import medium_of

MOST = 64  # attachments of one request; further ones are not read
_UNREADABLE = frozenset({"image", "audio", "file", "unreadable_part", "unreadable_blob", "remote_url"})
_SHORTEST = 32  # characters of base64
_MESSAGE = re.compile(r"\$\.messages\[(\d+)\]")
_URL = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)
_PLAIN_URL = re.compile(r"data:([a-z]+/[\w.+-]+);base64,", re.IGNORECASE)  # no parameter with words of its own
_URL_IN_TEXT = re.compile(r"data:[\w.+/;=-]{0,200};base64,[A-Za-z0-9+/_=-]{16,}", re.IGNORECASE)
_BASE64_IN_TEXT = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}")
_BASE64_START = re.compile(r"[A-Za-z0-9+/_-]{16}")
_OTHER_LETTERS = bytes.maketrans(b"-_", b"+/")
_NAMES = ("filename", "file_name", "name", "title")
# Beside data these say what it is; whatever else a part has may be another way to the same or other content.
_PLAIN = frozenset({"type", "detail", "format", "media_type", "mime_type", "mimeType", "cache_control", "ttl", *_NAMES})
_CARRIERS = frozenset(
    {"image_url", "url", "image", "images", "input_image", "input_audio", "audio", "data", "file", "input_file"}
    | {"file_data", "document", "source"}
)  # fields that lead to data
# What a mark of Anthropic's dialect says of a document: how it was put together, and whether it is to be cited.
_MARKS = frozenset(
    {"span", "fields", "type", "parts", "title", "context", "source", "form", "media_type", "citations", "enabled"}
)
_MEDIA = frozenset(Media)
_WORDS = {Media.IMAGE: "picture", Media.AUDIO: "recording", Media.FILE: "file"}
_LONGEST_NAME = 60
_UNUSUAL = re.compile(r"[^A-Za-z0-9._ -]+")
_NUMBER = re.compile(r"\d{5,}")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment where it stands in a document."""

    path: str  # as people are shown it: `$.messages[2].file "report.pdf"`
    part: str  # path of the part that inspection can't read
    medium: Media
    data: bytes = b""  # empty: nothing here can be read, such as an address or an id
    name: str = ""  # as the client gave it: content, for nobody's eyes but the request's own targets
    alone: bool = False  # the part has strictly this, in one encoding that everybody reads alike, and nothing else

    @property
    def message(self) -> int:
        """Return the number of the message that it stands in; -1: in none."""
        match = _MESSAGE.match(self.part)
        return int(match[1]) if match else -1

    @property
    def word(self) -> str:
        """Return what people call it."""
        return _WORDS[self.medium]


def covers(part: str, path: str) -> bool:
    """Return whether a path lies in a part, or is its own."""
    return path == part or path.startswith((f"{part}.", f"{part}["))


def about_attachments(doubt: Doubt) -> bool:
    """Return whether a doubt is about a part that is not text, or the request's word that there is one."""
    return doubt.reason in _UNREADABLE


def found(document: JsonObject, doubts: Sequence[Doubt]) -> tuple[Found, ...]:
    """Return the attachments behind the doubts about a document, in its order."""
    about = [doubt for doubt in doubts if about_attachments(doubt)]
    parts = _outermost([doubt.path for doubt in about if doubt.path != "$"])
    items: list[Found] = []
    for path, value in _at(document, "$", parts):
        reasons = [doubt.reason for doubt in about if doubt.path == path]
        medium = next((Media(reason) for reason in reasons if reason in _MEDIA), Media.FILE)
        items += _of_part(path, value, medium)
    media = {item.medium for item in items}
    unplaced = sorted({doubt.reason for doubt in about if doubt.path == "$"} & (_MEDIA - media))
    return (*items, *(Found(path="$", part="$", medium=Media(reason)) for reason in unplaced))


def _outermost(paths: Sequence[str]) -> frozenset[str]:
    kept: list[str] = []
    for path in sorted(set(paths), key=len):
        if not any(covers(part, path) for part in kept):
            kept.append(path)
    return frozenset(kept)


def _at(value: Json, path: str, wanted: frozenset[str]) -> Iterator[tuple[str, Json]]:
    """Yield the values at these paths, in the order of the document."""
    if path in wanted:
        yield path, value
        return
    if not any(other.startswith(path) for other in wanted):
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _at(item, inside(path, name), wanted)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _at(item, inside(path, index), wanted)


def _of_part(path: str, value: Json, medium: Media) -> list[Found]:
    name = _name_in(value)
    given: list[tuple[str, bytes, bool]] = []
    rest = False  # something beside the data, of which nobody knows what it leads to
    for here, key, text in _texts(value, path, ""):
        data = list(_data_in(text))
        given += [(here, one, strict) for one, strict in data]
        rest |= not data and key not in _PLAIN
    shown = _shown(path, medium, name)
    if not given:
        return [Found(path=shown, part=path, medium=medium, name=name)]
    alone = not rest and _plainly_made(value) and all(strict for _, _, strict in given)
    return [
        Found(
            path=shown if len(given) == 1 or name else f"{here}" if here != path else f"{path} part {number}",
            part=path, medium=medium, data=data, name=name, alone=alone,
        )
        for number, (here, data, _) in enumerate(given, 1)
    ]  # fmt: skip


def _plainly_made(value: Json) -> bool:
    """Return whether a part has no field but those that say what it is, and those that lead to its data."""
    if isinstance(value, Mapping):
        return all(
            _plain_mark(item) if name == NATIVE else (name in _PLAIN or name in _CARRIERS) and _plainly_made(item)
            for name, item in value.items()
        )
    return all(map(_plainly_made, value)) if isinstance(value, tuple) else True


def _plain_mark(value: Json) -> bool:
    """Return whether a mark has nothing but a few short words."""
    if isinstance(value, Mapping):
        return value.keys() <= _MARKS and all(map(_plain_mark, value.values()))
    return not isinstance(value, tuple) and len(str(value)) <= _LONGEST_NAME


def _texts(value: Json, path: str, key: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, field and text of everything in a part but the names of fields; numbers count as texts."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name != NATIVE:
                yield from _texts(item, inside(path, name), name)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _texts(item, inside(path, index), key)
    elif value is not None and not isinstance(value, bool):
        yield path, key, value if isinstance(value, str) else str(value)


def _data_in(text: str) -> Iterator[tuple[bytes, bool]]:
    """Yield the bytes that a text carries, each with whether the whole text is strictly that and nothing else."""
    head = _URL.match(text)
    if head is not None and not _has_blank(text):
        data = text[head.end() :]
        if not head[0].lower().endswith(";base64,"):
            if data:
                yield unquote_to_bytes(data), False
        else:
            named = _PLAIN_URL.fullmatch(head[0])
            plain = named is not None and is_known_type(named[1])
            yield from ((held, strict and plain) for held, strict in _decoded(data))
        return
    if head is None and len(text) >= _SHORTEST and _BASE64_START.match(text):
        whole = list(_decoded(text))
        if whole:
            yield from whole
            return
    urls = [match[0] for match in _URL_IN_TEXT.finditer(text)]
    for url in urls:
        yield from ((data, False) for data, _ in _decoded(url.partition(",")[2]))
    if not urls:
        for match in _BASE64_IN_TEXT.finditer(text):
            yield from ((data, False) for data, _ in _decoded(match[0]) if medium_of(data) is not None)


def _has_blank(text: str) -> bool:
    return len(text.split(None, 1)) != 1 or text[-1:].isspace() or text[:1].isspace()


def _decoded(text: str) -> Iterator[tuple[bytes, bool]]:
    """Yield what base64 says, with whether it is strictly so: one alphabet, its padding, no bits beyond the end."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):  # also where there are letters that are none of ASCII's
        yield from ((data, False) for data in _read_kindly(text))
        return
    if data:
        last = len(data) - (len(data) % 3 or 3)
        yield data, base64.b64encode(data[last:]).decode() == text[-4:]


def _read_kindly(text: str) -> Iterator[bytes]:
    """Yield what base64 says in the other alphabet, with blanks in it or without padding."""
    try:
        plain = text.encode("ascii").translate(_OTHER_LETTERS, b" \t\r\n\f\v=")
        data = base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return
    if data:
        yield data


def _name_in(value: Json) -> str:
    if isinstance(value, Mapping):
        for key in _NAMES:
            name = value.get(key)
            if isinstance(name, str) and name.strip():
                return name.strip()
        return next((name for item in value.values() if (name := _name_in(item))), "")
    return ""


def _shown(path: str, medium: Media, name: str) -> str:
    """Return a place as it stands in explanations: a name only as far as it is plain letters, and no number."""
    plain = _NUMBER.sub("#", _UNUSUAL.sub("_", name))[:_LONGEST_NAME].strip()
    message = _MESSAGE.match(path)
    if not plain:
        return path
    return f'{message[0] if message else "$"}.{_WORDS[medium]} "{plain}"'
