"""Print for a terminal of any width, so that no word is broken or cut: tables, and sentences behind a sign."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_UNBOUNDED = 100_000  # columns: no table is as wide
_BESIDE = 3  # columns beside each cell: its two blanks and a line


def show_table(console: Console, *tables: Table) -> None:
    """Print the first of these tables that fits, else the last one as a list, one block a row.

    Args:
        console: The terminal.
        tables: The same rows with ever fewer columns.
    """
    for table in tables:
        if _fitted(console, table):
            console.print(table)
            return
    _show_blocks(console, tables[-1])


def _fitted(console: Console, table: Table) -> bool:
    """Give each column its width, the longest word at least; return whether there is room for all of them."""
    options = console.options.update(width=_UNBOUNDED)
    measures = [
        Measurement(
            *(
                max(values)
                for values in zip(
                    *(Measurement.get(console, options, cell) for cell in _with_head(column.header, column.cells)),
                    strict=True,
                )
            )
        )
        for column in table.columns
    ]
    room = console.width - _BESIDE * len(measures) - 1
    spare = room - sum(measure.minimum for measure in measures)
    if spare < 0:
        return False
    wanted = [measure.maximum - measure.minimum for measure in measures]
    share = min(1.0, spare / sum(wanted)) if any(wanted) else 0.0
    for column, measure, more in zip(table.columns, measures, wanted, strict=True):
        column.width = measure.minimum + int(more * share)
    return True


def _with_head(head: object, cells: Iterable[object]) -> list[Text]:
    return [cell if isinstance(cell, Text) else Text.from_markup(str(cell)) for cell in (head, *cells)]


def _show_blocks(console: Console, table: Table) -> None:
    if table.title:
        console.print(table.title, style="bold")
    heads = [column.header for column in table.columns]
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        console.print()
        console.print(cells[0], style="bold")
        block = Table.grid(padding=(0, 2, 0, 0))
        block.add_column(no_wrap=True, style="dim")
        block.add_column(overflow="fold")
        for head, cell in zip(heads[1:], cells[1:], strict=True):
            if str(cell):
                block.add_row(head, cell)
        console.print(block)
    console.print()


def show_sentence(console: Console, sign: str, sentence: str) -> None:
    """Print a sentence behind a sign; on a terminal its further lines are indented like its first.

    What goes into a file or a pipe stays one line, for whoever searches it.

    Args:
        console: The terminal.
        sign: What stands before it, with markup.
        sentence: The sentence, without markup.
    """
    if not console.is_terminal or not sign:
        console.print(Text.from_markup(sign) + Text(sentence), soft_wrap=not console.is_terminal)
        return
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(sign, Text(sentence))
    console.print(grid)


def sparklines(series: Sequence[Sequence[float]], width: int) -> list[str]:
    """Return one row of bars for each series, all on one scale, at most `width` bars long.

    Where there are more values, neighbours are added up.
    """
    longest = max((len(values) for values in series), default=0)
    step = -(-longest // max(1, width))  # rounded up
    added = [[sum(values[at : at + step]) for at in range(0, len(values), step)] for values in series] if step else []
    highest = max((value for values in added for value in values), default=0)
    return ["".join(_bar(value, highest) for value in values) for values in added]


_BARS = "▁▂▃▄▅▆▇█"


def _bar(value: float, highest: float) -> str:
    return _BARS[round(max(value, 0) / highest * (len(_BARS) - 1))] if highest > 0 else _BARS[0]
