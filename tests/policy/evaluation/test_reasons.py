"""Why a request has its label, in words that its sender may know."""

import pytest

from gateway.policy import decide, reasons_of
from tests.policy.house import SHAPE, evidence_for, found, inbound, policy_of

RAISES = SHAPE.replace("rules:", "rules:\n  - {name: evenings, when: {turns: {over: 0}}, raise: sensitive}")


@pytest.mark.parametrize(
    ("policy", "tags", "seen", "reasons"),
    [
        (SHAPE, ("public",), found(), ()),
        (SHAPE, (), found(), ("default",)),
        (SHAPE, ("health",), found(), ("tag.health",)),
        (SHAPE, ("public", "health"), found("id.national", "id.national"), ("id.national=2", "tag.health")),
        (SHAPE, (), found("contact.email", "topic.weather"), ("contact.email=1", "topic.weather=1")),
        (SHAPE, (), found(doubts=("image", "image", "time")), ("doubt.image", "doubt.time")),
        (SHAPE, ("unheard-of",), found(), ("unknown_tag",)),
        (SHAPE, ("health",), found(tainted=True), ("tag.health", "taint")),
        (RAISES, (), found(), ("rule",)),
    ],
)
def test_reasons(policy, tags, seen, reasons):
    """Everything that gives the label is named, what asks for less is not; a public request needs no reason."""
    made = policy_of(policy)
    evidence = evidence_for(inbound(tags=tags), seen)
    assert reasons_of(decide(evidence, made), evidence, made) == reasons
