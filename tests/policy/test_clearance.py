"""The clearance: minted only for what a decision permits, and never made, changed or copied elsewhere."""

import copy
import pickle
from types import MappingProxyType

import msgspec
import pytest

from gateway.core.errors import PolicyRefused
from gateway.core.labels import Label, Zone
from gateway.core.request import Dialect, ModerationRequest
from gateway.core.snapshot import Snapshot
from gateway.policy import Candidate, Clearance, decide, mint
from tests.policy.house import BIG, HOME, SHAPE, catalog_of, chat, evidence_for, inbound, policy_of

POLICY = policy_of(SHAPE)


def public(request=None):
    """Return a public request and its decision."""
    asked = inbound(request, tags=("public",))
    return asked, decide(evidence_for(asked, snapshot=Snapshot(prompt_tokens_estimate=7000)), POLICY)


def test_it_holds_exactly_what_is_sent():
    """A clearance's document is the request's own, with the target's model; nested parts are immutable."""
    asked, decision = public()
    clearance = mint(decision, "big", asked, POLICY)
    assert (clearance.request_id, clearance.target, clearance.label) == ("req_1", "big", Label.PUBLIC)
    assert (clearance.endpoint, clearance.document["model"]) == ("chat", "big-1")
    assert clearance.document["messages"] == asked.request.document["messages"]
    with pytest.raises(TypeError):
        clearance.document["model"] = "other"
    with pytest.raises(TypeError):
        clearance.document["messages"][0]["content"] = "other"
    assert "Hello" not in repr(clearance) + repr(decision)


def test_what_rules_set_is_in_it():
    """A cap, a temperature and a system prefix reach the cloud in the cleared document."""
    policy = policy_of(
        "labels: {default: public}\n"
        "rules: [{name: s, set: {max_output_tokens: 100, temperature: 0.5, system_prefix: Be brief.}}]"
    )
    asked = inbound()
    clearance = mint(decide(evidence_for(asked), policy), "big", asked, policy)
    assert (clearance.document["max_tokens"], clearance.document["temperature"]) == (100, 0.5)
    assert clearance.document["messages"][0] == {"role": "system", "content": "Be brief."}
    assert len(clearance.document["messages"]) == 2


def _above_ceiling():
    asked, decision = public()
    return asked, msgspec.structs.replace(decision, label=Label.INTERNAL), "big", POLICY


def _only_at_home():
    asked = inbound(ModerationRequest(dialect=Dialect.OPENAI, model="auto", document=chat().document, messages=()))
    decision = decide(evidence_for(asked), POLICY)
    forged = msgspec.structs.replace(
        decision, label=Label.PUBLIC, candidates=(Candidate(target="big", zone=Zone.CLOUD),)
    )
    return asked, forged, "big", POLICY


def _sensitive_forged_list():
    asked = inbound(tags=("health",))
    decision = decide(evidence_for(asked), POLICY)
    forged = msgspec.structs.replace(decision, candidates=(Candidate(target="big", zone=Zone.CLOUD),))
    return asked, forged, "big", POLICY


def _not_in_list():
    asked = inbound()
    return asked, decide(evidence_for(asked), POLICY), "big", POLICY


def _local_target():
    asked, decision = public()
    return asked, decision, "home", POLICY


def _other_id():
    asked, decision = public()
    return msgspec.structs.replace(asked, id="req_2"), decision, "big", POLICY


def _other_request():
    _, decision = public()
    return inbound(chat(), tags=("public",)), decision, "big", POLICY


def _other_policy():
    asked, decision = public()
    return asked, decision, "big", policy_of(SHAPE + "\n# later\n")


def _no_such_target():
    asked, decision = public()
    return asked, decision, "moon", POLICY


@pytest.mark.parametrize(
    "case",
    [_above_ceiling, _sensitive_forged_list, _not_in_list, _local_target, _other_id, _other_request, _other_policy,
     _no_such_target, _only_at_home],
)  # fmt: skip
def test_mint_checks_again(case):
    """No clearance is minted, whatever the pipeline mixes up."""
    asked, decision, target, policy = case()
    with pytest.raises(PolicyRefused) as caught:
        mint(decision, target, asked, policy)
    assert caught.value.code == "clearance_refused"


def test_a_refused_request_has_none():
    """A refused request gets no clearance, even with a forged list of candidates."""
    asked = inbound(tags=("public",))
    policy = policy_of("rules: [{name: no, refuse: true}]")
    decision = decide(evidence_for(asked), policy)
    forged = msgspec.structs.replace(decision, candidates=(Candidate(target="big", zone=Zone.CLOUD),))
    with pytest.raises(PolicyRefused):
        mint(forged, "big", asked, policy)


def test_a_permitted_shadow_gets_one():
    """A shadow that the decision permits may be cleared; one that the label forbids may not."""
    policy = policy_of("labels: {default: public, tags: {health: sensitive}}\n"
                       "rules: [{name: s, prefer: [home], shadow: big}]")  # fmt: skip
    asked = inbound()
    decision = decide(evidence_for(asked), policy)
    assert [candidate.target for candidate in decision.candidates] == ["home"]
    assert mint(decision, "big", asked, policy).target == "big"
    private = inbound(tags=("health",))
    decision = decide(evidence_for(private), policy)
    assert decision.overrides.shadow is None
    forged = msgspec.structs.replace(decision, overrides=msgspec.structs.replace(decision.overrides, shadow="big"))
    with pytest.raises(PolicyRefused):
        mint(forged, "big", private, policy)


@pytest.fixture
def clearance() -> Clearance:
    asked, decision = public()
    return mint(decision, "big", asked, POLICY)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda c: Clearance(object(), request_id="r", target="big", label=Label.PUBLIC, endpoint="chat", document={}),
        lambda c: Clearance(c._seal, request_id="r", target="t", label=c.label, endpoint="chat", document={}).__init__(
            c._seal, request_id="r", target="big", label=c.label, endpoint="chat", document={}
        ),
        lambda c: c.__init__(c._seal, request_id="r", target="x", label=c.label, endpoint="chat", document={}),
        lambda c: object.__new__(Clearance).document,
        lambda c: object.__new__(Clearance).target,
        lambda c: setattr(c, "_document", MappingProxyType({})),
        lambda c: setattr(c, "document", MappingProxyType({})),
        lambda c: delattr(c, "_seal"),
        copy.copy,
        copy.deepcopy,
        lambda c: c.__replace__(target="other"),
        pickle.dumps,
        lambda c: type("Forged", (Clearance,), {}),
        lambda c: msgspec.json.encode(c),
    ],
)
def test_it_is_not_made_or_changed_elsewhere(clearance, attempt):
    """Construction, assignment, copies, pickles and subclasses all end in TypeError."""
    with pytest.raises(TypeError):
        attempt(clearance)
    assert clearance.document["model"] == "big-1"


def test_no_ceiling_of_a_cloud_can_be_sensitive():
    """The catalog refuses a cloud target whose ceiling is sensitive."""
    with pytest.raises(ValueError, match="ceiling"):
        msgspec.structs.replace(BIG, ceiling=Label.SENSITIVE)
    assert catalog_of(HOME, BIG).targets["big"].ceiling is Label.PUBLIC
