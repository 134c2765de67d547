"""Why a request is sensitive, as far as the memory of conversations must know it. Pure."""

import msgspec

from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.labels import Label
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.decide import decide
from gateway.policy.evaluation.decision import Decision
from gateway.policy.evaluation.evidence import Evidence
from gateway.policy.evaluation.labels import label_of_category

_MOMENTARY = ("time", "detector_failed")  # reasons of doubts that the same request need not raise again


class Sensitivity(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a request sensitive. Nothing of it: only a doubt of the moment does, which decides once."""

    whole: bool = False  # a reason that holds for all of it: a tag, a default, a rule, a part that nobody can read
    findings: tuple[Finding, ...] = ()  # what was found and makes it sensitive
    tainted: bool = False  # so was an earlier turn

    @property
    def lasting(self) -> bool:
        """Whether anything of it is worth remembering."""
        return self.whole or self.tainted or bool(self.findings)


_NOTHING = Sensitivity()


def sensitivity_of(decision: Decision, evidence: Evidence, policy: Policy) -> Sensitivity:
    """Return what makes a request sensitive; `decision` is the one about the request as it came."""
    if decision.label is not Label.SENSITIVE:
        return _NOTHING
    inspection = evidence.inspection
    lasting = tuple(doubt for doubt in inspection.doubts if not momentary(doubt))
    without = msgspec.structs.replace(inspection, findings=(), doubts=lasting, tainted=False, traces=(), causes=None)
    return Sensitivity(
        whole=_is_sensitive(evidence, without, policy),
        findings=_telling(evidence, policy),
        tainted=inspection.tainted,
    )


def momentary(doubt: Doubt) -> bool:
    """Return whether a doubt is one of the moment: out of time, or a part of inspection that failed."""
    return doubt.reason.startswith(_MOMENTARY)


def _telling(evidence: Evidence, policy: Policy) -> tuple[Finding, ...]:
    """Return the findings that make the request sensitive: those whose category does, or all that do so together."""
    found = evidence.inspection.findings
    alone = tuple(item for item in found if label_of_category(item.category, policy.labels) is Label.SENSITIVE)
    return alone if alone or not _is_sensitive(evidence, Inspection(findings=found), policy) else found


def _is_sensitive(evidence: Evidence, inspection: Inspection, policy: Policy) -> bool:
    return decide(msgspec.structs.replace(evidence, inspection=inspection), policy).label is Label.SENSITIVE
