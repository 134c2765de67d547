"""OpenDocument: every part of the package. Schema: https://docs.oasis-open.org/office/OpenDocument/v1.3/."""

import re
import zipfile

from gateway.attachments.worker.charset import runs
from gateway.attachments.worker.office.body import read_body
from gateway.attachments.worker.office.flow import said
from gateway.attachments.worker.parts import Budget, Inside, Kind, Parts, Reason, Unread
from gateway.attachments.worker.xml_text import NotWellFormed, texts
from gateway.attachments.worker.zip_file import ZipFile
from gateway.core.attachment import FileKind, Piece

_TYPES = ("mimetype", "META-INF/manifest.xml")
_KINDS = (
    (b"opendocument.spreadsheet", FileKind.SPREADSHEET),
    (b"opendocument.presentation", FileKind.PRESENTATION),
)
_PLACES = {
    "styles.xml": "margins",
    "meta.xml": "properties",
    "META-INF/manifest.xml": "",
    "manifest.rdf": "",
}
_RECORDS = ("properties", "other parts")
_OF_SETTINGS = ("config:", "office:", "ooo:")
_TYPES_OF_SETTINGS = frozenset(
    {"base64Binary", "boolean", "datetime", "double", "int", "long", "short", "string", "1.0", "1.1", "1.2", "1.3"}
)
_MEASURE = re.compile(r"-?\d{1,5}|true|false")  # of windows and options: nobody's
_WITHIN_NAME = re.compile(r"(?<=[a-z])(?=[A-Z])")  # of words that are written as one
_MACROS = re.compile(r"(?:Basic|Scripts)/")
_PROGRAM_DATA = re.compile(r"layout-cache$|Configurations2/")
_EXTERNAL = re.compile(
    rb"<(?:draw:(?:image|object|object-ole|plugin|floating-frame)|text:section-source|table:table-source)\b[^>]*"
    rb"\bxlink:href\s*=\s*[\"'](?:\w{2,}:|/|\.\./)"
)


def read(data: bytes, budget: Budget) -> Parts:
    """Yield the body by sheets or slides, then the other parts, and the files that are embedded."""
    try:
        package = ZipFile(data)
    except zipfile.BadZipFile:
        yield Unread(reason=Reason.BROKEN)
        return
    types = b"".join(package.read(one, budget) or b"" for one in package.members if one.filename in _TYPES)
    yield Kind(kind=next((kind for words, kind in _KINDS if words in types), FileKind.DOCUMENT))
    for member in sorted(package.members, key=lambda one: (one.filename != "content.xml", one.filename)):
        content = package.read(member, budget)
        if content is not None and member.filename != "mimetype":
            yield from _part(member.filename, content, budget)
    comments = "\n".join(package.comments)
    if comments:
        yield Piece(place="archive comment", text=comments)
    yield from (Unread(reason=reason) for reason in package.reasons)


def _part(name: str, content: bytes, budget: Budget) -> Parts:
    if not content:
        return
    if name == "META-INF/manifest.xml" and b"encryption-data" in content:
        yield Unread(reason=Reason.ENCRYPTED)
    if _MACROS.match(name):
        yield Unread(reason=Reason.PROGRAM)
    if name.endswith((".xml", ".rdf")):
        yield from _markup(name, content, budget)
    elif _PROGRAM_DATA.match(name):
        yield Piece(place="settings", text="\n".join(runs(content)))
    else:
        yield Inside(place="embedded file", data=content)


def _markup(name: str, content: bytes, budget: Budget) -> Parts:
    if _EXTERNAL.search(content):
        yield Unread(reason=Reason.EXTERNAL)
    try:
        if name == "content.xml":
            yield from read_body(content, budget)
            return
        if name == "settings.xml":
            yield from _settings(content, budget)
            return
        place = _PLACES.get(name, "embedded object" if name.endswith("content.xml") else "other parts")
        for what, text in said(content, budget, records=place in _RECORDS).pieces():
            if place:
                yield Piece(place=f"{place}, {what}" if what else place, text=text)
    except NotWellFormed:
        # What is encrypted is no XML either; then the list of members says so.
        yield Unread(reason=Reason.BROKEN)


def _settings(content: bytes, budget: Budget) -> Parts:
    """Yield each setting in a line of its own, its name by words: else numbers look like one, and names like keys."""
    lines: list[list[str]] = [[]]
    value: list[str] = []  # in pieces, where a comment stands in it
    for kind, text, attributes in texts(content, budget):
        if kind == "data":
            value.append(text)
            continue
        if kind not in ("start", "end"):
            lines[-1] += filter(None, [text])
            continue
        setting = "".join(value).strip()
        value.clear()
        if setting and not _MEASURE.fullmatch(setting):
            lines[-1].append(setting)
        if kind == "start":
            lines.append([] if text.startswith(_OF_SETTINGS) else [text])
            for name, word in attributes:
                if word and word not in _TYPES_OF_SETTINGS and not name.startswith("xmlns"):
                    lines[-1] += [_words(word)] if name.startswith(_OF_SETTINGS) else [name, word]
    whole = "\n".join(": ".join(line) for line in lines if line)
    if whole:
        yield Piece(place="settings", text=whole)


def _words(name: str) -> str:
    return _WITHIN_NAME.sub(" ", name) if name.isalpha() else name
