"""What becomes of files that lie in a folder: real ones, of which nobody planted anything.

Run: `python -m tests.bench.attachments.folder DIRECTORY… [--show] [--seconds 30]`. Each file is sent by itself to the
gateway's own inspection, with clean files allowed to leave. Prints how many were read whole, why the others were not,
what was found in them, and how long they took. Asserts nothing; prints Markdown.
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench.attachments.corpus.sample import Sample
from tests.bench.attachments.examined import Examined, Outcome, examiner
from tests.bench.privacy.shares import table

_MOST_BYTES = 20_000_000


def files(places: Iterable[Path]) -> list[Sample]:
    """Return each file once, by its bytes."""
    known: dict[bytes, Sample] = {}
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and 0 < path.stat().st_size <= _MOST_BYTES:
                data = path.read_bytes()
                kind = path.suffix.lower().lstrip(".") or "none"
                known.setdefault(data, Sample(name=path.name, data=data, kind=kind, case=str(path)))
    return list(known.values())


def by_kind(examined: Sequence[Examined]) -> None:
    """Print a row for each kind, by what the file's name ends in."""
    rows: list[list[object]] = []
    for kind in sorted({one.sample.kind for one in examined}):
        some = [one for one in examined if one.sample.kind == kind]
        whole = [one for one in some if one.reading.whole]
        seconds = [one.seconds for one in some]
        rows.append([
            kind, len(some), len(whole), sum(one.outcome is Outcome.FOUND for one in whole),
            sum(one.outcome is Outcome.LEFT for one in some),
            sum("reader_failed" in one.reading.reasons for one in some),
            sum(not one.reading.whole and not one.reading.reasons for one in some),
            f"{statistics.median(seconds):.2f}", f"{max(seconds):.1f}",
        ])  # fmt: skip
    head = [
        "kind",
        "files",
        "whole",
        "of these with findings",
        "left",
        "reader failed",
        "no reason",
        "median s",
        "longest s",
    ]
    table(head, rows)


def reasons(examined: Sequence[Examined]) -> None:
    """Print why files were not read whole."""
    counted = Counter(reason for one in examined for reason in one.reading.reasons)
    table(["reason", "files"], [[reason, count] for reason, count in counted.most_common()])


async def examine(samples: Sequence[Sample], seconds: float, kept: Path | None, *, show: bool) -> list[Examined]:
    """Examine every file, one after the other."""
    examined = []
    async with examiner(kept, seconds) as examining:
        for sample in samples:
            one = await examining.examine(sample)
            examined.append(one)
            if show:
                words = ", ".join(one.reading.reasons) or ("whole" if one.reading.whole else "-")
                print(
                    f"- `{sample.case}` {one.outcome}; {words}; {', '.join(one.categories)}; {one.seconds:.1f} s",
                    flush=True,
                )
    return examined


def main() -> None:
    """Examine the folders, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("places", nargs="+", type=Path, metavar="DIRECTORY")
    parser.add_argument("--seconds", type=float, default=30, help="for each file, as attachments.seconds (default 30)")
    parser.add_argument("--show", action="store_true", help="name each file")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep readings there, until the reader changes")
    arguments = parser.parse_args()
    samples = files(arguments.places)
    begun = time.perf_counter()
    examined = asyncio.run(examine(samples, arguments.seconds, arguments.keep, show=arguments.show))
    print(f"{len(samples)} files in {time.perf_counter() - begun:.0f} s.\n")
    by_kind(examined)
    print()
    reasons(examined)


if __name__ == "__main__":
    main()
