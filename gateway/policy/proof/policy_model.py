"""A policy for all requests at once: the decision, and the one about the request masked, where rules permit that.

A property test holds this and the real `decide` together: for any request, what the real one does must be among what
this allows.
"""

from collections.abc import Iterable, Iterator

import z3

from gateway.core.labels import Zone
from gateway.core.request import Endpoint
from gateway.core.target import CAPABILITY_OF_FORM, Capability, Catalog, TargetInfo
from gateway.policy.language.ast import Document
from gateway.policy.language.conditions import FactRef
from gateway.policy.proof.formulas import DecisionFormulas
from gateway.policy.proof.variables import SolverVariables
from gateway.privacy.categories import covered

_MEDIA = {"has_images": Capability.IMAGES, "has_audio": Capability.AUDIO, "has_files": Capability.FILES}


class PolicyModel:
    """Model of a policy. `first` is the decision; `second` the one about the masked request, where `adopted` holds."""

    def __init__(self, document: Document, catalog: Catalog) -> None:
        self.document = document
        self.catalog = catalog
        self.variables = variables = SolverVariables(document, catalog)
        self.definitions: list[z3.BoolRef] = []
        self._names = 0
        self.able = {name: self._define(self._able(info)) for name, info in catalog.targets.items()}
        self.first = DecisionFormulas(document, catalog, variables, self._define, self.able)
        self.second: DecisionFormulas | None = None
        self.adopted = z3.BoolVal(False)
        if any(rule.mask for rule in document.rules):
            self.second = self._masked()
        # What claims of refusals assume: nothing is broken or too long, and no tag has a typing error.
        self.healthy_targets = [
            *map(z3.Not, (*variables.broken.values(), variables.unknown_tag)), *variables.fits.values()
        ]  # fmt: skip

    def passes(self) -> Iterator[tuple[z3.BoolRef, DecisionFormulas]]:
        """Yield each decision that may be acted on, with its condition. A masking that fails leaves the first."""
        yield z3.BoolVal(True), self.first
        if self.second is not None:
            yield self.adopted, self.second

    def _masked(self) -> DecisionFormulas:
        """Return the decision without what may be masked; it is adopted where it opens a cloud target."""
        variables, first = self.variables, self.first
        lifted = {
            leaf: self._define(first.masks(lambda rule, leaf=leaf: covered(leaf, rule.mask)))  # type: ignore[misc]
            for leaf in variables.leaves
        }
        causes = variables.causes
        known = [z3.Implies(cause, lifted[leaf]) for leaf, cause in causes.items()]
        past = self._define(z3.And(variables.tainted, z3.Or(list(causes.values())), *known))
        second = DecisionFormulas(self.document, self.catalog, variables, self._define, self.able, lifted, past)
        endpoint = FactRef(name="endpoint")
        something = z3.Or(past, *(z3.And(variables.leaves[leaf], lifted[leaf]) for leaf in variables.leaves))
        opened = [z3.And(second.candidate[name], z3.Not(first.candidate[name]))
                  for name, info in self.catalog.targets.items() if info.zone is Zone.CLOUD]  # fmt: skip
        texts = z3.Or([variables.is_word(endpoint, word) for word in (Endpoint.CHAT, Endpoint.COMPLETIONS)])
        self.adopted = self._define(z3.And(texts, something, z3.Or(opened)))
        return second

    def solver(self) -> z3.Solver:
        """Return a solver that knows all formulas of this model."""
        solver = z3.Solver()
        solver.set("random_seed", 0)
        solver.add(*self.variables.laws, *self.definitions, *self.variables.related())
        return solver

    def _define(self, formula: z3.BoolRef) -> z3.BoolRef:
        """Give a formula a name, so that large ones are not repeated."""
        self._names += 1
        name = z3.Bool(f"d{self._names}")
        self.definitions.append(name == formula)
        return name

    def _able(self, info: TargetInfo) -> z3.BoolRef:
        variables = self.variables
        endpoint = FactRef(name="endpoint")
        parts = [z3.Not(variables.is_word(endpoint, other)) for other in Endpoint if not info.serves(other)]
        for fact, capability in _MEDIA.items():
            if capability in info.capabilities:
                continue
            ways = [z3.Not(variables.flag(FactRef(name=fact)))]
            if capability is Capability.AUDIO:  # whoever serves transcriptions can listen
                ways.append(variables.is_word(endpoint, Endpoint.TRANSCRIPTIONS))
            if info.takes(frozenset({capability}), as_text=True):  # conversations alone are given text
                ways += [variables.is_word(endpoint, word) for word in (Endpoint.CHAT, Endpoint.MODERATIONS)]
            parts.append(z3.Or(ways))
        if Capability.TOOLS not in info.capabilities:
            parts.append(z3.Not(variables.flag(FactRef(name="has_tools"))))
        if Capability.LOGPROBS not in info.capabilities:
            parts.append(z3.Not(variables.flag(FactRef(name="wants_logprobs"))))
        for form, capability in CAPABILITY_OF_FORM.items():
            if capability not in info.capabilities:
                parts.append(z3.Not(variables.is_word(FactRef(name="response_format"), form)))
        return z3.And(parts)

    def plain(self) -> tuple[list[z3.BoolRef], ...]:
        """Return formulas that give facts their plainest values, for small examples; the most welcome come first.

        Numbers have none.
        """
        variables = self.variables
        groups: tuple[Iterable[z3.BoolRef], ...] = (
            (z3.Not(flag) for flag in variables.broken.values()), variables.fits.values(),
            [z3.Not(variables.unknown_tag)],
            (z3.Not(variables.leaves[name]) for name in reversed(variables.leaves)),
            (z3.Not(cause) for cause in variables.causes.values()),
            (z3.Not(doubt) for doubt in variables.doubts.values()),
            (z3.Not(kind) for kind in variables.kinds.values()),
            (z3.Not(flag) for flag in variables.flags.values()),
            (variable == 0 for variable in variables.words.values()),
            (z3.Not(known) for known in variables.known.values()),
            (z3.Not(tag) for tag in variables.tags.values()),
        )  # fmt: skip
        return tuple(list(group) for group in groups)
