"""What is found in files, what is kept for a doubt, and whether anything unread leaves: kind by kind, tier by tier.

Run: `python -m tests.bench.attachments.recall [--half seen|unseen] [--only KIND …] [--show] [--markdown PAGE]`.
Needs the extras `documents`, `test` and `bench-attachments`. Clean files may leave here, and every request is for a
cloud first, so that nothing stays but for what was found or could not be read. Asserts nothing; prints Markdown.
"""

import argparse
import asyncio
import contextlib
import io
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.attachments.corpus.collection import SEED, collection
from tests.bench.attachments.corpus.sample import Half, Sample, Tier
from tests.bench.attachments.examined import Examined, Outcome, examiner
from tests.bench.privacy.shares import table


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})" if whole else "–"


_HEAD = ("", "files", "found", "kept as doubt", "left", "missed as a message too", "values read", "found, unseen half")


def _row(name: str, some: Sequence[Examined]) -> list[object]:
    counts = {outcome: sum(one.outcome is outcome for one in some) for outcome in Outcome}
    planted = sum(len(one.sample.values) for one in some)
    read = sum(one.values_read for one in some)
    unseen = [one for one in some if one.sample.half is Half.UNSEEN]
    return [
        name, len(some), _share(counts[Outcome.FOUND], len(some)), counts[Outcome.DOUBT], counts[Outcome.LEFT],
        sum(not one.pasted for one in some), _share(read, planted),
        _share(sum(one.outcome is Outcome.FOUND for one in unseen), len(unseen)),
    ]  # fmt: skip


def tiers(examined: Sequence[Examined]) -> None:
    """Print what became of files with something in them, by how hard they are to read."""
    some = [one for one in examined if not one.sample.clean]
    rows = [_row(str(tier), group) for tier in Tier if (group := [one for one in some if one.sample.tier is tier])]
    table(_HEAD, [*rows, _row("**all**", some)])


def kinds(examined: Sequence[Examined]) -> None:
    """Print what became of them by what they are."""
    some = [one for one in examined if not one.sample.clean]
    rows = []
    for tier, kind in dict.fromkeys((one.sample.tier, one.sample.kind) for one in some):
        group = [one for one in some if (one.sample.tier, one.sample.kind) == (tier, kind)]
        rows.append(_row(kind if tier is Tier.TEXT else f"{kind}, {tier}", group))
    table(_HEAD, rows)


def missed(examined: Sequence[Examined]) -> None:
    """Print which places were not found, by how many files of them."""
    some = [one for one in examined if not one.sample.clean and one.outcome is not Outcome.FOUND]
    rows = [
        [
            one.sample.kind, one.sample.case, one.outcome, ", ".join(one.reading.reasons) or "read whole",
            "no" if one.pasted else "yes",
        ]
        for one in some
    ]  # fmt: skip
    table(("kind", "place or damage", "what became of it", "why not whole", "missed as a message too"), rows, words=5)


def clean(examined: Sequence[Examined]) -> None:
    """Print what became of files that are nobody's."""
    rows: list[list[object]] = []
    for tier in Tier:
        some = [one for one in examined if one.sample.clean and one.sample.tier is tier]
        whole = [one for one in some if one.reading.whole]
        alarms = sum(one.outcome is Outcome.FOUND for one in whole)
        left = sum(one.outcome is Outcome.LEFT for one in some)
        rows += [[tier, len(some), len(whole), _share(alarms, len(whole)), left]] if some else []
    table(["clean twins", "files", "read whole", "false alarms among these", "left"], rows)


def misses(examined: Sequence[Examined]) -> None:
    """Print each file that was not found or that left, and each clean one that was flagged or not read whole."""
    for one in examined:
        wrong = one.outcome is Outcome.FOUND if one.sample.clean else one.outcome is not Outcome.FOUND
        if not wrong and not (one.sample.clean and one.outcome is not Outcome.LEFT):
            continue
        words = ", ".join(one.reading.reasons) or ("whole" if one.reading.whole else "-")
        told = "" if one.pasted else " [not found as a message either]"
        sample = one.sample
        seen = ", ".join((*one.categories, *one.doubts))
        read = "clean" if sample.clean else f"values {one.values_read}/{len(sample.values)}"
        print(
            f"- {sample.half} {sample.kind} `{sample.name}` {sample.case}: {one.outcome}; {words}; {read}; {seen}{told}"
        )


async def examine(samples: Sequence[Sample], kept: Path | None) -> list[Examined]:
    """Examine every file, one after the other."""
    async with examiner(kept) as examining:
        return [await examining.examine(sample) for sample in samples]


def thinned(samples: Sequence[Sample], most: int | None) -> list[Sample]:
    """Return the samples, of those whose values stand in pixels at most so many, from all over the list."""
    ink = [sample for sample in samples if sample.ink]
    if most is None or len(ink) <= most:
        return list(samples)
    kept = {ink[number * len(ink) // most].name for number in range(most)}
    return [sample for sample in samples if not sample.ink or sample.name in kept]


def _printed(section: Callable[[], None]) -> str:
    target = io.StringIO()
    with contextlib.redirect_stdout(target):
        section()
    return target.getvalue().strip()


def renew(page: Path, examined: Sequence[Examined]) -> None:
    """Put those tables into a page for which it has marks."""
    told = page.read_text("utf-8")
    for name, section in (("tiers", tiers), ("kinds", kinds), ("missed", missed), ("false alarms", clean)):
        made = _printed(lambda section=section: section(examined))
        told = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda match, made=made: f"{match[1]}{made}\n{match[2]}", told,
            flags=re.DOTALL,
        )  # fmt: skip
    page.write_text(told, "utf-8")


def main() -> None:
    """Make the set, examine it, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=SEED, help=f"another seed draws other values (default {SEED})")
    parser.add_argument("--half", type=Half, choices=list(Half), help="only this half")
    parser.add_argument("--only", nargs="*", default=[], metavar="KIND", help="kinds: pdf, docx, scan, …")
    parser.add_argument("--ink", type=int, metavar="N", help="at most N files that have to be recognised (all: long)")
    parser.add_argument("--show", action="store_true", help="name each file that went wrong")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep readings there, until the reader changes")
    parser.add_argument(
        "--markdown", type=Path, nargs="*", default=[], metavar="PAGE", help="pages whose tables are made anew"
    )
    arguments = parser.parse_args()
    begun = time.perf_counter()
    every = collection(arguments.seed, arguments.only)
    samples = thinned([sample for sample in every if arguments.half in (None, sample.half)], arguments.ink)
    made = time.perf_counter() - begun
    examined = asyncio.run(examine(samples, arguments.keep))
    print(f"Seed {arguments.seed}: {len(samples)} files, made in {made:.0f} s.\n")
    for section in (tiers, kinds, missed, clean):
        section(examined)
        print()
    if arguments.show:
        misses(examined)
    for page in arguments.markdown:
        renew(page, examined)


if __name__ == "__main__":
    main()
