"""Claims: proved for every request, refuted by the smallest one, or honestly neither."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.core.target import Alias
from gateway.core.yaml_source import parse_yaml
from gateway.policy import decide, explain, foresee, load_policy_files
from gateway.policy.evaluation.request_view import RequestView
from gateway.policy.proof.check import check, require
from gateway.policy.proof.prover import Prover, prove
from gateway.policy.proof.verdict import ProofOutcome
from gateway.policy.situations.synthetic import evidence_of, is_case, read_case
from tests.policy.house import BIG, HOME, HOUSE, SHAPE, SMALL_HOUSE, TRUSTED, WORKSTATION, catalog_of, policy_of
from tests.policy.made import EVIDENCE, POLICIES, policy_from

PROVED, REFUTED, NOT_PROVED = ProofOutcome.PROVED, ProofOutcome.REFUTED, ProofOutcome.NOT_PROVED


def verdict_of(text: str, claim: str, catalog=HOUSE):
    """Return the verdict on one claim."""
    return prove(policy_of(f"{text}\nclaims:\n  - {claim}\n", catalog)).verdicts[-1]


TAGGED = (
    "labels: {default: public, tags: {health: sensitive, public: public, work: internal}, findings: {id: sensitive}}\n"
)

MASKING = (
    "labels: {default: public, tags: {health: sensitive, work: internal}, findings: {id: sensitive}}\n"
    "rules:\n  - {name: mail goes out masked, when: {not: {key: laptop}}, mask: [contact.email]}\n"
)


@pytest.mark.parametrize(
    ("text", "claim", "outcome"),
    [
        # Tags and labels.
        (TAGGED, "never: {when: {tags: {in: [health]}}, zone: cloud}", PROVED),
        (TAGGED, "never: {when: {tags: work}, zone: cloud}", REFUTED),
        (TAGGED, "never: {when: {tags: work}, target: big}", PROVED),
        (TAGGED, "always: {when: {label: {is: sensitive}}, zone: local}", PROVED),
        (TAGGED, "always: {when: {label: internal}, zone: local}", REFUTED),
        # Findings by category, below it and beside it.
        (TAGGED, "never: {when: {findings: id.national}, zone: cloud}", PROVED),
        (TAGGED, "never: {when: {findings: person}, zone: cloud}", PROVED),
        (TAGGED, "never: {when: {findings: {category: id, count: {over: 2}}}, zone: cloud}", PROVED),
        (
            "labels: {default: public, findings: {id: internal, other: internal}}",
            "never: {when: {findings: {category: id, count: {over: 2}}}, target: trusted}", REFUTED,
        ),
        # Doubt and taint.
        (TAGGED, "never: {when: {tainted: true}, zone: cloud}", PROVED),
        (TAGGED, "never: {when: {doubts: image}, zone: cloud}", PROVED),
        ("labels: {default: public, doubts: {image: public}}", "never: {when: {doubts: image}, zone: cloud}", REFUTED),
        # A preference is no prohibition: the fallback goes out when home's breaker is open.
        (TAGGED + "rules: [{name: k, when: {key: kids-tablet}, prefer: [home]}]",
         "never: {when: {key: kids-tablet}, target: big}", REFUTED),
        (TAGGED + "rules: [{name: k, when: {key: kids-tablet}, only: [local]}]",
         "never: {when: {key: kids-tablet}, zone: cloud}", PROVED),
        # Shadows count.
        (TAGGED + "rules: [{name: k, only: [local]}]", "never: {zone: cloud}", PROVED),
        (TAGGED + "rules: [{name: k, prefer: [home], shadow: big}]\notherwise: {prefer: [home]}",
         "never: {zone: cloud}", REFUTED),
        # Numbers, times, units.
        (TAGGED + "rules: [{name: k, when: {prompt_tokens: {over: 1k}}, only: [local]}]",
         "never: {when: {prompt_tokens: {between: [1001, 1002]}}, zone: cloud}", PROVED),
        (TAGGED + "rules: [{name: k, when: {prompt_tokens: {over: 1k}}, only: [local]}]",
         "never: {when: {prompt_tokens: {over: 999}}, zone: cloud}", REFUTED),
        (TAGGED + "rules: [{name: k, when: {time: {between: 22:00-06:00}}, only: [local]}]",
         "never: {when: {time: {between: 23:00-05:00}}, zone: cloud}", PROVED),
        (TAGGED + "rules: [{name: k, when: {weekday: weekend}, only: [local]}]",
         "never: {when: {weekday: sunday}, zone: cloud}", PROVED),
        # Unknown facts: a restriction holds when its fact is unknown, a permission does not.
        (TAGGED + "rules: [{name: k, when: {gpu_power: {under: 100 W}}, only: [local]}]",
         "never: {when: {gpu_power: {under: 50 W}}, zone: cloud}", PROVED),
        (TAGGED + "rules: [{name: k, when: {not: {gpu_power: {over: 100 W}}}, only: [local]}]",
         "never: {when: {gpu_power: {under: 50 W}}, zone: cloud}", PROVED),
        (TAGGED + "rules: [{name: k, when: {gpu_power: {over: 100 W}}, prefer: [big]}]\notherwise: {prefer: [local]}",
         "never: {when: {not: {gpu_power: {over: 100 W}}}, zone: cloud}", PROVED),
        # Tags and raises of rules.
        (TAGGED + "rules: [{name: k, when: {has_tools: true}, tag: health}]",
         "never: {when: {has_tools: true}, zone: cloud}", PROVED),
        (TAGGED + "rules: [{name: k, when: {stream: true}, raise: internal}]",
         "never: {when: {stream: true}, target: big}", PROVED),
        # Refusals.
        (TAGGED + "rules: [{name: k, when: {key: laptop}, refuse: true}]",
         "always: {when: {key: laptop}, refused: true}", PROVED),
        (TAGGED + "otherwise: {prefer: [big]}", "never: {when: {tags: health}, refused: true}", REFUTED),
        (TAGGED + "otherwise: {prefer: [big, local]}", "never: {when: {alias: auto}, refused: true}", PROVED),
        # Overlays.
        (TAGGED + "keys: {kids-tablet: {otherwise: {prefer: [home]}}}",
         "always: {when: {key: kids-tablet}, target: home}", PROVED),
        (TAGGED + "keys: {kids-tablet: {default: sensitive}}",
         "never: {when: {key: kids-tablet, not: {tags: {in: [public, work, health]}}}, zone: cloud}", PROVED),
        # Patterns and shares.
        (TAGGED + "rules: [{name: k, when: {model: {matches: '^secret-'}}, only: [local]}]",
         "never: {when: {model: {matches: '^secret-'}}, zone: cloud}", PROVED),
        (TAGGED + "rules: [{name: k, when: {model: {matches: '^secret-'}}, only: [local]}]",
         "never: {when: {model: secret-one}, zone: cloud}", PROVED),
        (TAGGED + "rules: [{name: k, when: {model: {matches: '^a+b+c+$'}}, only: [local]}]",
         "never: {when: {model: {matches: '^a+b'}}, zone: cloud}", NOT_PROVED),
        (TAGGED + "rules: [{name: k, when: {share: {under: 30 %}}, prefer: [big]}]\notherwise: {prefer: [local]}",
         "never: {zone: cloud}", REFUTED),
        # Masking: the label is that after masking; findings are what came in.
        (MASKING, "always: {when: {label: sensitive}, zone: local}", PROVED),
        (MASKING, "never: {when: {findings: contact.email}, zone: cloud}", REFUTED),
        (MASKING, "never: {when: {findings: contact.phone}, zone: cloud}", PROVED),
        (MASKING, "never: {when: {findings: secret}, zone: cloud}", PROVED),
        (MASKING, "never: {when: {tags: health}, zone: cloud}", PROVED),
        (MASKING, "never: {when: {tags: work}, target: big}", PROVED),
        (MASKING, "never: {when: {doubts: image}, zone: cloud}", PROVED),
        (MASKING, "never: {when: {findings: contact.email, key: laptop}, zone: cloud}", PROVED),
        (MASKING, "never: {when: {tainted: true}, zone: cloud}", REFUTED),
        (MASKING, "never: {when: {tainted: true, key: laptop}, zone: cloud}", PROVED),
        (MASKING, "never: {when: {endpoint: embeddings, findings: contact.email}, zone: cloud}", PROVED),
        (MASKING, "always: {when: {findings: contact.email, key: kids-tablet}, target: home}", REFUTED),
        (MASKING, "reachable: mail goes out masked", PROVED),
        (MASKING + "  - {name: k, when: {findings: contact}, only: [local]}\n",
         "never: {when: {findings: contact}, zone: cloud}", PROVED),
        (MASKING + "  - {name: k, when: {findings: contact}, raise: sensitive}\n",
         "never: {when: {findings: contact}, zone: cloud}", PROVED),
        (MASKING + "  - {name: k, when: {findings: contact, label: public}, prefer: [cloud]}\n", "reachable: k",
         PROVED),
        (MASKING + "  - {name: k, when: {findings: contact, label: internal}, prefer: [cloud]}\n", "reachable: k",
         PROVED),
        # Attachments: each is a doubt, unless the configuration lets those leave that were read whole and are clean.
        (TAGGED, "never: {when: {attachments: {over: 0}}, zone: cloud}", PROVED),
        (TAGGED, "never: {when: {attachment_kinds: [pdf]}, zone: cloud}", PROVED),
        (TAGGED, "never: {when: {attachments_read: {in: [whole, partly, unread]}}, zone: cloud}", PROVED),
        (TAGGED, "never: {when: {attachments_read: none}, zone: cloud}", REFUTED),
        (TAGGED, "never: {when: {attachment_pages: {over: 2}}, target: big}", PROVED),
        ("labels: {default: public, doubts: {image: public}}", "never: {when: {attachments: 1}, zone: cloud}", REFUTED),
        # Rules that are used, hidden, impossible.
        (TAGGED + "rules: [{name: k, when: {turns: {over: 3}}, prefer: [big]}]", "reachable: k", PROVED),
        (TAGGED + "rules: [{name: j, prefer: [big]}, {name: k, prefer: [home]}]", "reachable: k", REFUTED),
        (TAGGED + "rules: [{name: k, when: {turns: {over: 3, under: 3}}, prefer: [big]}]", "reachable: k", REFUTED),
        (TAGGED + "rules: [{name: k, when: {label: sensitive}, prefer: [big]}]", "reachable: k", REFUTED),
    ],
)  # fmt: skip
def test_claims(text, claim, outcome):
    """A claim is proved, refuted or not proved, as its policy deserves."""
    verdict = verdict_of(text, claim)
    assert verdict.outcome is outcome, verdict
    without = (outcome is PROVED and "reachable" not in claim) or "no request" in verdict.remark
    assert (verdict.case is None) is without


LEAVING = msgspec.structs.replace(HOUSE, clean_attachments_leave=True)


@pytest.mark.parametrize(
    ("rules", "claim", "outcome"),
    [
        ("", "never: {when: {attachments: {over: 0}}, zone: cloud}", REFUTED),
        ("", "never: {when: {attachment_kinds: [sound], attachments: {under: 2}}, zone: cloud}", REFUTED),
        ("rules: [{name: k, when: {attachment_kinds: [sound]}, only: [local]}]",
         "never: {when: {attachment_kinds: [sound]}, zone: cloud}", PROVED),
        ("rules: [{name: k, when: {attachment_pages: {over: 20}}, only: [local]}]",
         "never: {when: {attachments_read: unread}, zone: cloud}", PROVED),
        ("rules: [{name: k, when: {not: {attachments_read: {in: [none, whole]}}}, only: [local]}]",
         "never: {when: {attachments_read: partly}, zone: cloud}", PROVED),
        ("rules: [{name: k, when: {attachments: 0}, prefer: [home]}]\notherwise: {prefer: [local]}",
         "never: {when: {attachment_kinds: [pdf, picture]}, zone: cloud}", PROVED),
    ],
)  # fmt: skip
def test_claims_where_clean_attachments_may_leave(rules, claim, outcome):
    """Then a claim about attachments needs a rule; a count of pages that nobody read keeps at home as any unknown."""
    verdict = verdict_of(f"{TAGGED}{rules}", claim, LEAVING)
    assert verdict.outcome is outcome, verdict


def test_a_counterexample_is_small_and_explain_reproduces_it():
    """A counterexample says what matters and no more, and explained it shows the broken claim."""
    policy = policy_of(SHAPE + "claims:\n  - never: {when: {prompt_tokens: {over: 7000}}, target: big}\n")
    verdict = prove(policy).verdicts[-1]
    assert verdict.case == {"given": {"alias": "auto", "prompt_tokens": 7001, "tags": ["public"]}}
    source = parse_yaml(json.dumps(verdict.case), "case.json")
    assert is_case(source)
    page = explain(evidence_of(read_case(source, policy), policy.catalog), policy)
    assert page.candidates[0] == "big"
    assert page.chosen_by == "long prompts go out"


def test_breakers_and_windows_are_part_of_the_proof():
    """The counterexample of a mere preference is a home whose breaker is open, or whose window is too small."""
    verdict = verdict_of(
        "labels: {default: public}\nrules: [{name: k, prefer: [home]}]\notherwise: {prefer: [big]}",
        "never: {zone: cloud}",
        SMALL_HOUSE,
    )
    assert verdict.outcome is REFUTED
    assert verdict.case["given"].keys() - {"alias"} <= {"broken", "fits", "prompt_tokens", "has_images"}


def test_a_canary_is_found_by_trying_callers():
    """A share that only some callers are in is still refuted with a caller who is."""
    verdict = verdict_of(
        "labels: {default: public}\nrules: [{name: k, when: {share: {under: 2 %}}, prefer: [big]}]\n"
        "otherwise: {prefer: [home]}",
        "never: {zone: cloud}",
    )
    assert verdict.outcome is REFUTED


def test_what_looks_like_a_mistake_is_noted():
    """Rules that never match or that others hide, unknown tags and requests without a target are noted."""
    house = catalog_of(HOME, BIG, key_tags=frozenset({"forgotten"}))
    notes = "\n".join(prove(policy_of(
        """
