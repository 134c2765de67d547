"""Agents for a terminal."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.cli.connect.app import App, Connection, Dialect, Field, Format, Place, SettingsFile


def _claude_code(to: Connection) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": to.url,
        "ANTHROPIC_AUTH_TOKEN": to.key_text,
        "ANTHROPIC_MODEL": to.model,
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(to.window),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def _key_variable(to: Connection) -> Mapping[str, str]:
    return {to.key_env: to.key_text} if to.needs_key else {}


def _codex_provider(to: Connection) -> dict[str, str]:
    provider = {"name": "Aduana", "base_url": to.v1, "env_key": to.key_env, "wire_api": "responses"}
    if not to.needs_key:
        del provider["env_key"]  # Codex does not start where that variable is not set
    return provider


def _codex(to: Connection) -> dict[str, Any]:
    return {
        "model": to.model,
        "model_provider": "aduana",
        "model_context_window": to.window,
        "check_for_update_on_startup": False,
        "analytics": {"enabled": False},
        "features": {"plugins": False},
        "model_providers": {"aduana": _codex_provider(to)},
    }


def _codex_options(to: Connection) -> tuple[str, ...]:
    """Return Codex' settings as options: their values are TOML, in which JSON's strings and numbers mean the same."""
    settings = _codex(to)
    provider = ", ".join(f"{name} = {json.dumps(value)}" for name, value in _codex_provider(to).items())
    values = {name: json.dumps(value) for name, value in settings.items() if not isinstance(value, dict)} | {
        "analytics.enabled": "false",
        "features.plugins": "false",
        "model_providers.aduana": f"{{{provider}}}",
    }
    return tuple(word for name, value in values.items() for word in ("-c", f"{name}={value}"))


def _opencode(to: Connection) -> dict[str, Any]:
    key = f"{{env:{to.key_env}}}" if to.needs_key else to.key_text
    limit = {"context": to.window, "output": to.answer_tokens}
    return {
        "$schema": "https://opencode.ai/config.json",
        "model": f"aduana/{to.model}",
        "small_model": f"aduana/{to.model}",
        "share": "disabled",
        "provider": {
            "aduana": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "Aduana",
                "options": {"baseURL": to.v1, "apiKey": key},
                "models": {to.model: {"name": "Aduana", "limit": limit}},
            }
        },
    }


def _opencode_variables(to: Connection) -> Mapping[str, str]:
    return {**_key_variable(to), "OPENCODE_CONFIG_CONTENT": json.dumps(_opencode(to))}


def _aider(to: Connection) -> dict[str, Any]:
    return {
        "model": f"openai/{to.model}",
        "openai-api-base": to.v1,
        "openai-api-key": to.key_text,
        "edit-format": "diff",
        "analytics-disable": True,
        "check-update": False,
        "show-model-warnings": False,
    }


def _aider_variables(to: Connection) -> Mapping[str, str]:
    return {
        f"AIDER_{name.upper().replace('-', '_')}": str(value).lower() if isinstance(value, bool) else value
        for name, value in _aider(to).items()
    }


def _aider_window(to: Connection) -> dict[str, Any]:
    return {
        f"openai/{to.model}": {
            "max_input_tokens": to.window - to.answer_tokens,
            "max_output_tokens": to.answer_tokens,
            "litellm_provider": "openai",
            "mode": "chat",
        }
    }


def _cline(to: Connection) -> str:
    key = f'"${to.key_env}"' if to.needs_key else to.key_text
    return f"cline auth openai-compatible --baseurl {to.v1} --apikey {key} --modelid {to.model}"


AGENTS = (
    App(
        name="claude-code",
        title="Claude Code",
        dialect=Dialect.MESSAGES,
        files=(
            SettingsFile(
                format=Format.JSON,
                values=lambda to: {"env": _claude_code(to)},
                place=Place(folder="~/.claude", variable="CLAUDE_CONFIG_DIR", names=("settings.json",)),
                holds_key=True,
            ),
        ),
        variables=_claude_code,
        program="claude",
        notes=(
            "Its prompts are long: a model at home needs a window of 32768 tokens or more.",
            "With your own key or subscription it is set up another way: see its page.",
        ),
    ),
    App(
        name="codex",
        title="Codex",
        dialect=Dialect.RESPONSES,
        files=(
            SettingsFile(
                format=Format.TOML,
                values=_codex,
                place=Place(folder="~/.codex", variable="CODEX_HOME", names=("config.toml",)),
            ),
        ),
        variables=_key_variable,
        program="codex",
        arguments=_codex_options,
        key_in_environment=True,
        notes=("Codex chooses its tools by the model's name: one that it does not know gets the simplest.",),
    ),
    App(
        name="opencode",
        title="opencode",
        dialect=Dialect.CHAT,
        files=(
            SettingsFile(
                format=Format.JSON,
                values=_opencode,
                place=Place(
                    folder="~/.config/opencode",
                    variable="XDG_CONFIG_HOME",
                    inside="opencode",
                    names=("opencode.json", "opencode.jsonc"),
                ),
            ),
        ),
        variables=_opencode_variables,
        program="opencode",
        key_in_environment=True,
        notes=("OPENCODE_DISABLE_MODELS_FETCH=1 keeps it from asking models.dev for a list of models.",),
    ),
    App(
        name="aider",
        title="aider",
        dialect=Dialect.CHAT,
        files=(
            SettingsFile(
                format=Format.YAML,
                values=_aider,
                place=Place(folder="~", names=(".aider.conf.yml",)),
                holds_key=True,
            ),
            SettingsFile(
                format=Format.JSON,
                values=_aider_window,
                place=Place(folder="~", names=(".aider.model.metadata.json",)),
            ),
        ),
        variables=_aider_variables,
        program="aider",
        notes=("Small models do better with 'edit-format: whole'.",),
    ),
    App(
        name="cline",
        title="Cline",
        dialect=Dialect.CHAT,
        where="Settings → API Provider → OpenAI Compatible",
        fields=(
            Field(label="Base URL", value="{v1}"),
            Field(label="API Key", value="{key}"),
            Field(label="Model ID", value="{model}"),
            Field(label="Context Window Size", value="{window}"),
        ),
        commands=_cline,
        notes=("Cline reports to its makers, past the gateway: its page says how to stop most of that.",),
    ),
)
