"""`decide` once more, for all requests at once: the same steps, written for the solver.

One `DecisionFormulas` is one decision: the first, or the one about the request masked, which differs in what the label
is made of.
"""

from collections.abc import Callable

import z3

from gateway.core.labels import Label, Zone
from gateway.core.target import Catalog, TargetInfo
from gateway.policy.evaluation.compiled import GROW, PERMIT, RESTRICT, ROUTE, deeds
from gateway.policy.language.ast import Document, Rule, UnknownTags
from gateway.policy.language.conditions import FactRef
from gateway.policy.proof.variables import SolverVariables, State

Define = Callable[[z3.BoolRef], z3.BoolRef]  # a name for a formula, so that large ones are not repeated


class DecisionFormulas:
    """A policy as formulas. `reaches[target]`: some attempt may go there; `matched[rule]`, `chosen[rule]`.

    `lifted`: categories whose findings don't count for the label, each with its condition; `past`: nor does a sensitive
    past, under this condition.
    """

    def __init__(
        self,
        document: Document,
        catalog: Catalog,
        variables: SolverVariables,
        define: Define,
        able: dict[str, z3.BoolRef],
        lifted: dict[str, z3.BoolRef] | None = None,
        past: z3.BoolRef | None = None,
    ) -> None:
        self.document = document
        self.catalog = catalog
        self.variables = variables
        self._define = define
        self._able = able
        self._lifted = lifted or {}
        self._tainted = variables.tainted if past is None else z3.And(variables.tainted, z3.Not(past))
        self.matched: dict[str, z3.BoolRef] = {}  # does something, by any of its deeds
        self.routes: dict[str, z3.BoolRef] = {}  # its `prefer` matches, whether or not an earlier rule's did
        self.passed: dict[str, z3.BoolRef] = {}  # it does not match
        self.chosen: dict[str, z3.BoolRef] = {}  # it is the first whose `prefer` matches
        self.start = State(variables, self._levels(), dict(variables.tags))
        self.state = self._grown()
        self._deeds = {rule.name: self._matches(rule) for rule in document.rules}
        self.refused_by_rule = self._define(z3.Or([
            *(self._deeds[rule.name][RESTRICT] for rule in document.rules if rule.refuse is not None),
            *([variables.unknown_tag] if document.labels.unknown_tags is UnknownTags.REFUSE else []),
        ]))  # fmt: skip
        self.may = {name: self._define(self._permitted(name, info)) for name, info in catalog.targets.items()}
        self.allowed = {name: self._define(self._ready(name)) for name in catalog.targets}
        self._route()
        self.candidate = self._candidates(self.allowed)
        self.answered = self._define(z3.Or(list(self.candidate.values())))
        self.reaches = {
            name: self._define(z3.Or(self.candidate[name], self._shadowed(name))) for name in catalog.targets
        }

    def masks(self, covers: Callable[[Rule], bool]) -> z3.BoolRef:
        """Return the formula that a matching rule permits to mask what `covers` says."""
        return z3.Or([self._deeds[rule.name][PERMIT] for rule in self.document.rules if rule.mask and covers(rule)])

    def used(self, name: str) -> z3.BoolRef:
        """Return the formula that a rule does something: chooses a target, restricts, tags, masks or sets."""
        if name in self.chosen:
            rule = next(rule for rule in self.document.rules if rule.name == name)
            usable = z3.Or([self.allowed[target] for target in rule.prefer or ()])
            return z3.And(self.chosen[name], usable, z3.Not(self.refused_by_rule))
        return self.matched[name]

    def when(self, condition: object) -> z3.BoolRef:
        """Return the formula that a claim's condition holds; what is unknown counts as meant."""
        return self.state.sees(condition, restricts=True)  # type: ignore[arg-type]  # a Condition

    def _levels(self) -> tuple[z3.BoolRef, z3.BoolRef]:
        variables, labels = self.variables, self.document.labels
        tagged = [z3.Or([variables.tags[tag] for tag, label in labels.tags.items() if label >= level])
                  for level in (0, 1, 2)]  # fmt: skip
        seen = {level: self._define(variables.seen(level, self._lifted)) for level in (1, 2)}
        clean = z3.And(tagged[0], z3.Not(seen[1]), z3.Not(self._tainted))
        strange = variables.unknown_tag if labels.unknown_tags is UnknownTags.SENSITIVE else z3.BoolVal(False)
        first, second = (
            self._define(z3.Or(strange, z3.If(
                clean,
                z3.Or(tagged[level], self._floor(Label(level))),
                z3.Or(tagged[level], seen[level], self._tainted, self._default(Label(level))),
            )))
            for level in (1, 2)
        )  # fmt: skip
        return first, second

    def _floor(self, level: Label) -> z3.BoolRef:
        """Return the formula that no tag of the caller brings this key and alias below the label."""
        labels, variables = self.document.labels, self.variables
        tables = (("key", labels.by_key, labels.tagged_keys), ("alias", labels.by_alias, labels.tagged_aliases))
        return z3.Or([variables.is_word(FactRef(name=fact), name) for fact, table, tagged in tables
                      for name, label in table.items() if label >= level and name not in tagged])  # fmt: skip

    def _default(self, level: Label) -> z3.BoolRef:
        labels, variables = self.document.labels, self.variables
        tables = ((FactRef(name="key"), labels.by_key), (FactRef(name="alias"), labels.by_alias))
        special = [variables.is_word(ref, name) for ref, table in tables for name in table]
        high = [
            variables.is_word(ref, name) for ref, table in tables for name, label in table.items() if label >= level
        ]
        general = z3.And(z3.Not(z3.Or(special)), z3.BoolVal(labels.default >= level))
        return z3.Or([*high, general])

    def _grown(self) -> State:
        state, mapped = self.start, self.document.labels.tags
        for rule in self.document.rules:
            if not any(deed == GROW for deed, _ in deeds(rule)):
                continue
            match = self._define(state.sees(rule.when, restricts=True))
            self.matched[rule.name] = match
            level = max([rule.raise_to or Label.PUBLIC, *(mapped[tag] for tag in rule.tag if tag in mapped)])
            state = State(
                self.variables,
                (
                    self._define(z3.Or(state.internal, match)) if level >= Label.INTERNAL else state.internal,
                    self._define(z3.Or(state.sensitive, match)) if level >= Label.SENSITIVE else state.sensitive,
                ),
                {tag: z3.Or(value, match) if tag in rule.tag else value for tag, value in state.tags.items()},
            )
        return state

    def _matches(self, rule: Rule) -> dict[int, z3.BoolRef]:
        found: dict[int, z3.BoolRef] = {}
        for deed, restricts in deeds(rule):
            if deed != GROW:
                found[deed] = self._define(self.state.sees(rule.when, restricts=restricts))
        if found:
            parts = [*found.values(), *([self.matched[rule.name]] if rule.name in self.matched else [])]
            self.matched[rule.name] = z3.Or(parts)
        return found

    def _permitted(self, name: str, info: TargetInfo) -> z3.BoolRef:
        alias = FactRef(name="alias")
        parts = [z3.Or([self.variables.is_word(alias, entry.name) for entry in self.catalog.aliases.values()
                        if entry.targets is None or name in entry.targets])]  # fmt: skip
        if info.ceiling < Label.SENSITIVE:
            parts.append(z3.Not(self.state.sensitive))
        if info.ceiling < Label.INTERNAL:
            parts.append(z3.Not(self.state.internal))
        for rule in self.document.rules:
            if rule.only is not None and name not in rule.only:
                parts.append(z3.Not(self._deeds[rule.name][RESTRICT]))
        return z3.And(parts)

    def _ready(self, name: str) -> z3.BoolRef:
        variables = self.variables
        return z3.And(self.may[name], self._able[name], variables.fits[name], z3.Not(variables.broken[name]))

    def _route(self) -> None:
        """Let the first match win; rules with the same order of targets are one group from here on."""
        before: z3.BoolRef = z3.BoolVal(False)
        groups: dict[tuple[str, ...], list[z3.BoolRef]] = {}
        for rule in self.document.rules:
            match = self._deeds[rule.name].get(ROUTE)
            if match is None or rule.prefer is None:
                continue
            self.routes[rule.name] = match
            self.passed[rule.name] = z3.Not(match)
            self.chosen[rule.name] = self._define(z3.And(match, z3.Not(before)))
            groups.setdefault(rule.prefer, []).append(self.chosen[rule.name])
            before = self._define(z3.Or(before, match))
        self.any_route = before
        self.groups = {order: self._define(z3.Or(parts)) for order, parts in groups.items()}

    def _candidates(self, allowed: dict[str, z3.BoolRef]) -> dict[str, z3.BoolRef]:
        fallen: list[z3.BoolRef] = [z3.Not(self.any_route)]
        for order, group in self.groups.items():
            fallen.append(z3.And(group, z3.Not(z3.Or([allowed[name] for name in order]))))
        falls = self._define(z3.Or(fallen))
        named: dict[str, list[z3.BoolRef]] = {name: [] for name in self.catalog.targets}
        for order, group in self.groups.items():
            for name in order:
                named[name].append(group)
        before: list[z3.BoolRef] = []
        for entry in self.document.otherwise:
            holds = self.state.sees(entry.when, restricts=False)
            for name in entry.prefer:
                named[name].append(z3.And(falls, holds, z3.Not(z3.Or(before))))
            before.append(holds)
        return {name: self._define(z3.And(z3.Not(self.refused_by_rule), allowed[name], z3.Or(parts)))
                for name, parts in named.items()}  # fmt: skip

    def _shadowed(self, name: str) -> z3.BoolRef:
        rules = [rule for rule in self.document.rules if rule.overrides is not None and rule.overrides.shadow == name]
        matches = [self._deeds[rule.name][PERMIT] for rule in rules]
        return z3.And(z3.Or(matches), self.allowed[name], self.answered)

    def in_zone(self, zone: Zone, *, inside: bool) -> z3.BoolRef:
        """Return the formula that some attempt may go to this zone (or, not inside, to another one)."""
        return z3.Or(
            [self.reaches[name] for name, info in self.catalog.targets.items() if (info.zone is zone) is inside]
        )

    def to_target(self, target: str, *, inside: bool) -> z3.BoolRef:
        """Return the formula that some attempt may go to this target (or, not inside, to another one)."""
        return z3.Or([self.reaches[name] for name in self.catalog.targets if (name == target) is inside])
