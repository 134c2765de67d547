"""What `aduana keys` says of what it did, and of what it can't do."""

import sqlite3
import time
from pathlib import Path

import msgspec
import pytest

from gateway.cli import main
from gateway.ledger import Reader
from gateway.ledger.ledger import FILE_NAME


@pytest.fixture
def keys(config: Path, capsys: pytest.CaptureFixture[str]):
    """Return the command, as a function from its words to its exit status, its output and what it tells."""

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["keys", *words, "--config", str(config)])
        told = capsys.readouterr()
        return status, told.out.strip(), told.err

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "--app", "once"), "another name"),
        (("create", "--app", "Once Again"), "no name"),
        (("create", "--app", "anonymous"), "another name"),
        (("create", "--app", "new", "--budget", "5"), "5/month"),
        (("create", "--app", "new", "--expires", "2020-01-31"), "past"),
        (("create", "--app", "new", "--tags", "a,B"), "--tags 'B' is no name"),
        (("create", "--app", "new", "--front-end", "--admin"), "does not go with"),
        (("rotate", "once", "--overlap", "soon"), "--overlap 'soon'"),
        (("rotate", "nobody"), "no key 'nobody'. There are: once"),
        (("revoke", "nobody"), "no key 'nobody'"),
        (("change", "nobody", "--rpm", "1"), "no key 'nobody'"),
        (("change", "once"), "Nothing to change"),
        (("change", "once", "--rpm", "few"), "--rpm 'few'"),
        (("revoke", "gone"), "revoked already"),
    ],
)
def test_what_cannot_be_done_is_said(keys, tmp_path, words, said):
    """A taken name, an unknown key, or a budget that is none: the command says so, and changes nothing."""
    assert keys("create", "--app", "once")[0] == keys("create", "--app", "gone")[0] == 0
    assert keys("revoke", "gone")[0] == 0
    before = Reader(tmp_path / "state").stored_keys()
    status, out, told = keys(*words)
    assert (status, out) == (2, "")
    assert said in told
    assert Reader(tmp_path / "state").stored_keys() == before


def test_a_secret_that_has_expired_does_not_come_back_beside_a_new_one(keys, tmp_path):
    """Whoever has it may be why the key was to end: a rotation renews the key, for its new secret alone."""
    assert keys("create", "--app", "once", "--expires", "1h")[0] == 0
    with sqlite3.connect(tmp_path / "state" / FILE_NAME) as ledger:
        ledger.execute("UPDATE api_keys SET expires_at = ?", (time.time() - 60,))
    ledger.close()
    assert keys("rotate", "once")[0] == 2
    status, _, told = keys("rotate", "once", "--expires", "90d")
    assert (status, "The old one ends now" in told) == (0, True)
    (key,) = Reader(tmp_path / "state").stored_keys()
    assert key.counts_at(time.time())
    assert sorted(one.ends_at is None or one.ends_at > time.time() for one in key.secrets) == [False, True]


def test_a_key_of_the_configuration_is_changed_there(keys, config):
    """The command points to the file, and makes no second key of that name."""
    config.write_text(config.read_text() + 'keys: {desk: {secret: "env:DESK"}}\n')
    for words in (("rotate", "desk"), ("revoke", "desk"), ("change", "desk", "--rpm", "1")):
        status, _, told = keys(*words)
        assert (status, "'env:DESK'" in told) == (2, True)
    assert "aduana.yaml" in keys("create", "--app", "desk")[2]


def test_the_last_key_leaves_the_door_shut(keys):
    """Whoever makes the first key, and whoever revokes the last one, is told what that means for everybody else."""
    assert "first key" in keys("create", "--app", "one")[2]
    assert "first key" not in keys("create", "--app", "two")[2]
    assert "last key" not in keys("revoke", "one")[2]
    assert "last key" in keys("revoke", "two")[2]


def test_programs_get_everything_but_digests(keys):
    """With --json a program has the secret once, and later the rest."""
    status, out, _ = keys("create", "--app", "n8n", "--tpd", "1000", "--models", "auto,local", "--front-end", "--json")
    made = msgspec.json.decode(out)
    assert (status, made["secret"][:4], made["models"], made["front_end"]) == (0, "adu_", ["auto", "local"], True)
    (listed,) = msgspec.json.decode(keys("list", "--json")[1])["keys"]
    assert listed == {**{name: value for name, value in made.items() if name != "secret"}, "last_used_at": None}
    assert listed["limits"] == {"tokens_per_day": 1000}
    assert msgspec.json.decode(keys("usage", "--json")[1])[0]["requests"] == 0


def test_use_of_a_mistyped_key_is_not_none(keys):
    """Whoever mistypes a name hears that there is no such key; a revoked one that asked for nothing is no mistake."""
    keys("create", "--app", "n8n")
    assert keys("usage", "n8n")[0] == 0
    status, _, told = keys("usage", "n9n")
    assert (status, "no key 'n9n'" in told, "n8n" in told) == (2, True, True)
    keys("revoke", "n8n")
    assert keys("usage", "n8n")[0] == 0


def test_a_lost_secret_of_the_state_directory_makes_no_keys(keys, tmp_path):
    """A key whose digest no gateway could make is not made; revoking needs no secret, and works."""
    assert keys("create", "--app", "one")[0] == 0
    (tmp_path / "state" / "ledger.sqlite3").rename(tmp_path / "ledger.sqlite3")
    status, out, told = keys("create", "--app", "two")
    assert (status, out) == (2, "")
    assert "The ledger is missing" in told
    (tmp_path / "ledger.sqlite3").rename(tmp_path / "state" / "ledger.sqlite3")
    assert keys("revoke", "one")[0] == 0


def test_what_a_key_may_do_is_changed_piece_by_piece(keys):
    """An option changes its own piece and leaves the rest; 'none' takes it away; the secret stays."""
    keys("create", "--app", "n8n", "--rpm", "60", "--budget", "5/month", "--tags", "office", "--admin", "--user", "Ana")
    before = msgspec.json.decode(keys("list", "--json")[1])["keys"][0]
    assert keys("change", "n8n", "--budget", "9/day", "--rpm", "none", "--models", "auto", "--no-admin")[0] == 0
    assert keys("change", "n8n", "--tags", "none", "--expires", "90d")[0] == 0
    after = msgspec.json.decode(keys("list", "--json")[1])["keys"][0]
    assert (before.pop("expires_at"), after.pop("expires_at") > time.time()) == (None, True)
    assert after == {
        **before, "limits": {"usd_day": 9.0, "usd_month": 5.0}, "models": ["auto"], "admin": False, "tags": [],
    }  # fmt: skip


def test_a_tag_that_the_policy_does_not_know_is_named(keys, config, tmp_path):
    """Such a tag protects nothing: whoever mistyped it hears so at once, when a key is made and when it is changed."""
    policy = tmp_path / "own.yaml"
    policy.write_text(
        "version: 1\nlabels: {default: internal, tags: {patient: sensitive}}\notherwise: {prefer: [local]}\n"
    )
    config.write_text(config.read_text() + f"policy: {policy}\n")
    status, _, told = keys("create", "--app", "ward", "--tags", "patinet")
    assert (status, "does not know the tag 'patinet'" in told, "patient" in told) == (0, True, True)
    assert "does not know" not in keys("change", "ward", "--tags", "patient")[2]
    assert "does not know the tag 'wardd'" in keys("change", "ward", "--tags", "patient,wardd")[2]
