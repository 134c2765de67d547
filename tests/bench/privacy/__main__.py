"""What inspection finds, what it flags without cause, and what it costs, beside others on the same texts.

Run: `make bench-privacy` or `python -m tests.bench.privacy [--seed N] [--each N] [--data DIRECTORY] [--only NAME …]`.
Prints Markdown; asserts nothing, because machines differ. Systems that are not installed are named at the end.
`--markdown docs/inspection.md` puts the tables of that page into it anew.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.privacy import judge_cost, leakbench, page
from tests.bench.privacy.held_out import Verdicts, held_out, mistakes, tables
from tests.bench.privacy.own import ALL, ANY, JUDGE, NAMES, STRICT, TIER0, Absent, System
from tests.bench.privacy.padding import Padding
from tests.bench.privacy.sets import Texts, generated, of_directory
from tests.bench.privacy.systems import systems

_WIDE = 4_096
_OURS = (TIER0, JUDGE, STRICT, NAMES, ALL, ANY)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One system on one row."""

    flagged: int
    texts: int
    missed: tuple[str, ...]


def measure(system: System, row: Texts) -> Cell:
    """How many of the texts it flags, and those where it should have done otherwise."""
    code = row.name.endswith("library")
    verdicts = [system.flags(text, code) for text in row.texts]
    wrong = tuple(text for text, verdict in zip(row.texts, verdicts, strict=True) if verdict == row.clean)
    return Cell(flagged=sum(verdicts), texts=len(verdicts), missed=wrong)


def table(title: str, rows: Sequence[Texts], columns: Sequence[System], show: int) -> None:
    """Shares in per cent, and the whole of all rows."""
    print(f"\n### {title}\n\n| texts | number | {' | '.join(column.name for column in columns)} |")
    print("|---|---:|" + "---:|" * len(columns))
    wholes = [[0, 0] for _ in columns]
    for row in rows:
        cells = [measure(column, row) for column in columns]
        for whole, cell in zip(wholes, cells, strict=True):
            whole[0] += cell.flagged
            whole[1] += cell.texts
        shares = " | ".join(f"{cell.flagged / max(1, cell.texts):.1%}" for cell in cells)
        print(f"| {row.name} | {len(row.texts)} | {shares} |", flush=True)
        for text in cells[0].missed[:show]:
            print(f"    {'flagged' if row.clean else 'missed'}: {text[:200]!r}")
    print("| **all** | " + str(wholes[0][1]) + " | " + " | ".join(f"**{a / max(1, b):.2%}**" for a, b in wholes) + " |")


def cost(rows: Sequence[Texts], columns: Sequence[System]) -> None:
    """CPU milliseconds for a kilobyte, in pieces of 4 KB, and how many times the first column's."""
    print("\n### CPU time for a KB, in pieces of 4 KB\n")
    print("| | questions, p50 ms | p99 ms | times tier 0 | clinical, p50 ms | p99 ms | times tier 0 |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    first: list[float] = []
    kinds = [_pieces(rows, "clean: questions", "data: neg"), _pieces(rows, "clinical", "data: es")]
    for column in columns:
        shown = [column.name]
        for number, pieces in enumerate(kinds):
            column.flags(pieces[0], False)
            spent = sorted(_milliseconds(column, piece) / (_WIDE / 1024) for piece in pieces)
            middle = statistics.median(spent)
            first += [middle] if len(first) <= number else []
            shown += [f"{middle:.3f}", f"{spent[int(len(spent) * 0.99)]:.3f}", f"{middle / first[number]:.2f}"]
        print(f"| {' | '.join(shown)} |", flush=True)


def _pieces(rows: Sequence[Texts], *names: str) -> list[str]:
    prose = "\n".join(text for row in rows for text in row.texts if row.name.startswith(names))
    prose *= 2 * _WIDE // len(prose) + 1
    return [prose[at : at + _WIDE] for at in range(0, min(len(prose), 40 * _WIDE) - _WIDE, _WIDE // 2)]


def _milliseconds(column: System, text: str) -> float:
    column.forget()
    began = time.process_time()
    column.flags(text, False)
    return (time.process_time() - began) * 1000


def confidences(columns: Sequence[System], seed: int, show: int) -> None:
    """Texts that nothing was made with: what is kept, what is wrong, and whether padding hides anything."""
    texts = held_out()
    if not texts:
        return
    verdicts = Verdicts(texts, columns)
    tables(texts, verdicts, [column.name for column in columns])
    mistakes(texts, verdicts, show)
    Padding(texts, seed).tables()


def main() -> None:
    """All tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", type=Path, help="directory of JSON-lines files with `text`; neg*.jsonl are clean")
    parser.add_argument("--seed", type=int, default=2026, help="another seed draws other texts (default 2026)")
    parser.add_argument("--each", type=int, default=100, help="texts of each kind (default 100)")
    parser.add_argument("--most", type=int, default=1000, help="texts of each file of --data (default 1000)")
    parser.add_argument("--only", nargs="*", default=[], help="systems, by the names of the columns without versions")
    parser.add_argument("--show", type=int, default=0, help="so many mistakes with each row's texts")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="only put the tables of this page into it anew")
    arguments = parser.parse_args()
    found = list(systems(frozenset(arguments.only)))
    columns = [system for system in found if isinstance(system, System)]
    if arguments.markdown is not None:
        page.renew(arguments.markdown, columns, arguments.seed)
        return
    rows = [*generated(arguments.seed, arguments.each)]
    rows += of_directory(arguments.data, arguments.most) if arguments.data is not None else ()
    print(f"Seed {arguments.seed}. A text counts as flagged when anything in it is found.")
    confidences(columns, arguments.seed, arguments.show)
    for title, group in (
        ("Spanish identifiers", "identifier"),
        ("Secrets", "secret"),
        ("Clinical notes", "clinical"),
        ("In other words", "unseen"),
        ("Evasion: identifiers and secrets in disguise", "disguise"),
    ):
        table(title, [row for row in rows if row.name.startswith(group)], columns, arguments.show)
    table("Clean texts: false alarms", [row for row in rows if row.clean], columns, arguments.show)
    own = [row for row in rows if row.name.startswith("data") and not row.clean]
    if own:
        table("Files of --data", own, columns, arguments.show)
    if leakbench.installed():
        leakbench.print_table([column.name for column in columns if column.name in _OURS], arguments.show)
    cost(rows, columns)
    if texts := held_out():
        judge_cost.print_tiers(texts, [column for column in columns if column.name in _OURS])
        judge_cost.print_lines(texts)
    for system in found:
        if isinstance(system, Absent):
            print(f"\nNot measured: {system.name} ({system.why})")


if __name__ == "__main__":
    main()
