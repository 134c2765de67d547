"""Progress in bytes, on standard error: a bar in a terminal, else a line at each tenth of what takes a while."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WORTH_LINES = 500 * 10**6  # bytes: less is done before anybody wonders


@contextmanager
def shown(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far a work of so many bytes is. The function that is given hears how many more are done."""
    if not sys.stderr.isatty():
        yield _lines(what, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total or None)
        yield lambda count: bar.advance(task, count)


def _lines(what: str, total: int) -> Callable[[int], None]:
    done = tenth = 0

    def progress(count: int) -> None:
        nonlocal done, tenth
        done += count
        reached = 10 * done // total if total else 0
        if reached > tenth and total >= _WORTH_LINES:
            tenth = reached
            print(f"{what}: {10 * tenth} %, {total / 1e9:.2f} GB", file=sys.stderr, flush=True)

    return progress
