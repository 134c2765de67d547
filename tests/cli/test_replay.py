"""`aduana replay`: a policy beside what happened."""

import json

import pytest

from gateway.cli import main
from tests.cli.house import record_three, write
from tests.policy.house import SHAPE


def test_replay_sets_a_policy_beside_what_happened(config, tmp_path, capsys):
    """The replay shows leaks that would have been stopped, money, and the time to the first token."""
    record_three(tmp_path / "state")
    strict = write(
        tmp_path, "strict.yaml", "version: 1\nrules: [{name: r, only: [local]}]\notherwise: {prefer: [local]}\n"
    )
    assert main(["replay", strict, "--since", "2d", "--json"]) == 0
    totals = json.loads(capsys.readouterr().out)
    assert {name: totals[name] for name in ("requests", "went_out", "would_go_out", "leaks_stopped", "refused")} == {
        "requests": 3, "went_out": 1, "would_go_out": 0, "leaks_stopped": 1, "refused": 1,
    }  # fmt: skip
    assert (totals["cost"], totals["would_cost"]) == (0.02, 0.0)
    assert totals["would_take"] == pytest.approx(0.2)
    assert main(["replay", strict]) == 0
    assert "went out, and would not have been let: 1" in capsys.readouterr().out


def test_without_a_ledger_or_with_a_strange_period(config, tmp_path, capsys):
    """A missing ledger and a period that can't be read are each told in one sentence, without a traceback."""
    policy = write(tmp_path, "p.yaml", SHAPE)
    assert main(["replay", policy]) == 2
    assert "There is no ledger" in capsys.readouterr().err
    for strange in ("yesterday", f"{10**400}d", "0000-01-01"):
        for command in ("diff", "replay"):
            assert main([command, policy, "--since", strange]) == 2
            assert "Write 30d, 12h, 2w" in capsys.readouterr().err
