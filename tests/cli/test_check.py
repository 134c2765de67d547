"""`aduana check`, as a person runs it."""

import io
import json
import sys

import pytest

from gateway.cli import main
from tests.cli.house import write
from tests.policy.house import SHAPE

pytestmark = pytest.mark.usefixtures("any_port")


def test_check_of_the_default_policy(config, capsys):
    """Without any policy the built-in one is checked against the configuration."""
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert "built-in home policy" in out
    assert "proved  built in: sensitive requests stay local" in out
    assert "3 of 3 expectations are met" in out


def test_check_shows_what_breaks_a_claim_and_explain_reproduces_it(config, tmp_path, capsys, monkeypatch):
    """A claim that fails is shown with a command to paste, and that command shows the same decision."""
    policy = write(
        tmp_path, "p.yaml", SHAPE + "claims: [{never: {when: {prompt_tokens: {over: 7000}}, target: big}}]\n"
    )
    assert main(["check", policy]) == 1
    out = capsys.readouterr().out
    assert "REFUTED" in out
    assert f"at {policy}:15:10" in out
    line = next(line for line in out.splitlines() if "| aduana explain" in line)
    case = line.split("echo ", 1)[1].split(" | ")[0].strip("'")
    assert line.endswith(f"aduana explain - --policy {policy}")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(case.encode())))
    assert main(["explain", "-", "--policy", policy, "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["candidates"][0] == "big"


def test_check_as_json(config, capsys):
    """With --json, the result is an object that scripts can read."""
    assert main(["check", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["passed"] is True
    assert {verdict["outcome"] for verdict in result["proof"]["verdicts"]} == {"proved"}


def test_a_policy_with_a_typing_error_is_not_used(config, tmp_path, capsys):
    """A policy with a typing error ends in exit status 2, with its place and a suggestion."""
    policy = write(tmp_path, "p.yaml", SHAPE.replace("prefer: [home, big]", "prefer: [hime, big]"))
    assert main(["check", policy]) == 2
    assert f"{policy}:14:22: the target 'hime' does not exist. Did you mean 'home'?" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "can't be read" in capsys.readouterr().err


def test_a_pattern_with_which_the_gateway_would_not_start_fails_the_check(config, capsys):
    """A pattern that can't be used ends in exit status 2, and the sentence names the setting."""
    config.write_text(config.read_text() + "inspection: {patterns: {case: ['(a']}}\n")
    assert main(["check"]) == 2
    assert "inspection.patterns.case: this regular expression can't be used" in capsys.readouterr().err


def test_limits_of_what_does_not_exist_are_said(config, capsys):
    """A typing error in a key's name or a tag limits nobody: the check names it, and does not fail for it."""
    keys = "keys: {n8n: {secret: env:N8N}}\n"
    limits = "limits: {keys: {n8m: {parallel: 1}, default: {parallel: 2}}, tags: {bulk: {parallel: 3}}}\n"
    config.write_text(config.read_text() + keys + limits + "budgets: {keys_usd: {n8n: 5}}\n")
    assert main(["check", "--files-only"]) == 0
    out = capsys.readouterr().out
    assert "limits.keys.n8m: there is no key of this name. Did you mean 'n8n'?" in out
    assert "limits.tags.bulk: no policy, key or model knows this tag." in out
    assert "limits.keys.default" not in out
    assert "keys_usd" not in out
    assert main(["check", "--files-only", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["idle_limits"]) == 2


def test_a_target_that_budgets_close_is_said(config, capsys):
    """A budget and a cloud whose price nobody knows: the check names it, until its rate or a permission is there."""
    text = config.read_text()
    config.write_text(text + "budgets: {day_usd: 5}\n")
    assert main(["check"]) == 0
    assert "the price of big is not known, so no budget allows for it" in capsys.readouterr().out
    main(["check", "--json"])
    assert json.loads(capsys.readouterr().out)["unpriced"] == ["big"]
    config.write_text(text + "budgets: {day_usd: 5, unpriced: allow}\n")
    assert main(["check"]) == 0
    assert "is not known" not in capsys.readouterr().out
