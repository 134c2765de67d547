"""The policies in `policies/` and the examples of their handbook: each loads, is proved and passes its own tests."""

import re
from pathlib import Path

import pytest

from gateway.policy import DEFAULT_POLICY_TEXT, load_policy, load_policy_files
from gateway.policy.proof.check import check
from tests.policy.house import BIG, HOME, HOUSE, SMALL_HOUSE, WORKSTATION, catalog_of, policy_of

FOLDER = Path(__file__).resolve().parents[2] / "policies"
FILES = sorted(FOLDER.glob("*.yaml"))
HANDBOOK = (FOLDER / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", HANDBOOK, re.MULTILINE | re.DOTALL)
CATALOGS = {
    "one of each": SMALL_HOUSE,
    "four": HOUSE,
    "local only": catalog_of(HOME),
    "cloud first": catalog_of(BIG, WORKSTATION, HOME),
}


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_ready_policy_is_proved_wherever_it_is_used(file, catalog):
    """Every claim, every expectation, on houses of all shapes."""
    policy = load_policy([(file.name, file.read_text(encoding="utf-8"))], catalog)
    result = check(policy)
    assert result.failures == ()
    assert [verdict for verdict in result.proof.verdicts if verdict.outcome != "proved"] == []
    assert policy.document.claims
    assert policy.document.expectations
    assert policy.document.description


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_rule_of_a_ready_policy_is_idle(file):
    """No rule is hidden by another or can never match."""
    notes = check(load_policy([(file.name, file.read_text(encoding="utf-8"))], HOUSE)).proof.notes
    assert [note for note in notes if "the rule" in note] == []


def test_all_that_were_promised_are_there():
    """The nine policies."""
    names = {file.stem for file in FILES}
    assert names == {"local-only", "home", "strict", "clinic", "law-firm", "developer", "family", "thrift", "documents"}
    assert all(f"`{name}.yaml`" in HANDBOOK for name in names)


def test_the_built_in_policy_is_the_file():
    """What is packaged is what stands in `policies/`."""
    assert (FOLDER / "home.yaml").read_text(encoding="utf-8") == DEFAULT_POLICY_TEXT
    assert load_policy([], SMALL_HOUSE).rules == load_policy_files([], SMALL_HOUSE).rules


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_of_the_handbook_holds(text):
    """Each loads as it stands; its claims are proved and its expectations met."""
    result = check(policy_of(text, HOUSE))
    assert result.failures == ()
    assert result.proof.holds


def test_the_handbook_has_examples_and_every_fact():
    """The table of facts is complete."""
    from gateway.policy.language.facts import FACTS

    assert len(EXAMPLES) >= 7
    assert [name for name in FACTS if f"`{name}" not in HANDBOOK] == []
