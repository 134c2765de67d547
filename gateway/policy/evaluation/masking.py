"""Decisions about requests that go out masked. Pure.

A rule's `mask` opens a way: where a cloud target is closed only by findings of the named categories (and by a past that
consists of nothing else), the request may go there under pseudonyms. Rules go on seeing what was found; only the label
is assessed without it. INVARIANT: such a decision is about the masked request, never about the original, and is made
only after the masked document was inspected afresh and nothing was found that the original did not have besides.
"""

from types import MappingProxyType

import msgspec

from gateway.core.finding import Inspection
from gateway.core.labels import Label, Zone
from gateway.core.request import ChatRequest, CompletionRequest, Dialect, Inbound
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.decide import decide, decide_relieved
from gateway.policy.evaluation.decision import Decision, Subject
from gateway.policy.evaluation.evidence import Evidence
from gateway.policy.evaluation.labels import taint_masked
from gateway.privacy.categories import covered, is_topic, listed

# What a decision that was only foreseen is about: no request, so that no clearance can be minted from it.
_NOBODY = Subject(ChatRequest(dialect=Dialect.OPENAI, model="", document=MappingProxyType({}), messages=()))


def foresee(first: Decision, evidence: Evidence, policy: Policy) -> Decision | None:
    """Decide as if all that the rules permit were masked and nothing were left; None: that opens no cloud target.

    `first` is the decision without masking. The answer is about no request, so no clearance can be minted from it.
    """
    relief, inspection = first.mask, evidence.inspection
    if not relief or not isinstance(evidence.inbound.request, ChatRequest | CompletionRequest):
        return None
    found = any(covered(finding.category, relief) for finding in inspection.findings)
    if not found and not (inspection.tainted and taint_masked(inspection, relief)):
        return None
    second = decide_relieved(evidence, policy, relief)
    if not _clouds(second) - _clouds(first):
        return None
    return msgspec.structs.replace(second, subject=_NOBODY)


def decide_masked(
    first: Decision, evidence: Evidence, masked: Inbound, fresh: Inspection, policy: Policy
) -> Decision | None:
    """Decide about a masked request; None: something is left, so it must not be used.

    `evidence` is that of the original, `masked` the masked request, and `fresh` the inspection of the masked document
    (without what lies inside pseudonyms). Whatever the fresh one has must have been in the original already, and not be
    of a category that was to be masked. A topic may be left only where the rule names it.
    """
    relief = first.mask
    if not relief or first.subject.is_(masked.request) or first.policy_digest != policy.digest:
        return None
    inspection = evidence.inspection
    kept = {
        finding.category
        for finding in inspection.findings
        if not covered(finding.category, relief) or (is_topic(finding.category) and listed(finding.category, relief))
    }
    if any(finding.category not in kept for finding in fresh.findings):
        return None
    known = {doubt.reason for doubt in inspection.doubts}
    if any(doubt.reason not in known for doubt in fresh.doubts):
        return None
    second = decide_relieved(msgspec.structs.replace(evidence, inbound=masked), policy, relief)
    return second if _clouds(second) - _clouds(first) else None


def decide_whole(evidence: Evidence, policy: Policy) -> Decision:
    """Decide about a request, masking included, as if masking left nothing. For tests, reports and comparison."""
    first = decide(evidence, policy)
    return foresee(first, evidence, policy) or first


def causes_of(decision: Decision, evidence: Evidence, policy: Policy) -> frozenset[str] | None:
    """Return the categories that alone make a request sensitive; None: not they alone do.

    A secret, a tag, a doubt, a rule or the past may make it sensitive too. All that was found is named: later turns may
    be masked only if a policy then permits to mask all of it.
    """
    inspection = evidence.inspection
    past = inspection.causes if inspection.tainted else frozenset()
    if decision.label is not Label.SENSITIVE or past is None:
        return None
    causes = past | {finding.category for finding in inspection.findings}
    if not causes or not all(covered(category, causes) for category in causes):
        return None
    without = decide_relieved(evidence, policy, causes)
    return None if without.label is Label.SENSITIVE else causes


def label_without(evidence: Evidence, policy: Policy, categories: frozenset[str]) -> Label:
    """Return the label of a request where all of these categories, and a past of nothing else, are masked."""
    return decide_relieved(evidence, policy, categories).label


def _clouds(decision: Decision) -> frozenset[str]:
    """Return the cloud targets that a decision permits."""
    found = {candidate.target for candidate in decision.candidates if candidate.zone is Zone.CLOUD}
    return frozenset(found)
