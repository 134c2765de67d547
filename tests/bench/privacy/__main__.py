"""What inspection finds, what it flags without cause, and what it costs.

Run: `python -m tests.bench.privacy [--data DIRECTORY]`. The directory holds files of one JSON object a line, with
`text`; files whose name begins with `neg` are clean. Identifiers and secrets are generated; the standard library is
the clean code.
`detect-secrets` is compared where it is installed. Prints figures; asserts nothing, because machines differ.
"""

import argparse
import json
import statistics
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from gateway.privacy import InspectionSettings, Inspector
from tests.privacy.samples import IDENTIFIERS, NEAR_MISSES, SECRETS, sentences

AUTHORS = frozenset({"contact.email"})  # source files name their authors: no false alarm


def standard_library() -> list[str]:
    """Its source, in pieces of 4,000 characters."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    texts = [file.read_text("utf-8", errors="ignore") for file in files]
    return [text[start : start + 4000] for text in texts for start in range(0, len(text), 4000)]


def sets(data: Path | None) -> Iterator[tuple[str, list[str]]]:
    """Name and texts of each set."""
    yield "identifiers (generated)", [text for *_, text in sentences(IDENTIFIERS, 2026, 50)]
    yield "secrets (generated)", [text for *_, text in sentences(SECRETS, 2026, 50)]
    yield "neg near misses", list(NEAR_MISSES)
    yield "neg standard library", standard_library()
    for file in sorted(data.glob("*.jsonl")) if data is not None else ():
        yield file.stem, [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]


def recall(inspector: Inspector, name: str, texts: Sequence[str]) -> None:
    """The share of texts with a finding, by category."""
    ignored = AUTHORS if "library" in name else frozenset()
    categories: Counter[str] = Counter()
    flagged = 0
    began = time.process_time()
    for text in texts:
        inspection = inspector.inspect({"messages": ({"role": "user", "content": text},)})
        found = {finding.category for finding in inspection.findings} - ignored
        categories.update(found)
        flagged += bool(found or inspection.doubts)
    spent = time.process_time() - began
    kind = "false alarms" if name.startswith("neg") else "found"
    size = sum(map(len, texts))
    share, cost = flagged / len(texts), spent / size * 4e6
    print(f"{name:28} {kind:12} {flagged:5} of {len(texts):5} = {share:7.2%}   {cost:.2f} ms / 4 KB")
    print(" " * 29 + ", ".join(f"{category} {count}" for category, count in categories.most_common(8)))


def latency(inspector: Inspector, texts: Sequence[str]) -> None:
    """CPU time for prose of 4 KB, for a megabyte, and for the next turn of a long conversation."""
    prose = "\n".join(texts)
    pieces = [prose[start : start + 4096] for start in range(0, min(len(prose), 400_000) - 4096, 1024)]
    spent = sorted(cpu(inspector, piece) for piece in pieces)
    print(f"4 KB of prose: p50 {statistics.median(spent):.2f} ms, p99 {spent[int(len(spent) * 0.99)]:.2f} ms")
    megabyte = (prose * (1_000_000 // len(prose) + 1))[:1_000_000]
    print(f"1 MB of prose: {cpu(inspector, megabyte):.0f} ms")
    turns = tuple({"role": "user", "content": pieces[number % len(pieces)] + str(number)} for number in range(100))
    known = Inspector(InspectionSettings(seconds=10.0))
    known.inspect({"messages": turns})
    began = time.process_time()
    known.inspect({"messages": (*turns, {"role": "user", "content": "y " + pieces[0]})})
    print(f"the turn after 100 turns: {(time.process_time() - began) * 1000:.2f} ms")


def cpu(inspector: Inspector, text: str) -> float:
    """Milliseconds."""
    began = time.process_time()
    inspector.inspect({"prompt": text})
    return (time.process_time() - began) * 1000


def compare(name: str, texts: Sequence[str]) -> None:
    """The share that detect-secrets flags."""
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    with default_settings():
        flagged = sum(any(True for line in text.splitlines() for _ in scan_line(line)) for text in texts)
    print(f"{'':29}detect-secrets: {flagged / len(texts):.2%}")


def main() -> None:
    """Everything, set by set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="directory of JSON-lines files")
    arguments = parser.parse_args()
    inspector = Inspector(InspectionSettings(cached_strings=0, seconds=10.0))
    prose: list[str] = []
    for name, texts in sets(arguments.data):
        recall(inspector, name, texts)
        if find_spec("detect_secrets") is not None and "library" not in name:
            compare(name, texts)
        if name.startswith("neg") and "library" not in name:
            prose += texts
    latency(inspector, prose)


main()
