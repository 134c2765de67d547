"""Labels from tags: who may lower one, and what becomes of a tag that nobody declared."""

import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.core.target import Alias
from gateway.policy import decide, explain
from gateway.policy.proof.check import check
from gateway.policy.proof.prover import prove
from gateway.policy.proof.verdict import ProofOutcome
from gateway.policy.situations.recorded import evidence_from_facts, facts_json
from tests.policy.house import BIG, HOME, ask, catalog_of, chat, evidence_for, inbound, policy_of

HOUSE = catalog_of(
    HOME,
    BIG,
    aliases={
        "auto": Alias(name="auto"),
        "letters": Alias(name="letters"),
        "weather": Alias(name="weather", tags=frozenset({"public"})),
    },
    keys=frozenset({"desk", "tablet", "press"}),
    key_tags=frozenset({"public", "private"}),
    tags_of_keys={"press": frozenset({"public"})},
)
LABELS = "labels: {default: internal, tags: {public: public, work: internal, private: sensitive}}\ntags: [noted]\n"
FLOORS = LABELS + (
    "keys: {tablet: {default: sensitive}, press: {default: sensitive}}\n"
    "aliases: {letters: {default: sensitive}, weather: {default: internal}}\n"
)


@pytest.mark.parametrize(
    ("key", "model", "tags", "label", "source"),
    [
        ("tablet", "auto", (), Label.SENSITIVE, "default"),
        ("tablet", "auto", ("public",), Label.SENSITIVE, "default"),
        ("tablet", "auto", ("work", "public"), Label.SENSITIVE, "default"),
        ("tablet", "auto", ("private",), Label.SENSITIVE, "tag"),
        # The caller chooses the model name: its tags don't lower a key's default.
        ("tablet", "weather", ("public",), Label.SENSITIVE, "default"),
        ("desk", "letters", ("public",), Label.SENSITIVE, "default"),
        # Nor do a key's tags lower the default of a model name.
        ("press", "letters", ("public",), Label.SENSITIVE, "default"),
        # What an administrator attached to the very key or model name lowers its own default, and the receipt says so.
        ("press", "auto", ("public",), Label.PUBLIC, "assigned_tag"),
        ("desk", "weather", ("public",), Label.PUBLIC, "assigned_tag"),
        ("press", "auto", ("public", "work"), Label.INTERNAL, "assigned_tag"),
        ("press", "auto", ("public", "private"), Label.SENSITIVE, "tag"),
        # Without a default of key or model name, the policy's own is lowered by a mapped tag, as the policy says.
        ("desk", "auto", ("public",), Label.PUBLIC, "tag"),
    ],
)
def test_a_callers_tag_does_not_lower_the_default_of_its_key_or_model(key, model, tags, label, source):
    """A default of a key or model name is a floor for what callers send."""
    decision = ask(policy_of(FLOORS, HOUSE), key=key, tags=tags, request=chat(model))
    assert (decision.label, decision.label_source) == (label, source)
    assert label is Label.PUBLIC or all(candidate.zone is Zone.LOCAL for candidate in decision.candidates)


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [
        ("never: {when: {key: tablet}, zone: cloud}", ProofOutcome.PROVED),
        ("never: {when: {alias: letters}, zone: cloud}", ProofOutcome.PROVED),
        ("never: {when: {key: desk}, zone: cloud}", ProofOutcome.REFUTED),
        ("never: {when: {key: press}, zone: cloud}", ProofOutcome.REFUTED),
        ("never: {when: {key: press, alias: letters}, zone: cloud}", ProofOutcome.PROVED),
    ],
)
def test_the_floor_is_proved_for_every_request(claim, outcome):
    """A claim about a key or model name with a default holds whatever tags a caller sends."""
    assert prove(policy_of(f"{FLOORS}claims:\n  - {claim}\n", HOUSE)).verdicts[-1].outcome is outcome


def test_check_says_where_callers_can_lower_the_default():
    """`aduana check` names the tags, and the keys without a floor; with a floor for all of them it is silent."""
    notes = check(policy_of(FLOORS, HOUSE)).proof.notes
    lowering = [note for note in notes if "below the default internal" in note]
    assert len(lowering) == 1
    assert "'public'" in lowering[0]
    assert "anonymous, desk)" in lowering[0]
    floors = LABELS + "aliases: {auto: {default: internal}, letters: {default: internal}, weather: {default: public}}\n"
    assert not [note for note in check(policy_of(floors, HOUSE)).proof.notes if "below the default" in note]


