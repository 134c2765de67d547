"""The label of a request before rules raise it.

INVARIANT: whatever is added to a request, its label never falls; the one exception is written by an administrator: a
tag that `labels.tags` maps below the default.
"""

from collections.abc import Collection

from gateway.core.finding import Inspection
from gateway.core.labels import Label
from gateway.core.request import Inbound
from gateway.policy.language.ast import Labels
from gateway.privacy.categories import covered

SENSITIVE = int(Label.SENSITIVE)


def label_of_category(category: str, labels: Labels) -> Label:
    """Return the label that the nearest entry of `labels.findings` gives: `id.plate`, else `id`, else `other`."""
    known = labels.findings
    while True:
        found = known.get(category)
        if found is not None:
            return found
        above, dot, _ = category.rpartition(".")
        if not dot:
            return labels.other_findings
        category = above


def taint_masked(inspection: Inspection, relief: Collection[str]) -> bool:
    """Return whether a sensitive past consists of nothing but categories of `relief`.

    What is not known of the past counts as something else.
    """
    causes = inspection.causes
    return bool(causes) and all(covered(category, relief) for category in causes or ())


def assess(
    inbound: Inbound, inspection: Inspection, alias: str, labels: Labels, relief: Collection[str] = ()
) -> tuple[int, str]:
    """Return the label (as a number) and where it comes from: tag, detector, taint or default.

    A clean text (no doubt, no taint, no finding above `public`) whose tags are mapped takes their label, also below the
    default. In every other case the default and everything seen are joined by `max`. `relief` has the categories that
    count as masked; tags and doubts always count.
    """
    tagged = -1
    for tag in inbound.tags:
        label = labels.tags.get(tag)
        if label is not None and label > tagged:
            tagged = int(label)
    seen = 0
    for finding in inspection.findings:
        if relief and covered(finding.category, relief):
            continue
        label = label_of_category(finding.category, labels)
        if label > seen:
            seen = int(label)
            if seen == SENSITIVE:
                break
    for doubt in inspection.doubts:
        seen = max(seen, int(labels.doubts.get(doubt.reason, Label.SENSITIVE)))
    taint = SENSITIVE if inspection.tainted and not (relief and taint_masked(inspection, relief)) else 0
    if tagged >= 0 and not seen and not taint:
        return tagged, "tag"
    default = int(default_label(inbound.caller.key, alias, labels))
    label_now = max(tagged, seen, taint, default)
    if tagged == label_now:
        return label_now, "tag"
    if seen == label_now and seen:
        return label_now, "detector"
    return label_now, "taint" if taint else "default"


def default_label(key: str, alias: str, labels: Labels) -> Label:
    """Return the default of the key or alias (the higher, where both have one), else the policy's."""
    if not labels.by_key and not labels.by_alias:
        return labels.default
    found = [table[name] for table, name in ((labels.by_key, key), (labels.by_alias, alias)) if name in table]
    return max(found) if found else labels.default
