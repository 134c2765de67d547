"""Agents do a whole task with inspection as it comes: names are searched for, and the judge reads what would leave."""

import pytest

from tests.clients import command_lines
from tests.clients.house import PROMPTS, open_house

CLIENTS = {
    "codex": (command_lines.codex, "openai"),
    "claude-code": (command_lines.claude_code, "anthropic"),
    "opencode": (command_lines.opencode, "openai"),
}
# What is asked, and what a policy lets out under pseudonyms. An address with a name in it is contact data and no more:
# masked, it leaves nobody.
WAYS = {
    "account": ("home", "contact, person"),
    "address": ("cloud", "contact, person"),
    "address, people not masked": ("cloud", "contact"),
}


@pytest.fixture(autouse=True)
def _as_it_comes(monkeypatch):
    """Start gateways without what other tests set, and with time enough on a busy machine: being late is a doubt."""
    for name in ("ADUANA_INSPECTION__NAMES", "ADUANA_INSPECTION__JUDGE__MODE"):
        monkeypatch.delenv(name)
    for name in ("ADUANA_INSPECTION__NAMES__SECONDS", "ADUANA_INSPECTION__JUDGE__SECONDS"):
        monkeypatch.setenv(name, "60")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CLIENTS)
async def test_an_agent_does_a_whole_task(tmp_path, name, way):
    """The task is done whole, and neither the account nor the address arrives in the cloud."""
    settings = tmp_path / "settings"
    settings.mkdir()
    (setup, dialect), (asked, masked) = CLIENTS[name], WAYS[way]
    async with open_house(tmp_path, way=asked, masked=masked) as house:
        client = setup(house.gateway.url, settings, "auto")
        await house.run(*client.command, PROMPTS[asked], env=client.env)
        await house.assert_done(way=asked, dialect=dialect, requests=4)
