"""Everything that `aduana check` says about a policy, and what a policy must pass before it comes into force."""

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.policy.compiled import Policy
from gateway.policy.expectations import failed_expectations
from gateway.policy.proof import Outcome, Proof, Verdict, prove


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The result. `passed`: every claim proved, every expectation met."""

    digest: str
    rules: int
    expectations: int
    failures: tuple[str, ...]
    proof: Proof

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong. Notes are no fault."""
        return not self.failures and self.proof.holds


def check(policy: Policy) -> Check:
    """Proves the claims and runs the expectations."""
    return Check(
        digest=policy.digest,
        rules=len(policy.rules),
        expectations=len(policy.document.expectations),
        failures=failed_expectations(policy),
        proof=prove(policy),
    )


def require(policy: Policy) -> Policy:
    """The policy, if every claim in it was proved. Raises ConfigurationError with each one that was not.

    For start and reload: a policy that breaks its own claims never comes into force. Expectations are tests, and are
    left to `aduana check`.
    """
    problems = tuple(_sentence(verdict) for verdict in prove(policy, notes=False).verdicts
                     if verdict.outcome is not Outcome.PROVED)  # fmt: skip
    if problems:
        raise ConfigurationError(problems)
    return policy


def _sentence(verdict: Verdict) -> str:
    shown = f" For example: {msgspec.json.encode(verdict.case).decode()}" if verdict.case is not None else ""
    remark = f" ({verdict.remark})" if verdict.remark else ""
    return f"{verdict.place}: the claim '{verdict.claim}' is {verdict.outcome}{remark}.{shown}"
