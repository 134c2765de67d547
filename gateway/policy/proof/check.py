"""Everything that `aduana check` says about a policy, and what a policy must pass before it comes into force."""

from gateway.core.errors import ConfigurationError
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.decision import Decision
from gateway.policy.evaluation.masking import decide_whole
from gateway.policy.language.ast import Expectation
from gateway.policy.proof.counterexample import in_words
from gateway.policy.proof.prover import prove
from gateway.policy.proof.verdict import PolicyCheck, ProofOutcome, Verdict
from gateway.policy.situations.synthetic import evidence_of


def check(policy: Policy) -> PolicyCheck:
    """Prove the claims and run the expectations."""
    return PolicyCheck(
        digest=policy.digest,
        rules=len(policy.rules),
        expectations=len(policy.document.expectations),
        failures=failed_expectations(policy),
        proof=prove(policy),
    )


def require(policy: Policy) -> Policy:
    """Return the policy, if every claim in it was proved.

    Raises:
        ConfigurationError: Some claims were not proved; each of them is in it.
    """
    problems = unproved(policy)
    if problems:
        raise ConfigurationError(problems)
    return policy


def unproved(policy: Policy) -> tuple[str, ...]:
    """Return a sentence for each claim that was not proved.

    For start and reload: a policy that breaks its own claims never comes into force. Expectations are tests, and are
    left to `aduana check`.
    """
    return tuple(_sentence(verdict) for verdict in prove(policy, notes=False).verdicts
                 if verdict.outcome is not ProofOutcome.PROVED)  # fmt: skip


def _sentence(verdict: Verdict) -> str:
    shown = f" For example, for a request with {in_words(verdict.case)}." if verdict.case is not None else ""
    remark = f" ({verdict.remark})" if verdict.remark else ""
    return f"{verdict.place}: the claim '{verdict.claim}' is {verdict.outcome}{remark}.{shown}"


def failed_expectations(policy: Policy) -> tuple[str, ...]:
    """Return for each row that is not as expected a sentence that says what was expected and what came."""
    found: list[str] = []
    for row in policy.document.expectations:
        decision = decide_whole(evidence_of(row.given, policy.catalog), policy)
        wrong = _wrong(row, decision)
        if wrong:
            name = f" {row.name!r}" if row.name else ""
            found.append(f"{row.place}: the expectation{name} fails: {'; '.join(wrong)}.")
    return tuple(found)


def _wrong(row: Expectation, decision: Decision) -> list[str]:
    order = [candidate.target for candidate in decision.candidates]
    came = decision.refusal.code if decision.refusal is not None else None
    wrong: list[str] = []
    if row.refused is not None:
        if came is None:
            wrong.append(f"expected a refusal, but it may go to {', '.join(order)}")
        elif row.refused not in ("", came):
            wrong.append(f"expected the refusal {row.refused!r}, got {came!r}")
    elif came is not None and (row.target is not None or row.zone is not None):
        wrong.append(f"it was refused ({came})")
    else:
        if row.target is not None and order[:1] != [row.target]:
            wrong.append(f"expected the target {row.target!r}, got {order[0]!r}")
        outside = [candidate.target for candidate in decision.candidates if candidate.zone is not row.zone]
        if row.zone is not None and outside:
            wrong.append(f"expected only the zone {row.zone}, but it may go to {', '.join(outside)}")
    if row.label is not None and decision.label is not row.label:
        wrong.append(f"expected the label {row.label.word}, got {decision.label.word}")
    if row.rule is not None and decision.rule != row.rule:
        wrong.append(f"expected the rule {row.rule!r}, got {decision.rule!r}")
    if row.masked is not None and row.masked is not (decision.masked is not None):
        wrong.append("expected it to be masked" if row.masked else "expected it not to be masked")
    return wrong
