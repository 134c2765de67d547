"""Proof of a policy's claims for every request that could come, or the smallest request that breaks them.

Complete over labels, tags, findings, numbers, words, unknown facts, fallbacks, open breakers and windows. Patterns
(`matches`) and shares are wider here than in reality: a claim that fails only there is reported as "not proved". Every
counterexample is run through the real `decide` before it is shown.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec
import z3

from gateway.core.labels import Label, Zone
from gateway.core.yaml_source import Position
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.decide import decide
from gateway.policy.evaluation.decision import Decision
from gateway.policy.evaluation.fact_values import getter
from gateway.policy.evaluation.masking import foresee
from gateway.policy.evaluation.request_view import RequestView
from gateway.policy.language.ast import Claim, Given
from gateway.policy.language.conditions import ALWAYS, Atom, Condition, FactRef, Interval, atoms, truth
from gateway.policy.proof.counterexample import case_of, given_of, in_words
from gateway.policy.proof.formulas import DecisionFormulas
from gateway.policy.proof.policy_model import PolicyModel
from gateway.policy.proof.verdict import BUILT_IN_CEILING, BUILT_IN_STAY, Proof, ProofOutcome, Verdict
from gateway.policy.situations.synthetic import evidence_of

# Formulas are freed by whichever thread Python collects garbage in, while another one may be at work with the solver.
z3.Z3_enable_concurrent_dec_ref(z3.main_ctx().ref())

MILLISECONDS = 5_000  # for one question to the solver; a policy of 1,000 rules takes some tens
_TRIES = 400  # request ids and users tried where a share decides


_SENSITIVE = Atom(fact=FactRef(name="label"), test=Interval(low=2, high=2, low_in=True, high_in=True))
_BUILT_IN = Position("(built in)", 1, 1)
BUILT_IN = (
    Claim(kind="always", when=_SENSITIVE, zone=Zone.LOCAL, place=_BUILT_IN,
          text=BUILT_IN_STAY),
)  # fmt: skip


class Prover:
    """Prover of one policy, with its formulas."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.world = PolicyModel(policy.document, policy.catalog)
        self._questions = [(claim, self._question(claim)) for claim in (*BUILT_IN, *policy.document.claims)]
        self._ceilings = self._above_ceilings()
        self.solver = self.world.solver()
        self.solver.set("timeout", MILLISECONDS)

    def proof(self, *, notes: bool = True) -> Proof:
        """Answer every claim; with `notes`, also look for what seems a mistake."""
        verdicts = [self._ceiling_verdict(), *(self._verdict(claim, formula) for claim, formula in self._questions)]
        seen = (*self._dead_rules(), *self._no_target()) if notes else ()
        return Proof(verdicts=tuple(verdicts), notes=(*self.policy.warnings, *seen))

    # Claims

    def _question(self, claim: Claim) -> z3.BoolRef:
        """Return a formula that can be true exactly when the claim is broken (or, for `reachable`, when it holds)."""
        found: list[z3.BoolRef] = []
        for condition, one in self.world.passes():
            if claim.rule is not None:
                found.append(z3.And(condition, one.used(claim.rule)))
            else:
                found.append(z3.And(condition, one.when(claim.when), self._broken(claim, one)))
        return z3.Or(found)

    def _broken(self, claim: Claim, one: DecisionFormulas) -> z3.BoolRef:
        never = claim.kind == "never"
        if claim.refused:
            answered = z3.Not(one.answered) if never else one.answered
            return z3.And(answered, *self.world.healthy_targets, *self.world.able.values())
        if claim.zone is not None:
            return one.in_zone(claim.zone, inside=never)
        return one.to_target(claim.target or "", inside=never)

    def _verdict(self, claim: Claim, formula: z3.BoolRef) -> Verdict:
        place = str(claim.place)
        result = self.solver.check(formula)
        if claim.rule is not None:
            return self._reachable(claim, formula, result)
        if result == z3.unsat:
            return Verdict(claim=claim.text, place=place, outcome=ProofOutcome.PROVED)
        if result == z3.unknown:
            return Verdict(
                claim=claim.text, place=place, outcome=ProofOutcome.NOT_PROVED, remark="the solver ran out of time"
            )
        given, broken = self._example(
            formula, lambda decision, view: self._breaks(claim, decision, view), said_of=claim.when
        )
        if broken is None:
            return Verdict(
                claim=claim.text, place=place, outcome=ProofOutcome.NOT_PROVED, case=case_of(given),
                remark="a pattern, a share or related facts are wider in the proof than in reality; "
                "the request shown is the nearest one, and does not break the claim by itself",
            )  # fmt: skip
        return Verdict(
            claim=claim.text, place=place, outcome=ProofOutcome.REFUTED, case=case_of(given), remark=said(broken)
        )

    def _reachable(self, claim: Claim, formula: z3.BoolRef, result: z3.CheckSatResult) -> Verdict:
        place = str(claim.place)
        if result == z3.unsat:
            return Verdict(
                claim=claim.text, place=place, outcome=ProofOutcome.REFUTED, remark="no request reaches this rule"
            )
        given, reached = self._example(
            formula, lambda decision, _: claim.rule in (decision.rule, *decision.restrictions)
        )
        outcome = ProofOutcome.PROVED if reached is not None else ProofOutcome.NOT_PROVED
        return Verdict(claim=claim.text, place=place, outcome=outcome, case=case_of(given))

    def _breaks(self, claim: Claim, decision: Decision, view: RequestView) -> bool:
        """Return whether a real decision breaks the claim."""
        if truth(claim.when, lambda fact: getter(fact)(view)) is False:
            return False
        reached = {candidate.target for candidate in decision.candidates}
        if decision.overrides.shadow is not None and reached:
            reached.add(decision.overrides.shadow)
        never = claim.kind == "never"
        if claim.refused:
            return (not reached) is never
        if claim.zone is not None:
            zones = {self.policy.catalog.targets[name].zone for name in reached}
            return claim.zone in zones if never else bool(zones - {claim.zone})
        return claim.target in reached if never else bool(reached - {claim.target or ""})

    def _above_ceilings(self) -> z3.BoolRef:
        world = self.world
        found: list[z3.BoolRef] = []
        for condition, one in world.passes():
            high = {Label.PUBLIC: one.state.internal, Label.INTERNAL: one.state.sensitive}
            found += [z3.And(condition, one.reaches[name], high[info.ceiling])
                      for name, info in self.policy.catalog.targets.items() if info.ceiling in high]  # fmt: skip
        return z3.Or(found)

    def _ceiling_verdict(self) -> Verdict:
        proved = self.solver.check(self._ceilings) == z3.unsat
        outcome = ProofOutcome.PROVED if proved else ProofOutcome.REFUTED
        return Verdict(claim=BUILT_IN_CEILING, place=str(_BUILT_IN), outcome=outcome)

    # Examples

    def _example(
        self, formula: z3.BoolRef, wanted: Callable[[Decision, RequestView], bool], said_of: Condition = ALWAYS
    ) -> tuple[Given, Decision | None]:
        """Return the plainest request for a formula, and what `decide` says if it is as wanted.

        Facts that the claim itself names are known, if it can be broken that way too.
        """
        kept = [formula]
        for group in ([self.world.variables.is_known(atom.fact) for atom in atoms(said_of)], *self.world.plain()):
            self._keep(kept, group)
        self._round(kept)
        self.solver.check(*kept)
        given = given_of(self.solver.model(), self.world.variables, self.policy.catalog)
        shares = any(ref.name == "share" for ref in self.world.variables.numbers)
        for number in range(_TRIES if shares else 1):
            tried = given if number == 0 else with_user(given, f"user-{number}")
            for decision, view in decided(tried, self.policy, f"made-up-{number}" if number else "made-up"):
                if wanted(decision, view):
                    return tried, decision
        return given, None

    def _keep(self, kept: list[z3.BoolRef], group: list[z3.BoolRef]) -> None:
        """Add what can be added of a group: all at once where that works, else half by half."""
        if not group or self.solver.check(*kept, *group) == z3.sat:
            kept += group
        elif len(group) > 1:
            middle = len(group) // 2
            self._keep(kept, group[:middle])
            self._keep(kept, group[middle:])

    def _round(self, kept: list[z3.BoolRef]) -> None:
        """Round numbers that matter to nothing, or to the nearest bound that the policy names, or just beyond it."""
        variables = self.world.variables
        self.solver.check(*kept)
        model = self.solver.model()
        for ref, variable in variables.numbers.items():
            if z3.is_false(model.eval(variables.is_known(ref), model_completion=True)):
                continue
            for value in variables.simple(ref, model.eval(variable, model_completion=True)):
                if self.solver.check(*kept, variable == value) == z3.sat:
                    kept.append(variable == value)
                    break

    # What looks like a mistake

    def _dead_rules(self) -> Iterable[str]:
        world = self.world
        earlier: list[str] = []
        for rule in self.policy.rules:
            if rule.name in world.first.matched and not self._ever("matched", rule.name):
                yield f"{rule.place}: the rule {rule.name!r} can never match."
            elif rule.name in world.first.chosen:
                if not self._ever("chosen", rule.name):
                    yield f"{rule.place}: the rule {rule.name!r} never chooses: {self._hidden_by(rule.name, earlier)}."
                earlier.append(rule.name)

    def _ever(self, what: str, name: str) -> bool:
        """Return whether a rule can match, or choose, in any decision."""
        ways = [z3.And(condition, getattr(one, what)[name]) for condition, one in self.world.passes()]
        return bool(self.solver.check(z3.Or(ways)) != z3.unsat)

    def _hidden_by(self, name: str, earlier: list[str]) -> str:
        passed = self.world.first.passed
        self.solver.check(self.world.first.routes[name], *(passed[other] for other in earlier))
        guilty = {formula.get_id() for formula in self.solver.unsat_core()}
        names = [repr(other) for other in earlier if passed[other].get_id() in guilty]
        return f"{', '.join(names)} above {'matches' if len(names) == 1 else 'match'} first, whatever comes"

    def _no_target(self) -> Iterable[str]:
        world = self.world
        first = world.first
        formula = z3.And(
            z3.Not(first.answered), z3.Not(first.refused_by_rule), *world.healthy_targets, *world.able.values()
        )
        if self.solver.check(formula) == z3.sat:
            given, decision = self._example(formula, lambda decision, _: not decision.candidates)
            if decision is not None:
                shown = in_words(case_of(given))
                yield f"some requests find no target although all are up, for example one with {shown}."


