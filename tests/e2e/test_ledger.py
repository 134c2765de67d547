"""The record while the gateway answers: a conversation is found by one of its requests, erased, and nothing else is."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = """
targets: {{home: {{kind: openai, zone: local, base_url: "{url}", model: home-1, context: 32000}}}}
responses: {{store: on}}
keys: {{ana: {{secret: "env:ANA"}}, ben: {{secret: "env:BEN"}}}}
"""
ENV = {"ANA": "ana-secret-1", "BEN": "ben-secret-1"}
FIRST = {"role": "user", "content": "Who keeps the keys of the harbour's old lighthouse these days?"}
MORE = ({"role": "assistant", "content": "The harbour master."}, {"role": "user", "content": "And at night?"})


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    """Start a gateway with one server at home and two keys."""
    async with StandInCloud() as home, RunningGateway(tmp_path, CONFIG.format(url=home.base_url), env=ENV) as gateway:
        yield gateway


async def aduana(gateway: RunningGateway, *arguments: str) -> tuple[int, str]:
    """Run `aduana ledger` beside the gateway, and return its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "ledger", *arguments, "--config", str(gateway.config),
        stdout=asyncio.subprocess.PIPE, env={"ADUANA_STATE_DIR": str(gateway.folder / "state"), **ENV, "PATH": ""},
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def requests(gateway: RunningGateway) -> set[str]:
    """Return the ids of all requests that the ledger has."""
    status, lines = await aduana(gateway, "export")
    assert status == 0
    return {json.loads(line)["request_id"] for line in lines.splitlines()}


async def test_a_conversation_is_erased_beside_the_gateway(gateway: RunningGateway) -> None:
    """All of its requests, whatever was appended; not another person's with the same words; answers go on."""
    async with aiohttp.ClientSession() as http:

        async def ask(secret: str, path: str = "chat/completions", **body: Any) -> str:
            headers = {"authorization": f"Bearer {secret}"}
            async with http.post(f"{gateway.url}/v1/{path}", json={"model": "auto", **body}, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
                return answer.headers["x-request-id"]

        talk = [await ask("ana-secret-1", messages=[FIRST]), await ask("ana-secret-1", messages=[FIRST, *MORE])]
        other = await ask("ben-secret-1", messages=[FIRST])
        stored = await ask("ana-secret-1", "responses", input="Which ships lie in the harbour of the old town today?")
        assert await requests(gateway) == {*talk, other, stored}
        assert (await aduana(gateway, "erase", "--conversation", talk[1], "--yes"))[0] == 0
        assert await requests(gateway) == {other, stored}
        status, told = await aduana(gateway, "erase", "--key", "ana", "--yes", "--json")
        assert (status, json.loads(told)["requests"], json.loads(told)["responses"]) == (0, 1, 1)
        gone = f"{gateway.url}/v1/responses/{stored.replace('req_', 'resp_')}"
        async with http.get(gone, headers={"authorization": "Bearer ana-secret-1"}) as answer:
            assert answer.status == 404
        after = await ask("ana-secret-1", messages=[FIRST])
        assert await requests(gateway) == {other, after}
        assert (await aduana(gateway, "verify"))[0] == 0
