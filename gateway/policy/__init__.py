"""The policy language, `decide` (pure), the proof of claims, and `Clearance`, the only ticket into the cloud.

Owns what a policy means, and which targets a request may use. Must not know the time or do I/O, but for reading policy
files where no other `read` is given: the world arrives as a `Snapshot`.
"""

from gateway.policy.clearance import Clearance, mint
from gateway.policy.evaluation.budgets import budget_refusal
from gateway.policy.evaluation.compare import Change, compare
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.decide import decide
from gateway.policy.evaluation.decision import Candidate, Decision, Refusal, Removed, Why, refusal_error
from gateway.policy.evaluation.evidence import Evidence
from gateway.policy.evaluation.explanation import Explanation, explain
from gateway.policy.evaluation.masking import causes_of, decide_masked, decide_whole, foresee, label_without
from gateway.policy.evaluation.overrides import overridden
from gateway.policy.evaluation.reasons import reasons_of
from gateway.policy.evaluation.sensitivity import Sensitivity, sensitivity_of
from gateway.policy.language.ast import Overrides
from gateway.policy.load import DEFAULT_POLICY_NAME, DEFAULT_POLICY_TEXT, load_policy, load_policy_files
from gateway.policy.situations.recorded import evidence_from_facts, facts_json

__all__ = [
    "DEFAULT_POLICY_NAME",
    "DEFAULT_POLICY_TEXT",
    "Candidate",
    "Change",
    "Clearance",
    "Decision",
    "Evidence",
    "Explanation",
    "Overrides",
    "Policy",
    "Refusal",
    "Removed",
    "Sensitivity",
    "Why",
    "budget_refusal",
    "causes_of",
    "compare",
    "decide",
    "decide_masked",
    "decide_whole",
    "evidence_from_facts",
    "explain",
    "facts_json",
    "foresee",
    "label_without",
    "load_policy",
    "load_policy_files",
    "mint",
    "overridden",
    "reasons_of",
    "refusal_error",
    "sensitivity_of",
]
