"""Body of an OpenDocument file, divided where a new sheet or slide begins."""

from gateway.attachments.worker.office.flow import Attributes, Flow
from gateway.attachments.worker.parts import Budget, Pages, Parts
from gateway.attachments.worker.xml_text import Event, texts
from gateway.core.attachment import Piece

_CHUNK = 64 * 1024  # characters of a sheet in one piece
_DIVISIONS = {"table:table": "sheet", "draw:page": "slide"}


def read_body(content: bytes, budget: Budget) -> Parts:
    """Yield the body's text, in pieces as it is divided.

    Raises:
        NotWellFormed: behind what was yielded until there.
        BudgetSpent: the time is over.
    """
    body = _Body()
    for event in texts(content, budget):
        yield from body.take(event)
    yield from body.end()
    if body.count:
        yield Pages(count=body.count)


class _Body:
    """Collector of the body's events."""

    def __init__(self) -> None:
        self._flow = Flow()
        self._place = ""
        self._row = self._from = 1
        self._hidden: set[str] = set()  # styles of sheets that are not shown
        self._style = ""
        self._divides = False  # whether tables are sheets: in a text document they are a part of it
        self._depth = 0  # sheets and slides around; a table on a slide is no sheet
        self._value: tuple[int, str] | None = None  # where a cell's text begins, and the number that it stands for
        self.count = 0

    def take(self, event: Event) -> Parts:
        """Add one event; yield what is complete with it."""
        kind, name, attributes = event
        if kind == "start":
            if self._divided(name):
                if self._depth == 0:
                    yield from self.end()
                    self._begin(_DIVISIONS[name], dict(attributes))
                self._depth += 1
            self._start(name, dict(attributes))
        elif kind == "end" and name == "table:table-cell":
            self._end_cell()
        self._flow.take(event)
        if kind == "end":
            if self._divided(name):
                self._depth -= 1
                if self._depth == 0:
                    yield from self.end()
                    self._place, self._row, self._from = "", 1, 1
            elif name == "table:table-row" and self._depth:
                self._row += 1
                if self._flow.length > _CHUNK:
                    yield from self.flush()
                    self._from = self._row

    def flush(self) -> Parts:
        """Yield what was said since the last time."""
        place = f"{self._place}, from row {self._from}" if self._from > 1 else self._place
        for what, text in self._flow.said.pieces():
            yield Piece(place=", ".join(word for word in (place, what) if word), text=text)
        tables = self._flow.tables
        self._flow = Flow()
        self._flow.tables = tables

    def end(self) -> Parts:
        """Yield the rest of a sheet, a slide or the whole, with its tables by columns."""
        yield from self.flush()
        columns = self._flow.tables.text()
        if columns:
            yield Piece(place=", ".join(word for word in (self._place, "by columns") if word), text=columns)
        self._flow = Flow()

    def _divided(self, name: str) -> bool:
        return self._divides and name in _DIVISIONS

    def _begin(self, word: str, attributes: Attributes) -> None:
        self.count += 1
        hidden = attributes.get("table:style-name") in self._hidden and word == "sheet"
        self._place = f"{word} {self.count}, hidden" if hidden else f"{word} {self.count}"

    def _start(self, name: str, attributes: Attributes) -> None:
        if name in ("office:spreadsheet", "office:presentation", "office:drawing"):
            self._divides = True
        elif name == "style:style":
            self._style = attributes.get("style:name") or ""
        elif name == "style:table-properties" and attributes.get("table:display") == "false":
            self._hidden.add(self._style)
        elif name == "table:table-cell":
            value = attributes.get("office:value")
            self._value = (len(self._flow.said.text), value) if value else None

    def _end_cell(self) -> None:
        """Add the number that a cell keeps, where what it shows has other digits."""
        if self._value is not None:
            start, value = self._value
            shown = "".join(self._flow.said.text[start:])
            if _digits(value.rstrip("0").rstrip(".") if "." in value else value) not in _digits(shown):
                self._flow.add(f"\t{value}")
        self._value = None


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
