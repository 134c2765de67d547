"""Each fault of the gateway is called by its own name."""

import pytest

from gateway.app.alarms import Alarms
from gateway.ledger import Health

WELL = Health(ok=True)


@pytest.mark.parametrize(
    ("ledger", "policy", "background", "begins", "never"),
    [
        (WELL, None, {}, [], []),
        (WELL, "policy.yaml:3:1: no", {}, ["The policy’s last change was refused"], ["Receipts", "nothing is sent"]),
        (Health(ok=False, problem="The disk is full."), None, {}, ["Receipts can’t be written"], ["policy", "rules"]),
        (WELL, None, {"policy reload": "OSError"}, ["Background work has died"], ["Receipts", "refused"]),
        (
            Health(ok=False, problem="The disk is full."),
            "policy.yaml:3:1: no",
            {"energy sampler": "OSError"},
            ["Receipts", "The policy", "Background"],
            [],
        ),
    ],
)
def test_every_fault_names_itself_and_no_other(ledger, policy, background, begins, never):
    """A policy with a typo says policy, a disk that is full says receipts, dead work says its name; all at once too."""
    alarms = Alarms(ledger=lambda: ledger, policy=lambda: policy, background=lambda: background)
    sentences = alarms.sentences()
    assert len(sentences) == len(begins)
    for sentence, beginning in zip(sentences, begins, strict=True):
        assert sentence.startswith(beginning)
    told = " ".join(sentences)
    assert [word for word in never if word in told] == []
    assert all(detail in told for detail in (policy or "", ledger.problem or "", *background))


def test_keys_that_cannot_be_read_again_are_named():
    """A key's file that can't be read is no fault of receipts or policy."""
    alarms = Alarms(ledger=lambda: WELL, policy=lambda: None, keys=lambda: "keys.desk: gone.", background=dict)
    (sentence,) = alarms.sentences()
    assert sentence.startswith("The API keys can’t be read again")
    assert "keys.desk: gone." in sentence
