"""`aduana models show`: what a model's memory can do, in words."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.cli.models.running import tell, the_running
from gateway.cli.options import add_key_options, key_of
from gateway.core.errors import AduanaError, BadRequest, Unavailable
from gateway.settings import Settings
from tests.cli.raw_server import raw_server


def report(**what: Any) -> dict[str, Any]:
    """What a gateway with one model answers."""
    model = {
        "target": "home", "model": "m", "state": "loaded", "progress": None, "memory": 0, "slots": 2, "context": 64,
        "busy": 0, "waiting": 0, "unloads_in": None, "gives_way": None, "sequences": "attention", "checkpoint_bytes": 0,
        "drafts": True, "draft_head": "", "problem": "", "gpu_memory": 0, "load": "start", "load_seconds": None,
        "idle_seconds": None, "thinks": False, **what,
    }  # fmt: skip
    return {"models": [model], "memory": None, "gpu_memory": None, "memory_used": 0, "gpu_memory_used": 0}


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({}, ["Memory of conversations: attention", "Draft tokens: yes"]),
        (
            {"sequences": "hybrid", "checkpoint_bytes": 75_000_000, "drafts": False},
            ["hybrid", "checkpoint before the change", "75.0 MB each", "Draft tokens: no"],
        ),
        ({"sequences": "sliding_window", "checkpoint_bytes": 1}, ["sliding window"]),
        ({"draft_head": "used"}, ["Draft head in the file: used."]),
        ({"draft_head": "It was not tried."}, ["Draft head in the file: not used. It was not tried."]),
        ({"sequences": None, "state": "idle"}, ["once it is loaded"]),
        ({"sequences": None}, ["makes no text"]),
    ],
)
def test_it_says_what_the_memory_can_do(
    what: dict[str, Any], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The kind of memory, its checkpoints and draft tokens are named."""
    assert tell(lambda method, path: report(**what), "show", "home", False) == 0
    printed = capsys.readouterr().out
    assert all(part in printed for part in expected)


def test_another_name_is_no_target() -> None:
    """A name that no target has is answered with those that there are."""
    with pytest.raises(BadRequest, match="There are: home"):
        tell(lambda method, path: report(), "show", "hoem", False)


@pytest.mark.parametrize("answer", [None, [], {}, {"models": [{"target": "home"}], "memory": None}])
@pytest.mark.parametrize("action", ["ps", "show", "load"])
def test_what_is_no_gateways_report_is_said_to_be_none(action: str, answer: Any) -> None:
    """Another program at that address, or a gateway of another version, is named as such."""
    with pytest.raises(Unavailable, match="no gateway, or one of another version"):
        tell(lambda method, path: answer, action, "home", False)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 500 No\r\n\r\n" + b"[" * 99_999,
    ],
)
def test_another_protocol_is_no_answer(answer: bytes) -> None:
    """A port of another program, and an answer that breaks off, are told in a sentence."""
    with raw_server(answer) as url, pytest.raises(AduanaError, match=r"No gateway answers|answered with status"):
        the_running(Settings(), url, "")("GET", "/admin/models")


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:x", "http://a b"])
def test_what_is_no_address_is_told(url: str) -> None:
    """A mistyped address is named."""
    with pytest.raises(Unavailable, match="No gateway answers"):
        the_running(Settings(), url, "")("GET", "/admin/models")


def test_a_variable_without_a_key_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A key can be named by its variable, and one that is empty is no key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_KEY", " ")
    assert main(["models", "ps", "--url", "http://127.0.0.1:9", "--key-env", "MY_KEY"]) == 2
    assert "MY_KEY (--key-env) is not set, or is empty" in capsys.readouterr().err


def test_a_key_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it stands neither in the shell's history nor in the list of processes."""
    parser = argparse.ArgumentParser()
    add_key_options(parser, "a key")
    monkeypatch.setenv("MY_KEY", "sk-1")
    assert key_of(parser.parse_args(["--key-env", "MY_KEY"])) == "sk-1"
    assert key_of(parser.parse_args([])) == ""
