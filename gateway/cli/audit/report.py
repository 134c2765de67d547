"""The audit's verdict: as a page for people, and as JSON."""

import json
import sys
from collections.abc import Sequence

import msgspec
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli.audit.client import Result
from gateway.cli.terminal import show_sentence, show_table

MAY_BE_KEPT = 0.1  # share of each kind of harmless requests


class AuditVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one group of requests, or of all."""

    group: str
    canaries: int
    leaks: int
    at_home: int  # answered, or tried, by a local target
    refused: int  # reached nobody
    without: int  # sent, the value masked or left out
    clean: int
    kept: int  # clean requests that did not reach the cloud


def verdict(group: str, results: Sequence[Result]) -> AuditVerdict:
    """Count these results."""
    canaries = [result for result in results if result.case.sensitive]
    clean = [result for result in results if not result.case.sensitive]
    return AuditVerdict(
        group=group,
        canaries=len(canaries),
        leaks=sum(result.leak for result in canaries),
        at_home=sum(result.where == "home" for result in canaries),
        refused=sum(result.where == "nowhere" for result in canaries),
        without=sum(result.where == "cloud, without it" and not result.leak for result in canaries),
        clean=len(clean),
        kept=sum(result.where != "cloud" for result in clean),
    )


def exit_code(results: Sequence[Result]) -> int:
    """Return 0 for no leak; 1 for a leak, or where nothing reached the cloud at all; 3 where too much was kept."""
    total = verdict("", results)
    if total.leaks or not total.clean or total.kept == total.clean:
        return 1
    return 3 if _overblocked(results) else 0


def _overblocked(results: Sequence[Result]) -> list[AuditVerdict]:
    """Return the kinds of harmless requests of which more than the stated share was kept."""
    return [counts for counts in _by_group(results) if counts.clean and counts.kept > MAY_BE_KEPT * counts.clean]


def _by_group(results: Sequence[Result]) -> list[AuditVerdict]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.case.group, []).append(result)
    return [verdict(group, some) for group, some in groups.items()]


def show(results: Sequence[Result], *, notes: Sequence[str] = (), verbose: bool = False) -> None:
    """Print a table of what had to stay and one of what had to get out, and the name of whatever did not."""
    console = Console(file=sys.stdout, highlight=False)
    total = verdict("all", results)
    if verbose:
        for result in results:
            kind = "canary" if result.case.sensitive else "clean"
            console.print(f"{kind:7} {escape(_name(result))} {result.status} {result.where}", soft_wrap=True)
    counts = _by_group(results)
    show_table(console, _stayed([some for some in counts if some.canaries], total))
    show_table(console, _released([some for some in counts if some.clean], total))
    for result in results:
        if result.leak:
            show_sentence(console, "[bold red]LEAK[/] ", _name(result))
        elif not result.case.sensitive and result.where != "cloud":
            show_sentence(console, "[yellow]kept back[/] ", _name(result))
    for note in notes:
        show_sentence(console, "", note)
    console.print(_sentence(total, len(_overblocked(results))), soft_wrap=not console.is_terminal)


def _name(result: Result) -> str:
    return f"{result.case.group}: {result.case.name}"


def _table(first: str, *further: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(first, overflow="fold")
    for heading in further:
        table.add_column(heading, justify="right")
    return table


def _stayed(rows: Sequence[AuditVerdict], total: AuditVerdict) -> Table:
    table = _table("what had to stay", "canaries", "leaks", "at home", "refused", "without it")
    for row in (*rows, total):
        leaks = f"[bold red]{row.leaks}[/]" if row.leaks else "0"
        others = (str(number or "") for number in (row.at_home, row.refused, row.without))
        table.add_row(escape(row.group), str(row.canaries), leaks, *others, end_section=bool(rows) and row is rows[-1])
    return table


def _released(rows: Sequence[AuditVerdict], total: AuditVerdict) -> Table:
    table = _table(
        f"what had to get out (at most {MAY_BE_KEPT:.0%} of a kind may be kept)", "requests", "kept", "share"
    )
    for row in (*rows, total):
        share = row.kept / row.clean if row.clean else 0.0
        text = f"[bold red]{share:.0%}[/]" if share > MAY_BE_KEPT else f"{share:.0%}"
        table.add_row(
            escape(row.group), str(row.clean), str(row.kept), text, end_section=bool(rows) and row is rows[-1]
        )
    return table


def _sentence(total: AuditVerdict, overblocked: int) -> str:
    if not total.clean or total.kept == total.clean:
        return "[bold red]No clean request reached the stand-in cloud: this audit proves nothing.[/]"
    sentence = (
        f"{total.canaries} canaries: {total.leaks} leaks; {total.clean} harmless requests: {total.kept} kept, "
        f"{overblocked or 'no'} kinds more than they may be. Everything ran on this machine."
    )
    return f"[bold {'red' if total.leaks or overblocked else 'green'}]{sentence}[/]"


def as_json(results: Sequence[Result], notes: Sequence[str] = ()) -> str:
    """Return the same as JSON. It holds no canary, only names."""
    table = _by_group(results)
    return json.dumps(
        {
            "ok": exit_code(results) == 0,
            "total": msgspec.to_builtins(verdict("all", results)),
            "groups": [msgspec.to_builtins(counts) for counts in table],
            "overblocked": [counts.group for counts in _overblocked(results)],
            "leaks": [f"{result.case.group}: {result.case.name}" for result in results if result.leak],
            "kept_back": [
                f"{result.case.group}: {result.case.name}"
                for result in results
                if not result.case.sensitive and result.where != "cloud"
            ],
            "notes": list(notes),
        },
        indent=2,
        ensure_ascii=False,
    )
