"""What can be said of a policy without a solver: the claims that are built in, and what looks like a mistake.

The built-in claims hold by how `decide` works; they are checked here by trying every label on every target, so that a
change of the code that broke one would stop every policy from loading.
"""

from types import MappingProxyType

from gateway.core.labels import Label, Zone
from gateway.core.request import ChatRequest, Dialect
from gateway.core.snapshot import Snapshot
from gateway.core.target import Alias, Catalog
from gateway.policy.conditions import Overlap, atoms
from gateway.policy.eligible import obstacles
from gateway.policy.model import Document

_PROBE = ChatRequest(dialect=Dialect.OPENAI, model="", document=MappingProxyType({}), messages=())


def structure_problems(document: Document, catalog: Catalog) -> tuple[str, ...]:
    """Built-in claims that do not hold. A policy with one does not load."""
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
    """Things that load and are probably not meant."""
    found: list[str] = []
    for rule in document.rules:
        if rule.prefer == ():
            found.append(f"{rule.place}: the rule {rule.name!r} prefers no target that the configuration has.")
        if rule.only == frozenset():
            found.append(f"{rule.place}: the rule {rule.name!r} leaves no target over.")
    said = set(document.labels.tags) | {tag for rule in document.rules for tag in rule.tag}
    for tag in sorted(catalog.key_tags | {tag for alias in catalog.aliases.values() for tag in alias.tags}):
        if tag not in said and not _mentioned(tag, document):
            found.append(f"the configuration attaches the tag {tag!r}, which the policy does not know.")
    return tuple(found)


def _mentioned(tag: str, document: Document) -> bool:
    return any(
        isinstance(atom.test, Overlap) and atom.fact.name == "tags" and tag in atom.test.values
        for rule in document.rules
        for atom in atoms(rule.when)
    )
