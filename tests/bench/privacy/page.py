"""The tables of `docs/inspection.md`, between marks in the page, so that they can be made anew by one command."""

import contextlib
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.privacy.sensitivity.kinds import SENSITIVE
from gateway.privacy.sensitivity.train.texts import Text
from tests.bench.privacy import judge_cost, leakbench
from tests.bench.privacy.held_out import Verdicts, examples, held_out, tables
from tests.bench.privacy.own import ALL, JUDGE, NAMES, STRICT, TIER0, Sight, System
from tests.bench.privacy.padding import Padding
from tests.bench.privacy.shares import Share, table

_OURS = (TIER0, JUDGE, STRICT, NAMES, ALL)
_EXAMPLES = 8


def renew(page: Path, columns: Sequence[System], seed: int) -> None:
    """Put the tables into the page, each between its own `<!-- name -->` and `<!-- end -->`."""
    texts = held_out()
    verdicts = Verdicts(texts, columns)
    ours = [column.name for column in columns if column.name in _OURS]
    others = [column.name for column in columns if column.name not in _OURS]

    def beside() -> None:
        kept, clean = ([text for text in texts if text.sensitive is wanted] for wanted in (True, False))
        rows = [[name, verdicts.share(name, kept), verdicts.share(name, clean)] for name in (*ours, *others)]
        table(["", f"kept of {len(kept)} confidences", f"kept of {len(clean)} clean texts: false alarms"], rows)
        print(f"\nOf the confidences in which the judge sees a topic, {_own_topics(kept)} have their own among them.")

    def cost() -> None:
        judge_cost.print_tiers(texts, [column for column in columns if column.name in _OURS])
        judge_cost.print_lines(texts)

    sections: dict[str, Callable[[], None]] = {
        "whole": beside,
        "groups": lambda: tables(texts, verdicts, ours, only=("by language", "by kind", "by length")),
        "misses": lambda: examples(texts, verdicts, sensitive=True, most=_EXAMPLES),
        "false alarms": lambda: examples(texts, verdicts, sensitive=False, most=_EXAMPLES),
        "padding": lambda: Padding(texts, seed).tables(),
        "leakbench": lambda: leakbench.print_table(ours, 0) if leakbench.installed() else print("Not installed."),
        "cost": cost,
    }
    told = page.read_text("utf-8")
    for name, section in sections.items():
        if f"<!-- {name} -->" in told:
            made = printed(section).strip()
            told = re.sub(
                rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda match, made=made: f"{match[1]}{made}\n{match[2]}",
                told, flags=re.DOTALL,
            )  # fmt: skip
    page.write_text(told, "utf-8")


def _own_topics(confidences: Sequence[Text]) -> Share:
    sight = Sight()
    seen = [(topics, SENSITIVE[text.kind]) for text in confidences if (topics := sight.topics(text.text))]
    return Share(sum(own in topics for topics, own in seen), len(seen))


def printed(section: Callable[[], None]) -> str:
    """Return what a section prints."""
    with contextlib.redirect_stdout(io.StringIO()) as lines:
        section()
    return lines.getvalue()
