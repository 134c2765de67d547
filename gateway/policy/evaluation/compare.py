"""Two decisions on the same request, compared: for a candidate policy that only looks on, and for reports. Pure."""

import enum

import msgspec

from gateway.core.labels import Zone
from gateway.core.snapshot import Snapshot
from gateway.policy.evaluation.decision import Decision


class Change(enum.StrEnum):
    """The most important way in which a second decision differs. A closed list: fit for a metric's label."""

    NONE = "none"
    KEPT_HOME = "kept_home"  # went to the cloud first, or could have; now it can't
    SENT_OUT = "sent_out"  # could not leave; now it can
    REFUSED = "refused"
    ANSWERED = "answered"  # was refused
    ZONE = "zone"  # both may leave, but another zone is first
    TARGET = "target"  # another target of the same zone is first
    LABEL = "label"  # only the label differs


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What changes for one request. Money in US dollars, estimated; None: not priced."""

    change: Change
    before: str  # "label, rule: targets"
    after: str
    money: float | None = None  # after minus before, on the first targets


def compare(before: Decision, after: Decision, snapshot: Snapshot) -> Difference:
    """Compare two decisions on one request."""
    return Difference(
        change=_change(before, after),
        before=outline(before),
        after=outline(after),
        money=_money(before, after, snapshot),
    )


def outline(decision: Decision) -> str:
    """Describe a decision in a few words."""
    if decision.refusal is not None:
        return f"{decision.label.word}, {decision.rule}: refused ({decision.refusal.code})"
    return f"{decision.label.word}, {decision.rule}: {', '.join(item.target for item in decision.candidates)}"


def may_leave(decision: Decision) -> bool:
    """Return whether any attempt may go to the cloud."""
    return any(candidate.zone is Zone.CLOUD for candidate in decision.candidates)


def _change(before: Decision, after: Decision) -> Change:
    if bool(before.candidates) is not bool(after.candidates):
        return Change.ANSWERED if after.candidates else Change.REFUSED
    if may_leave(before) is not may_leave(after):
        return Change.SENT_OUT if may_leave(after) else Change.KEPT_HOME
    if before.candidates[:1] != after.candidates[:1]:
        same = before.candidates[0].zone is after.candidates[0].zone
        return Change.TARGET if same else Change.ZONE
    return Change.LABEL if before.label is not after.label else Change.NONE


def _money(before: Decision, after: Decision, snapshot: Snapshot) -> float | None:
    first, second = price_of(before, snapshot), price_of(after, snapshot)
    return None if first is None or second is None else second - first


def price_of(decision: Decision, snapshot: Snapshot) -> float | None:
    """Return the estimated price on the first target, in US dollars; None: not known.

    It is nothing at home, and nothing for a refused request.
    """
    if not decision.candidates:
        return 0.0
    first = decision.candidates[0]
    return 0.0 if first.zone is Zone.LOCAL else snapshot.prices.get(first.target)