labels: {tags: {health: sensitive}}
rules:
  - {name: a, when: {stream: true}, prefer: [big]}
  - {name: b, when: {stream: false}, prefer: [home]}
  - {name: c, when: {turns: {over: 3}}, prefer: [home]}
  - {name: d, when: {turns: {over: 3}, all: [{turns: {under: 2}}]}, only: [home]}
otherwise: {prefer: [big]}
""", house)).notes)  # fmt: skip
    assert "the rule 'c' never chooses: 'a', 'b' above match first" in notes
    assert "p.yaml:8:5: the rule 'd' can never match" in notes
    assert "the tag 'forgotten', which the policy does not know" in notes
    assert "some requests find no target" in notes
    assert "'a' never" not in notes


def test_the_built_in_claims_are_always_there():
    """Two claims stand in every proof, also of an empty policy."""
    verdicts = prove(policy_of("", catalog_of(HOME, WORKSTATION, BIG, TRUSTED))).verdicts
    assert [verdict.outcome for verdict in verdicts] == [PROVED, PROVED]
    assert all(verdict.claim.startswith("built in") for verdict in verdicts)


def test_a_policy_that_breaks_its_claims_does_not_come_into_force(tmp_path):
    """Loading from files proves the claims; the problem names the broken claim's place and a request that breaks it."""
    text = SHAPE + "claims:\n  - never: {when: {tags: public}, zone: cloud}\n"
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(
        ConfigurationError, match=r"bad\.yaml:16:5: the claim .* is refuted .*request with .*tags public"
    ):
        load_policy_files([file], SMALL_HOUSE)
    assert load_policy_files([file], SMALL_HOUSE, proved=False).digest
    with pytest.raises(ConfigurationError):
        require(load_policy_files([file], SMALL_HOUSE, proved=False))


