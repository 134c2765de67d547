"""What holds for every policy and every request."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.core.errors import AduanaError, PolicyRefused
from gateway.core.finding import Doubt, Finding
from gateway.core.labels import Label, Zone
from gateway.core.request import Inbound
from gateway.policy import decide, evidence_from_facts, explain, facts_json, mint, refusal_error
from gateway.policy.evaluation.compiled import deeds
from gateway.policy.evaluation.eligibility import obstacles
from gateway.policy.evaluation.fact_values import getter
from gateway.policy.evaluation.index import Index, IndexEntry
from gateway.policy.evaluation.labels import assess
from gateway.policy.evaluation.request_view import RequestView
from gateway.policy.language.conditions import truth
from tests.policy.house import HOUSE, evidence_for, inbound
from tests.policy.made import CATEGORIES, DOUBTS, EVIDENCE, POLICIES, TAGS, policy_from

ROOT = Path(__file__).resolve().parents[3]
SLOW = settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))


@SLOW
@given(POLICIES, EVIDENCE)
def test_deciding_never_raises_and_keeps_its_promises(parts, evidence):
    """Every decision has candidates within their ceilings, or a refusal with an error behind it."""
    policy = policy_from(parts)
    asked = evidence.inbound
    decision = decide(evidence, policy)
    assert bool(decision.candidates) is (decision.refusal is None)
    for candidate in decision.candidates:
        info = HOUSE.targets[candidate.target]
        assert decision.label <= info.ceiling
        assert not (decision.label is Label.SENSITIVE and info.zone is Zone.CLOUD)
        if info.zone is Zone.CLOUD:
            clearance = mint(decision, candidate.target, asked, policy)
            assert clearance.target == candidate.target
    for item in decision.removed:
        with pytest.raises(PolicyRefused):
            mint(decision, item.target, asked, policy)
    names = {candidate.target for candidate in decision.candidates} | {item.target for item in decision.removed}
    assert names == set(HOUSE.targets)
    if decision.refusal is not None:
        assert isinstance(refusal_error(decision), AduanaError)
    page = explain(evidence, policy)
    assert page.candidates == tuple(candidate.target for candidate in decision.candidates)
    assert json.loads(page.json())["label"] == decision.label.word


@SLOW
@given(POLICIES, EVIDENCE)
def test_the_index_agrees_with_three_valued_logic(parts, evidence):
    """The fast way and the plain way of evaluating conditions are the same function."""
    policy = policy_from(parts)
    alias = HOUSE.resolve(evidence.inbound.request.model)
    view = RequestView(evidence, alias, policy.locals[alias.name])
    view.label = int(decide(evidence, policy).label)
    entries = [
        IndexEntry(condition=rule.when, restricts=polarity) for rule in policy.rules for polarity in (True, False)
    ]
    index = Index(entries)
    bits = index.moving(view, index.fixed(view))
    for number, entry in enumerate(entries):
        value = truth(entry.condition, lambda fact: getter(fact)(view))
        expected = entry.restricts if value is None else value
        assert bool(bits & index.entry_bits[number]) is expected, entry


@SLOW
@given(POLICIES, EVIDENCE, st.sampled_from(CATEGORIES), st.sampled_from(DOUBTS), st.sampled_from(TAGS))
def test_labels_never_fall(parts, evidence, category, doubt, tag):
    """Whatever is found, doubted or remembered in addition, the label stays up; so by tags, once one is mapped."""
    policy = policy_from(parts)
    asked, inspection = evidence.inbound, evidence.inspection
    before = _assessed(asked, inspection, policy)
    finding = Finding(detector="t", category=category, path="$", start=0, end=1, confidence=0.5)
    more = (
        msgspec.structs.replace(inspection, findings=(*inspection.findings, finding)),
        msgspec.structs.replace(inspection, doubts=(*inspection.doubts, Doubt(reason=doubt, path="$"))),
        msgspec.structs.replace(inspection, tainted=True),
    )
    assert all(_assessed(asked, worse, policy) >= before for worse in more)
    assume(any(known in policy.labels.tags for known in asked.tags))
    tagged = msgspec.structs.replace(asked, tags=asked.tags | {tag})
    assert _assessed(tagged, inspection, policy) >= before


def _assessed(asked: Inbound, inspection, policy) -> int:
    return assess(asked, inspection, HOUSE.resolve(asked.request.model).name, policy.labels)[0]


@SLOW
@given(POLICIES, EVIDENCE)
def test_rules_only_raise(parts, evidence):
    """The label after the rules is never below the one before them, and tags are only added."""
    policy = policy_from(parts)
    decision = decide(evidence, policy)
    assert decision.label >= _assessed(evidence.inbound, evidence.inspection, policy)
    assert decision.tags >= evidence.inbound.tags


@SLOW
@given(EVIDENCE)
def test_the_permitted_set_shrinks_as_the_label_rises(evidence):
    """With everything else equal, a higher label never permits a target that a lower one does not."""
    asked, snapshot = evidence.inbound, evidence.snapshot
    alias = HOUSE.resolve(asked.request.model)
    permitted = [
        {
            name
            for name, why in obstacles(HOUSE.targets, asked.request, snapshot, alias, label, None).items()
            if why is None
        }
        for label in Label
    ]
    assert permitted[0] >= permitted[1] >= permitted[2]


@SLOW
@given(POLICIES, EVIDENCE)
def test_recorded_facts_decide_the_same(parts, evidence):
    """What the ledger keeps is all that a decision rests on (header values apart)."""
    policy = policy_from(parts)
    facts = facts_json(evidence)
    again = decide(evidence_from_facts(facts), policy)
    decision = decide(evidence, policy)
    same = ("label", "label_source", "tags", "rule", "reason", "candidates", "removed", "alias")
    assert {name: getattr(again, name) for name in same} == {name: getattr(decision, name) for name in same}
    assert (again.refusal is None) is (decision.refusal is None)
    assert b"Hello" not in facts


def test_polarity_is_known_for_every_rule():
    """Every action of the language has a polarity: a rule that does something has at least one."""
    policy = policy_from(
        ([{"when": {"stream": True}, "priority": "low"}, {"only": ["home"]}], "public", ["home"], False)
    )
    assert [[restricts for _, restricts in deeds(rule)] for rule in policy.rules] == [[False], [True]]


_SCRIPT = """
import json, sys
from gateway.policy import decide, evidence_from_facts
from tests.policy.made import policy_from
parts, facts = json.load(sys.stdin)
policy = policy_from(tuple(parts))
print(json.dumps([repr(decide(evidence_from_facts(fact.encode()), policy).candidates) for fact in facts]
      + [policy.digest]))
"""


def test_decisions_are_the_same_in_every_process():
    """Other processes with other hash seeds give the same order of targets, the same shares and the same digest."""
    parts = (
        [
            {"when": {"share": {"under": "40 %", "by": "request"}}, "prefer": ["workstation", "big"]},
            {"when": {"tags": {"in": ["noted", "vip"]}}, "prefer": ["any"]},
            {"when": {"stream": False}, "only": ["local", "trusted", "big"]},
        ],
        "public",
        ["any"],
        True,
    )  # fmt: skip
    policy = policy_from(parts)
    asked = [inbound(id=f"r{number}", tags=("noted",) * (number % 2)) for number in range(20)]
    facts = [facts_json(evidence_for(one)).decode() for one in asked]
    here = [repr(decide(evidence_for(one), policy).candidates) for one in asked] + [policy.digest]
    assert len(set(here)) == 3
    for seed in ("1", "2"):
        result = subprocess.run(
            [sys.executable, "-c", _SCRIPT], input=json.dumps([parts, facts]), capture_output=True, text=True,
            check=True, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert json.loads(result.stdout) == here
