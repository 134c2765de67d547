"""Findings as people and programs read them."""

import shutil
import sys
import textwrap
from collections.abc import Iterable

import msgspec
from rich.console import Console
from rich.text import Text

from gateway import __version__
from gateway.cli.doctor.finding import Finding, Level
from gateway.cli.lines import harmless

_STYLES = {Level.OK: "green", Level.NOTE: "yellow", Level.PROBLEM: "bold red"}
_SIGN = 9  # columns: the longest word, and blanks around it
_WIDEST = 110


def printed(findings: Iterable[tuple[str, Finding]]) -> int:
    """Print each finding as it comes, and return 0, or 1 where there is a problem."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    shown, counts = "", dict.fromkeys(Level, 0)
    for part, finding in findings:
        if part != shown:
            console.print(Text(f"{'' if not shown else chr(10)}{part}", style="bold"))
            shown = part
        counts[finding.level] += 1
        for line in lines(finding, width):
            console.print(line)
    console.print()
    notes = f"{counts[Level.NOTE]} {'note' if counts[Level.NOTE] == 1 else 'notes'}"
    count = counts[Level.PROBLEM]
    if not count:
        console.print(Text(f"No problem was found; {notes}.", style="bold green"))
        return 0
    console.print(Text(f"{count} {'problem' if count == 1 else 'problems'}, {notes}.", style="bold red"))
    return 1


def lines(finding: Finding, width: int) -> list[Text]:
    """Return a finding in lines of so many columns at most, but for words that are longer; no word is broken."""
    texts = [*_wrapped(finding.text, width)]
    if finding.todo:
        texts += [f"→ {line}" if not at else f"  {line}" for at, line in enumerate(_wrapped(finding.todo, width - 2))]
    first = Text(f"  {finding.level.value:{_SIGN - 2}}", style=_STYLES[finding.level])
    return [first + Text(f" {texts[0]}"), *(Text(" " * (_SIGN + 1) + text) for text in texts[1:])]


def _wrapped(text: str, width: int) -> list[str]:
    room = max(20, width - _SIGN - 1)
    return textwrap.wrap(harmless(text), room, break_long_words=False, break_on_hyphens=False) or [""]


def printed_as_json(findings: Iterable[tuple[str, Finding]]) -> int:
    """Print all findings as one JSON object, and return 0, or 1 where there is a problem."""
    found = list(findings)
    well = all(finding.level is not Level.PROBLEM for _, finding in found)
    report = {
        "version": __version__,
        "well": well,
        "findings": [{"part": part, **msgspec.to_builtins(finding)} for part, finding in found],
    }
    print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    return 0 if well else 1
