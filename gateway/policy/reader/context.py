"""What every part of the reader shares: the names that exist, and the problems found so far.

All problems are collected, so that one run shows them all.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.core.labels import Label, Zone
from gateway.core.target import Catalog
from gateway.core.yaml_source import Path, Source, known_names, suggest
from gateway.policy.language.conditions import Condition
from gateway.policy.language.facts import known_keys
from gateway.privacy import CATEGORIES

# The category names that a policy may use: what inspection can find. A name that nothing can have is a typing error,
# and would be a rule that never protects.


# Roots with names of the users' own (words and patterns), or that optional detectors fill.
OPEN = ("custom", "person", "network")
ROOTS = ("secret", "id", "financial", "contact", "health", "legal", "topic", "unsure", *OPEN)
KNOWN = frozenset((*ROOTS, *CATEGORIES))


def exists(category: str) -> bool:
    """Return whether inspection can find something of this category, or below it."""
    root, _, rest = category.partition(".")
    if root in OPEN or not rest:
        return root in ROOTS
    return ".".join((root, rest.split(".")[0])) in KNOWN


ZONE_WORDS = ("local", "cloud", "any")


class Let(msgspec.Struct, frozen=True, kw_only=True):
    """A named condition or list, not read yet."""

    source: Source
    path: Path
    value: object


class KnownNames:
    """Every name that a policy may refer to."""

    def __init__(self, catalog: Catalog, lets: Mapping[str, Let], tags: frozenset[str], rates: Mapping[str, float]):
        self.catalog = catalog
        self.lets = lets
        self.tags = tags
        self.rates = rates
        self.keys = known_keys(catalog)
        self.rule_names: dict[str, object] = {}
        self.conditions: dict[str, Condition] = {}  # lets that were read
        self.open_lets: list[str] = []  # lets being read now, to see circles


class Reading:
    """Reading of one file: the file itself, the names it may use, and the problems found."""

    def __init__(self, source: Source, names: KnownNames, problems: list[str]) -> None:
        self.source = source
        self.names = names
        self.problems = problems

    def elsewhere(self, source: Source) -> "Reading":
        """Return the same reading, in another file."""
        return Reading(source, self.names, self.problems)

    def problem(self, path: Path, sentence: str) -> None:
        """Note a problem at a place."""
        self.problems.append(f"{self.source.where(path)}: {sentence}")

    def unknown(self, path: Path, what: str, word: str, known: Iterable[str], advice: str = "") -> None:
        """Note a word that does not exist, with the nearest that does."""
        names = sorted(map(str, known))
        self.problem(path, f"{what} {word!r} does not exist.{suggest(word, names) or known_names(word, names)}{advice}")

    def mapping(self, path: Path, value: object, allowed: Iterable[str] | None, what: str) -> dict[str, object]:
        """Return `value` as a mapping with known keys. Anything else is noted as a problem, and left out."""
        if not isinstance(value, dict):
            self.problem(path, f"{what} must be a mapping (key: value).")
            return {}
        if allowed is None:
            return value
        known = tuple(allowed)
        for key in value:
            if key not in known:
                self.problem(
                    (*path, key), f"{what} has no key {key!r}.{suggest(key, known) or known_names(key, known)}"
                )
        return {key: item for key, item in value.items() if key in known}

    def sequence(self, path: Path, value: object, what: str) -> Sequence[object]:
        """Return `value` as a list. Anything else is noted as a problem, and counts as empty."""
        if not isinstance(value, list):
            self.problem(path, f"{what} must be a list ([…]).")
            return ()
        return value

    def text(self, path: Path, value: object, what: str) -> str:
        """Return `value` as a text that is not empty. Anything else is noted as a problem, and counts as empty."""
        if not isinstance(value, str) or not value.strip():
            self.problem(path, f"{what} must be a text.")
            return ""
        return value

    def words(self, path: Path, value: object, what: str) -> tuple[tuple[Path, str], ...]:
        """Return one word or a list of them, each with its place; a `let` list's name stands for its words."""
        items = enumerate(value) if isinstance(value, list) else ((None, value),)
        found: list[tuple[Path, str]] = []
        for number, item in items:
            here = path if number is None else (*path, number)
            if isinstance(item, bool | int | float):
                item = str(item)
            if not isinstance(item, str):
                self.problem(here, f"{what} must be a word or a list of words.")
                continue
            let = self.names.lets.get(item)
            if let is not None and isinstance(let.value, list):
                other = self.elsewhere(let.source)
                found.extend((here, str(word)) for word in let.value if isinstance(word, str | int | float))
                if any(isinstance(word, dict | list) for word in let.value):
                    other.problem(let.path, f"the list {item!r} must have plain words only.")
            else:
                found.append((here, item))
        return tuple(found)

    def label(self, path: Path, value: object) -> Label | None:
        """Return `value` as a label. Anything else is noted as a problem."""
        try:
            return Label.parse(value if isinstance(value, str) else str(value))
        except ValueError:
            self.unknown(path, "the label", str(value), [label.word for label in Label])
            return None

    def targets(self, path: Path, value: object, what: str) -> tuple[str, ...]:
        """Return target names in order; `local`, `cloud` and `any` stand for all further targets of that zone."""
        infos = self.names.catalog.targets
        found: list[str] = []
        for here, word in self.words(path, value, what):
            if word in infos:
                found.append(word)
            elif word in ZONE_WORDS:
                found.extend(name for name, info in infos.items() if word in ("any", info.zone))
            else:
                self.unknown(here, "the target", word, (*infos, *ZONE_WORDS))
        return tuple(dict.fromkeys(found))

    def zone(self, path: Path, value: object) -> Zone | None:
        """Return `value` as a zone. Anything else is noted as a problem."""
        if value in tuple(Zone):
            return Zone(str(value))
        self.unknown(path, "the zone", str(value), tuple(Zone))
        return None

    def category(self, path: Path, word: str) -> str:
        """Return the word. A category that inspection can't find is noted as a problem."""
        if not exists(word):
            self.unknown(path, "the category", word, KNOWN)
        return word

    def tag(self, path: Path, word: str) -> str:
        """Return the word. A tag that is declared nowhere is noted as a problem."""
        if word not in self.names.tags:
            self.unknown(
                path, "the tag", word, self.names.tags,
                " A new tag is declared in 'labels.tags' (with its label) or in the list 'tags'.",
            )  # fmt: skip
        return word
