"""What `serve` refuses `check` finds first: the same sentence, with the place of the setting that is wrong."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.preflight import state
from gateway.cli import main
from gateway.ledger import lock_holder
from gateway.ledger.lock import OwnerLock
from gateway.settings import Settings
from tests.standins.gateway import RunningGateway, starter_models

DEN = 'targets: {{den: {{kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m}}}}\n'
HOME = "targets:\n  home: {{kind: embedded, load: on_demand, "
BIG = "targets:\n  big: {{kind: openai, zone: cloud, model: m, "

SECRETS = {"EMPTY_KEY": "", "GOOD_KEY": "a-good-key"}

# What stands in the file behind `state_dir`, line 1 → the place in the file (line:column), and what is said of it.
REFUSED = {
    "a variable that is not set": (
        DEN + 'keys: {{ana: {{secret: "env:NO_SUCH_KEY"}}}}',
        "3:14: keys.ana.secret: the environment variable NO_SUCH_KEY",
    ),
    "an empty variable": (
        DEN + 'keys: {{ana: {{secret: "env:EMPTY_KEY"}}}}',
        "3:14: keys.ana.secret: the environment variable EMPTY_KEY",
    ),
    "a key's file that is missing": (
        DEN + 'keys:\n  ana: {{secret: "file:{folder}/none"}}',
        "4:9: keys.ana.secret: the file of",
    ),
    "a key's file that is empty": (
        DEN + 'keys:\n  ana: {{secret: "file:{folder}/empty"}}',
        "4:9: keys.ana.secret: the secret behind",
    ),
    "two keys with one secret": (
        DEN + 'keys:\n  ana: {{secret: "env:GOOD_KEY"}}\n  bob: {{secret: "file:{folder}/same"}}',
        "5:9: keys.bob.secret: keys.ana and keys.bob have the same secret",
    ),
    "a provider's key that is not set": (
        BIG + 'base_url: "https://a.example/v1",\n    api_key: "env:NO_SUCH_KEY"}}',
        "4:5: targets.big.api_key: the environment variable NO_SUCH_KEY",
    ),
    "the key of a collector of traces": (
        DEN + 'traces:\n  endpoint: "http://127.0.0.1:9/v1/traces"\n  headers: {{x-key: "env:NO_SUCH_KEY"}}',
        "5:13: traces.headers.x-key: the environment variable NO_SUCH_KEY",
    ),
    "front ends' secret that is short": (
        DEN + 'users: {{front_end: {{secret: "file:{folder}/same"}}}}',
        "3:21: users.front_end.secret: the secret is shorter than 32 characters",
    ),
    "a provider's keys that are none": (
        DEN + 'users:\n  providers:\n    sso: {{issuer: x, audience: y, jwks_file: "{folder}/same"}}',
        "5:35: users.providers.sso.jwks_file: what stands there is no JSON",
    ),
    "a model that is missing": (HOME + "model: none}}", "3:43: targets.home.model: There is no model 'none'"),
    "a model's path that leads nowhere": (
        HOME + "model: '{folder}/none.gguf'}}",
        "3:43: targets.home.model: The model file {folder}/none.gguf does not exist",
    ),
    "a model's name on a hub": (
        HOME + "model: unsloth/Qwen3-8B-GGUF}}",
        "'aduana models pull unsloth/Qwen3-8B-GGUF'",
    ),
    "a model's name in Ollama": (HOME + "model: 'qwen3:8b'}}", "'aduana models import'"),
    "a draft model that is missing": (
        HOME + "model: smollm2,\n    draft: {{model: none}}}}",
        "4:13: targets.home.draft.model: There is no model 'none'",
    ),
    "an adapter that is missing": (HOME + "model: smollm2,\n    lora: {{none: 1}}}}", "targets.home.lora: There is no"),
    "too little memory for models": (
        HOME + "model: smollm2}}\nengine: {{memory: 10 MB}}",
        "3:3: targets.home: its model needs",
    ),
    "a program that is missing": (
        'targets: {{den: {{kind: server, model: m, command: [no-such-server, "{{port}}"]}}}}',
        "2:41: targets.den.command: there is no program 'no-such-server'",
    ),
    "a speech model that is missing": (
        "targets: {{ear: {{kind: speech, model: none}}}}",
        "2:31: targets.ear.model: There is no speech model 'none'",
    ),
    "a port that is taken": (DEN + "server: {{port: {taken}}}", "3:10: server.port: can't listen on 127.0.0.1:{taken}"),
    "Ollama's port that is taken": (
        DEN + "server:\n  port: 0\n  ollama_port: {taken}",
        "5:3: server.ollama_port: can't listen on 127.0.0.1:{taken}",
    ),
    "several workers for a file": (
        DEN + "server: {{port: 0, workers: 2}}",
        "3:19: server.workers: 2 workers need a ledger that they can share, and this one is a file",
    ),
    "several workers for an embedded model": (
        HOME + "model: smollm2}}\nserver: {{port: 0, workers: 3}}",
        "3:3: targets.home: each of the 3 workers (server.workers) would start this model for itself",
    ),
    "one port for both": (DEN + "server: {{port: 8499, ollama_port: 8499}}", "3:22: server.ollama_port: 8499 is the"),
    "an address of another machine": (
        DEN + "server: {{host: 192.0.2.7, anonymous: true}}",
        "3:10: server.host: can't listen on 192.0.2.7:8484",
    ),
    "open to others without keys": (
        DEN + "server: {{host: 0.0.0.0, port: 0}}",
        "3:10: server.host: other machines can",
    ),
    "at home with a public address": (
        'targets:\n  den: {{kind: openai, zone: local, model: m,\n    base_url: "https://8.8.8.8/v1"}}',
        "4:5: targets.den.base_url: The target 'den' is declared 'zone: local'",
    ),
    "a cloud without encryption": (
        BIG + 'base_url: "http://a.example/v1"}}',
        "3:46: targets.big.base_url: it begins with 'http://'",
    ),
    "certificates that are missing": (
        BIG + 'base_url: "https://a.example/v1",\n    ca_file: {folder}/none.pem}}',
        "4:5: targets.big.ca_file: {folder}/none.pem can't be read",
    ),
    "certificates that are none": (
        BIG + 'base_url: "https://a.example/v1",\n    ca_file: {folder}/same}}',
        "4:5: targets.big.ca_file: {folder}/same has no certificate",
    ),
    "a proxy of another kind": (
        BIG + 'base_url: "https://a.example/v1",\n    proxy: "ftp://a.example"}}',
        "4:5: targets.big.proxy: write the proxy as",
    ),
    "a workflow that is missing": (
        'targets:\n  den: {{kind: openai, zone: local, model: m, base_url: "http://127.0.0.1:9", api: comfyui,\n'
        "    workflow: none.json}}",
        "4:5: targets.den.workflow: none.json: the workflow can't be read",
    ),
    "a time zone that there is not": (DEN + "timezone: Mars/Olympus", "3:1: timezone: 'Mars/Olympus' is not a time"),
    "a tariff that is missing": (
        DEN + "energy: {{tariff: {{file: none.csv}}}}",
        "energy.tariff: none.csv: the tariff can't be read",
    ),
    "a price list that is missing": (
        DEN + "prices: {{data_file: none.json}}",
        "prices: none.json: the price list can't be read",
    ),
    "a candidate that is missing": (DEN + "candidate: none.yaml", "aduana: none.yaml: can't be read"),
    "a pattern that is none": (
        DEN + "inspection: {{patterns: {{case: ['(a']}}}}",
        "3:25: inspection.patterns.case: this regular expression can't be used",
    ),
    "a state directory that can't be made": (
        "state_dir: {folder}/same/state\n" + DEN,
        "1:1: state_dir: {folder}/same/state can't be used: Not a directory",
    ),
    "a state directory that is a file": (
        "state_dir: {folder}/same\n" + DEN,
        "1:1: state_dir: {folder}/same is a file, not a directory",
    ),
    "a store that is none": (
        DEN + "responses: {{store: on}}  # damaged",
        "3:13: responses.store: {folder}/state/responses.sqlite3: what is stored for 'responses' can't be opened",
    ),
    "a ledger that is none": (DEN + "# damaged", "The ledger {folder}/state/ledger.sqlite3 is damaged"),
}


# Models that can't answer as they are configured, while the gateway can: targets → what is said of each.
WARNED = """state_dir: {folder}/state
server: {{port: 0}}
unknown_model: cut
models: {{cut: {{targets: [cut]}}}}
targets:
  cut: {{kind: embedded, load: on_demand, model: cut}}
  page: {{kind: embedded, load: on_demand, model: page}}
  wide: {{kind: embedded, load: on_demand, model: smollm2, slots: 1, context: 65536}}
  many: {{kind: embedded, load: on_demand, model: smollm2, slots: 64, context: 4194304, rope_scaling: yarn}}
