"""Clouds whose key stands in the environment: which variable is whose, and a target for each. Pure.

Of a variable only the name is looked at, and whether it is empty. Models as providers listed them in November 2026;
each has a price in genai-prices, so that budgets and savings know it.
"""

from collections.abc import Mapping

import msgspec


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, the variables that usually hold its key, and what a target of it says."""

    target: str
    title: str
    variables: tuple[str, ...]
    model: str
    kind: str = "openai"
    base_url: str = ""  # empty: the kind knows it


CLOUDS = (
    Cloud(
        target="openai",
        title="OpenAI",
        variables=("OPENAI_API_KEY",),
        base_url="https://api.openai.com/v1",
        model="gpt-5.4",
    ),
    Cloud(
        target="anthropic",
        title="Anthropic",
        variables=("ANTHROPIC_API_KEY",),
        kind="anthropic",
        model="claude-sonnet-5-5",
    ),
    Cloud(
        target="gemini",
        title="Google Gemini",
        variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        kind="gemini",
        model="gemini-3.8-flash",
    ),
    Cloud(
        target="mistral",
        title="Mistral",
        variables=("MISTRAL_API_KEY",),
        base_url="https://api.mistral.ai/v1",
        model="mistral-medium-latest",
    ),
    Cloud(
        target="deepseek",
        title="DeepSeek",
        variables=("DEEPSEEK_API_KEY",),
        base_url="https://api.deepseek.com/v1",
        model="deepseek-v4-pro",
    ),
    Cloud(
        target="openrouter",
        title="OpenRouter",
        variables=("OPENROUTER_API_KEY",),
        base_url="https://openrouter.ai/api/v1",
        model="z-ai/glm-5.3",
    ),
    Cloud(
        target="groq",
        title="Groq",
        variables=("GROQ_API_KEY",),
        base_url="https://api.groq.com/openai/v1",
        model="openai/gpt-oss-120b",
    ),
    Cloud(target="xai", title="xAI", variables=("XAI_API_KEY",), base_url="https://api.x.ai/v1", model="grok-4.7"),
)


class CloudKey(msgspec.Struct, frozen=True, kw_only=True):
    """A cloud, and the variable of this environment that holds its key. Never the key."""

    cloud: Cloud
    variable: str


def keys_in(environ: Mapping[str, str]) -> tuple[CloudKey, ...]:
    """Return the clouds whose key is in this environment."""
    return tuple(
        CloudKey(cloud=cloud, variable=variable)
        for cloud in CLOUDS
        for variable in [next((name for name in cloud.variables if environ.get(name, "").strip()), "")]
        if variable
    )
