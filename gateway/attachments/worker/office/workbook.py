"""Sheets of a workbook: every cell with its number as it is shown, and as it is kept where that says more."""

import posixpath
from collections.abc import Iterator

import msgspec

from gateway.attachments.worker.columns import Columns
from gateway.attachments.worker.office.flow import words
from gateway.attachments.worker.office.number_formats import BUILT_IN, is_date, plain, shown
from gateway.attachments.worker.parts import Budget, Pages, Parts, Reason, Unread
from gateway.attachments.worker.xml_text import Event, NotWellFormed, texts
from gateway.attachments.worker.zip_file import ZipFile
from gateway.core.attachment import Piece

_CHUNK = 64 * 1024  # characters of a sheet in one piece


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The part that a sheet stands in, and its place: `sheet 2, hidden`."""

    part: str
    place: str


class Workbook:
    """What all sheets share: their order, texts and formats of numbers."""

    def __init__(self, package: ZipFile, budget: Budget) -> None:
        """Read what sheets need before them."""
        self._package = package
        self._parts = {member.filename: member for member in package.members}
        self.read_already: set[str] = set()
        self.broken = False
        self.since_1904 = False
        self.strings = self._strings(budget)
        self.used = bytearray(len(self.strings))
        self.formats = self._formats(budget)
        self.sheets = self._sheets(budget)

    def content(self, part: str, budget: Budget, *, done: bool = True) -> bytes:
        """Return a part; empty where there is none. `done`: nobody else has to read it.

        Raises:
            BudgetSpent: it is larger than what is left.
        """
        member = self._parts.get(part)
        if member is None:
            return b""
        if done:
            self.read_already.add(part)
        return self._package.read(member, budget) or b""

    def string(self, number: str) -> str:
        """Return a shared text by its number."""
        if not number.isdigit() or int(number) >= len(self.strings):
            self.broken = True
            return number
        self.used[int(number)] = 1
        return self.strings[int(number)]

    def format_of(self, style: str) -> str:
        """Return the format of a cell's number by its style; empty: as it is."""
        number = int(style) if style.isdigit() else 0
        return self.formats[number] if number < len(self.formats) else ""

    def _strings(self, budget: Budget) -> list[str]:
        """Return the texts that cells share, by number."""
        strings: list[str] = []
        text: list[str] = []
        for kind, value, _ in self._events("xl/sharedStrings.xml", budget):
            if kind == "data":
                text.append(value)
            elif kind == "end" and value.rpartition(":")[2] == "si":
                strings.append("".join(text).strip("\n"))
                text.clear()
            elif kind == "start" and value.rpartition(":")[2] == "si":
                text.clear()
        return strings

    def _formats(self, budget: Budget) -> list[str]:
        """Return the format of numbers of each style of cells."""
        own = dict(BUILT_IN)
        formats: list[str] = []
        cells = False
        for kind, value, attributes in self._events("xl/styles.xml", budget, done=False):
            name, of = value.rpartition(":")[2], dict(attributes)
            if kind == "start" and name == "numFmt":
                own[of.get("numFmtId") or ""] = of.get("formatCode") or ""
            elif name == "cellXfs":
                cells = kind == "start"
            elif cells and kind == "start" and name == "xf":
                formats.append(own.get(of.get("numFmtId") or "0", ""))
        return formats

    def _sheets(self, budget: Budget) -> list[Sheet]:
        targets: dict[str, str] = {}
        for kind, value, attributes in self._events("xl/_rels/workbook.xml.rels", budget, done=False):
            of = dict(attributes)
            if kind == "start" and value.rpartition(":")[2] == "Relationship":
                target = of.get("Target") or ""
                targets[of.get("Id") or ""] = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
        sheets: list[Sheet] = []
        for kind, value, attributes in self._events("xl/workbook.xml", budget, done=False):
            name, of = value.rpartition(":")[2], dict(attributes)
            if kind == "start" and name == "workbookPr":
                self.since_1904 = of.get("date1904") in ("1", "true")
            elif kind == "start" and name == "sheet":
                part = next((targets.get(text or "", "") for key, text in attributes if key.endswith(":id")), "")
                hidden = ", hidden" if of.get("state", "visible") != "visible" else ""
                sheets.append(Sheet(part=part, place=f"sheet {len(sheets) + 1}{hidden}"))
        return sheets

    def _events(self, part: str, budget: Budget, *, done: bool = True) -> Iterator[Event]:
        content = self.content(part, budget, done=done)
        try:
            yield from texts(content, budget) if content else ()
        except NotWellFormed:
            self.broken = True


