"""Masking in decisions: what it opens, what it never opens, and that a foreseen decision clears nothing."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from gateway.core.errors import PolicyRefused
from gateway.core.finding import Doubt
from gateway.core.labels import Label, Zone
from gateway.core.request import EmbeddingsRequest
from gateway.core.snapshot import Snapshot
from gateway.policy import causes_of, decide, decide_masked, decide_whole, explain, foresee, mint
from gateway.policy.proof.check import check
from tests.policy.house import HOUSE, chat, evidence_for, found, inbound, names, policy_of
from tests.policy.made import EVIDENCE, POLICIES, policy_from

POLICY = policy_of(
    """
labels:
  default: internal
  tags: {public: public, health: sensitive}
  findings: {secret: sensitive, id: sensitive, person: internal}
rules:
  - {name: masked, when: {tags: public}, mask: [contact.email, person]}
  - {name: long, when: {prompt_tokens: {over: 6k}}, prefer: [cloud, local]}
otherwise: {prefer: [home, big]}
""",
    HOUSE,
)
LONG = Snapshot(prompt_tokens_estimate=7000)
SLOW = settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))


def whole(seen, *tags: str, policy=POLICY, **fields):
    return decide_whole(evidence_for(inbound(tags=tags, **fields), seen, LONG), policy)


def test_findings_of_the_named_categories_open_the_cloud():
    """Findings that a rule masks don't count for the label, and the decision says what is masked."""
    decision = whole(found("contact.email", "person.name"), "public")
    assert decision.label is Label.PUBLIC
    assert names(decision)[0] == "big"
    assert decision.masked == {"contact.email", "person.name"}
    assert decision.rule == "long"


@pytest.mark.parametrize(
    ("seen", "tags"),
    [
        (found("contact.email", "id.national"), ("public",)),  # something else is there
        (found("contact.email", "secret.token"), ("public",)),
        (found("contact.phone"), ("public",)),
        (found("contact.email"), ()),  # the rule does not match
        (found("contact.email"), ("public", "health")),  # tags always count
        (found("contact.email", doubts=("image",)), ("public",)),  # and doubts
        (found("contact.email", tainted=True), ("public",)),  # a past of unknown cause
        (found("contact.email", causes=("id.national",)), ("public",)),
    ],
)
def test_everything_else_still_counts(seen, tags):
    """No tag, doubt, secret, other finding or unknown past is lifted."""
    decision = whole(seen, *tags)
    assert decision.masked is None
    assert all(candidate.zone is Zone.LOCAL for candidate in decision.candidates)


def test_a_past_of_masked_categories_is_no_obstacle():
    """A sensitive past is no obstacle if all that caused it is among what is masked."""
    decision = whole(found(causes=("contact.email",)), "public")
    assert decision.masked == frozenset()
    assert names(decision)[0] == "big"


def test_restrictions_that_look_at_findings_still_hold():
    """A rule that restricts where something was found does so, masked or not."""
    for action in ("only: [local]", "raise: sensitive", "refuse: true", "tag: health"):
        policy = policy_of(
            "labels: {default: public, tags: {health: sensitive}}\nrules:\n"
            f"  - {{name: stop, when: {{findings: contact}}, {action}}}\n"
            "  - {name: m, mask: [contact]}\notherwise: {prefer: [big, home]}\n"
        )
        assert whole(found("contact.email"), policy=policy).masked is None, action


def test_an_unknown_fact_does_not_permit_masking():
    """`mask` permits, so an unknown fact counts as not matched."""
    policy = policy_of(
        "labels: {default: public}\nrules: [{name: m, when: {gpu_power: {over: 100 W}}, mask: contact}]\n"
        "otherwise: {prefer: [big, home]}\n"
    )
    assert whole(found("contact.email"), policy=policy).masked is None


def test_vectors_of_masked_texts_are_not_asked_for():
    """A request for embeddings is not masked, because its vectors could not be compared with others."""
    request = EmbeddingsRequest(dialect="openai", model="auto", document={}, inputs=("x",))
    asked = inbound(request, tags=("public",))
    assert decide_whole(evidence_for(asked, found("contact.email"), LONG), POLICY).masked is None


def test_a_masked_decision_is_about_the_masked_request_only():
    """The original is cleared by no decision; the masked one only after an inspection that found nothing."""
    original = inbound(tags=("public",))
    evidence = evidence_for(original, found("contact.email"), LONG)
    first = decide(evidence, POLICY)
    foreseen = foresee(first, evidence, POLICY)
    masked = msgspec.structs.replace(original, request=chat())
    with pytest.raises(PolicyRefused):
        mint(foreseen, "big", original, POLICY)
    with pytest.raises(PolicyRefused):
        mint(foreseen, "big", masked, POLICY)
    assert decide_masked(first, evidence, original, found(), POLICY) is None
    decision = decide_masked(first, evidence, masked, found(), POLICY)
    assert mint(decision, "big", masked, POLICY).label is Label.PUBLIC
    with pytest.raises(PolicyRefused):
        mint(decision, "big", original, POLICY)


