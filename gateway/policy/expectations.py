"""Runs a policy's own `expect` tables. Pure."""

from gateway.policy.compiled import Policy
from gateway.policy.decision import Decision
from gateway.policy.made_up import situation_of
from gateway.policy.masking import decide_whole
from gateway.policy.model import Expectation


def failed_expectations(policy: Policy) -> tuple[str, ...]:
    """For each row that is not as expected, a sentence that says what was expected and what came."""
    found: list[str] = []
    for row in policy.document.expectations:
        decision = decide_whole(*situation_of(row.given, policy.catalog), policy)
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
