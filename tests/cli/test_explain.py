"""`aduana explain`, as a person runs it."""

import json

from gateway.cli import main
from tests.cli.house import write
from tests.policy.house import SHAPE


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
    """A request that would be refused ends in exit status 1, with the reason."""
    case = write(tmp_path, "case.json", '{"given": {"prompt_tokens": 9000}}')
    assert main(["explain", case]) == 1
    assert "refused (400)" in capsys.readouterr().out


def test_explain_of_a_request(config, tmp_path, capsys):
    """A real request body is really inspected, and its content is not shown."""
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
    """The page shows what a cloud would get, with pseudonyms, and not where something is left to find."""
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
