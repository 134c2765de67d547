"""A policy made ready: its document, its targets, and the index over its rules. Built once, when it is loaded."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from gateway.core.target import Alias, Catalog
from gateway.policy.evaluation.decision import Candidate
from gateway.policy.evaluation.index import Index, IndexEntry
from gateway.policy.evaluation.request_view import local_targets
from gateway.policy.language.ast import Document, Labels, Rule
from gateway.policy.language.conditions import FactRef, atoms
from gateway.policy.language.facts import TOLD_BY_READING

ROUTE, RESTRICT, GROW, PERMIT = range(
    4
)  # prefer; only, refuse, cap; tag, raise; mask, priority, shadow, other settings


class Compiled:
    """Index over the rules, and what its entries mean: entry n belongs to rule `rule_of[n]` and does `deed_of[n]`."""

    __slots__ = ("deed_of", "grow", "index", "permit", "restrict", "route", "rule_of")

    def __init__(self, document: Document) -> None:
        entries: list[IndexEntry] = []
        self.rule_of: list[int] = []
        self.deed_of: list[int] = []
        for number, rule in enumerate(document.rules):
            for deed, restricts in deeds(rule):
                entries.append(IndexEntry(condition=rule.when, restricts=restricts))
                self.rule_of.append(number)
                self.deed_of.append(deed)
        self.index = Index(entries)
        masks = [0, 0, 0, 0]
        for number, bits in enumerate(self.index.entry_bits):
            masks[self.deed_of[number]] |= bits
        self.route, self.restrict, self.grow, self.permit = masks


def deeds(rule: Rule) -> list[tuple[int, bool]]:
    """Return what a rule does, each with whether an unknown fact counts as true for it.

    It counts as true where the deed restricts, and as false where it permits. A `prefer` that is written without the
    cloud keeps requests at home, so it restricts; any other one permits.
    """
    found: list[tuple[int, bool]] = []
    if rule.tag or rule.raise_to is not None:
        found.append((GROW, True))
    settings = rule.overrides
    if rule.only is not None or rule.refuse is not None or (settings and settings.max_output_tokens is not None):
        found.append((RESTRICT, True))
    if rule.prefer is not None:
        found.append((ROUTE, rule.stays))
    sets = settings is not None and settings != type(settings)(max_output_tokens=settings.max_output_tokens)
    if sets or rule.mask:
        found.append((PERMIT, False))
    return found


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A whole policy with the targets and names it was checked against. Immutable; share it freely."""

    digest: str
    document: Document
    catalog: Catalog
    compiled: Compiled
    locals: Mapping[str, tuple[str, ...]]  # alias → local targets that it permits
    candidates: Mapping[str, Candidate]  # one ready-made for each target
    warnings: tuple[str, ...] = ()

    @property
    def labels(self) -> Labels:
        """How requests get their labels."""
        return self.document.labels

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in order."""
        return self.document.rules

    def facts(self) -> frozenset[FactRef]:
        """Return every fact that the rules ask about."""
        return frozenset(atom.fact for rule in self.rules for atom in atoms(rule.when))

    def asks_of_attachments(self) -> bool:
        """Return whether a rule asks for what only reading an attachment tells: its kind, its pages, all of it."""
        return any(fact.name in TOLD_BY_READING for fact in self.facts())


def compile_policy(document: Document, catalog: Catalog, digest: str, warnings: Sequence[str] = ()) -> Policy:
    """Compile a policy, so that it is ready for `decide`."""
    aliases: Mapping[str, Alias] = catalog.aliases
    return Policy(
        digest=digest,
        document=document,
        catalog=catalog,
        compiled=Compiled(document),
        locals=MappingProxyType({alias.name: local_targets(catalog, alias) for alias in aliases.values()}),
        candidates=MappingProxyType(
            {name: Candidate(target=name, zone=info.zone) for name, info in catalog.targets.items()}
        ),
        warnings=tuple(warnings),
    )
