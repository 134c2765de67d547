"""HTML, SVG and other XML: text, comments, hidden elements, attributes, and files in data URLs.

Everything that stands in the file counts, whether a browser would show it or not.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes

from gateway.attachments.worker.charset import decoded
from gateway.attachments.worker.columns import Tables
from gateway.attachments.worker.parts import Budget, Inside, Parts, Reason, Unread
from gateway.attachments.worker.xml_text import NotWellFormed, texts
from gateway.core.attachment import Piece

# Elements that do not end a word: `12<b>34</b>` is one number.
_INLINE = frozenset(
    {
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
        "ins", "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
        "time", "tspan", "tt", "u", "var", "wbr",
    }
)  # fmt: skip
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w-]+=[^;,\"']*)*)(;base64)?,([^\"'\s)<>]*)", re.IGNORECASE)
_FILE = "binary-data"
_CHARSET = re.compile(rb"<meta\b[^>]{0,200}\bcharset\s*=\s*[\"']?([\w-]{2,40})", re.IGNORECASE)
_USUAL_NAME = re.compile(r"[a-z]{1,10}[1-6]?")
_END = re.compile(r"</[^\s/>\0]*")  # with its name, as the parser takes it
# What shows letters in another order than they stand in: pieces in a style, too.
_REORDERED = re.compile(r"unicode-bidi\s{0,9}:\s{0,9}[a-z-]{0,20}override|(?:row|column|wrap)-reverse", re.IGNORECASE)
_PIECE = re.compile(r"\bcontent\s{0,9}:\s{0,9}[\"'](?!\\)[^\"']{0,200}?\w{3}", re.IGNORECASE)
_DRAWN = frozenset({"path", "polygon", "polyline"})  # of SVG: they may draw letters
_REMOTE = frozenset({"iframe", "frame", "embed", "object", "img", "image", "video", "audio", "source", "use"})

# Files beside the page: where they stand in a text of their own, they are read as names, which are no sentences.
_BESIDE = re.compile(r"(?:[\w.~+-]+/)*[\w.~+-]+\.(?:x?html?|pdf|png|jpe?g|gif|svg|webp|js)", re.IGNORECASE)


def read_html(data: bytes, budget: Budget) -> Parts:
    """Yield the text of a page in reading order, then its comments, its attributes and the files in its data URLs."""
    text = decoded(data, _declared(data))
    if text is None:
        yield Unread(reason=Reason.UNKNOWN_KIND)
        return
    page = _Page()
    page.feed(text.text)
    page.end()
    yield from _found(page)
    if not text.sure:
        yield Unread(reason=Reason.ENCODING)


def read_xml(data: bytes, budget: Budget) -> Parts:
    """Yield the same of XML; what is not well-formed is read as HTML, and not whole."""
    page = _Page()
    try:
        for kind, value, attributes in texts(data, budget):
            match kind:
                case "start":
                    page.handle_starttag(value.rpartition(":")[2], attributes)
                    page.names[value] = None
                case "end":
                    page.handle_endtag(value.rpartition(":")[2])
                case "data":
                    page.handle_data(value)
                case "comment" | "instruction":
                    page.handle_comment(value)
    except NotWellFormed:
        yield Unread(reason=Reason.BROKEN)
        yield from read_html(data, budget)
        return
    yield from _found(page)


def _declared(data: bytes) -> str:
    """Return the encoding that a page says it is in; empty: it says none."""
    found = _CHARSET.search(data[:2048])
    return found.group(1).decode() if found else ""


class _Page(HTMLParser):
    """Collector of everything that a page says."""

    # Newer parsers take the content of more elements as it stands, where `12<b>34</b>` would be no number.
    CDATA_CONTENT_ELEMENTS = ("script", "style")  # type: ignore[misc]
    RCDATA_CONTENT_ELEMENTS = ()  # type: ignore[misc]

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.tables = Tables()
        self.comments: list[str] = []
        self.attributes: list[str] = []
        self.addresses: dict[str, None] = {}
        self.names: dict[str, None] = {}
        self.files: list[list[str]] = []  # in base64, as flat OpenDocument has them
        self.reasons: set[Reason] = set()
        self._in_file = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == _FILE:
            self._in_file = True
            self.files.append([])
        if tag not in _INLINE:
            self._break()
        self.tables.start(tag, attrs)
        self._named(tag)
        for name, value in attrs:
            self._named(name)
            if value and name in ("href", "src") and _BESIDE.fullmatch(value):
                self.addresses[value] = None
            elif value:
                self.attributes.append(f"{name}: {value}")
            beside = name.rpartition(":")[2] in ("src", "href", "data") and tag in _REMOTE
            if value and beside and not value.startswith(("data:", "#")):
                self.reasons.add(Reason.EXTERNAL)
        if tag in ("script", "bdo"):
            self.reasons.add(Reason.PROGRAM)
        elif tag in _DRAWN:
            self.reasons.add(Reason.PHOTOGRAPH)

    def handle_endtag(self, tag: str) -> None:
        self._named(tag)
        if tag == _FILE:
            self._in_file = False
        self.tables.end(tag)
        if tag not in _INLINE:
            self._break()

    def handle_data(self, data: str) -> None:
        if self._in_file:
            self.files[-1].append(data)
            return
        self.text.append(data)
        self.tables.add(" ".join(data.split("\n")))

    def _break(self) -> None:
        self.text.append("\n")
        self.tables.add("\n")

    def _named(self, name: str) -> None:
        """Keep the name of an element or attribute that none of HTML's usually has: it may say something."""
        if not _USUAL_NAME.fullmatch(name):
            self.names[name] = None

    def parse_endtag(self, i: int) -> int:
        """Keep what stands behind the name of an end: the parser passes over it."""
        behind = super().parse_endtag(i)
        name = _END.match(self.rawdata, i)
        if name is not None and behind > name.end() + 1:
            self.comments.append(self.rawdata[name.end() : behind - 1])
        return behind

    def end(self) -> None:
        """Close the page, and keep what it breaks off in: parsers of some Pythons pass over some of it."""
        left = self.rawdata
        self.close()
        if "<" in left or self.cdata_elem:
            self.comments.append(left)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self.comments.append(decl)

    def handle_pi(self, data: str) -> None:
        self.comments.append(data)

    def unknown_decl(self, data: str) -> None:
        self.comments.append(data)


