"""Why a request has its label, in words that its sender may know: categories, doubts, tags; never a text. Pure."""

from collections import Counter

from gateway.core.labels import Label
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.decision import Decision
from gateway.policy.evaluation.evidence import Evidence
from gateway.policy.evaluation.labels import label_of_category
from gateway.policy.language.ast import UnknownTags


def reasons_of(decision: Decision, evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    """Return everything that gives a request its label; nothing for a public one.

    That is `id.national=2` (findings of a category), `doubt.image`, `tag.health`, `unknown_tag`, `taint`; where none of
    these does, `default` or `rule`.
    """
    level, labels = decision.label, policy.labels
    if level is Label.PUBLIC:
        return ()
    found = Counter(
        finding.category
        for finding in evidence.inspection.findings
        if label_of_category(finding.category, labels) >= level
    )
    reasons = [f"{category}={count}" for category, count in sorted(found.items())]
    doubts = {doubt.reason for doubt in evidence.inspection.doubts}
    reasons += [f"doubt.{reason}" for reason in sorted(doubts) if labels.doubts.get(reason, Label.SENSITIVE) >= level]
    reasons += [f"tag.{tag}" for tag in sorted(decision.tags) if labels.tags.get(tag, Label.PUBLIC) >= level]
    if decision.unknown_tags and labels.unknown_tags is UnknownTags.SENSITIVE:
        reasons.append("unknown_tag")
    if evidence.inspection.tainted:
        reasons.append("taint")
    return tuple(reasons) or (decision.label_source,)
