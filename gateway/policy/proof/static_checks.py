"""Checks of a policy without a solver: the claims that are built in, and what looks like a mistake.

The built-in claims hold by how `decide` works; they are checked here by trying every label on every target, so that a
change of the code that broke one would stop every policy from loading.
"""

from collections.abc import Iterable
from types import MappingProxyType

from gateway.core.labels import Label, Zone
from gateway.core.request import ChatRequest, Dialect
from gateway.core.snapshot import Snapshot
from gateway.core.target import Alias, Catalog
from gateway.core.yaml_source import suggest
from gateway.policy.evaluation.eligibility import obstacles
from gateway.policy.language.ast import Document, Rule
from gateway.policy.language.conditions import Overlap, atoms
from gateway.policy.language.facts import known_keys

_PROBE = ChatRequest(dialect=Dialect.OPENAI, model="", document=MappingProxyType({}), messages=())


def structure_problems(document: Document, catalog: Catalog) -> tuple[str, ...]:
    """Return the built-in claims that do not hold. A policy with one does not load."""
    problems: list[str] = []
    everything = Alias(name="")
    for label in Label:
        found = obstacles(catalog.targets, _PROBE, Snapshot(), everything, label, None)
        for name, info in catalog.targets.items():
            if found[name] is None and label > info.ceiling:
                problems.append(f"the label {label.word} reaches the target {name!r} above its ceiling.")
            if found[name] is None and label is Label.SENSITIVE and info.zone is Zone.CLOUD:
                problems.append(f"sensitive requests reach the cloud target {name!r}.")
    for kind in document.labels.doubts:
        if kind.startswith(("detector_failed", "time", "size", "depth", "findings", "speaks_of_itself")):
            problems.append(f"a failed inspection ({kind}) would not count as sensitive.")
    return tuple(problems)


def structure_warnings(document: Document, catalog: Catalog) -> tuple[str, ...]:
    """Return what loads and is probably not meant."""
    found: list[str] = []
    for rule in document.rules:
        if rule.prefer == ():
            found.append(f"{rule.place}: the rule {rule.name!r} prefers no target that the configuration has.")
        if rule.only == frozenset():
            found.append(f"{rule.place}: the rule {rule.name!r} leaves no target over.")
    found += _lowering(document, catalog)
    attached = catalog.key_tags | {tag for alias in catalog.aliases.values() for tag in alias.tags}
    for tag, hint in strange_tags(document, attached):
        found.append(f"a key or model name attaches the tag {tag!r}, which the policy does not know.{hint}")
    return tuple(found)


def strange_tags(document: Document, tags: Iterable[str]) -> list[tuple[str, str]]:
    """Return those tags that no rule and no label is about, each with a hint at what was meant (or none)."""
    said = set(document.labels.tags) | {tag for rule in document.rules for tag in rule.tag}
    return [(tag, suggest(tag, said)) for tag in sorted(tags) if tag not in said and not _mentioned(tag, document)]


def _lowering(document: Document, catalog: Catalog) -> list[str]:
    """Return a warning for the tags by which any caller brings a clean text below the policy's default."""
    labels = document.labels
    keys = [key for key in sorted(known_keys(catalog)) if key not in labels.by_key and key not in labels.tagged_keys]
    aliases = [name for name in catalog.aliases if name not in labels.by_alias and name not in labels.tagged_aliases]
    tags = sorted(tag for tag, label in labels.tags.items() if label < labels.default)
    if not keys or not aliases or not tags:
        return []
    listed = ", ".join(repr(tag) for tag in tags)
    return [
        f"callers may bring a request below the default {labels.default.word} by sending the tag {listed} themselves "
        f"(keys without a default of their own: {', '.join(keys)}). A default of a key or model, as in "
        f"'keys: {{{keys[-1]}: {{default: {labels.default.word}}}}}', is not lowered by what a caller sends."
    ]


def _mentioned(tag: str, document: Document) -> bool:
    return any(
        isinstance(atom.test, Overlap) and atom.fact.name == "tags" and tag in atom.test.values
        for rule in document.rules
        for atom in atoms(rule.when)
    )


# Rules that tag or raise are worked from top to bottom, once. So what one of them reads must stand above it.


def order_problems(document: Document) -> tuple[str, ...]:
    """Return the rules that tag or raise, and read a tag or the label that a rule below them changes."""
    growing = [rule for rule in document.rules if rule.tag or rule.raise_to is not None]
    problems: list[str] = []
    for number, reader in enumerate(growing):
        for writer in growing[number + 1 :]:
            what = _reads(reader, writer, document)
            if what:
                problems.append(
                    f"{reader.place}: the rule {reader.name!r} tags or raises, and looks at {what}, which the rule "
                    f"{writer.name!r} below it ({writer.place}) changes. Put {writer.name!r} first."
                )
    return tuple(problems)


def _reads(reader: Rule, writer: Rule, document: Document) -> str:
    for atom in atoms(reader.when):
        if isinstance(atom.test, Overlap) and atom.fact.name == "tags":
            common = sorted(atom.test.values & writer.tag)
            if common:
                return f"the tag {common[0]!r}"
        if atom.fact.name == "label" and raises(writer, document):
            return "the label"
    return ""


def raises(rule: Rule, document: Document) -> bool:
    """Return whether a rule can raise a label, directly or by a tag."""
    mapped = document.labels.tags
    return (rule.raise_to or Label.PUBLIC) > Label.PUBLIC or any(
        mapped.get(tag, Label.PUBLIC) > Label.PUBLIC for tag in rule.tag
    )
