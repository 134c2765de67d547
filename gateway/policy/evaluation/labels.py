"""The label of a request before rules raise it.

INVARIANT: whatever is added to a request, its label never falls; the one exception is written by an administrator: a
tag that `labels.tags` maps below the default. A default of a key or of an alias is a floor: only a tag that the
configuration attaches to that very key or alias lowers it, never one that the caller sends. A name that no alias has
keeps the floors of those that it looks like.
"""

from collections.abc import Collection

import msgspec

from gateway.core.finding import Inspection
from gateway.core.labels import Label
from gateway.core.request import Inbound
from gateway.core.target import Catalog
from gateway.policy.language.ast import Labels, UnknownTags
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
    """Return the label (as a number) and where it comes from.

    That is: tag, assigned_tag (of the key or alias, and below the default), unknown_tag, detector, taint or default.

    A clean text (no doubt, no taint, no finding above `public`) whose tags are mapped takes their label, also below the
    policy's default, but not below the floor of its key and alias. In every other case the default and everything seen
    are joined by `max`. `relief` has the categories that count as masked; tags and doubts always count.
    """
    label, source = _assess_known(inbound, inspection, alias, labels, relief)
    if label < SENSITIVE and labels.unknown_tags is UnknownTags.SENSITIVE and unknown_tags(inbound, labels):
        return SENSITIVE, "unknown_tag"
    return label, source


def assess_asked(
    inbound: Inbound,
    inspection: Inspection,
    alias: str,
    catalog: Catalog,
    labels: Labels,
    relief: Collection[str] = (),
) -> tuple[int, str]:
    """Return what `assess` does; a name that no alias has gets the highest label of those that it may have meant.

    So a typing error in a model name leaves neither its default nor its tags behind.
    """
    label, source = assess(inbound, inspection, alias, labels, relief)
    for meant in catalog.meant(inbound.request.model):
        asked = msgspec.structs.replace(inbound, tags=inbound.tags | meant.tags)
        higher, why = assess(asked, inspection, meant.name, labels, relief)
        if higher > label:
            label, source = higher, why
    return label, source


def unknown_tags(inbound: Inbound, labels: Labels) -> frozenset[str]:
    """Return the tags of a request that nobody declared: neither the policy, nor a key, nor an alias."""
    return inbound.tags - labels.known_tags if inbound.tags else inbound.tags


def _assess_known(
    inbound: Inbound, inspection: Inspection, alias: str, labels: Labels, relief: Collection[str]
) -> tuple[int, str]:
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
    key = inbound.caller.key
    default = int(default_label(key, alias, labels))
    if tagged >= 0 and not seen and not taint:
        lowest = int(floor_label(key, alias, labels))
        if tagged < lowest:
            return lowest, "default"
        assigned = key in labels.tagged_keys or alias in labels.tagged_aliases
        return tagged, "assigned_tag" if assigned and tagged < default else "tag"
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


def floor_label(key: str, alias: str, labels: Labels) -> Label:
    """Return the label below which a caller's tags can't bring a request with this key and alias.

    It is the default of the key, unless the key itself carries a mapped tag, and likewise of the alias.
    """
    floor = Label.PUBLIC
    if key not in labels.tagged_keys:
        floor = max(floor, labels.by_key.get(key, floor))
    if alias not in labels.tagged_aliases:
        floor = max(floor, labels.by_alias.get(alias, floor))
    return floor