users: {{front_end: {{required: true}}}}
"""
WARNINGS = (
    "aduana.yaml:6:42: targets.cut.model: The model file {folder}/state/models/cut.gguf can't be used: it is cut off",
    "aduana.yaml:7:43: targets.page.model: The model file {folder}/state/models/page.gguf can't be used: it is not a "
    "GGUF file (it is a web page",
    "aduana.yaml:8:69: targets.wide.context: the window of 65536 tokens is larger than the 8192",
    "aduana.yaml:9:3: targets.many: its model needs",
    "aduana.yaml:10:21: users.front_end.required: no key is marked as a front end's",
)


# Runs `serve` for one directory after the other, in one process, for its imports take the longest.
SERVES = """
import contextlib, io, json, os, signal, sys
from gateway.app.preflight import state
from gateway.cli import main

said = {}
for folder in sys.argv[1:]:
    os.chdir(folder)
    signal.alarm(60)  # ends a gateway that was not refused
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        status = main(["serve"])
    said[folder] = [status, errors.getvalue()]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def prepare(folder: Path) -> None:
    """Put into a directory what configurations name: keys, certificates that are none, the starter model."""
    (folder / "empty").write_text("")
    (folder / "same").write_text("a-good-key\n")
    starter_models(folder / "state" / "models")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a model and some files, which is the current one."""
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory, taken: int) -> dict[str, tuple[Path, int, str]]:
    """For each case its directory, and what `serve` ended with and said there."""
    folders = {}
    for case, (text, _) in REFUSED.items():
        folder = folders[case] = tmp_path_factory.mktemp("case")
        prepare(folder)
        filled = text.format(folder=folder, taken=taken)
        begin = "" if filled.startswith("state_dir") else f"state_dir: {folder}/state\n"
        end = "" if "server:" in filled else "\nserver: {port: 0}\n"  # the usual one may be taken
        (folder / "aduana.yaml").write_text(begin + filled + end)
        if "# damaged" in text:
            for name in ("ledger", "responses"):
                (folder / "state" / f"{name}.sqlite3").write_bytes(b"This is no database. " * 1000)
    ran = subprocess.run(
        [sys.executable, "-c", SERVES, *map(str, folders.values())],
        env=os.environ | {"PYTHONPATH": os.getcwd()} | SECRETS,
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(ran.stdout.splitlines()[-1])
    return {case: (folder, *said[str(folder)]) for case, folder in folders.items()}


def sentences(errors: str) -> set[str]:
    """Return what a command says went wrong."""
    return {line for line in errors.splitlines() if line.startswith("aduana: ")}


@pytest.mark.parametrize("case", REFUSED)
def test_check_finds_what_serve_refuses(
    case: str,
    refused: dict[str, tuple[Path, int, str]],
    taken: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both end with status 2 and the same sentence; it names file, line, column and setting, and what is wrong."""
    folder, status, errors = refused[case]
    monkeypatch.chdir(folder)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    assert main(["check"]) == status == 2
    found = sentences(capsys.readouterr().err)
    words = REFUSED[case][1].format(folder=folder, taken=taken)
    begin = "aduana: aduana.yaml:" if words[0].isdigit() else ""
    assert any(begin + words in line for line in found), found
    assert found == sentences(errors)


