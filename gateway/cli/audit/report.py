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
    """Return 0 where nothing leaked; 1 where something did, or where nothing reached the cloud at all."""
    total = verdict("", results)
    return 1 if total.leaks or not total.clean or total.kept == total.clean else 0


def show(results: Sequence[Result], *, notes: Sequence[str] = (), verbose: bool = False) -> None:
    """Print a table of groups, and the name of every leak and of every clean request that was held back."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    longest = max((len(result.case.group) for result in results), default=0)
    table.add_column("what was tried", overflow="fold", min_width=min(longest, 28))
    for heading in ("canaries", "leaks", "at home", "refused", "without it", "clean", "kept back"):
        table.add_column(heading, justify="right")
    groups = tuple(dict.fromkeys(result.case.group for result in results))
    for group in groups:
        _row(table, verdict(group, [result for result in results if result.case.group == group]))
    table.add_section()
    total = verdict("all", results)
    _row(table, total)
    if verbose:
        for result in results:
            kind = "canary" if result.case.sensitive else "clean"
            console.print(
                f"{kind:7} {escape(result.case.group)}: {escape(result.case.name)} {result.status} {result.where}"
            )
    console.print(table)
    for result in results:
        if result.leak:
            console.print(f"[bold red]LEAK[/] {escape(result.case.group)}: {escape(result.case.name)}")
        elif not result.case.sensitive and result.where != "cloud":
            console.print(f"[yellow]kept back[/] {escape(result.case.group)}: {escape(result.case.name)}")
    for note in notes:
        console.print(escape(note))
    console.print(_sentence(total))


def _row(table: Table, counts: AuditVerdict) -> None:
    leaks = f"[bold red]{counts.leaks}[/]" if counts.leaks else "0" if counts.canaries else ""
    sensitive = (counts.at_home, counts.refused, counts.without)
    table.add_row(
        escape(counts.group),
        str(counts.canaries or ""),
        leaks,
        *(str(number or "") for number in sensitive),
        str(counts.clean or ""),
        str(counts.kept) if counts.clean else "",
    )


def _sentence(total: AuditVerdict) -> str:
    if not total.clean or total.kept == total.clean:
        return "[bold red]No clean request reached the stand-in cloud: this audit proves nothing.[/]"
    sentence = (
        f"{total.canaries} canaries: {total.leaks} leaks; {total.clean} clean requests: {total.kept} kept back. "
        "Everything ran on this machine."
    )
    return f"[bold {'red' if total.leaks else 'green'}]{sentence}[/]"


def as_json(results: Sequence[Result], notes: Sequence[str] = ()) -> str:
    """Return the same as JSON. It holds no canary, only names."""
    groups = tuple(dict.fromkeys(result.case.group for result in results))
    table = [verdict(group, [result for result in results if result.case.group == group]) for group in groups]
    return json.dumps(
        {
            "ok": exit_code(results) == 0,
            "total": msgspec.to_builtins(verdict("all", results)),
            "groups": [msgspec.to_builtins(counts) for counts in table],
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