@pytest.mark.parametrize(
    ("mode", "tags", "label", "source", "refusal"),
    [
        ("", ("privat",), Label.SENSITIVE, "unknown_tag", None),
        ("", ("public", "privat"), Label.SENSITIVE, "unknown_tag", None),
        ("", ("private", "privat"), Label.SENSITIVE, "tag", None),
        ("", ("noted", "public"), Label.PUBLIC, "tag", None),
        ("unknown_tags: sensitive", ("privat",), Label.SENSITIVE, "unknown_tag", None),
        ("unknown_tags: ignore", ("privat",), Label.INTERNAL, "default", None),
        ("unknown_tags: ignore", ("public", "privat"), Label.PUBLIC, "tag", None),
        ("unknown_tags: refuse", ("privat",), Label.INTERNAL, "default", "unknown_tag"),
        ("unknown_tags: refuse", ("private", "privat"), Label.SENSITIVE, "tag", "unknown_tag"),
        ("unknown_tags: refuse", ("private",), Label.SENSITIVE, "tag", None),
    ],
)
def test_a_tag_that_nobody_declared(mode, tags, label, source, refusal):
    """A tag with a typing error is sensitive, refused or ignored, as the policy says; sensitive unless it says so."""
    policy = policy_of(f"{LABELS}{mode}\n", HOUSE)
    decision = ask(policy, tags=tags)
    assert (decision.label, decision.label_source) == (label, source)
    assert (decision.refusal.code if decision.refusal else None) == refusal
    assert decision.unknown_tags == {tag for tag in tags if tag == "privat"}
    if refusal is not None:
        assert decision.refusal.status == 400
        assert "Did you mean 'private'?" in decision.refusal.message
        assert not decision.candidates


def test_explain_names_an_unknown_tag_and_the_nearest_one():
    """`explain` shows what an unknown tag did, and what it was probably meant to be."""
    policy = policy_of(LABELS, HOUSE)
    evidence = evidence_from_facts(facts_json(evidence_for(inbound(tags=("privat",)))))
    explanation = explain(evidence, policy)
    assert explanation.label_source == "unknown_tag"
    assert any("tag privat: not known" in step and "'private'" in step for step in explanation.label_steps)
    assert decide(evidence, policy).unknown_tags == {"privat"}  # also of a request that was read from the ledger


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [
        ("always: {when: {tags: public, key: desk}, zone: cloud}", ProofOutcome.REFUTED),
        ("never: {when: {alias: auto}, refused: true}", ProofOutcome.PROVED),
        ("never: {when: {tags: private}, zone: cloud}", ProofOutcome.PROVED),
    ],
)
def test_claims_know_of_unknown_tags(claim, outcome):
    """Claims are proved for requests with any tags; those about refusals suppose that tags have no typing errors."""
    for mode in ("sensitive", "refuse"):
        text = f"{LABELS}unknown_tags: {mode}\nclaims:\n  - {claim}\n"
        assert prove(policy_of(text, HOUSE)).verdicts[-1].outcome is outcome


def test_a_wrong_word_for_unknown_tags_is_told():
    """A word that `unknown_tags` does not know keeps the policy from loading."""
    with pytest.raises(ConfigurationError) as caught:
        policy_of(f"{LABELS}unknown_tags: refused\n", HOUSE)
    assert "Did you mean 'refuse'?" in caught.value.problems[0]


def test_check_names_the_tag_that_a_configuration_probably_meant():
    """A tag of a key that the policy does not know is noted, with the nearest one that it knows."""
    house = catalog_of(HOME, BIG, key_tags=frozenset({"privat"}), tags_of_keys={"desk": frozenset({"privat"})})
    (note,) = [note for note in check(policy_of(LABELS, house)).proof.notes if "'privat'" in note]
    assert "Did you mean 'private'?" in note


NAMES = catalog_of(
    HOME,
    BIG,
    aliases={
        "auto": Alias(name="auto"),
        "doctor": Alias(name="doctor"),
        "clinic": Alias(name="clinic", tags=frozenset({"private"})),
        "weather": Alias(name="weather", tags=frozenset({"public"})),
    },
)
STRICT = LABELS + "aliases: {doctor: {default: sensitive}}\n"


@pytest.mark.parametrize(
    ("model", "label"),
    [
        ("doctr", Label.SENSITIVE),
        ("Doctor", Label.SENSITIVE),
        ("dcotor", Label.SENSITIVE),
        ("home/doctor-2", Label.SENSITIVE),
        ("doctor:latest", Label.SENSITIVE),
        ("clinica", Label.SENSITIVE),
        ("gpt-4o", Label.PUBLIC),
        ("weathr", Label.PUBLIC),
        ("document", Label.PUBLIC),
    ],
)
def test_a_mistyped_model_name_keeps_the_floor_of_the_one_that_was_meant(model, label):
    """A name that no alias has is never below the defaults and tags of those that it looks like."""
    assert ask(policy_of(STRICT, NAMES), tags=("public",), request=chat(model)).label is label


def test_a_mistyped_model_name_lowers_nothing():
    """The tags of an alias that may have been meant raise a label alone."""
    assert ask(policy_of(STRICT, NAMES), request=chat("weathr")).label is Label.INTERNAL