async def test_a_model_that_can_not_answer_fails_the_check_and_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is cut or a web page, a window beyond the model, more than the machine has: both say the same."""
    prepare(tmp_path)
    models = tmp_path / "state" / "models"
    whole = (models / "smollm2.gguf").read_bytes()
    (models / "cut.gguf").write_bytes(whole[: len(whole) // 2])
    (models / "page.gguf").write_text("<!DOCTYPE html><title>404</title>")
    config = tmp_path / "aduana.yaml"
    config.write_text(WARNED.format(folder=tmp_path))
    assert await asyncio.to_thread(main, ["check", "--json", "--config", str(config)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["passed"]
    for words, said in zip(WARNINGS, found["warnings"], strict=True):
        assert words.format(folder=tmp_path) in said
    async with RunningGateway(tmp_path, WARNED.format(folder=tmp_path)) as gateway, asyncio.timeout(60):
        while gateway.log.count("configuration.problem") < len(WARNINGS):  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.05)
        for said in found["warnings"]:
            assert said.partition(": ")[2][:200] in gateway.log.replace("\\'", "'")


def test_a_running_gateway_does_not_disturb_the_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own port is taken by the gateway itself, which is no problem; and where no gateway runs, nobody is named."""
    (folder / "aduana.yaml").write_text(f"state_dir: {folder}/state\n" + DEN.format())
    assert lock_holder(folder / "state") is None
    lock = OwnerLock(folder / "state")
    lock.take()
    with socket.create_server(("127.0.0.1", 0)) as own:
        (folder / "aduana.yaml").write_text(
            f"state_dir: {folder}/state\n{DEN.format()}server: {{port: {own.getsockname()[1]}}}"
        )
        assert main(["check"]) == 0
    lock.release()
    assert f"a gateway (process {os.getpid()}) runs" in capsys.readouterr().out


