"""What an explanation says of topics: the category, its label, and where in the request it is told. Never the text."""

import pytest

from gateway.core.finding import Finding, Inspection
from gateway.policy import explain
from tests.policy.house import evidence_for, inbound, policy_of


def told(category: str, start: int, confidence: float) -> Finding:
    return Finding(detector="judge", category=category, path="$.messages[0].content", start=start, end=start + 5,
                   confidence=confidence)  # fmt: skip


@pytest.mark.parametrize(
    ("findings", "step"),
    [
        ((told("topic.money", 9, 0.96),), "found topic.money: sensitive, at $.messages[0].content 9-14 (96%)"),
        (
            tuple(told("topic.health", start, 0.9 + start / 100) for start in (1, 2, 3, 4, 5)),
            "found topic.health: sensitive, at $.messages[0].content 5-10 (95%), $.messages[0].content 4-9 (94%), "
            "$.messages[0].content 3-8 (93%) and 2 more",
        ),
        ((told("contact.email", 9, 1.0),), "found contact.email: sensitive"),
        ((told("unsure", 9, 1.0),), "found unsure: internal"),
    ],
    ids=["one", "many", "not a topic", "unsure"],
)
def test_a_topic_is_named_with_its_places(findings: tuple[Finding, ...], step: str) -> None:
    """The most certain sentences come first, and not more than three."""
    explanation = explain(evidence_for(inbound(), Inspection(findings=findings)), policy_of(""))
    assert step in explanation.label_steps