def test_expectations_tell_what_came_instead():
    """Each kind of expectation, unmet, says what was expected and what came."""
    result = check(policy_of(
        SHAPE + """
expect:
  - {name: t, given: {tags: [public]}, target: big}
  - {given: {tags: [public]}, zone: local}
  - {given: {tags: [health]}, label: internal}
  - {given: {}, rule: the GPU is busy}
  - {given: {}, refused: true}
  - {given: {prompt_tokens: 9000}, refused: policy_refused}
  - {given: {prompt_tokens: 9000}, target: home}
"""))  # fmt: skip
    sentences = [failure.split(": ", 1)[1].removeprefix("the expectation fails: ") for failure in result.failures]
    assert sentences == [
        "the expectation 't' fails: expected the target 'big', got 'home'.",
        "expected only the zone local, but it may go to big.",
        "expected the label internal, got sensitive.",
        "expected the rule 'the GPU is busy', got 'otherwise'.",
        "expected a refusal, but it may go to home.",
        "expected the refusal 'policy_refused', got 'context_length_exceeded'.",
        "it was refused (context_length_exceeded).",
    ]
    assert not result.passed


CLAIMS = [
    {"never": {"when": {"tags": {"in": ["health"]}}, "zone": "cloud"}},
    {"never": {"when": {"label": "internal"}, "zone": "cloud"}},
    {"never": {"when": {"findings": {"in": ["id"]}}, "target": "trusted"}},
    {"always": {"when": {"key": "kids-tablet"}, "zone": "local"}},
    {"never": {"when": {"prompt_tokens": {"over": 6000}}, "target": "big"}},
    {"always": {"when": {"stream": True}, "target": "home"}},
    {"never": {"when": {"gpu_utilization": {"over": 0.5}}, "target": "workstation"}},
]