def _found(page: _Page) -> Parts:
    whole = "".join(page.text)
    for place, text in (
        ("", "\n".join(line for line in whole.split("\n") if line.strip())),
        ("by columns", page.tables.text()),
        ("comments", "\n".join(page.comments)),
        ("attributes", "\n".join(page.attributes)),
        ("addresses", "\n".join(page.addresses)),
        ("names", "\n".join(page.names)),
    ):
        if text.strip():
            yield Piece(place=place, text=_DATA_URL.sub("data:", text) if "data:" in text.lower() else text)
    if _REORDERED.search(whole) or len(_PIECE.findall(whole)) > 1 or any(map(_REORDERED.search, page.attributes)):
        page.reasons.add(Reason.PROGRAM)
    yield from (Unread(reason=reason) for reason in sorted(page.reasons))
    for number, content in enumerate(_contents([whole, *page.comments, *page.attributes], page.files), 1):
        if content is None:
            yield Unread(reason=Reason.BROKEN)
        else:
            yield Inside(place=f"embedded file {number}", data=content)


def _contents(values: list[str], files: list[list[str]]) -> Iterator[bytes | None]:
    """Yield the files that stand in data URLs, and those in base64; None: one can't be decoded."""
    for value in values:
        for found in _DATA_URL.finditer(value) if "data:" in value.lower() else ():
            content = unquote_to_bytes(found.group(4))
            yield _from_base64(content) if found.group(3) else content
    for parts in files:
        yield _from_base64(b"".join("".join(parts).encode("ascii", "replace").split()))


def _from_base64(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None
