"""Facts as solver variables: every request that could come, at once.

Each fact becomes one variable and, where it may be unknown, a second one that says so. Numbers stay numbers, words
become positions in the list of words that the policy mentions (plus one for all others), and each finding category
that the policy mentions becomes one yes-or-no. Where this is wider than reality (a pattern, a share), the answer can
only become "not proved", never a wrong "proved".
"""

from collections.abc import Iterable, Mapping

import z3

from gateway.core.request import Media
from gateway.core.target import Catalog
from gateway.policy.evaluation.labels import label_of_category
from gateway.policy.language.ast import Document
from gateway.policy.language.conditions import (
    INFINITY,
    All,
    Any,
    Atom,
    Condition,
    FactRef,
    Flag,
    Interval,
    Matches,
    Not,
    Overlap,
    Words,
    atoms,
    regex,
)
from gateway.policy.language.facts import FACTS, NO_ATTACHMENT, UNREAD, FactKind, kind_of, known_keys
from gateway.policy.language.units import Unit

OTHER = "(other)"
_WHOLE = frozenset({Unit.TOKENS, Unit.COUNT})
_MINUTES = 24 * 60


def conditions_of(document: Document) -> Iterable[Condition]:
    """Yield every condition that the policy has, claims included."""
    yield from (rule.when for rule in document.rules)
    yield from (entry.when for entry in document.otherwise)
    yield from (claim.when for claim in document.claims)