@settings(
    deadline=None, max_examples=30, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
@given(POLICIES, EVIDENCE)
def test_what_is_proved_is_never_seen_broken(parts, evidence):
    """No real decision, under random policies on random requests, breaks a claim that was proved."""
    assume(evidence.inbound.caller.key in HOUSE.keys | {"anonymous"})
    policy = policy_from(parts, claims=CLAIMS)
    first = decide(evidence, policy)
    alias = HOUSE.resolve(evidence.inbound.request.model)
    pairs = []
    for decision in (first, foresee(first, evidence, policy)):
        if decision is not None:
            view = RequestView(evidence, alias, policy.locals[alias.name])
            view.label, view.tags = int(decision.label), decision.tags
            pairs.append((decision, view))
    prover = Prover(policy)
    proof = prover.proof()
    claims = policy.document.claims
    for claim, verdict in zip(claims, proof.verdicts[-len(claims) :], strict=True):
        if verdict.outcome is PROVED:
            assert not any(prover._breaks(claim, *pair) for pair in pairs), (claim.text, parts)
    assert proof.verdicts[0].outcome is proof.verdicts[1].outcome is PROVED


def test_keys_bring_their_tags_into_the_proof():
    """A key that attaches a tag never asks without it."""
    catalog = catalog_of(
        HOME, BIG, keys=frozenset({"tablet"}), key_tags=frozenset({"child"}),
        tags_of_keys={"tablet": frozenset({"child"})},
    )  # fmt: skip
    text = "labels: {default: public, tags: {child: sensitive}}"
    assert verdict_of(text, "never: {when: {key: tablet}, zone: cloud}", catalog).outcome is PROVED
    assert verdict_of(text, "never: {when: {key: anonymous}, zone: cloud}", catalog).outcome is REFUTED


def test_aliases_bring_their_tags_into_the_proof():
    """A model name that attaches a tag is never asked for without it."""
    catalog = catalog_of(HOME, BIG, aliases={
        "auto": Alias(name="auto"), "medical": Alias(name="medical", tags=frozenset({"health"})),
    })  # fmt: skip
    text = "labels: {default: public, tags: {health: sensitive}}"
    assert verdict_of(text, "never: {when: {alias: medical}, zone: cloud}", catalog).outcome is PROVED
    assert catalog.targets["big"].zone is Zone.CLOUD
    assert catalog.targets["big"].ceiling is Label.PUBLIC
