"""`aduana connect`, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.connect.apps import APPS

REPOSITORY = Path(__file__).resolve().parents[3]
CONFIG = """
targets:
  home: {kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m, context: 16384}
  big: {kind: openai, zone: cloud, base_url: "https://cloud.invalid/v1", model: big-1, context: 400000}
models:
  auto: {}
  local: {targets: [home]}
keys:
  codex: {secret: "env:CODEX_KEY"}
  claude-code: {secret: "env:CLAUDE_KEY"}
  laptop: {secret: "env:LAPTOP_KEY", models: [local]}
  boss: {secret: "env:BOSS_KEY", admin: true}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a person's folder, with a configuration in it and nothing else."""
    monkeypatch.chdir(tmp_path)
    for name in ("CODEX_HOME", "CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "LLM_USER_PATH", "ADUANA_KEY", "CLAUDE_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CODEX_KEY", "sk-codex-1")
    (tmp_path / "aduana.yaml").write_text(CONFIG)
    return tmp_path


def said(capsys) -> str:
    """Return what was printed, on one line."""
    captured = capsys.readouterr()
    return " ".join((captured.out + captured.err).split())


def test_the_list_has_every_app_and_fits_a_terminal(home, capsys):
    """At 80 columns nothing is wider, and no word is broken in two."""
    assert main(["connect"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n{name}" in f"\n{printed}" for name in APPS)
    assert max(map(len, printed.splitlines())) <= 80
    words = {word for app in APPS.values() for word in app.title.split()}
    assert words <= set(printed.split())


def test_settings_have_the_address_the_key_and_the_window(home, capsys):
    """They come from aduana.yaml; an app's key is its namesake."""
    assert main(["connect", "codex"]) == 0
    printed = capsys.readouterr().out
    assert 'base_url = "http://127.0.0.1:8484/v1"' in printed
    assert 'env_key = "CODEX_KEY"' in printed
    assert "model_context_window = 16384" in printed
    assert "export CODEX_KEY=sk-codex-1" in printed
    assert "--window" not in printed


def test_a_program_reads_the_same(home, capsys):
    """`--json` has every part, the fields and the variables."""
    assert main(["connect", "openai", "--key", "codex", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["variables"]["OPENAI_API_KEY"] == "sk-codex-1"
    assert report["parts"][0]["format"] == "sh"
    assert main(["connect", "--json"]) == 0
    assert {app["name"] for app in json.loads(capsys.readouterr().out)} == set(APPS)


def test_a_key_that_is_not_here_is_not_made_up(home, capsys):
    """The settings show a place for it and say why; no file is written with that."""
    assert main(["connect", "claude-code"]) == 0
    printed = said(capsys)
    assert '"ANTHROPIC_AUTH_TOKEN": "your key"' in printed
    assert "env:CLAUDE_KEY" in printed
    assert "digest" in printed
    assert main(["connect", "claude-code", "--write"]) == 2
    assert not (home / ".claude").exists()
    assert main(["connect", "claude-code", "--write", "--key-env", "CODEX_KEY"]) == 0
    assert "sk-codex-1" in (home / ".claude" / "settings.json").read_text()


def test_a_key_that_a_command_made_is_the_apps_own(home, capsys, monkeypatch):
    """Of a key by `aduana keys` only its holder has the secret: a variable that holds it is named, or it is missing."""
    monkeypatch.setenv("ADUANA_STATE_DIR", str(home / "state"))
    (home / "aduana.yaml").write_text(CONFIG[: CONFIG.index("keys:")])
    assert main(["keys", "create", "--app", "codex", "--models", "local"]) == 0
    secret = capsys.readouterr().out.strip()
    assert main(["connect", "codex"]) == 0
    printed = said(capsys)
    assert "digest" in printed
    assert secret not in printed
    monkeypatch.setenv("CODEX_SECRET", secret)
    assert main(["connect", "codex", "--key-env", "CODEX_SECRET", "--json"]) == 0
    assert secret in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["zed"], "Which key does zed get? Say it with --key: codex, claude-code, laptop."),
        (["zed", "--key", "none"], "There is no key 'none'. There are: codex, claude-code, laptop, boss."),
        (["codx"], "Did you mean codex"),
        (["--write"], "Which app?"),
        (["n8n", "--key", "codex", "--write"], "not in a file that is known here"),
        (["librechat", "--key", "codex", "--write"], "say where with --file"),
        (["n8n", "--key", "codex", "--", "n8n"], "takes no settings from its environment"),
        (["codex", "--url", "localhost"], "is not an address"),
        (["codex", "--url", "http://x", "--key-env", "sk-1-2"], "wants the name of a variable"),
        (["codex", "--key", "laptop", "--model", "auto"], "No model auto can be asked for here. There are: local."),
        (["codex", "--", "/nowhere/codex"], "can't be started"),
    ],
)
def test_what_can_not_be_done_is_told(home, capsys, monkeypatch, arguments, answer):
    """The message says what to do, and the exit status is 2."""
    monkeypatch.setenv("LAPTOP_KEY", "sk-laptop-1")
    assert main(["connect", *arguments]) == 2
    assert answer in said(capsys)


def test_writing_and_undoing(home, capsys):
    """A value of the person's is told, not replaced, until they say so; all of it comes back."""
    config = home / ".codex" / "config.toml"
    config.parent.mkdir()
    config.write_text('# mine\nmodel = "gpt-5.5"\n')
    assert main(["connect", "codex", "--write"]) == 1
    assert 'model: "gpt-5.5" → "auto"' in said(capsys)
    assert config.read_text() == '# mine\nmodel = "gpt-5.5"\n'
    assert main(["connect", "codex", "--write", "--replace"]) == 0
    assert "variable CODEX_KEY" in said(capsys)
    assert "sk-codex" not in config.read_text()
    assert main(["connect", "codex", "--write"]) == 0
    assert "has these settings already" in said(capsys)
    assert main(["connect", "codex", "--undo"]) == 0
    assert config.read_text() == '# mine\nmodel = "gpt-5.5"\n'
    assert main(["connect", "codex", "--undo"]) == 1


def test_another_persons_key_is_not_shown(home, capsys):
    """What stood in the file may be a secret of somebody's."""
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"env": {"ANTHROPIC_AUTH_TOKEN": "sk-ant-private"}}')
    assert main(["connect", "claude-code", "--write", "--key", "codex"]) == 1
    printed = said(capsys)
    assert "ANTHROPIC_AUTH_TOKEN: (another key) → (this key)" in printed
    assert "sk-ant" not in printed


def test_a_file_elsewhere(home):
    """`--file` writes for one project, and into files whose place only the person knows."""
    assert main(["connect", "opencode", "--key", "codex", "--write", "--file", "opencode.json"]) == 0
    assert json.loads((home / "opencode.json").read_text())["model"] == "aduana/auto"
    assert main(["connect", "librechat", "--key", "codex", "--write", "--file", "librechat.yaml"]) == 0
    assert "${CODEX_KEY}" in (home / "librechat.yaml").read_text()
    assert "host.docker.internal" in (home / "librechat.yaml").read_text()


def test_a_gateway_on_another_machine(home, capsys):
    """With its address no configuration is needed here, and `/v1` may stand behind it."""
    (home / "aduana.yaml").unlink()
    arguments = ["--url", "https://ai.house:8484/v1/", "--key-env", "CODEX_KEY", "--model", "local", "--window", "9000"]
    assert main(["connect", "aider", *arguments]) == 0
    printed = capsys.readouterr().out
    assert "openai-api-base: https://ai.house:8484/v1\n" in printed
    assert "openai-api-key: sk-codex-1\n" in printed
    assert '"max_input_tokens": 7875' in printed


def test_defaults_are_told_to_be_defaults(home, capsys):
    """Without a configuration the settings are those of a gateway without keys, which is said."""
    (home / "aduana.yaml").unlink()
    assert main(["connect", "codex"]) == 0
    printed = said(capsys)
    assert "There is no aduana.yaml here: these are defaults." in printed
    assert "env_key" not in printed
    (home / ".config" / "aduana").mkdir(parents=True)
    (home / ".config" / "aduana" / "aduana.yaml").write_text(CONFIG)
    assert main(["connect", "codex"]) == 0
    assert "CODEX_KEY" in said(capsys)


def test_it_speaks_spanish(home, capsys, monkeypatch):
    """Where the locale is Spanish."""
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    assert main(["connect", "n8n"]) == 2
    assert "¿Qué clave recibe n8n?" in said(capsys)
    assert main(["connect", "n8n", "--key", "codex"]) == 0
    printed = said(capsys)
    assert "elige el modelo de la lista" in printed
    assert "Probarlo: aduana connect n8n --check" in printed


def started(home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Return what a command printed that was started with the settings."""
    command = [sys.executable, "-m", "gateway", "connect", *arguments]
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=60)


def test_an_app_is_started_with_everything_set(home, monkeypatch):
    """Its own options stay its own; Codex gets its settings as options; no file is written."""
    show = "import os, sys; print(os.environ['ANTHROPIC_BASE_URL'], os.environ['ANTHROPIC_AUTH_TOKEN'], sys.argv[1:])"
    done = started(home, "claude-code", "--key", "codex", "--", sys.executable, "-c", show, "--check", "--", "x")
    assert done.stdout == "http://127.0.0.1:8484 sk-codex-1 ['--check', '--', 'x']\n", done.stderr
    fake = home / "bin" / "codex"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$CODEX_KEY" "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    done = started(home, "codex", "--")
    lines = done.stdout.splitlines()
    assert lines[0] == "sk-codex-1", done.stderr
    assert 'model="auto"' in lines
    assert any(line.startswith('model_providers.aduana={name = "Aduana"') for line in lines)
    assert not (home / ".claude").exists()
    assert not (home / ".codex").exists()
