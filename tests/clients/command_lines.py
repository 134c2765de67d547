"""How each command line is told to use the gateway, and how it is asked to do a task without a person beside it.

What is set here is what its page in docs/apps/ says.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.environments import node_environment, python_environment
from tests.clients.house import KEY
from tests.clients.scripted_model import CHECK, FILE

TASKS = Path(__file__).parent / "tasks"


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """A command without its prompt, what is run once before it, and the variables that both need."""

    preparation: tuple[str | Path, ...] = ()
    command: tuple[str | Path, ...]
    env: dict[str, str] = field(default_factory=dict)


# Told from the gateway's address, a folder for its settings, and the model that it shall ask for.
Setup = Callable[[str, Path, str], CommandLine]


def codex(url: str, settings: Path, model: str) -> CommandLine:
    """Return Codex, which reads `config.toml` and speaks Responses."""
    (settings / "config.toml").write_text(
        f'model = "{model}"\nmodel_provider = "aduana"\nmodel_reasoning_effort = "high"\n'
        "check_for_update_on_startup = false\nanalytics = {enabled = false}\nfeatures = {plugins = false}\n\n"
        f'[model_providers.aduana]\nname = "Aduana"\nbase_url = "{url}/v1"\n'
        'env_key = "ADUANA_KEY"\nwire_api = "responses"\n'
    )
    program = node_environment("codex") / "node_modules/.bin/codex"
    options = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    return CommandLine(command=(program, "exec", *options), env={"CODEX_HOME": str(settings), "ADUANA_KEY": KEY})


def claude_code(url: str, settings: Path, model: str) -> CommandLine:
    """Return Claude Code, which reads variables and speaks Anthropic's messages."""
    program = node_environment("claude-code") / "node_modules/.bin/claude"
    return CommandLine(
        command=(program, "--print", "--model", model, "--allowedTools=Read,Edit,Bash"),
        env={
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CONFIG_DIR": str(settings),
        },
    )


def opencode(url: str, settings: Path, model: str) -> CommandLine:
    """Return opencode, which reads `opencode.json` and speaks chat completions."""
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Aduana",
        "options": {"baseURL": url + "/v1", "apiKey": KEY},
        "models": {model: {"name": "Aduana", "limit": {"context": 32768, "output": 4096}}},
    }
    file = settings / "opencode.json"
    file.write_text(json.dumps({"provider": {"aduana": provider}, "share": "disabled", "autoupdate": False}))
    program = node_environment("opencode") / "node_modules/.bin/opencode"
    return CommandLine(
        command=(program, "run", "--model", f"aduana/{model}"),
        env={"OPENCODE_CONFIG": str(file), "OPENCODE_DISABLE_MODELS_FETCH": "1"},
    )


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
    file = settings / "config.yaml"
    file.write_text(
        "name: Aduana\nversion: 1.0.0\nschema: v1\nmodels:\n"
        f'  - {{name: Aduana, provider: openai, model: {model}, apiBase: "{url}/v1", apiKey: "{KEY}",\n'
        "     roles: [chat, edit, apply], capabilities: [tool_use]}\n"
    )
    program = node_environment("continue") / "node_modules/.bin/cn"
    return CommandLine(command=(program, "--config", file, "--auto", "--print"))


def aider(url: str, settings: Path, model: str) -> CommandLine:
    """Return aider, which speaks chat completions through litellm; it runs the check itself after each change."""
    options = ("--yes-always", "--no-git", "--no-check-update", "--no-show-release-notes", "--no-show-model-warnings")
    check = ("--auto-test", "--test-cmd", f"{sys.executable} {CHECK}")
    return CommandLine(
        command=(
            python_environment("aider") / "aider",
            *("--model", f"openai/{model}", "--edit-format", "diff", *options, *check, "--file", FILE, "--message"),
        ),
        env={"OPENAI_API_BASE": url + "/v1", "OPENAI_API_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )


def llm(url: str, settings: Path, model: str) -> CommandLine:
    """Return llm, which reads `extra-openai-models.yaml` and speaks chat completions."""
    (settings / "extra-openai-models.yaml").write_text(
        f"- {{model_id: aduana, model_name: {model}, api_base: '{url}/v1', api_key_name: aduana,\n"
        "   supports_tools: true}\n"
    )
    (settings / "keys.json").write_text(json.dumps({"aduana": KEY}))
    functions = settings / "tools.py"
    functions.write_text((TASKS / "workspace.py").read_text().split("TOOLS = ")[0])
    return CommandLine(
        command=(python_environment("llm") / "llm", "-m", "aduana", "--functions", functions),
        env={"LLM_USER_PATH": str(settings), "GATEWAY_URL": url, "GATEWAY_KEY": KEY},
    )
