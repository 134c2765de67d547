"""Markup of office documents → lines of text. Runs of one paragraph are one text: a value may stand in several."""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from gateway.attachments.worker.columns import Tables
from gateway.attachments.worker.parts import Budget
from gateway.attachments.worker.xml_text import Event, texts

_LINES = frozenset(
    {"p", "h", "tr", "br", "line-break", "si", "row", "table-row", "cm", "comment", "author", "item", "list-item"}
)
_TABS = frozenset({"tab", "ptab"})
_CELLS = frozenset({"tc", "c", "table-cell", "covered-table-cell"})
_DELETED = frozenset({"delText", "delInstrText"})
_FIELDS = frozenset({"instrText", "f", "definedName", "formula1", "formula2"})
# Attributes that are somebody's words. Those of layout are numbers and identifiers of the program's own.
_WORDS = frozenset(
    {
        "alt", "author", "caption", "cmd", "command", "commandText", "connection", "current-value", "descr",
        "description", "display", "display-name", "displayName", "displayText", "error", "errorTitle", "help-text",
        "href", "initials", "instr", "label", "location", "name", "num-prefix", "num-suffix", "prompt", "promptTitle",
        "sourceFile", "string", "string-value", "text", "textdata", "title", "tooltip", "url", "userId", "userName",
    }
)  # fmt: skip
_VALUES = {  # attributes that are words in these elements alone
    "v": frozenset({"s", "n", "d", "x"}),  # the memory of a pivot table: <s v="García"/>
    "val": frozenset(
        {
            "alias", "attr", "customFilter", "default", "docVar", "filter", "helpText", "lvlText", "statusText", "tag",
        }
    ),
    "value": frozenset({"listItem", "text", "textarea", "combobox", "listbox"}),
}  # fmt: skip
_LAYOUT = ("style:", "number:", "office:font", "text:list-style", "draw:gradient", "draw:hatch", "draw:marker")


class Said(msgspec.Struct):
    """What one part of a document says, by how."""

    text: list[str] = msgspec.field(default_factory=list)
    before: list[str] = msgspec.field(default_factory=list)  # the text before its tracked changes
    fields: list[str] = msgspec.field(default_factory=list)
    words: list[str] = msgspec.field(default_factory=list)
    columns: str = ""
    deleted: bool = False

    def pieces(self) -> list[tuple[str, str]]:
        """Return the texts that are not empty, with what they are."""
        every = (
            ("", _lines(self.text)),
            ("before changes", _lines(self.before) if self.deleted else ""),
            ("by columns", self.columns),
            ("fields", "\n".join(self.fields).strip()),
            ("attributes", "\n".join(self.words).strip()),
        )
        return [(what, text) for what, text in every if text]


def _lines(parts: list[str]) -> str:
    """Return one text, in which the cells of a row stand in one line."""
    lines = (line for line in "".join(parts).split("\n") if line.strip(" \r"))
    return "\n".join(lines).replace("\n\t", "\t").strip()


def words(name: str, attributes: list[tuple[str, str | None]], *, every: bool = False) -> Iterator[str]:
    """Yield the attributes of an element that are somebody's words. `name`: without its prefix; `every`: all are."""
    for attribute, text in attributes:
        local = attribute.rpartition(":")[2]
        wanted = every or local in _WORDS or (local in _VALUES and name in _VALUES[local])
        if text and wanted and not attribute.startswith("xmlns"):
            yield text


Attributes: TypeAlias = dict[str, str | None]


def said(data: bytes, budget: Budget, *, records: bool = False, every_attribute: bool = False) -> Said:
    """Return what a part says.

    Args:
        data: The part's XML.
        budget: For its time.
        records: Whether each element is a text of its own, as in properties.
        every_attribute: Whether all attributes are words, as in parts of no known schema.

    Raises:
        NotWellFormed: it is no XML that can be read to its end.
        BudgetSpent: the time is over.
    """
    flow = Flow(records=records, every_attribute=every_attribute)
    for event in texts(data, budget):
        flow.take(event)
    flow.said.columns = flow.tables.text()
    return flow.said


class Flow:
    """Collector of one part's events."""

    def __init__(self, *, records: bool = False, every_attribute: bool = False) -> None:
        """Begin with nothing. See `said`."""
        self.said = Said()
        self.tables = Tables()
        self.length = 0  # characters of text
        self._records = records
        self._every_attribute = every_attribute
        self._inserted = 0  # how many elements of inserted, and of deleted text stand around
        self._deleted = 0
        self._field = 0

    def take(self, event: Event) -> None:
        """Add one event."""
        kind, value, attributes = event
        match kind:
            case "data":
                self._data(value)
            case "start":
                self._start(value.rpartition(":")[2], value, attributes)
            case "end":
                self._end(value.rpartition(":")[2], value)
            case _:
                self.said.words.append(value)

    def add(self, text: str) -> None:
        """Add text that is the same before and after tracked changes."""
        self.said.text.append(text)
        self.said.before.append(text)
        self.tables.add(text)
        self.length += len(text)

    def _data(self, text: str) -> None:
        if self._field:
            self.said.fields.append(text)
            return
        self.length += len(text)
        self.tables.add(text)
        if not self._deleted:
            self.said.text.append(text)
        if not self._inserted:
            self.said.before.append(text)

    def _start(self, name: str, whole: str, attributes: list[tuple[str, str | None]]) -> None:
        if name in _LINES:
            if not "".join(self.said.text[-1:]).endswith(("\n", "\t")):
                self.add("\n")
        elif name in _TABS:
            self.add("\t")
        elif name == "noBreakHyphen":
            self.add("-")
        elif name == "s" and whole == "text:s":
            self.add(" ")
        self._nest(name, whole, 1)
        self.tables.start(name, attributes)
        if whole.startswith(_LAYOUT):
            return
        if attributes:
            self.said.words += words(name, attributes, every=self._every_attribute)

    def _end(self, name: str, whole: str) -> None:
        self._nest(name, whole, -1)
        self.tables.end(name)
        if name in _LINES or self._records:
            self.add("\n")
        elif name in _CELLS:
            self.add("\t")

    def _nest(self, name: str, whole: str, step: int) -> None:
        if whole in ("w:ins", "w:moveTo"):
            self._inserted += step
        elif name in _DELETED or whole in ("w:del", "w:moveFrom", "text:deletion"):
            self._deleted += step
            self.said.deleted = True
            self.tables.add(" ")  # what stood here is another value than what stands here now
        elif name in _FIELDS:
            self._field += step
