"""How each command line is told to use the gateway, and how it is asked to do a task without a person beside it.

Most are told by `aduana connect … --write`, as a person would do it. Its tests hold it against the pages in docs/apps/.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.environments import node_environment, python_environment
from tests.clients.house import KEY
from tests.clients.scripted_model import CHECK, FILE

TASKS = Path(__file__).parent / "tasks"
REPOSITORY = Path(__file__).resolve().parents[2]
WINDOW = 200_000  # tokens, as in the house


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """A command without its prompt, what is run once before it, and the variables that both need."""

    preparation: tuple[str | Path, ...] = ()
    command: tuple[str | Path, ...]
    env: dict[str, str] = field(default_factory=dict)


# Told from the gateway's address, a folder for its settings, and the model that it shall ask for.
Setup = Callable[[str, Path, str], CommandLine]


def written(app: str, url: str, model: str, env: dict[str, str]) -> dict[str, str]:
    """Have `aduana connect` write an app's settings, and return the environment in which the app finds them."""
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "ADUANA_KEY": KEY}
    command = [*connecting(app, url, model), "--write"]
    subprocess.run(command, env=own | env, check=True, stdout=subprocess.DEVNULL)
    return env


def connecting(app: str, url: str, model: str) -> list[str]:
    """Return the command that connects an app to the gateway of a test."""
    options = ("--url", url, "--key-env", "ADUANA_KEY", "--model", model, "--window", str(WINDOW))
    return [sys.executable, "-m", "gateway", "connect", app, *options]


def codex(url: str, settings: Path, model: str) -> CommandLine:
    """Return Codex, which reads `config.toml` and speaks Responses."""
    env = written("codex", url, model, {"CODEX_HOME": str(settings)})
    program = node_environment("codex") / "node_modules/.bin/codex"
    options = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    effort = ("-c", 'model_reasoning_effort="high"')
    return CommandLine(command=(program, "exec", *effort, *options), env=env | {"ADUANA_KEY": KEY})


def claude_code(url: str, settings: Path, model: str) -> CommandLine:
    """Return Claude Code, which reads variables in `settings.json` and speaks Anthropic's messages."""
    env = written("claude-code", url, model, {"CLAUDE_CONFIG_DIR": str(settings)})
    program = node_environment("claude-code") / "node_modules/.bin/claude"
    return CommandLine(command=(program, "--print", "--allowedTools=Read,Edit,Bash"), env=env)


def opencode(url: str, settings: Path, model: str) -> CommandLine:
    """Return opencode, which reads `opencode.json` and speaks chat completions."""
    env = written("opencode", url, model, {"XDG_CONFIG_HOME": str(settings)})
    program = node_environment("opencode") / "node_modules/.bin/opencode"
    return CommandLine(command=(program, "run"), env=env | {"ADUANA_KEY": KEY, "OPENCODE_DISABLE_MODELS_FETCH": "1"})


def cline(url: str, settings: Path, model: str) -> CommandLine:
    """Return Cline, which keeps what `cline auth` is told and speaks chat completions."""
    file = settings / "global-settings.json"
    file.write_text(json.dumps({"telemetryOptOut": True}))
    program = node_environment("cline") / "node_modules/.bin/cline"
    return CommandLine(
        preparation=(
            program,
            "auth",
            "openai-compatible",
            "--baseurl",
            f"{url}/v1",
            "--apikey",
            KEY,
            "--modelid",
            model,
        ),
        command=(program,),
        env={
            "CLINE_GLOBAL_SETTINGS_PATH": str(file),
            "CLINE_SESSION_BACKEND_MODE": "local",
        },  # without a process that stays behind
    )


def continue_cli(url: str, settings: Path, model: str) -> CommandLine:
    """Return Continue, which reads `config.yaml` and speaks chat completions."""
    written("continue", url, model, {"CONTINUE_GLOBAL_DIR": str(settings)})
    program = node_environment("continue") / "node_modules/.bin/cn"
    return CommandLine(command=(program, "--config", settings / "config.yaml", "--auto", "--print"))


def aider(url: str, settings: Path, model: str) -> CommandLine:
    """Return aider, which speaks chat completions through litellm; it runs the check itself after each change."""
    env = written("aider", url, model, {"HOME": str(settings)})
    options = ("--yes-always", "--no-git", "--no-show-release-notes")
    check = ("--auto-test", "--test-cmd", f"{sys.executable} {CHECK}")
    return CommandLine(
        command=(python_environment("aider") / "aider", *options, *check, "--file", FILE, "--message"),
        env=env | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )


def llm(url: str, settings: Path, model: str) -> CommandLine:
    """Return llm, which reads `extra-openai-models.yaml` and speaks chat completions."""
    env = written("llm", url, model, {"LLM_USER_PATH": str(settings)})
    functions = settings / "tools.py"
    functions.write_text((TASKS / "workspace.py").read_text().split("TOOLS = ")[0])
    return CommandLine(
        command=(python_environment("llm") / "llm", "-m", "aduana", "--functions", functions),
        env=env | {"GATEWAY_URL": url, "GATEWAY_KEY": KEY},
    )


def started(app: str, url: str, model: str, settings: Path) -> CommandLine:
    """Return an app that `aduana connect … -- …` starts, without a settings file of its own."""
    check = ("--auto-test", "--test-cmd", f"{sys.executable} {CHECK}")
    programs: dict[str, tuple[str | Path, ...]] = {
        "codex": (
            node_environment("codex") / "node_modules/.bin/codex",
            *("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"),
        ),
        "claude-code": (
            node_environment("claude-code") / "node_modules/.bin/claude",
            *("--print", "--allowedTools=Read,Edit,Bash"),
        ),
        "opencode": (node_environment("opencode") / "node_modules/.bin/opencode", "run"),
        "aider": (
            python_environment("aider") / "aider",
            *("--yes-always", "--no-git", "--no-show-release-notes", *check, "--file", FILE, "--message"),
        ),
    }
    folders = dict.fromkeys(("HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME"), str(settings))
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    return CommandLine(
        command=(*connecting(app, url, model), "--", *programs[app]),
        env={"PYTHONPATH": str(REPOSITORY), "ADUANA_KEY": KEY} | folders | quiet,
    )
