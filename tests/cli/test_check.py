"""`aduana check`, `explain`, `schema`, `diff` and `replay`, as a person runs them."""

import io
import json
import sqlite3
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from gateway.cli import main
from gateway.core.finding import Inspection
from gateway.core.snapshot import Snapshot
from gateway.core.yaml_source import parse_yaml
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS
from gateway.policy import facts_json
from gateway.policy.reader.json_schema import json_schema
from tests.policies.test_ready_policies import EXAMPLES, FILES
from tests.policy.house import SHAPE, chat, found, inbound

CONFIG = """
state_dir: {state}
targets:
  home: {{kind: embedded, model: smollm2, context: 8192, slots: 8}}
  big: {{kind: openai, zone: cloud, base_url: "https://cloud.invalid/v1", model: big-1, context: 400000}}
models:
  auto: {{}}
  local: {{targets: [home]}}
"""


@pytest.fixture
def config(tmp_path, monkeypatch) -> Path:
    """A configuration with one target of each zone, in a directory of its own."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "aduana.yaml"
    file.write_text(CONFIG.format(state=tmp_path / "state"))
    return file


def write(folder: Path, name: str, text: str) -> str:
    """A policy file."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_check_of_the_default_policy(config, capsys):
    """Without any policy the built-in one is checked against the configuration."""
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert "built-in home policy" in out
    assert "proved  built in: sensitive requests stay local" in out
    assert "3 of 3 expectations are met" in out


