"""Libraries that people write agents with do a whole task through the gateway, in each dialect that they speak."""

import pytest

from tests.clients.command_lines import TASKS
from tests.clients.environments import node_environment, python_environment
from tests.clients.house import KEY, PROMPTS, open_house

# Each way of speaking, with the dialect that the gateway hears and the requests that a whole task takes.
PYTHON = {
    "openai_agents": {"responses": ("openai", 4), "chat": ("openai", 4)},
    "pydantic_ai": {"chat": ("openai", 4), "responses": ("openai", 4), "anthropic": ("anthropic", 4)},
    "instructor": {"tools": ("openai", 2), "json": ("openai", 2)},
    "langchain": {
        "chat": ("openai", 4),
        "responses": ("openai", 4),
        "anthropic": ("anthropic", 4),
        "ollama": ("ollama", 4),
    },
    "litellm": {"openai": ("openai", 4), "anthropic": ("anthropic", 4), "ollama_chat": ("ollama", 4)},
    "ollama": {"chat": ("ollama", 4)},
}
NODE = {"compatible": ("openai", 4), "chat": ("openai", 4), "responses": ("openai", 4), "anthropic": ("anthropic", 4)}


def _cases(table):
    return [(name, speaks, *facts) for name, ways in table.items() for speaks, facts in ways.items()]


@pytest.mark.parametrize("way", ["home", "cloud"])
@pytest.mark.parametrize(("name", "speaks", "dialect", "requests"), _cases(PYTHON))
async def test_a_python_library_does_a_whole_task(tmp_path, name, speaks, dialect, requests, way):
    """The file is changed and the check told; sensitive data stayed home, addresses left masked and came back."""
    python = python_environment(name.replace("_", "-")) / "python"
    async with open_house(tmp_path, way=way) as house:
        env = {"GATEWAY_URL": house.gateway.url, "GATEWAY_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        await house.run(python, TASKS / f"{name}_task.py", PROMPTS[way], speaks, env=env)
        await house.assert_done(way=way, dialect=dialect, requests=requests)
        assert house.elsewhere.asked == set()


@pytest.mark.parametrize("way", ["home", "cloud"])
@pytest.mark.parametrize(("speaks", "dialect", "requests"), [(speaks, *facts) for speaks, facts in NODE.items()])
async def test_vercels_sdk_does_a_whole_task(tmp_path, speaks, dialect, requests, way):
    """The file is changed and the check told; sensitive data stayed home, addresses left masked and came back."""
    packages = node_environment("vercel-ai")
    async with open_house(tmp_path, way=way) as house:
        env = {"GATEWAY_URL": house.gateway.url, "GATEWAY_KEY": KEY, "NODE_PACKAGES": str(packages)}
        await house.run("node", TASKS / "vercel_ai_task.mjs", PROMPTS[way], speaks, env=env)
        await house.assert_done(way=way, dialect=dialect, requests=requests)
        assert house.elsewhere.asked == set()
