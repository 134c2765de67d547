"""Texts that no part of inspection was made with: what is kept of the confidences, and what of the clean ones.

`tests/data/sensitivity/README.md` says whose they are.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from gateway.privacy.sensitivity.train.texts import Text, read_all
from tests.bench.privacy.own import ALL, JUDGE, NAMES, TIER0, Sight, System
from tests.bench.privacy.shares import Share, table

FOLDER = Path("tests/data/sensitivity/held_out")
LANGUAGES = {"es": "Spanish", "en": "English", "pt": "Portuguese", "fr": "French", "de": "German", "it": "Italian",
             "ca": "Catalan"}  # fmt: skip
_LENGTHS = (("under 15 words", 0, 15), ("15 to 59 words", 15, 60), ("60 words and more", 60, 10_000))
_LONGEST_SHOWN = 220

Rows: TypeAlias = list[tuple[str, list[Text]]]


def held_out(folder: Path = FOLDER) -> list[Text]:
    """Return the texts; none where the folder is not there."""
    return read_all(folder) if folder.is_dir() else []


def groups(texts: Sequence[Text]) -> Iterator[tuple[str, Rows]]:
    """Yield how the texts are grouped, and each group's."""

    def by(key: Callable[[Text], str], order: Sequence[str] | None = None) -> Rows:
        names = order or sorted({key(text) for text in texts}, key=lambda name: [key(t) for t in texts].count(name))
        return [(name, [text for text in texts if key(text) == name]) for name in names]

    yield "whole", [("all texts", list(texts))]
    yield "by language", by(lambda text: LANGUAGES[text.language[:2]], list(LANGUAGES.values()))
    kinds = sorted({text.kind for text in texts})
    yield "by kind", by(lambda text: text.kind, kinds)
    yield (
        "by length",
        [(name, [text for text in texts if least <= len(text.text.split()) < most]) for name, least, most in _LENGTHS],
    )


class Verdicts:
    """What each system says of each text: each is asked once."""

    def __init__(self, texts: Sequence[Text], columns: Sequence[System]) -> None:
        self._flagged = {
            column.name: {text.text for text in texts if column.flags(text.text, False)} for column in columns
        }

    def flagged(self, column: str, text: Text) -> bool:
        """Tell whether a system flags a text."""
        return text.text in self._flagged.get(column, ())

    @property
    def last(self) -> str:
        """The column with the most tiers that is there."""
        return next(name for name in (ALL, JUDGE, TIER0) if name in self._flagged)

    def share(self, column: str, texts: Sequence[Text]) -> Share:
        """Return how many of the texts a system flags."""
        return Share(sum(self.flagged(column, text) for text in texts), len(texts))


def tables(texts: Sequence[Text], verdicts: Verdicts, columns: Sequence[str], only: Sequence[str] = ()) -> None:
    """Print what is kept and what is flagged without cause, group by group."""
    for sensitive, title in ((True, "confidences that are kept"), (False, "clean texts that are kept: false alarms")):
        some = [text for text in texts if text.sensitive is sensitive]
        for group, rows in groups(some):
            if only and group not in only:
                continue
            print(f"\n**Held-out texts, {title}, {group}**\n")
            table(
                ["", "texts", *columns],
                [
                    [name, len(part), *(verdicts.share(column, part) for column in columns)]
                    for name, part in rows
                    if part
                ],
            )


def mistakes(texts: Sequence[Text], verdicts: Verdicts, most: int) -> None:
    """Print the worst misses and false alarms of all tiers: where the judge was surest."""
    for sensitive in (True, False):
        for probability, text in wrong(texts, verdicts, sensitive=sensitive)[:most]:
            by = "" if sensitive else f" ({', '.join(_tiers(verdicts, text))})"
            shown = " ".join(text.text.split())[:_LONGEST_SHOWN]
            title = "missed" if sensitive else "false alarm"
            print(f"    {title}: {probability:.3f} {text.kind}, {text.language}{by}: {shown!r}")


def examples(texts: Sequence[Text], verdicts: Verdicts, *, sensitive: bool, most: int) -> None:
    """Print the worst mistakes with short texts as a list: no two of one kind."""
    kinds: set[str] = set()
    for probability, text in wrong(texts, verdicts, sensitive=sensitive):
        told = " ".join(text.text.split())
        if text.kind in kinds or len(told) > _LONGEST_SHOWN or len(kinds) == most:
            continue
        kinds.add(text.kind)
        by = "" if sensitive else f", by {' and '.join(_tiers(verdicts, text))}"
        print(f"- {told} ({text.kind}, {text.language}{by}; {probability:.3f})")


def wrong(texts: Sequence[Text], verdicts: Verdicts, *, sensitive: bool) -> list[tuple[float, Text]]:
    """Return what all tiers together get wrong, the worst first, with the judge's probability."""
    sight = Sight()
    some = [
        text for text in texts if text.sensitive is sensitive and verdicts.flagged(verdicts.last, text) is not sensitive
    ]
    rated = [(sight.probability(text.text), text) for text in some]
    return sorted(rated, key=lambda one: one[0], reverse=not sensitive)


def _tiers(verdicts: Verdicts, text: Text) -> Iterator[str]:
    """Yield the tiers that flag a text."""
    for column, name in ((TIER0, "tier 0"), (JUDGE, "judge"), (NAMES, "names")):
        if verdicts.flagged(column, text):
            yield name
            if column == TIER0:  # every other column has it too
                return
