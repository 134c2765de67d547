"""Programs and libraries: what is set in their environment, or typed in a shell."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.cli.connect.app import App, Connection, Dialect, Field, Format, Place, SettingsFile


def _llm(to: Connection) -> list[dict[str, Any]]:
    return [
        {
            "model_id": "aduana",
            "model_name": to.model,
            "api_base": to.v1,
            "api_key_name": "aduana",
            "supports_tools": True,
        }
    ]


def _openai(to: Connection) -> Mapping[str, str]:
    return {"OPENAI_BASE_URL": to.v1, "OPENAI_API_BASE": to.v1, "OPENAI_API_KEY": to.key_text}


def _anthropic(to: Connection) -> Mapping[str, str]:
    return {"ANTHROPIC_BASE_URL": to.url, "ANTHROPIC_API_KEY": to.key_text}


def _curl(to: Connection) -> str:
    body = {"model": to.model, "messages": [{"role": "user", "content": "Why is the sky blue?"}], "stream": True}
    key = f' -H "authorization: Bearer ${to.key_env}"' if to.needs_key else ""
    return (
        f"curl -N {to.v1}/chat/completions{key} \\\n  -H 'content-type: application/json' \\\n  -d '{json.dumps(body)}'"
    )


_LLM = "~/.config/io.datasette.llm"
_LLM_MAC = "~/Library/Application Support/io.datasette.llm"

PROGRAMS = (
    App(
        name="llm",
        title="llm",
        dialect=Dialect.CHAT,
        files=(
            SettingsFile(
                format=Format.YAML,
                values=_llm,
                place=Place(folder=_LLM, mac=_LLM_MAC, variable="LLM_USER_PATH", names=("extra-openai-models.yaml",)),
            ),
            SettingsFile(
                format=Format.JSON,
                values=lambda to: {"aduana": to.key_text},
                place=Place(folder=_LLM, mac=_LLM_MAC, variable="LLM_USER_PATH", names=("keys.json",)),
                holds_key=True,
            ),
        ),
        notes=("Then: llm -m aduana 'Why is the sky blue?'",),
    ),
    App(
        name="openai",
        title="OpenAI's SDKs, LangChain",
        dialect=Dialect.CHAT,
        variables=_openai,
        program="python",
        notes=("The model's name stands in the program: write 'auto', or a name under 'models'.",),
    ),
    App(
        name="anthropic",
        title="Anthropic's SDKs",
        dialect=Dialect.MESSAGES,
        variables=_anthropic,
        program="python",
        notes=("The model's name stands in the program: write 'auto', or a name under 'models'.",),
    ),
    App(
        name="ollama",
        title="Ollama's clients",
        dialect=Dialect.OLLAMA,
        variables=lambda to: {"OLLAMA_HOST": to.url},
        program="ollama",
        notes=(
            "Ollama's own command sends no key: it needs a gateway that answers without one.",
            "Apps that look for Ollama at port 11434 and nowhere else: server: {ollama_port: 11434}.",
        ),
    ),
    App(
        name="a1111",
        title="AUTOMATIC1111's clients",
        dialect=Dialect.A1111,
        where="Settings → Stable Diffusion WebUI",
        fields=(
            Field(label="URL", value="{url}"),
            Field(label="Authentication (user:password)", value="aduana:{key}"),
        ),
        notes=("Pictures need a target that makes them: see docs/pictures.md.",),
    ),
    App(name="curl", title="curl", dialect=Dialect.CHAT, commands=_curl),
)