class SolverVariables:
    """The variables, and what is always true of them (`laws`)."""

    def __init__(self, document: Document, catalog: Catalog) -> None:
        self.document = document
        self.catalog = catalog
        self.laws: list[z3.BoolRef] = []
        self.numbers: dict[FactRef, z3.ArithRef] = {}
        self.words: dict[FactRef, z3.ArithRef] = {}
        self.flags: dict[FactRef, z3.BoolRef] = {}
        self.known: dict[FactRef, z3.BoolRef] = {}
        self.patterns: dict[tuple[FactRef, str], z3.BoolRef] = {}
        self.vocabulary: dict[FactRef, list[str]] = {}
        self._mention()
        self.tags = {tag: z3.Bool(f"tag {tag}") for tag in sorted(document.tags)}
        self.unknown_tag = z3.Bool("tag (not known)")
        self.leaves = {name: z3.Bool(f"found {name}") for name in self._categories()}
        masking = any(rule.mask for rule in document.rules)
        self.causes = {name: z3.Bool(f"cause {name}") for name in self.leaves} if masking else {}
        self.doubts = {name: z3.Bool(f"doubt {name}") for name in self._doubts()}
        self.kinds = {name: z3.Bool(f"attached {name}") for name in self._kinds()}
        self.fits = {name: z3.Bool(f"fits {name}") for name in catalog.targets}
        self.broken = {name: z3.Bool(f"broken {name}") for name in catalog.targets}
        self.tainted = self.flag(FactRef(name="tainted"))
        for ref in ("key", "alias", "endpoint", "response_format"):
            self.word(FactRef(name=ref))
        for ref in ("has_images", "has_audio", "has_files", "has_tools", "wants_logprobs"):
            self.flag(FactRef(name=ref))
        for ref in ("prompt_tokens", "max_output_tokens"):
            self.number(FactRef(name=ref))
        self._laws()

    def _mention(self) -> None:
        """Collect the words that conditions ask for, by fact."""
        self._counted: set[str] = set()
        self._found: set[str] = set()
        self._doubted: set[str] = set()
        self._attached: set[str] = set()
        self._asks_of_attachments = False
        self.bounds: dict[FactRef, set[float]] = {}
        mentioned: dict[FactRef, set[str]] = {}
        for condition in conditions_of(self.document):
            for atom in atoms(condition):
                if isinstance(atom.test, Words):
                    mentioned.setdefault(atom.fact, set()).update(atom.test.values)
                elif isinstance(atom.test, Overlap):
                    sets = {"findings": self._found, "doubts": self._doubted, "attachment_kinds": self._attached}
                    sets.get(atom.fact.name, set()).update(atom.test.values)
                elif isinstance(atom.test, Interval):
                    ends = {atom.test.low, atom.test.high} - {INFINITY, -INFINITY}
                    self.bounds.setdefault(atom.fact, set()).update(ends)
                self._asks_of_attachments |= atom.fact.name.startswith("attachment")
                if atom.fact.name.startswith("finding_"):
                    self._counted.add(atom.fact.of)
        self._mentioned = mentioned

    def _categories(self) -> list[str]:
        masked = {category for rule in self.document.rules for category in rule.mask}
        named = {*self.document.labels.findings, *self._found, *self._counted, *masked}
        above = {".".join(name.split(".")[:n]) for name in named for n in range(1, name.count(".") + 1)}
        return [*sorted(named | above), OTHER]

    def _doubts(self) -> list[str]:
        return [*sorted({*self.document.labels.doubts, *self._doubted}), OTHER]

    def _kinds(self) -> list[str]:
        others = set(FACTS["attachment_kinds"].words) - self._attached
        return [*sorted(self._attached), *([OTHER] if others else [])] if self._asks_of_attachments else []

    def word(self, ref: FactRef) -> z3.ArithRef:
        """Return the position of a word fact's value in `vocabulary[ref]`."""
        if ref not in self.words:
            fact = FACTS[ref.name]
            closed: Iterable[str] = fact.words
            if ref.name == "key":
                closed = sorted(known_keys(self.catalog), key=lambda key: (key != "anonymous", key))
            elif ref.name == "alias":
                closed = self.catalog.aliases
            words = list(closed) or [OTHER, *sorted(self._mentioned.get(ref, set()))]
            self.vocabulary[ref] = words
            variable = z3.Int(f"{ref}")
            self.words[ref] = variable
            self.laws += [variable >= 0, variable < len(words)]
        return self.words[ref]

    def is_word(self, ref: FactRef, word: str) -> z3.BoolRef:
        """Return the formula that a word fact has this value."""
        variable = self.word(ref)
        words = self.vocabulary[ref]
        return variable == words.index(word) if word in words else z3.BoolVal(False)

    def flag(self, ref: FactRef) -> z3.BoolRef:
        """Return the variable of a yes-or-no fact."""
        if ref not in self.flags:
            self.flags[ref] = z3.Bool(f"{ref}")
        return self.flags[ref]

    def number(self, ref: FactRef) -> z3.ArithRef:
        """Return the variable of a number fact, within what it can be."""
        if ref not in self.numbers:
            unit = FACTS[ref.name].unit if ref.name in FACTS else Unit.COUNT
            whole = (unit in _WHOLE and kind_of(ref) is FactKind.NUMBER) and ref.name != "finding_confidence"
            variable = z3.Int(f"{ref}") if whole else z3.Real(f"{ref}")
            self.numbers[ref] = variable
            if unit is not Unit.CELSIUS and ref.name != "budget_left":
                self.laws.append(variable >= 0)
            if unit is Unit.RATIO or ref.name == "finding_confidence":
                self.laws.append(variable < 1 if ref.name == "share" else variable <= 1)
            if ref.name == "time":
                self.laws.append(variable < _MINUTES)
        return self.numbers[ref]

    def simple(self, ref: FactRef, value: z3.ArithRef) -> list[z3.RatNumRef]:
        """Return values that make an example easy to read: nothing, the bound below `value`, and just beyond it.

        The bounds are those that the policy names.
        """
        now = float(value.as_fraction() if z3.is_rational_value(value) else value.as_long())
        below = max((bound for bound in self.bounds.get(ref, ()) if bound <= now), default=0.0)
        step = 1 if self.numbers[ref].is_int() else 0.01
        return [_exact(number) for number in dict.fromkeys((0.0, below, below + step))]

    def is_known(self, ref: FactRef) -> z3.BoolRef:
        """Return the formula that the fact is known."""
        if ref.name not in FACTS or FACTS[ref.name].always_known:
            return z3.BoolVal(True)
        if ref not in self.known:
            self.known[ref] = z3.Bool(f"known {ref}")
        return self.known[ref]

    def present(self, category: str) -> z3.BoolRef:
        """Return the formula that something of this category, or below it, was found."""
        return z3.Or([leaf for name, leaf in self.leaves.items()
                      if name == category or name.startswith(category + ".")])  # fmt: skip

    def seen(self, level: int, lifted: Mapping[str, z3.BoolRef]) -> z3.BoolRef:
        """Return the formula that something was seen that asks for at least this label, and is not lifted."""
        labels = self.document.labels
        parts = [z3.And(leaf, z3.Not(lifted[name])) if name in lifted else leaf
                 for name, leaf in self.leaves.items() if label_of_category(name, labels) >= level]  # fmt: skip
        parts += [doubt for name, doubt in self.doubts.items() if labels.doubts.get(name, 2) >= level]
        return z3.Or(parts)

    def _laws(self) -> None:
        alias, format_ = FactRef(name="alias"), FactRef(name="response_format")
        chat = self.is_word(FactRef(name="endpoint"), "chat")
        for name, entry in self.catalog.aliases.items():
            for tag in entry.tags:
                self.laws.append(z3.Implies(self.is_word(alias, name), self.tags[tag]))
        for name, tags in self.catalog.tags_of_keys.items():
            for tag in tags & self.tags.keys():
                self.laws.append(z3.Implies(self.is_word(FactRef(name="key"), name), self.tags[tag]))
        completions = self.is_word(FactRef(name="endpoint"), "completions")
        self.laws.append(z3.Or(chat, completions, self.is_word(format_, "text")))
        self.laws.append(z3.Implies(self.flag(FactRef(name="has_tools")), chat))
        embedding = self.is_word(FactRef(name="endpoint"), "embeddings")
        self.laws.append(z3.Implies(self.flag(FactRef(name="wants_logprobs")), z3.Not(embedding)))
        maximum = FactRef(name="max_output_tokens")
        self.laws.append(z3.Implies(embedding, z3.Not(self.is_known(maximum))))
        self._window_laws(embedding)
        for category in self._counted:
            self._count_laws(category)
        self.laws += [z3.Implies(cause, self.tainted) for cause in self.causes.values()]
        if self._asks_of_attachments:
            self._attachment_laws()

    def _attachment_laws(self) -> None:
        """Add the laws that hold the facts of attachments together: one can't be there unread and with pages."""
        count, pages, read = (FactRef(name=name) for name in ("attachments", "attachment_pages", "attachments_read"))
        none = self.is_word(read, NO_ATTACHMENT)
        self.laws += [
            (self.number(count) == 0) == none,
            z3.Implies(none, self.number(pages) == 0),
            self.is_known(pages) == z3.Not(self.is_word(read, UNREAD)),
            self.number(count) >= z3.Sum([z3.If(kind, 1, 0) for kind in self.kinds.values()]),
            z3.Implies(self.number(count) > 0, z3.Or(list(self.kinds.values()))),
        ]
        if not self.catalog.clean_attachments_leave:  # each of them is a doubt
            named = [self.doubts[medium] for medium in Media if medium in self.doubts]
            self.laws.append(z3.Implies(self.number(count) > 0, z3.Or([*named, self.doubts[OTHER]])))

    def _window_laws(self, embedding: z3.BoolRef) -> None:
        """Add the law that a prompt whose estimate fits, fits: a target's own count is never above the estimate."""
        prompt, limit = FactRef(name="prompt_tokens"), FactRef(name="max_output_tokens")
        asked = self.number(limit)
        room = z3.If(embedding, 0, z3.If(z3.And(self.is_known(limit), asked > 0), asked, 1))
        for name, info in self.catalog.targets.items():
            half = max(1, (info.context or 0) // 2)
            small = (
                True if info.context is None else self.number(prompt) + z3.If(room < half, room, half) <= info.context
            )
            self.laws.append(z3.Implies(z3.Or(z3.Not(self.is_known(prompt)), small), self.fits[name]))

    def _count_laws(self, category: str) -> None:
        count = self.number(FactRef(name="finding_count", of=category))
        confidence = self.number(FactRef(name="finding_confidence", of=category))
        self.laws.append((count > 0) == self.present(category))
        self.laws.append(z3.Implies(count == 0, confidence == 0))

    def related(self) -> list[z3.BoolRef]:
        """Return the laws between facts that are there only when they are mentioned.

        Call this when all conditions are translated.
        """
        found: list[z3.BoolRef] = []
        for name in self.catalog.targets:
            healthy = FactRef(name="healthy", of=name)
            if healthy in self.flags:
                found.append(z3.Implies(self.broken[name],
                                        z3.And(self.is_known(healthy), z3.Not(self.flags[healthy]))))  # fmt: skip
        for (ref, pattern), variable in self.patterns.items():
            for position, word in enumerate(self.vocabulary[ref]):
                if word != OTHER:
                    hit = regex(pattern).search(word) is not None
                    found.append(z3.Implies(self.words[ref] == position, variable == hit))
        budgets = {ref.of for ref in self.numbers if ref.name == "budget_left"}
        for of in budgets:
            left, spent = FactRef(name="budget_left", of=of), FactRef(name="spent", of=of)
            found.append(z3.Implies(self.is_known(left), self.is_known(spent)))
        return found


class State:
    """Label and tags at one point of the rules: solver expressions that grow from rule to rule."""

    def __init__(
        self, variables: SolverVariables, levels: tuple[z3.BoolRef, z3.BoolRef], tags: dict[str, z3.BoolRef]
    ) -> None:
        self.variables = variables
        self.internal, self.sensitive = levels  # the label is at least that
        self.tags = tags

    def sees(self, condition: Condition, *, restricts: bool, positive: bool = True) -> z3.BoolRef:
        """Return the formula that a condition counts as true here; an unknown literal counts as `restricts`."""
        match condition:
            case Not():
                return self.sees(condition.item, restricts=restricts, positive=not positive)
            case All() | Any():
                parts = [self.sees(item, restricts=restricts, positive=positive) for item in condition.items]
                return z3.And(parts) if isinstance(condition, All) is positive else z3.Or(parts)
            case Atom():
                value = self._test(condition)
                plain = value if positive else z3.Not(value)
                known = self._known(condition.fact)
                return z3.Or(z3.Not(known), plain) if restricts else z3.And(known, plain)

    def _known(self, ref: FactRef) -> z3.BoolRef:
        return self.variables.is_known(ref)

    def _test(self, atom: Atom) -> z3.BoolRef:
        ref, test, variables = atom.fact, atom.test, self.variables
        match test:
            case Interval() if ref.name == "label":
                exactly = (z3.Not(self.internal), z3.And(self.internal, z3.Not(self.sensitive)), self.sensitive)
                return z3.Or([part for value, part in enumerate(exactly) if test.contains(value)])
            case Interval():
                return z3.And(_within(variables.number(ref), test))
            case Flag():
                value = variables.flag(ref)
                return value if test.value else z3.Not(value)
            case Words():
                return z3.Or([variables.is_word(ref, word) for word in sorted(test.values)])
            case Overlap() if ref.name == "tags":
                return z3.Or([self.tags[tag] for tag in sorted(test.values) if tag in self.tags])
            case Overlap() if ref.name == "findings":
                return z3.Or([variables.present(category) for category in sorted(test.values)])
            case Overlap() if ref.name == "attachment_kinds":
                return z3.Or([variables.kinds[kind] for kind in sorted(test.values)])
            case Overlap():
                return z3.Or([variables.doubts[reason] for reason in sorted(test.values)])
            case Matches():
                variables.word(ref)
                return variables.patterns.setdefault((ref, test.pattern), z3.Bool(f"{ref} matches {test.pattern}"))


def _within(variable: z3.ArithRef, interval: Interval) -> list[z3.BoolRef]:
    parts: list[z3.BoolRef] = []
    if interval.low > -INFINITY:
        low = _exact(interval.low)
        parts.append(variable >= low if interval.low_in else variable > low)
    if interval.high < INFINITY:
        high = _exact(interval.high)
        parts.append(variable <= high if interval.high_in else variable < high)
    return parts


def _exact(value: float) -> z3.RatNumRef:
    """Return the very number that a float is, not its printed form."""
    numerator, denominator = value.as_integer_ratio()
    return z3.Q(numerator, denominator)
