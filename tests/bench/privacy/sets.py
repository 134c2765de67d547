"""The texts of the bench: generated ones, the standard library's source, and files of a directory of the user's."""

import json
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.bench.privacy import clean, clinical, disguises, spanish, unseen, vendors, written
from tests.privacy.samples import NEAR_MISSES

_PIECE = 4_000
_CLEAN = {"unseen": "unseen", "secret": "look-alikes of secrets", "disguise": "forms of disguises, without any"}


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: texts that must all be found, or none of them."""

    name: str
    clean: bool
    texts: tuple[str, ...]


def generated(seed: int, each: int) -> Iterator[Texts]:
    """A row for each kind of every generator."""
    for make, group, harmless in (
        (spanish.texts, "identifier", False),
        (vendors.texts, "secret", False),
        (clinical.texts, "clinical", False),
        (clean.texts, "clean", True),
        (unseen.texts, "unseen", False),
        (written.texts, "secret", False),
        (disguises.texts, "disguise", False),
    ):
        kinds: dict[str, list[str]] = {}
        for kind, text in make(seed, each):
            kinds.setdefault(kind, []).append(text)
        for kind, texts in kinds.items():
            name, clear = (f"{group}: {kind}", harmless) if kind != "clean" else (f"clean: {_CLEAN[group]}", True)
            yield Texts(name=name, clean=clear, texts=tuple(texts))
    yield Texts(name="clean: near misses of the tests", clean=True, texts=NEAR_MISSES)
    yield Texts(name="clean: standard library", clean=True, texts=standard_library(seed, 2 * each))


def standard_library(seed: int, most: int) -> tuple[str, ...]:
    """Pieces of Python's own source, chosen by the seed."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    sources = [file.read_text("utf-8", errors="ignore") for file in files]
    pieces = [source[start : start + _PIECE] for source in sources for start in range(0, len(source), _PIECE)]
    return tuple(random.Random(seed).sample(pieces, min(most, len(pieces))))


def of_directory(directory: Path, most: int) -> Iterator[Texts]:
    """Every `*.jsonl`: one object a line with `text`; a name that begins with `neg` means clean."""
    for file in sorted(directory.glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()][:most]
        yield Texts(
            name=f"data: {file.stem}",
            clean=file.stem.startswith("neg"),
            texts=tuple(row["text"] for row in rows),
        )
