"""Editors, and assistants inside of them."""

from typing import Any

from gateway.cli.connect.app import App, Connection, Dialect, Field, Format, Place, SettingsFile


def _continue(to: Connection) -> dict[str, Any]:
    model = {
        "name": "Aduana",
        "provider": "openai",
        "model": to.model,
        "apiBase": to.v1,
        "apiKey": to.key_text,
        "roles": ["chat", "edit", "apply"],
        "capabilities": ["tool_use"],
        "defaultCompletionOptions": {"contextLength": to.window},
    }
    return {"name": "Aduana", "version": "1.0.0", "schema": "v1", "models": [model]}


def _zed(to: Connection) -> dict[str, Any]:
    model = {
        "name": to.model,
        "display_name": "Aduana",
        "max_tokens": to.window,
        "max_output_tokens": to.answer_tokens,
        "capabilities": {"tools": True, "images": False, "parallel_tool_calls": True, "prompt_cache_key": False},
    }
    return {
        "language_models": {"openai_compatible": {"Aduana": {"api_url": to.v1, "available_models": [model]}}},
        "agent": {"default_model": {"provider": "Aduana", "model": to.model}},
    }


EDITORS = (
    App(
        name="continue",
        title="Continue",
        dialect=Dialect.CHAT,
        files=(
            SettingsFile(
                format=Format.YAML,
                values=_continue,
                place=Place(folder="~/.continue", variable="CONTINUE_GLOBAL_DIR", names=("config.yaml",)),
                holds_key=True,
            ),
        ),
        notes=("Completion while you type wants a model that was trained to fill gaps; it was not tried.",),
    ),
    App(
        name="zed",
        title="Zed",
        dialect=Dialect.CHAT,
        files=(
            SettingsFile(
                format=Format.JSON,
                values=_zed,
                place=Place(folder="~/.config/zed", variable="XDG_CONFIG_HOME", inside="zed", names=("settings.json",)),
            ),
        ),
        variables=lambda to: {"ADUANA_API_KEY": to.key_text},
        program="zed",
        key_in_environment=True,
        notes=(
            "The key does not belong in that file: Zed takes it from its page of providers, or from ADUANA_API_KEY.",
            "Suggestions while you type come from Zed's own service unless you turn them off.",
        ),
    ),
    App(
        name="roo-code",
        title="Roo Code",
        dialect=Dialect.CHAT,
        where="Settings → Providers → API Provider → OpenAI Compatible",
        fields=(
            Field(label="Base URL", value="{v1}"),
            Field(label="API Key", value="{key}"),
            Field(label="Model", value="{model}"),
            Field(label="Context Window", value="{window}"),
        ),
    ),
    App(
        name="cursor",
        title="Cursor",
        dialect=Dialect.CHAT,
        where="Settings → Models → API Keys",
        fields=(
            Field(label="OpenAI API Key", value="{key}"),
            Field(label="Override OpenAI Base URL", value="{v1}"),
            Field(label="Custom model", value="{model}"),
        ),
        notes=(
            "Cursor sends every request through its makers' servers, also with an address of your own: what you type "
            "has left your house before the gateway sees it, and an address of this machine can't be reached from "
            "there.",
            "For data that must stay, use an editor that asks the gateway itself: Zed, or VS Code with Continue.",
        ),
    ),
    App(
        name="obsidian",
        title="Obsidian",
        dialect=Dialect.CHAT,
        where="Settings → Copilot → Model → Add Custom Model",
        fields=(
            Field(label="Model Name", value="{model}"),
            Field(label="Provider", value="3rd party (OpenAI format)"),
            Field(label="Base URL", value="{v1}"),
            Field(label="API Key", value="{key}"),
            Field(label="Enable CORS", value="on"),
        ),
        notes=("Without 'Enable CORS' its page must be allowed: server: {allowed_origins: [\"app://obsidian.md\"]}.",),
    ),
)