def read_workbook(workbook: Workbook, budget: Budget) -> Parts:
    """Yield the cells of all sheets, hidden ones too, and what their parts say besides."""
    yield Pages(count=len(workbook.sheets))
    for sheet in workbook.sheets:
        content = workbook.content(sheet.part, budget)
        cells = _Cells(workbook)
        first = 1
        try:
            for event in texts(content, budget) if content else ():
                cells.take(event)
                if cells.length > _CHUNK:
                    yield Piece(place=_from(sheet.place, first), text=cells.flush())
                    first = cells.row + 1
        except NotWellFormed:
            yield Unread(reason=Reason.BROKEN)
        rest = (
            (_from(sheet.place, first), cells.flush()),
            (f"{sheet.place}, by columns", cells.columns.text()),
            (f"{sheet.place}, besides", cells.besides()),
        )
        for place, text in rest:
            if text.strip():
                yield Piece(place=place, text=text)
    if workbook.broken:
        yield Unread(reason=Reason.BROKEN)
    unused = [text for text, used in zip(workbook.strings, workbook.used, strict=True) if not used and text.strip()]
    if unused:
        yield Piece(place="texts of no cell", text="\n".join(unused))


class _Cells:
    """Collector of one sheet's cells, as lines with tabs."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._lines: list[str] = []
        self._cells: list[str] = []
        self._placed: list[tuple[int, str]] = []  # the cells of a row, by their columns
        self._column = 0
        self._besides: list[str] = []
        self._type = self._style = ""
        self._within = ""
        self._value: list[str] = []
        self.length = 0  # characters since the last flush
        self.row = 0
        self.columns = Columns()

    def take(self, event: Event) -> None:
        """Add one event."""
        kind, value, attributes = event
        if kind == "data":
            if self._within:
                self._value.append(value)
            else:
                self._besides.append(value)
            return
        name = value.rpartition(":")[2]
        if kind == "start":
            self._start(name, attributes)
        elif kind == "end":
            self._end(name)
        else:
            self._besides.append(value)

    def flush(self) -> str:
        """Return the lines since the last time."""
        text = "\n".join(self._lines)
        self._lines.clear()
        self.length = 0
        return text

    def besides(self) -> str:
        """Return what stands beside the cells: margins, formulas with texts, hints, links."""
        return "\n".join(text for text in self._besides if text.strip())

    def _start(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        if name == "c":
            self._type = self._style = ""
            self._column += 1
            for key, text in attributes:
                if key == "t":
                    self._type = text or ""
                elif key == "s":
                    self._style = text or ""
                elif key == "r":
                    self._column = _number(text or "") or self._column
        elif name == "row":
            self.row += 1
            self._column = 0
        elif name in ("v", "t", "f"):
            self._within = name
            self._value.clear()
        else:
            self._besides += words(name, attributes)

    def _end(self, name: str) -> None:
        if name == "row":
            line = "\t".join(self._cells)
            self._cells.clear()
            self.columns.take(self._placed)
            self._placed.clear()
            if line:
                self._lines.append(line)
                self.length += len(line) + 1
        elif name == self._within:
            text, self._within = "".join(self._value), ""
            if name != "f":
                cell = self._texts(text)
                self._cells += cell
                self._placed += [(self._column, one) for one in cell]
            elif '"' in text:
                self._besides.append(text)

    def _texts(self, value: str) -> list[str]:
        """Return a cell as it is shown; behind it the number itself, where that has other digits."""
        workbook = self._workbook
        match self._type:
            case "s":
                return [workbook.string(value)]
            case "" | "n":
                code = workbook.format_of(self._style)
                if not code and value.isdigit():
                    return [value]
                text = shown(value, code, since_1904=workbook.since_1904)
                return [text] if is_date(code) or _digits(plain(value)).strip("0") in _digits(text) else [text, value]
            case _:
                return [value]


def _number(place: str) -> int:
    """Return the column of a cell's place: 28 of `AB7`; 0: there is none."""
    number = 0
    for letter in place[:3]:
        if not "A" <= letter <= "Z":
            break
        number = 26 * number + ord(letter) - 64
    return number


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _from(place: str, row: int) -> str:
    return place if row == 1 else f"{place}, from row {row}"
