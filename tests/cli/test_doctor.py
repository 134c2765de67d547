"""`aduana doctor` as a person runs it: what works, what does not, and what to do."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.cli.doctor.finding import problem
from gateway.cli.doctor.installation import slow_build
from gateway.cli.doctor.show import lines
from gateway.core.secret import Secret
from gateway.ledger import Ledger, LedgerSettings
from tests.cli.house import fill
from tests.faults.certificates import Authority
from tests.faults.fault_server import GOOD, FaultServer
from tests.standins.gateway import RunningGateway, starter_models
from tests.standins.identity_provider import ISSUER, StandInProvider
from tests.standins.postgresql import Postgresql

DEN = 'targets: {{den: {{kind: openai, zone: local, base_url: "{url}", model: m}}}}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ADUANA_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def findings(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Return the exit status, and of each part the level and text of what was found."""
    status = main(["doctor", "--json", *options])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    parts: dict[str, list[tuple[str, str]]] = {}
    for one in report["findings"]:
        parts.setdefault(one["part"], []).append((one["level"], f"{one['text']} {one['todo']}"))
    assert report["well"] is (status == 0)
    return status, parts


def said(parts: dict[str, list[tuple[str, str]]], part: str, level: str, words: str) -> bool:
    """Whether a part has such a finding."""
    return any(level == found and words in text for found, text in parts[part])


@pytest.mark.usefixtures("any_port")
def test_a_fresh_machine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is configured and nothing runs: no problem, and every line fits a terminal of 80 columns."""
    assert main(["doctor", "--quick"]) == 0
    out = capsys.readouterr().out
    assert "No problem was found" in out
    assert all(len(line) <= 80 or len(line.split()) <= 2 for line in out.splitlines())
    for part in ("Installation", "Machine", "Engine", "Configuration", "Policy", "Keys", "Models", "State", "Walls"):
        assert f"\n{part}\n" in f"\n{out}"


def test_a_configuration_that_can_not_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The place of the mistake is said, and everything that does not need the configuration is examined."""
    (folder / "aduana.yaml").write_text("targets: {home: {kind: embedded, modle: smollm2}}\n")
    status, parts = findings(capsys, "--quick")
    assert status == 1
    assert said(parts, "Configuration", "problem", "aduana.yaml:1:34: 'targets.home.modle' is not a setting")
    assert said(parts, "Machine", "ok", "RAM")


async def test_everything_that_is_wrong_is_found_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys, files that others may change, a ledger of tomorrow, a model that is cut: each is a problem of its part."""
    models = starter_models(folder / "state" / "models")
    (models / "cut.gguf").write_bytes((models / "smollm2.gguf").read_bytes()[: 10 * 2**20])
    key = folder / "key"
    key.write_text("a-good-key")
    key.chmod(0o666)
    await fill(folder / "state")
    config = folder / "aduana.yaml"
    config.write_text(
        "keys: {ana: {secret: 'file:key'}, bob: {secret: 'env:NO_SUCH_KEY'}}\n"
        "targets:\n"
        "  home: {kind: embedded, model: smollm2, load: on_demand}\n"
        "  cut: {kind: embedded, model: cut, load: on_demand}\n"
    )
    config.chmod(0o666)
    status, parts = await asyncio.to_thread(findings, capsys, "--quick")
    assert status == 1
    assert said(
        parts, "Configuration", "problem", "aduana.yaml:1:41: keys.bob.secret: the environment variable NO_SUCH"
    )
    assert said(parts, "Configuration", "problem", "Others on this machine may change the configuration")
    assert said(parts, "Keys", "problem", "chmod 600 'key'")
    assert said(parts, "Models", "problem", "cut.gguf can't be used: it is cut off")
    assert said(parts, "Models", "ok", "smollm2.gguf, 0.10 GB")
    assert said(parts, "Ledger", "ok", "requests, whole (quick_check)")
    assert said(parts, "Gateway", "note", "aduana serve")


def test_a_damaged_ledger_and_models_that_were_exchanged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A ledger that is none, and a model that is not the one that was pulled."""
    models = starter_models(folder / "state" / "models")
    (folder / "state" / "ledger.sqlite3").write_bytes(b"This is no database. " * 100)
    (models / ".records").mkdir()
    record = {"name": "smollm2", "source": "hf://a/b@c", "added": "2026-01-01",
              "files": [{"name": "smollm2.gguf", "size": 1, "sha256": "0" * 64}]}  # fmt: skip
    (models / ".records" / "smollm2.json").write_text(json.dumps(record))
    status, parts = findings(capsys)
    assert status == 1
    assert said(parts, "Ledger", "problem", "is damaged")
    assert said(parts, "Models", "problem", "not the file that was pulled")
    assert said(parts, "Policy", "ok", "claims are proved")
    assert "Reading " in capsys.readouterr().err or (folder / "cache" / "aduana" / "digests.json").exists()


async def test_a_ledger_in_a_database(folder: Path, capsys: pytest.CaptureFixture[str], postgresql: Postgresql) -> None:
    """Whether it can be reached, its version and size; the password is in no sentence."""
    starter_models(folder / "state" / "models")
    address = postgresql.fresh()
    config = folder / "aduana.yaml"
    config.write_text(f"ledger: {address!r}\n")
    _, parts = await asyncio.to_thread(findings, capsys, "--quick")
    assert said(parts, "Ledger", "ok", "no ledger yet")
    ledger = Ledger(LedgerSettings(directory=folder / "elsewhere", database=Secret(address)))
    await ledger.open()
    await ledger.close()
    _, parts = await asyncio.to_thread(findings, capsys, "--quick")
    assert said(parts, "Ledger", "ok", "0 requests, in PostgreSQL (")
    (folder / "word").write_text("h0rse-battery")
    config.write_text("ledger: {database: 'postgresql://aduana@127.0.0.1:1/aduana', password: 'file:word'}\n")
    status, parts = await asyncio.to_thread(findings, capsys, "--quick")
    assert status == 1
    assert said(parts, "Ledger", "problem", "The ledger in PostgreSQL (127.0.0.1:1/aduana) can't be reached")
    assert "h0rse" not in str(parts)


