"""Rules that tag or raise are worked from top to bottom, once. So what one of them reads must stand above it."""

from gateway.core.labels import Label
from gateway.policy.conditions import Overlap, atoms
from gateway.policy.model import Document, Rule


def order_problems(document: Document) -> tuple[str, ...]:
    """Rules that tag or raise, and read a tag or the label that a rule below them changes."""
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
    """Whether a rule can raise a label, directly or by a tag."""
    mapped = document.labels.tags
    return (rule.raise_to or Label.PUBLIC) > Label.PUBLIC or any(
        mapped.get(tag, Label.PUBLIC) > Label.PUBLIC for tag in rule.tag
    )
