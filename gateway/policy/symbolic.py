"""A policy for all requests at once: the decision, and the one about the request masked, where rules permit that.

A property test holds this and the real `decide` together: for any request, what the real one does must be among what
this allows.
"""

from collections.abc import Iterable, Iterator

import z3

from gateway.core.labels import Zone
from gateway.core.request import Endpoint
from gateway.core.target import Capability, Catalog, TargetInfo
from gateway.policy.conditions import FactRef
from gateway.policy.model import Document
from gateway.policy.symbolic_pass import Pass
from gateway.policy.symbols import Symbols
from gateway.privacy.masking import covered

_MEDIA = {"has_images": Capability.IMAGES, "has_audio": Capability.AUDIO, "has_files": Capability.FILES}


class Symbolic:
    """`first`: the decision. `second`: the one about the masked request, which counts where `adopted` holds."""

    def __init__(self, document: Document, catalog: Catalog) -> None:
        self.document = document
        self.catalog = catalog
        self.symbols = symbols = Symbols(document, catalog)
        self.definitions: list[z3.BoolRef] = []
        self._names = 0
        self.able = {name: self._define(self._able(info)) for name, info in catalog.targets.items()}
        self.first = Pass(document, catalog, symbols, self._define, self.able)
        self.second: Pass | None = None
        self.adopted = z3.BoolVal(False)
        if any(rule.mask for rule in document.rules):
            self.second = self._masked()
        self.healthy_house = [*map(z3.Not, symbols.broken.values()), *symbols.fits.values()]

    def passes(self) -> Iterator[tuple[z3.BoolRef, Pass]]:
        """Each decision that may be acted on, with its condition. A masking that fails leaves the first."""
        yield z3.BoolVal(True), self.first
        if self.second is not None:
            yield self.adopted, self.second

    def _masked(self) -> Pass:
        """The decision without what may be masked; it is adopted where it opens a cloud target."""
        symbols, first = self.symbols, self.first
        lifted = {
            leaf: self._define(first.masks(lambda rule, leaf=leaf: covered(leaf, rule.mask)))  # type: ignore[misc]
            for leaf in symbols.leaves
        }
        causes = symbols.causes
        known = [z3.Implies(cause, lifted[leaf]) for leaf, cause in causes.items()]
        past = self._define(z3.And(symbols.tainted, z3.Or(list(causes.values())), *known))
        second = Pass(self.document, self.catalog, symbols, self._define, self.able, lifted, past)
        endpoint = FactRef(name="endpoint")
        something = z3.Or(past, *(z3.And(symbols.leaves[leaf], lifted[leaf]) for leaf in symbols.leaves))
        opened = [z3.And(second.candidate[name], z3.Not(first.candidate[name]))
                  for name, info in self.catalog.targets.items() if info.zone is Zone.CLOUD]  # fmt: skip
        texts = z3.Or([symbols.is_word(endpoint, word) for word in (Endpoint.CHAT, Endpoint.COMPLETIONS)])
        self.adopted = self._define(z3.And(texts, something, z3.Or(opened)))
        return second

    def solver(self) -> z3.Solver:
        """A solver that knows everything above."""
        solver = z3.Solver()
        solver.set("random_seed", 0)
        solver.add(*self.symbols.laws, *self.definitions, *self.symbols.related())
        return solver

    def _define(self, formula: z3.BoolRef) -> z3.BoolRef:
        """A name for a formula, so that large ones are not repeated."""
        self._names += 1
        name = z3.Bool(f"d{self._names}")
        self.definitions.append(name == formula)
        return name

    def _able(self, info: TargetInfo) -> z3.BoolRef:
        symbols = self.symbols
        endpoint = FactRef(name="endpoint")
        parts = [z3.Not(symbols.is_word(endpoint, other)) for other in Endpoint if other not in info.endpoints]
        for fact, capability in _MEDIA.items():
            if capability not in info.capabilities:
                parts.append(z3.Not(symbols.flag(FactRef(name=fact))))
        if Capability.TOOLS not in info.capabilities:
            parts.append(z3.Not(symbols.flag(FactRef(name="has_tools"))))
        if Capability.LOGPROBS not in info.capabilities:
            parts.append(z3.Not(symbols.flag(FactRef(name="wants_logprobs"))))
        if Capability.JSON_SCHEMA not in info.capabilities:
            parts.append(z3.Not(symbols.is_word(FactRef(name="response_format"), "json_schema")))
        return z3.And(parts)

    def plain(self) -> tuple[list[z3.BoolRef], ...]:
        """Every "this is the plainest value" of every fact but numbers, the most welcome first: for small examples."""
        symbols = self.symbols
        groups: tuple[Iterable[z3.BoolRef], ...] = (
            (z3.Not(flag) for flag in symbols.broken.values()), symbols.fits.values(),
            (z3.Not(symbols.leaves[name]) for name in reversed(symbols.leaves)),
            (z3.Not(cause) for cause in symbols.causes.values()),
            (z3.Not(doubt) for doubt in symbols.doubts.values()),
            (z3.Not(flag) for flag in symbols.flags.values()),
            (variable == 0 for variable in symbols.words.values()),
            (z3.Not(known) for known in symbols.known.values()),
            (z3.Not(tag) for tag in symbols.tags.values()),
        )  # fmt: skip
        return tuple(list(group) for group in groups)