async def test_a_running_gateway_is_asked_how_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own port is no problem; a server at home that is there and one that is not are told apart."""
    async with FaultServer(GOOD) as den, asyncio.timeout(120):
        port = str(await asyncio.to_thread(free_port))
        config = (
            f"server: {{port: {port}}}\nstate_dir: {tmp_path}/state\ntargets:\n"
            f'  den: {{kind: openai, zone: local, base_url: "{den.base_url}", model: m}}\n'
            '  off: {kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m}\n'
            '  big: {kind: openai, zone: cloud, base_url: "https://127.0.0.1:9/v1", model: m}\n'
        )
        async with RunningGateway(tmp_path, config, "--port", port) as gateway:
            await gateway.until_ready()
            options = ("--quick", "--config", str(gateway.config))
            status, parts = await asyncio.to_thread(findings, capsys, *options)
            _, online = await asyncio.to_thread(findings, capsys, *options, "--online")
    assert status == 1
    assert said(parts, "Gateway", "ok", "and is ready")
    assert said(parts, "Configuration", "ok", "nothing in it keeps the gateway from starting")
    assert said(parts, "Servers at home", "ok", f"den: {den.base_url} answers")
    assert said(parts, "Servers at home", "problem", "off: nobody answers at http://127.0.0.1:9/v1")
    assert said(parts, "Clouds", "ok", "big: not tried")
    assert said(online, "Clouds", "problem", "big: 127.0.0.1:9 can't be reached")


async def test_a_server_at_home_is_trusted_as_the_gateway_trusts_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An authority that somebody made by hand is enough, with every Python; one that is not named is told."""
    authority = Authority(folder, by_hand=True)
    async with FaultServer(GOOD, tls=authority.server()) as den:
        (folder / "aduana.yaml").write_text(
            f"targets:\n  den: {{kind: openai, zone: local, base_url: '{den.base_url}', model: m, "
            f"ca_file: '{authority.file}'}}\n"
            f"  odd: {{kind: openai, zone: local, base_url: '{den.base_url}', model: m}}\n"
        )
        _, parts = await asyncio.to_thread(findings, capsys, "--quick")
    assert said(parts, "Servers at home", "ok", f"den: {den.base_url} answers")
    assert said(parts, "Servers at home", "problem", f"odd: nobody answers at {den.base_url}")


async def test_how_people_are_known_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A provider nearby is asked for its keys, one on the Internet is not; a front end that only says so is a note."""
    async with StandInProvider() as provider:
        auth = f'issuer: "{ISSUER}", audience: aduana'
        (folder / "aduana.yaml").write_text(
            DEN.format(url="http://127.0.0.1:9/v1") + "keys: {webui: {secret: 'file:key', front_end: true}}\n"
            "users:\n  record: pseudonym\n  providers:\n"
            f'    near: {{{auth}, jwks_url: "{provider.url}"}}\n'
            '    off: {issuer: x, audience: y, jwks_url: "http://127.0.0.1:9/jwks.json"}\n'
            '    far: {issuer: z, audience: y, jwks_url: "https://203.0.114.7/jwks.json"}\n'
        )
        (folder / "key").write_text("a-key-of-the-front-end")
        _, parts = await asyncio.to_thread(findings, capsys, "--quick")
    assert said(parts, "Users", "note", "webui may say for whom it asks, in plain words")
    assert said(parts, "Users", "ok", "near: 2 keys to check tokens with")
    assert said(parts, "Users", "problem", "off: the keys can't be had: its host can't be reached")
    assert said(parts, "Users", "ok", "far: not tried")
    assert said(parts, "Users", "ok", "users stand in the record: pseudonym")


def free_port() -> int:
    """A port on which nobody listens."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_package_that_is_broken(folder: Path) -> None:
    """What needs it says so, with what to do, and the rest is examined."""
    broken = folder / "broken"
    broken.mkdir()
    (broken / "z3.py").write_text("raise ImportError('libz3.so: no such file')\n")
    paths = os.pathsep.join([str(broken), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "doctor", "--quick"],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    shown = " ".join(done.stdout.split())
    assert "libz3.so: no such file" in shown
    assert "pip install --force-reinstall FILE" in shown
    assert "RAM" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("prefix", "arguments", "slow"),
    [
        ("/home/ana/.pyenv/versions/3.12.4", "'--prefix=/home/ana/.pyenv/versions/3.12.4' '--enable-shared'", True),
        ("/home/ana/.pyenv/versions/3.12.4", "'--enable-optimizations' '--with-lto'", False),
        ("/usr", "'--prefix=/usr' '--enable-shared'", False),  # Debian's: optimised, and says so nowhere
        ("/usr/local", "'--enable-optimizations' '--with-lto'", False),  # the images on Docker Hub
        ("C:/Python312", None, False),
    ],
)
def test_a_python_that_was_built_slow(prefix: str, arguments: str | None, slow: bool) -> None:
    assert slow_build(prefix, arguments) is slow


def test_what_a_server_says_steers_no_terminal():
    """An escape in an answer is printed as a sign that it was there."""
    assert lines(problem("home: \x1b]0;mine\x07 is not ready"), 80)[0].plain.isprintable()