def test_files_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration for another machine can be checked where its keys, models and ports are not."""
    (folder / "aduana.yaml").write_text(
        f"state_dir: {folder}/state\n" + (HOME + "model: none}}\nkeys: {{ana: {{secret: 'env:NO_SUCH_KEY'}}}}").format()
    )
    assert main(["check"]) == 2
    assert main(["check", "--files-only"]) == 0
    assert "proved" in capsys.readouterr().out


def test_options_and_variables_are_named_as_the_place(
    folder: Path, taken: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an option or a variable has replaced the file's value, that is what a person must change."""
    (folder / "aduana.yaml").write_text(f"state_dir: {folder}/state\nserver: {{port: 8499}}\n" + DEN.format())
    assert main(["serve", "--port", str(taken)]) == 2
    assert f"aduana: --port: server.port: can't listen on 127.0.0.1:{taken}" in capsys.readouterr().err
    monkeypatch.setenv("ADUANA_SERVER__PORT", str(taken))
    assert main(["check"]) == 2
    assert "aduana: environment variable ADUANA_SERVER__PORT: server.port: can't" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("closed", "owner", "words"),
    [
        ("state", "aduana", "state belongs to aduana, and ana can't write there. Run this as aduana"),
        ("state/ledger.sqlite3", "aduana", "ledger.sqlite3 belongs to aduana, and ana can't write there"),
        ("state", "ana", "state can't be written. Run: chmod -R u+rwX"),
    ],
)
def test_a_state_directory_of_somebody_else(
    closed: str, owner: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs a command beside a service of another user is told to become that user, not to take its files."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.sqlite3").touch()
    monkeypatch.setattr(state.os, "access", lambda path, _mode: path != tmp_path / closed)
    monkeypatch.setattr(state.getpass, "getuser", lambda: "ana")
    monkeypatch.setattr(Path, "owner", lambda _: owner)
    (problem,) = state.state_problems(Settings(state_dir=tmp_path / "state"))
    assert problem.startswith("state_dir: ")
    assert words in problem
