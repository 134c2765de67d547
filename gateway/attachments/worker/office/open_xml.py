"""Office Open XML: every part of the package, in the order in which a person would read them.

Schemas: ECMA-376, https://ecma-international.org/publications-and-standards/standards/ecma-376/.
"""

import re
import zipfile
from hashlib import sha256

from gateway.attachments.worker.charset import runs
from gateway.attachments.worker.office.flow import said
from gateway.attachments.worker.office.workbook import Workbook, read_workbook
from gateway.attachments.worker.parts import Budget, Inside, Kind, Parts, Reason, Unread
from gateway.attachments.worker.xml_text import NotWellFormed
from gateway.attachments.worker.zip_file import ZipFile
from gateway.core.attachment import FileKind, Piece

_KINDS = (("word/", FileKind.DOCUMENT), ("xl/", FileKind.SPREADSHEET), ("ppt/", FileKind.PRESENTATION))
_PLACES = tuple(
    (re.compile(pattern), place)
    for pattern, place in (
        (r"word/document\d*\.xml$", ""),
        (r"ppt/slides/slide(\d+)\.xml$", "slide"),
        (r"ppt/notesSlides/\w+?(\d+)\.xml$", "notes"),
        (r"word/(?:header|footer)(\d*)\.xml$", "margin"),
        (r"word/(?:foot|end)notes\.xml$", "notes"),
        (r".*/(?:threaded)?comments?(?:Extended|Ids|Extensible|Authors)?(?:/\w+?)?(\d*)\.xml$", "comments"),
        (r".*/persons?/|.*[aA]uthors?\.xml$|word/people\.xml$", "authors"),
        (r".*/charts?(?:Ex)?/\w*?(\d*)\.xml$", "chart"),
        (r".*/(?:diagrams|drawings)/\w*?(\d*)\.(?:xml|vml)$", "drawing"),
        (r"ppt/(?:slideLayouts|slideMasters|notesMasters|handoutMasters)/\w*?(\d*)\.xml$", "layout"),
        (r"xl/(?:pivotCache|pivotTables|externalLinks|queryTables|tables|slicers?\w*)/\w*?(\d*)\.xml$", "table"),
        (r"xl/connections\.xml$", "connections"),
        (r"docProps/", "properties"),
        (r"customXml/\w*?(\d*)\.xml$", "custom data"),
    )
)  # fmt: skip
_RECORDS = ("authors", "connections", "custom data", "properties", "table")
_PLAIN = re.compile(  # markup of layout, whose names are those of styles and fonts
    r"(?:.*/)?(?:\[Content_Types\]|styles|stylesWithEffects|fontTable|webSettings|theme\d*|themeOverride\d*"
    r"|tableStyles|presProps|viewProps|calcChain|metadata|rdRichValue\w*|colors\d+|style\d+)\.xml$"
)
_MACROS = re.compile(r".*(?:vbaProject|vbaData|macrosheets|activeX|ctrlProps)", re.IGNORECASE)
_PRINTERS = re.compile(r".*printerSettings\w*\.bin$")
# The printer of whoever made python-pptx's template: it is in every file that programs make with that, and nobody's.
_TEMPLATE_PRINTER = "d7768f87e07d29634782e448ece1cddd05a52b9499254222b1190bc8f6dc579e"
_EXTERNAL = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*\bTargetMode\s*=\s*[\"']External[^>]*>")
_LINK = re.compile(rb"/relationships/hyperlink[\"']")


def read(data: bytes, budget: Budget) -> Parts:
    """Yield the text of each part, numbers of sheets as shown, and the files that are embedded."""
    try:
        package = ZipFile(data)
    except zipfile.BadZipFile:
        yield Unread(reason=Reason.BROKEN)
        return
    names = {member.filename for member in package.members}
    yield Kind(kind=next((kind for start, kind in _KINDS if any(name.startswith(start) for name in names)),
                         FileKind.DOCUMENT))  # fmt: skip
    workbook = Workbook(package, budget) if "xl/workbook.xml" in names else None
    if workbook is not None:
        yield from read_workbook(workbook, budget)
    layouts: set[str] = set()
    for member in sorted(package.members, key=_order):
        if workbook is None or member.filename not in workbook.read_already:
            content = package.read(member, budget)
            if content is not None:
                yield from _once(_part(member.filename, content, budget), layouts)
    comments = "\n".join(package.comments)
    if comments:
        yield Piece(place="archive comment", text=comments)
    yield from (Unread(reason=reason) for reason in package.reasons)


def _once(parts: Parts, known: set[str]) -> Parts:
    """Leave out lines of layouts that another one has: a template says the same a dozen times."""
    for part in parts:
        if not isinstance(part, Piece) or not part.place.startswith("layout"):
            yield part
            continue
        lines = [line for line in dict.fromkeys(part.text.split("\n")) if line and line not in known]
        known.update(lines)
        if lines:
            yield Piece(place=part.place, text="\n".join(lines))


def _part(name: str, content: bytes, budget: Budget) -> Parts:
    lower = name.lower()
    if not content or (_PRINTERS.match(name) and sha256(content).hexdigest() == _TEMPLATE_PRINTER):
        return
    if _MACROS.match(name):
        yield Unread(reason=Reason.PROGRAM)
    if lower.endswith(".rels"):
        yield from _relationships(content, budget)
    elif lower.endswith((".xml", ".vml")) or content.lstrip()[:5] == b"<?xml":
        yield from _markup(name, content, budget)
    elif _PRINTERS.match(name):
        yield Piece(place="printer", text="\n".join(runs(content)))
    else:
        yield Inside(place="embedded file", data=content)


def _markup(name: str, content: bytes, budget: Budget) -> Parts:
    place, plain = _place(name), _PLAIN.match(name) is not None
    try:
        records = place.startswith(_RECORDS)
        found = said(content, budget, records=records, every_attribute=place.startswith("custom data"))
    except NotWellFormed:
        yield Unread(reason=Reason.BROKEN)
        yield Piece(place=place, text=content.decode("utf-8", "replace"))
        return
    for what, text in found.pieces():
        if not (plain and what == "attributes"):
            yield Piece(place=", ".join(word for word in (place, what) if word), text=text)


def _relationships(content: bytes, budget: Budget) -> Parts:
    """Yield where links lead. What is not a link but stands elsewhere, such as a picture, was not read."""
    external = _EXTERNAL.findall(content)
    if not external:
        return
    try:
        found = said(b"<links>" + b"".join(external) + b"</links>", budget, every_attribute=True)
    except NotWellFormed:
        yield Unread(reason=Reason.BROKEN)
        return
    targets = [word for word in found.words if not word.startswith("http://schemas.openxmlformats.org/")]
    yield Piece(place="links", text="\n".join(targets))
    if any(not _LINK.search(one) for one in external):
        yield Unread(reason=Reason.EXTERNAL)


def _place(name: str) -> str:
    for pattern, place in _PLACES:
        found = pattern.match(name)
        if found is not None:
            number = found.group(1) if pattern.groups and found.group(1) else ""
            return f"{place} {number}".strip()
    return "layout" if _PLAIN.match(name) else "other parts"


def _order(member: zipfile.ZipInfo) -> tuple[int, int, str]:
    """Sort the body first, then what belongs to it, by number."""
    for rank, (pattern, _) in enumerate(_PLACES):
        found = pattern.match(member.filename)
        if found is not None:
            return rank, int(found.group(1) or 0) if pattern.groups else 0, member.filename
    return len(_PLACES), 0, member.filename
