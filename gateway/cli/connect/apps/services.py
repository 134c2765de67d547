"""Apps with pages of their own, most of them in containers."""

from typing import Any

from gateway.cli.connect.app import FROM_CONTAINER, App, Connection, Dialect, Field, Format, SettingsFile

_HOST = {"extra_hosts": [f"{FROM_CONTAINER}:host-gateway"]}


def _open_webui(to: Connection) -> dict[str, Any]:
    environment = {"OPENAI_API_BASE_URL": to.v1, "OPENAI_API_KEY": to.key_text, "ENABLE_OLLAMA_API": "false"}
    return {
        "services": {
            "open-webui": {"image": "ghcr.io/open-webui/open-webui", "environment": environment} | _extra_hosts(to)
        }
    }


def _paperless(to: Connection) -> dict[str, Any]:
    environment = {
        "LLM_PROVIDER": "openai",
        "LLM_MODEL": to.model,
        "OPENAI_BASE_URL": to.v1,
        "OPENAI_API_KEY": to.key_text,
        "VISION_LLM_PROVIDER": "openai",
        "VISION_LLM_MODEL": to.model,
        "OCR_PROVIDER": "llm",
    }
    return {
        "services": {"paperless-gpt": {"image": "icereed/paperless-gpt", "environment": environment} | _extra_hosts(to)}
    }


def _extra_hosts(to: Connection) -> dict[str, Any]:
    return _HOST if FROM_CONTAINER in to.url else {}


def _librechat(to: Connection) -> dict[str, Any]:
    endpoint = {
        "name": "Aduana",
        "apiKey": f"${{{to.key_env}}}" if to.needs_key else to.key_text,
        "baseURL": to.v1,
        "models": {"default": [to.model], "fetch": True},
        "titleConvo": True,
        "titleModel": to.model,
        "modelDisplayLabel": "Aduana",
    }
    return {"version": "1.2.8", "endpoints": {"custom": [endpoint]}}


def _anythingllm(to: Connection) -> dict[str, str]:
    return {
        "LLM_PROVIDER": "generic-openai",
        "GENERIC_OPEN_AI_BASE_PATH": to.v1,
        "GENERIC_OPEN_AI_MODEL_PREF": to.model,
        "GENERIC_OPEN_AI_MODEL_TOKEN_LIMIT": str(to.window),
        "GENERIC_OPEN_AI_API_KEY": to.key_text,
    }


def _frigate(to: Connection) -> dict[str, Any]:
    provider = {
        "provider": "ollama",
        "base_url": to.url,
        "api_key": to.key_text,
        "model": to.model,
        "roles": ["descriptions", "chat"],
    }
    return {"genai": {"aduana": provider}}


SERVICES = (
    App(
        name="open-webui",
        title="Open WebUI",
        dialect=Dialect.CHAT,
        files=(SettingsFile(format=Format.YAML, values=_open_webui, name="compose.yaml", holds_key=True),),
        container=True,
        notes=(
            "It reads these variables only when it starts for the first time; afterwards what its page says counts: "
            "Admin Panel → Settings → Connections.",
        ),
    ),
    App(
        name="librechat",
        title="LibreChat",
        dialect=Dialect.CHAT,
        files=(SettingsFile(format=Format.YAML, values=_librechat, name="librechat.yaml"),),
        variables=lambda to: {to.key_env: to.key_text} if to.needs_key else {},
        container=True,
        key_in_environment=True,
        notes=(
            "The variable stands in LibreChat's .env. ENDPOINTS=custom,agents there keeps people from choosing a "
            "provider past the gateway.",
        ),
    ),
    App(
        name="anythingllm",
        title="AnythingLLM",
        dialect=Dialect.CHAT,
        variables=_anythingllm,
        where="Settings → AI Providers → LLM → Generic OpenAI",
        fields=(
            Field(label="Base URL", value="{v1}"),
            Field(label="API Key", value="{key}"),
            Field(label="Chat Model Name", value="{model}"),
            Field(label="Token context window", value="{window}"),
        ),
        container=True,
        notes=("The variables are for its container's .env; on its page the same are fields.",),
    ),
    App(
        name="jan",
        title="Jan",
        dialect=Dialect.CHAT,
        where="Settings → Model Providers → Add Provider",
        fields=(
            Field(label="Name", value="Aduana"),
            Field(label="Base URL", value="{v1}"),
            Field(label="API Key", value="{key}"),
            Field(label="Model ID", value="{model}"),
        ),
    ),
    App(
        name="n8n",
        title="n8n",
        dialect=Dialect.CHAT,
        where="Credentials → OpenAI",
        fields=(Field(label="API Key", value="{key}"), Field(label="Base URL", value="{v1}")),
        elsewhere=True,
        notes=("In the node OpenAI Chat Model, choose the model from the list.",),
    ),
    App(
        name="home-assistant",
        title="Home Assistant",
        dialect=Dialect.OLLAMA,
        where="Settings → Devices & services → Add integration → Ollama",
        fields=(
            Field(label="URL", value="{url}"),
            Field(label="API key", value="{key}"),
            Field(label="Model", value="{model}"),
        ),
        elsewhere=True,
        notes=("Its OpenAI integration has no field for an address; its Ollama integration has.",),
    ),
    App(
        name="nextcloud",
        title="Nextcloud",
        dialect=Dialect.CHAT,
        where="Administration settings → Artificial intelligence → OpenAI and LocalAI integration",
        fields=(
            Field(label="Service URL", value="{v1}"),
            Field(label="API key", value="{key}"),
            Field(label="Default completion model", value="{model}"),
            Field(label="Text completion endpoint", value="chat completions"),
        ),
        elsewhere=True,
        notes=(
            "Nextcloud refuses to call addresses on a local network unless its config.php has "
            "'allow_local_remote_servers' => true.",
            "Files and mails of everybody go through this one key: give it a tag that keeps them at home.",
        ),
    ),
    App(
        name="frigate",
        title="Frigate",
        dialect=Dialect.OLLAMA,
        files=(SettingsFile(format=Format.YAML, values=_frigate, name="config.yml", holds_key=True),),
        elsewhere=True,
        notes=("The model must see: an embedded target with 'mmproj', or a server at home whose model does.",),
    ),
    App(
        name="paperless-gpt",
        title="paperless-gpt",
        dialect=Dialect.CHAT,
        files=(SettingsFile(format=Format.YAML, values=_paperless, name="docker-compose.yml", holds_key=True),),
        container=True,
        notes=(
            "The two lines with VISION_ and OCR_PROVIDER are for a model that sees; leave them out otherwise.",
            "Scanned letters are bank statements and doctors' letters: give its key a tag that keeps them at home.",
        ),
    ),
)
