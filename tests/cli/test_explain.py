"""`aduana explain`, as a person runs it."""

import asyncio
import json
from pathlib import Path

from gateway.app.conversation_key import load_conversation_key
from gateway.cli import main
from gateway.core.request import Caller, Inbound
from gateway.ledger import Ledger, LedgerSettings
from gateway.pipeline.memory.taint import ConversationTaint
from gateway.pipeline.ports import Recollection
from gateway.policy import Sensitivity
from gateway.settings import load_settings
from gateway.wire.openai import parse_chat
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


def test_explain_of_an_attachment(config, tmp_path, capsys):
    """A file alone, or beside a request, is read: what was found in it is told by category, its content never."""
    file = write(tmp_path, "bill.csv", "who;where\nshop;ES91 2100 0418 4502 0005 1332\n" * 3)
    asked = {"model": "auto", "messages": [{"role": "user", "content": "?"}]}
    body = write(tmp_path, "request.json", json.dumps(asked))
    for arguments in ([], [body]):
        assert main(["explain", *arguments, "--attach", file, "--tags", "public"]) == 1
        out = capsys.readouterr().out
        line = next(line for line in out.splitlines() if 'attachment $.messages[0].file "bill.csv"' in line)
        assert "read: whole; found financial.iban" in line
        assert "2100" not in out
    prompt = write(tmp_path, "prompt.json", '{"model": "auto", "prompt": "Hello"}')
    assert main(["explain", prompt, "--attach", file]) == 2
    assert "--attach is for the body of a chat" in capsys.readouterr().err
    assert main(["explain"]) == 2


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


STORY = (
    "Since the week before last the whole team has been waiting for the letter from the north, and nobody dares to "
    "ask when it will come. The plan is to move to the old house in spring, before the others hear of it, and to tell "
    "them only then, when the boats are back."
)


def test_explain_of_a_request_that_quotes_something_private(config, tmp_path, capsys):
    """Where the gateway's memory knows a request from before, the page and the JSON say where and how, never what."""
    state = load_settings(Path(config)).state_dir
    told = {"model": "auto", "messages": [{"role": "user", "content": STORY}]}
    later = {"model": "auto", "messages": [
        {"role": "system", "content": f"You know: {STORY}"}, {"role": "user", "content": "hello"},
    ]}  # fmt: skip
    asyncio.run(_remember(state, told))
    assert main(["explain", write(tmp_path, "later.json", json.dumps(later)), "--tags", "public", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert (page["tainted"], page["label"], page["label_source"]) == (True, "sensitive", "taint")
    assert {"kind": "passage", "path": "$.messages[0].content"} in page["traces"]
    assert {trace["path"] for trace in page["traces"]} == {"$.messages[0].content"}
    assert main(["explain", write(tmp_path, "told.json", json.dumps(told))]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "known from before: a conversation at $.messages[0]" in out
    assert "letter" not in out


async def _remember(state: Path, body: dict[str, object]) -> None:
    """Let a gateway that ran here have heard a request with a tag that makes it sensitive."""
    ledger = Ledger(LedgerSettings(directory=state))
    await ledger.open()
    request = parse_chat(json.dumps(body).encode())
    taint = ConversationTaint(ledger, load_conversation_key(state))
    await taint.remember(Inbound(id="r", request=request, caller=Caller()), Sensitivity(whole=True), Recollection())
    await ledger.close()


def test_explain_for_a_user_of_a_provider(config, tmp_path, capsys):
    """A provider's name stands where a key's does; groups bring their tags, and who is in none is refused."""
    jwks = write(tmp_path, "jwks.json", "{}")
    users = {
        "providers": {"sso": {"issuer": "x", "audience": "y", "jwks_file": jwks}},
        "groups": {"/doctors": {"tags": ["health"]}},
    }
    with config.open("a") as file:
        file.write(f"users: {json.dumps(users)}\n")
    asked = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
    body = write(tmp_path, "request.json", json.dumps(asked))
    given = ["explain", body, "--json", "--key", "sso", "--user", "ana", "--tags", "public"]
    main([*given, "--group", "/doctors"])
    page = json.loads(capsys.readouterr().out)
    assert page["label"] == "sensitive"
    assert main(given) == 2
    assert "None of your groups" in capsys.readouterr().err
