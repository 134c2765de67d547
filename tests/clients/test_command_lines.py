"""Command lines, as people install them, do a whole task through the gateway."""

import pytest

from tests.clients import command_lines
from tests.clients.command_lines import Setup
from tests.clients.house import PROMPTS, open_house

# Each with the model it asks for, its dialect, the requests that a whole task takes, and the machines that it asks past
# the gateway (the beginnings of their names). Codex offers other tools for models that it knows: a patch as plain text
# for gpt-5.5, and one tool that runs JavaScript for gpt-6.2-sol.
CLIENTS = [
    pytest.param(command_lines.codex, "auto", "openai", 4, (), id="codex"),
    pytest.param(command_lines.codex, "gpt-5.5", "openai", 4, (), id="codex-patch"),
    pytest.param(command_lines.codex, "gpt-6.2-sol", "openai", 4, (), id="codex-code"),
    pytest.param(command_lines.claude_code, "auto", "anthropic", 4, (), id="claude-code"),
    pytest.param(command_lines.opencode, "auto", "openai", 4, ("registry.",), id="opencode"),  # npm's
    pytest.param(command_lines.cline, "auto", "openai", 4, ("data.cline.bot",), id="cline"),
    pytest.param(command_lines.continue_cli, "auto", "openai", 4, (), id="continue"),
    pytest.param(command_lines.aider, "auto", "openai", 1, ("raw.githubusercontent.com",), id="aider"),
    pytest.param(command_lines.llm, "auto", "openai", 4, (), id="llm"),
]


@pytest.mark.parametrize("way", ["home", "cloud", "anthropic", "responses"])
@pytest.mark.parametrize(("setup", "model", "dialect", "requests", "elsewhere"), CLIENTS)
async def test_a_command_line_does_a_whole_task(tmp_path, setup: Setup, model, dialect, requests, elsewhere, way):
    """The file is changed and the check told; sensitive data stayed home, addresses left masked and came back.

    Nobody else is asked than who is known to be.
    """
    settings = tmp_path / "settings"
    settings.mkdir()
    async with open_house(tmp_path, way=way) as house:
        client = setup(house.gateway.url, settings, model)
        if client.preparation:
            await house.run(*client.preparation, env=client.env)
        await house.run(*client.command, PROMPTS[way], env=client.env)
        await house.assert_done(way=way, dialect=dialect, requests=requests)
        assert [name for name in house.elsewhere.asked if not name.startswith(elsewhere)] == []


@pytest.mark.parametrize(
    ("app", "dialect", "requests"),
    [("codex", "openai", 4), ("claude-code", "anthropic", 4), ("opencode", "openai", 4), ("aider", "openai", 1)],
)
async def test_an_app_that_connect_starts_does_a_whole_task(tmp_path, app, dialect, requests):
    """With what `aduana connect APP -- COMMAND` sets in its environment, and no settings file at all."""
    settings = tmp_path / "settings"
    settings.mkdir()
    async with open_house(tmp_path, way="cloud") as house:
        client = command_lines.started(app, house.gateway.url, "auto", settings)
        await house.run(*client.command, PROMPTS["cloud"], env=client.env)
        await house.assert_done(way="cloud", dialect=dialect, requests=requests)