def test_check_shows_what_breaks_a_claim_and_explain_reproduces_it(config, tmp_path, capsys, monkeypatch):
    """The printed command is what a person pastes."""
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
    """For scripts."""
    assert main(["check", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["passed"] is True
    assert {verdict["outcome"] for verdict in result["proof"]["verdicts"]} == {"proved"}


def test_a_policy_with_a_typing_error_is_not_used(config, tmp_path, capsys):
    """Exit status 2, and the sentence names the place."""
    policy = write(tmp_path, "p.yaml", SHAPE.replace("prefer: [home, big]", "prefer: [hime, big]"))
    assert main(["check", policy]) == 2
    assert f"{policy}:14:22: the target 'hime' does not exist. Did you mean 'home'?" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "can't be read" in capsys.readouterr().err


def test_explain_of_a_case(config, tmp_path, capsys):
    """The page shows the label's sources, every rule with its facts, every target with what stands against it."""
    case = write(
        tmp_path, "case.json", '{"given": {"tags": ["public"], "findings": ["financial.iban"], "prompt_tokens": 7000}}'
    )
    policy = write(tmp_path, "p.yaml", SHAPE)
    assert main(["explain", case, "--policy", policy]) == 0
    out = capsys.readouterr().out
    for shown in (
        "label sensitive (from detector)", "found financial.iban: sensitive", "tag public: public",
        "long prompts go out", "prompt_tokens: 7000", "chose the order of targets", "gpu_utilization: unknown",
        "the label is above its ceiling",
    ):  # fmt: skip
        assert shown in out
    assert main(["explain", case, "--policy", policy, "--tags", "nobody-knows", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tags"] == ["nobody-knows", "public"]


def test_explain_of_a_refusal(config, tmp_path, capsys):
    """Exit status 1, and the reason."""
    case = write(tmp_path, "case.json", '{"given": {"prompt_tokens": 9000}}')
    assert main(["explain", case]) == 1
    assert "refused (400)" in capsys.readouterr().out


def test_explain_of_a_request(config, tmp_path, capsys):
    """A real body is inspected in earnest; its content is not shown."""
    body = {"model": "auto", "messages": [
        {"role": "system", "content": "Pay to ES91 2100 0418 4502 0005 1332."}, {"role": "user", "content": "Hello"},
    ]}  # fmt: skip
    file = write(tmp_path, "request.json", json.dumps(body))
    assert main(["explain", file, "--tags", "public", "--json"]) == 0
    out = capsys.readouterr().out
    page = json.loads(out)
    assert (page["label"], page["candidates"]) == ("sensitive", ["home"])
    assert any("found financial" in step for step in page["label_steps"])
    assert "2100" not in out
    assert main(["explain", write(tmp_path, "x.json", '{"model": "auto"}')]) == 2
    assert "no request body" in capsys.readouterr().err


def test_explain_shows_the_masked_document_to_whoever_owns_the_request(config, tmp_path, capsys):
    """What a cloud would get, pseudonyms and all; nothing of the kind where something is left to find."""
    policy = write(tmp_path, "mask.yaml", """
version: 1
labels: {default: public}
rules: [{name: mail goes masked, mask: [contact.email]}]
otherwise: {prefer: [big, home]}
""")  # fmt: skip
    body = {"model": "auto", "user": "me", "messages": [{"role": "user", "content": "Write to ana@clinica-sol.es."}]}
    file = write(tmp_path, "request.json", json.dumps(body))
    assert main(["explain", file, "--policy", policy]) == 0
    out = capsys.readouterr().out
    assert "goes to the cloud masked: contact.email" in out
    assert "applied: mask contact.email" in out
    assert "@mail.invalid" in out
    assert "clinica-sol" not in out
    assert main(["explain", file, "--policy", policy, "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["masked"] == ["contact.email"]
    assert page["masked_document"]["model"] == "big-1"
    assert "user" not in page["masked_document"]
    body["messages"][0]["content"] += " YW5hQGNsaW5pY2Etc29sLmVz YW5hQGNsaW5pY2Etc29sLmVz"
    file = write(tmp_path, "encoded.json", json.dumps(body))
    assert main(["explain", file, "--policy", policy, "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert (page["masked"], page["candidates"], page["label"]) == (None, ["home"], "sensitive")
    assert "masked_document" not in page


def test_the_schema_agrees_with_the_reader(capsys):
    """Every ready policy and every example of the handbook is valid; a mistake is not."""
    assert main(["schema", "policy"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for text in (*EXAMPLES, *(file.read_text(encoding="utf-8") for file in FILES)):
        assert list(validator.iter_errors(parse_yaml(text, "x.yaml").value)) == []
    for wrong in (
        {"version": 2}, {"version": 1, "rulez": []}, {"version": 1, "rules": [{"prefer": ["home"]}]},
        {"version": 1, "rules": [{"name": "a", "when": {"prompt_tokns": 5}}]},
        {"version": 1, "claims": [{"never": {}, "always": {}}]}, {"version": 1, "labels": {"default": "secret"}},
    ):  # fmt: skip
        assert list(validator.iter_errors(wrong)), wrong


def _ledger(folder: Path) -> None:
    """Three recorded requests: a public one that went out, an internal one at home, a long private one refused."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "ledger.sqlite3")
    connection.executescript(f"PRAGMA application_id = {APPLICATION_ID};{MIGRATIONS[0]}PRAGMA user_version = 1;")
    now = time.time()
    rows = [
        (inbound(tags=("public",), id="r1"), found(), Snapshot(prompt_tokens_estimate=7000, prices={"big": 0.02}),
         ("big", "cloud", "ok", 20_000, 0.5)),
        (inbound(id="r2"), found(), Snapshot(prompt_tokens_estimate=100), ("home", "local", "ok", 0, 0.1)),
        (inbound(tags=("health",), id="r3"), found(), Snapshot(prompt_tokens_estimate=9000),
         (None, None, "refused", 0, None)),
    ]  # fmt: skip
    for number, (asked, inspection, snapshot, (target, zone, outcome, cost, first)) in enumerate(rows, 1):
        facts = facts_json(asked, inspection, snapshot)
        connection.execute(
            "INSERT INTO receipts VALUES (?,?,?,'openai','chat','anonymous',NULL,'auto',0,0,'tag','[]','[]','[]','r',"
            "'[]',NULL,1,'d',?)", (number, asked.id, now - 60, facts),
        )  # fmt: skip
        connection.execute(
            "INSERT INTO settlements VALUES (?,?,?,?,?,NULL,1,0,1,0,0,?,NULL,?,1.0)",
            (number, now, outcome, target, zone, cost, first),
        )
    connection.execute("INSERT INTO receipts SELECT 9,'old',0,dialect,endpoint,key,user,model,stream,label,"
                       "label_source,tags,categories,doubts,rule,permitted,refusal,prompt_tokens,policy_digest,facts "
                       "FROM receipts WHERE seq = 1")  # fmt: skip
    connection.commit()
    connection.close()


def test_diff_shows_where_two_policies_differ(config, tmp_path, capsys):
    """Recorded facts are decided under both; requests before --since are left out."""
    _ledger(tmp_path / "state")
    old = write(tmp_path, "old.yaml", SHAPE)
    new = write(
        tmp_path, "new.yaml", SHAPE.replace("default: internal", "default: public").replace("[big, home]", "[home]")
    )
    assert main(["diff", new, "--policy", old, "--since", "1h"]) == 1
    out = capsys.readouterr().out
    assert "3 recorded requests, 2 decided differently" in out
    assert "no longer may leave" in out
    assert "another label" in out
    assert "-0.0200 USD" in out
    assert main(["diff", old, "--policy", old]) == 0


def test_replay_sets_a_policy_beside_what_happened(config, tmp_path, capsys):
    """Leaks that would have been stopped, money, time to the first token."""
    _ledger(tmp_path / "state")
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
    """Both are said, not traced."""
    policy = write(tmp_path, "p.yaml", SHAPE)
    assert main(["replay", policy]) == 2
    assert "There is no ledger" in capsys.readouterr().err
    assert main(["diff", policy, "--since", "yesterday"]) == 2
    assert "write it as 30d, 12h or 2w" in capsys.readouterr().err


def test_recorded_facts_hold_no_content():
    """No text, no header value, no place in the document; a model name that is none is left out."""
    asked = inbound(chat("what is this, a diary?"), headers={"x-secret": "hunter2"}, tags=("health",))
    facts = facts_json(asked, found("secret.token"), Snapshot()).decode()
    for hidden in ("diary", "hunter2", "Hello", "messages"):
        assert hidden not in facts
    assert json.loads(facts_json(inbound(chat("gpt-5.4")), Inspection(), Snapshot()))["model"] == "gpt-5.4"