@pytest.mark.parametrize(
    "fresh", [found("contact.email"), found("person.name"), found("health.diagnosis"), found(doubts=("time",))]
)
def test_any_residue_keeps_it_at_home(fresh):
    """What the fresh inspection finds or doubts, and the original did not have besides, is a residue."""
    evidence = evidence_for(inbound(tags=("public",)), found("contact.email"), LONG)
    first = decide(evidence, POLICY)
    masked = msgspec.structs.replace(evidence.inbound, request=chat())
    assert decide_masked(first, evidence, masked, fresh, POLICY) is None


def test_what_was_tolerated_before_is_tolerated_after():
    """A finding that the policy calls public stays; a doubt that it accepts, too."""
    policy = policy_of(
        "labels: {default: public, findings: {network: public}, doubts: {image: public}}\n"
        "rules: [{name: m, mask: contact}]\notherwise: {prefer: [big, home]}\n"
    )
    evidence = evidence_for(inbound(), found("contact.email", "network.ip", doubts=("image",)), LONG)
    first = decide(evidence, policy)
    masked = msgspec.structs.replace(evidence.inbound, request=chat())
    fresh = msgspec.structs.replace(found("network.ip"), doubts=(Doubt(reason="image", path="$.elsewhere"),))
    assert decide_masked(first, evidence, masked, fresh, policy) is not None


def test_causes_are_known_only_where_nothing_else_made_it_sensitive():
    """Causes are the findings by name, and unknown with a secret, tag, doubt, raising rule or unknown past."""

    def causes(seen, *tags, policy=POLICY):
        evidence = evidence_for(inbound(tags=tags), seen, LONG)
        return causes_of(decide(evidence, policy), evidence, policy)

    assert causes(found("contact.email", "person.name"), "public") == {"contact.email", "person.name"}
    assert causes(found("contact.email", causes=("id.plate",))) == {"contact.email", "id.plate"}
    assert causes(found("person.name")) is None  # not sensitive
    assert causes(found("contact.email", "secret.token")) is None
    assert causes(found("contact.email"), "health") is None
    assert causes(found("contact.email", doubts=("time",))) is None
    assert causes(found("contact.email", tainted=True)) is None
    raising = policy_of("rules: [{name: r, when: {findings: contact}, raise: sensitive}]")
    assert causes(found("contact.email"), policy=raising) is None


def test_explain_says_what_is_masked():
    """An explanation shows the masked categories, the rule, and the label without them."""
    evidence = evidence_for(inbound(tags=("public",)), found("contact.email"), LONG)
    page = explain(evidence, POLICY)
    assert page.masked == ("contact.email",)
    assert "found contact.email: masked" in page.label_steps
    assert next(rule.effect for rule in page.rules if rule.name == "masked") == "applied: mask contact.email, person"
    failed = explain(evidence, POLICY, masks=False)
    assert failed.masked is None
    assert failed.label == "sensitive"


def test_expectations_may_say_masked():
    """A row of `expect` may say `masked: true` or `false`, and a failure says what came instead."""
    text = """
labels: {default: public}
rules: [{name: m, mask: [contact]}]
otherwise: {prefer: [big, home]}
expect:
  - {given: {findings: [contact.email]}, masked: true, target: big, label: public}
  - {given: {findings: [id.plate]}, masked: false, zone: local}
  - {given: {tainted: true, causes: [contact.phone]}, masked: true}
  - {given: {tainted: true}, masked: true}
  - {given: {findings: [contact.email]}, masked: false}
"""
    failures = check(policy_of(text)).failures
    assert [failure.split("fails: ")[1] for failure in failures] == [
        "expected it to be masked.",
        "expected it not to be masked.",
    ]


@SLOW
@given(POLICIES, EVIDENCE)
def test_masking_lifts_nothing_but_what_a_rule_names(parts, evidence):
    """Under any policy no sensitive label, secret, unknown past or unnamed finding leaves masked."""
    policy = policy_from(parts)
    inspection = evidence.inspection
    first = decide(evidence, policy)
    second = foresee(first, evidence, policy)
    if second is None:
        return
    assert any(candidate.zone is Zone.CLOUD for candidate in second.candidates)
    for candidate in second.candidates:
        assert second.label <= HOUSE.targets[candidate.target].ceiling
    assert second.tags >= evidence.inbound.tags
    matching = set().union(*(rule.mask for rule in policy.rules if rule.name in first.restrictions))
    assert first.mask <= matching
    for finding in inspection.findings:
        lifted = any(finding.category == name or finding.category.startswith(f"{name}.") for name in matching)
        label = policy.labels.findings.get(finding.category.split(".")[0], policy.labels.other_findings)
        if not lifted and finding.category in ("secret.token", "unlisted.thing"):
            assert second.label >= label
    if inspection.tainted and inspection.causes is None:
        assert second.label is Label.SENSITIVE