def decided(given: Given, policy: Policy, request_id: str) -> Iterator[tuple[Decision, RequestView]]:
    """Yield the real decisions on a made-up request, as it is and masked, with the facts at their end."""
    evidence = evidence_of(given, policy.catalog, request_id)
    first = decide(evidence, policy)
    alias = policy.catalog.aliases.get(first.alias) or next(iter(policy.catalog.aliases.values()))
    for decision in (first, foresee(first, evidence, policy)):
        if decision is not None:
            view = RequestView(evidence, alias, policy.locals[alias.name])
            view.label, view.tags = int(decision.label), decision.tags
            yield decision, view


def with_user(given: Given, user: str) -> Given:
    """Return the same request from another user."""
    facts = tuple(fact for fact in given.facts if fact[0] != "user")
    return msgspec.structs.replace(given, facts=(*facts, ("user", "", user)))


def said(decision: Decision) -> str:
    """Describe a decision in one line."""
    if decision.refusal is not None:
        return f"label {decision.label.word}: refused ({decision.refusal.code})"
    order = ", ".join(f"{candidate.target} ({candidate.zone})" for candidate in decision.candidates)
    shadow = f", shadow {decision.overrides.shadow}" if decision.overrides.shadow else ""
    masked = "masked, " if decision.masked is not None else ""
    return f"{masked}label {decision.label.word}, rule {decision.rule!r}: {order}{shadow}"


def prove(policy: Policy, *, notes: bool = True) -> Proof:
    """Prove the built-in claims and the policy's own; with `notes`, also look for rules without use."""
    return Prover(policy).proof(notes=notes)
