"""What a proof says: verdicts on claims, and all that a check found. Needs no solver, unlike whoever makes them."""

import enum

import msgspec

BUILT_IN_STAY = "built in: sensitive requests stay local, by whatever rule, fallback, shadow or unknown fact"
BUILT_IN_CEILING = "built in: no target gets a label above its ceiling"


class ProofOutcome(enum.StrEnum):
    """Outcome of a claim."""

    PROVED = "proved"
    REFUTED = "refuted"
    NOT_PROVED = "not proved"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A claim and its outcome. `case`: the request that shows it, as `aduana explain` reads it."""

    claim: str
    place: str
    outcome: ProofOutcome
    case: dict[str, object] | None = None
    remark: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """All verdicts, and what else the solver saw."""

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every claim was proved."""
        return all(verdict.outcome is ProofOutcome.PROVED for verdict in self.verdicts)


class PolicyCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a check. `passed`: every claim proved, every expectation met."""

    digest: str
    rules: int
    expectations: int
    failures: tuple[str, ...]
    proof: Proof

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong. Notes are no fault."""
        return not self.failures and self.proof.holds
