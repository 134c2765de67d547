"""Cells of a table beside the heads of their columns: `Passport number: 379230804`.

What says that a number is somebody's passport stands at the head of its column, often far above it, and numbers without
check digits count only beside such a word. Read row by row, a table would hide them.
"""

import csv
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Attributes: TypeAlias = Sequence[tuple[str, str | None]]
"""Pairs of a name and a value."""

_LONGEST = 64  # characters of a head, and of a cell below it
_LONGEST_CELL = 4_096  # characters of a cell that are looked at
_EACH = 40  # cells below one head: what the first of them are, the others are as well
_MOST = 512  # columns
_TABLES = frozenset({"table", "tbl"})  # names in HTML, Open XML and OpenDocument, without their prefixes
_ROWS = frozenset({"row", "table-row", "tr"})
_CELLS = frozenset({"covered-table-cell", "table-cell", "tc", "td", "th"})
_MOST_TABLES = 32  # in one another
_MOST_COPIES = 16  # of a cell that stands for several
_SEPARATORS = ";\t,|"
_HEAD, _ALIKE = 16_384, 8  # characters, and lines of a text in which separators are counted


class Columns:
    """Collector of rows. A cell without digits is a head; for cells below it, the first head and the latest count."""

    def __init__(self) -> None:
        """Begin with no row."""
        self._heads: dict[int, list[str]] = {}
        self._below: dict[int, int] = {}
        self._lines: list[str] = []

    def take(self, row: Iterable[tuple[int, str]]) -> None:
        """Add the cells of a row, each with the number of its column."""
        for column, cell in row:
            text = cell.strip()
            if not text or len(text) > _LONGEST or "\n" in text:
                continue
            if any(map(str.isdigit, text)):
                self._value(column, text)
            elif any(map(str.isalpha, text)) and (column in self._heads or len(self._heads) < _MOST):
                heads = self._heads.setdefault(column, [])
                heads[1:] = [text]

    def text(self) -> str:
        """Return the cells beside their heads, one in each line."""
        return "\n".join(self._lines)

    def _value(self, column: int, text: str) -> None:
        count = self._below.get(column, 0)
        if count < _EACH and column in self._heads:
            self._below[column] = count + 1
            self._lines += [f"{head}: {text}" for head in dict.fromkeys(self._heads[column])]


class Tables:
    """Collector of the tables in markup, also of those in cells of others: elements come in, columns come out."""

    def __init__(self) -> None:
        """Begin with no table."""
        self._open: list[_Table] = []
        self._ignored = 0  # tables that are too deep in others
        self._done: list[str] = []

    def start(self, name: str, attributes: Attributes) -> None:
        """Add the start of an element, by its name without a prefix."""
        if name in _TABLES:
            if len(self._open) < _MOST_TABLES:
                self._open.append(_Table())
            else:
                self._ignored += 1
        elif self._open:
            if name in _ROWS:
                self._open[-1].row()
            elif name in _CELLS:
                self._open[-1].cell(attributes)
            elif name == "gridSpan":  # of Word, inside of its cell
                self._open[-1].widen(_count(attributes, "val"))

    def end(self, name: str) -> None:
        """Add the end of an element."""
        if not self._open:
            return
        if name in _CELLS:
            self._open[-1].end_cell()
        elif name in _TABLES:
            if self._ignored:
                self._ignored -= 1
            else:
                self._close()

    def add(self, text: str) -> None:
        """Add text; a new line begins another value of the same cell."""
        if self._open:
            self._open[-1].add(text)

    def text(self) -> str:
        """Return the cells of all tables beside their heads, of those that were never ended as well."""
        while self._open:
            self._close()
        return "\n".join(filter(None, self._done))

    def _close(self) -> None:
        table = self._open.pop()
        table.end_cell()
        self._done.append(table.columns.text())


class _Table:
    """One table, of which a row and a cell are open."""

    def __init__(self) -> None:
        self.columns = Columns()
        self._column = self._width = self._copies = 0
        self._text: list[str] | None = None  # of the open cell
        self._length = 0
        self._covered: dict[int, int] = {}  # columns into which a cell above reaches, and for how many rows more

    def row(self) -> None:
        self.end_cell()
        self._covered = {column: rows - 1 for column, rows in self._covered.items() if rows > 1}
        self._column = 0

    def cell(self, attributes: Attributes) -> None:
        self.end_cell()
        while self._column in self._covered:
            self._column += 1
        self._copies = _count(attributes, "number-columns-repeated")
        self._width = max(self._copies, _count(attributes, "colspan"))
        rows = _count(attributes, "rowspan")
        if rows > 1:
            self._covered |= dict.fromkeys(range(self._column, self._column + min(self._width, _MOST)), rows)
        self._text, self._length = [], 0

    def widen(self, width: int) -> None:
        self._width = max(self._width, width)

    def add(self, text: str) -> None:
        if self._text is not None and self._length < _LONGEST_CELL:
            self._text.append(text)
            self._length += len(text)

    def end_cell(self) -> None:
        if self._text is None:
            return
        values = "".join(self._text).replace("\t", "\n").split("\n")
        for column in range(self._column, self._column + min(self._copies, _MOST_COPIES)):
            self.columns.take((column, value) for value in values)
        self._column += self._width
        self._text = None


def _count(attributes: Attributes, name: str) -> int:
    """Return how many columns or rows an attribute says; 1 where it says none. `name`: without a prefix."""
    text = next((value for key, value in attributes if key.rpartition(":")[2] == name), None) or ""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def of_separated(text: str) -> str:
    """Return the cells of a table such as CSV beside their heads; empty: the text is no table."""
    separator = _separator([line for line in text[:_HEAD].split("\n") if line.strip()][:_ALIKE])
    if not separator:
        return ""
    columns = Columns()
    try:
        for row in csv.reader(text.split("\n"), delimiter=separator):
            columns.take(enumerate(row))
    except csv.Error:  # a cell that is longer than any that is looked at; what came before it counts
        return columns.text()
    return columns.text()


def _separator(lines: Sequence[str]) -> str:
    """Return the sign that stands equally often in the first lines; empty: none does."""
    if len(lines) < 2:
        return ""
    for sign in _SEPARATORS:
        counts = [len(next(csv.reader([line], delimiter=sign), [])) for line in lines]
        if counts[0] > 1 and sum(count == counts[0] for count in counts) * 2 > len(counts):
            return sign
    return ""
