"""API keys that commands make, beside a gateway that runs: they count, are renewed and end without a restart."""

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

CONFIG = """
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: small, context: 32768}}
policy: {policy}
inspection: {{names: off, judge: {{mode: off}}}}
"""
POLICY = """
version: 1
otherwise: {prefer: [home]}
"""
ASKED = {"model": "auto", "messages": [{"role": "user", "content": "What is a harbour?"}]}
ENDLESS = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "Go on for ever."}]}


class Talkative(StandInCloud):
    """A server at home that never ends an answer to a stream that asks for one."""

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        if b"for ever" not in await request.read():
            return await super()._chat(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # only whoever asked ends it
            while True:
                await response.write(self._frame({"content": "and "}, None, {}))
                await asyncio.sleep(0.02)
        return response


class House:
    """A running gateway, and the command beside it."""

    def __init__(self, gateway: RunningGateway) -> None:
        self.gateway = gateway
        self.folder = gateway.folder

    async def keys(self, *words: str) -> tuple[str, str]:
        """Run `aduana keys`, and return what it prints and what it tells."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "keys", *words, "--config", str(self.gateway.config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"ADUANA_STATE_DIR": str(self.folder / "state"), "COLUMNS": "200"},
        )  # fmt: skip
        out, told = await process.communicate()
        assert process.returncode == 0, told.decode()
        return out.decode().strip(), told.decode()

    async def make(self, name: str, *options: str) -> str:
        """Make a key, wait until it counts, and return its secret."""
        secret, _ = await self.keys("create", "--app", name, *options)
        await self.until(secret, 200)
        return secret

    async def ask(self, secret: str | None, path: str = "/v1/models", body: object = None) -> tuple[int, Any]:
        """Return status and answer of a request with this key."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with (
            aiohttp.ClientSession() as session,
            session.request("POST" if body else "GET", self.gateway.url + path, json=body, headers=headers) as answer,
        ):
            return answer.status, json.loads(await answer.read())

    async def until(self, secret: str | None, status: int, path: str = "/v1/models", body: object = None) -> Any:
        """Wait until a request with this key has this status, and return the answer."""
        async with asyncio.timeout(30):
            while True:
                found, answer = await self.ask(secret, path, body)
                if found == status:
                    return answer
                await asyncio.sleep(0.02)

    async def settlements(self, key: str, count: int) -> list[tuple[Any, ...]]:
        """Wait for so many settlements of a key's requests, and return outcome, error and target of each."""
        query = "SELECT outcome, error, target FROM receipts r JOIN settlements USING (seq) WHERE r.key = ?"
        async with asyncio.timeout(30):
            while True:
                rows = self.ledger(query, key)
                if len(rows) == count:
                    return rows
                await asyncio.sleep(0.02)

    def ledger(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows of the ledger."""
        file = (self.folder / "state" / "ledger.sqlite3").as_uri()
        with closing(sqlite3.connect(f"{file}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Start a gateway without keys, and a server at home."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "policy.yaml").write_text(POLICY)
    async with Talkative() as home:
        config = CONFIG.format(home=home.base_url, policy=folder / "policy.yaml")
        async with RunningGateway(folder, config) as gateway:
            await gateway.until_ready()
            yield House(gateway)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_first_key_closes_the_door(house: House):
    """Until there is a key nobody needs one; from the first on everybody does. The command says so."""
    assert (await house.ask(None))[0] == 200
    secret, told = await house.keys("create", "--app", "first", "--tags", "office", "--budget", "5/month", "--admin")
    assert "first key" in told
    assert secret not in told
    refused = await house.until(None, 401)
    assert refused["error"]["code"] == "invalid_api_key"
    status, answer = await house.ask(secret, "/v1/chat/completions", ASKED)
    assert (status, answer["object"]) == (200, "chat.completion")
    assert house.ledger("SELECT key, tags FROM receipts ORDER BY seq DESC LIMIT 1") == [("first", '["office"]')]
    assert (await house.ask(secret[:-1]))[1]["error"]["message"].startswith("This API key is mistyped")
    assert (await house.ask(secret, "/admin/models"))[0] == 200


async def test_a_new_secret_and_the_old_one_both_count_for_a_while(house: House):
    """A rotation leaves time to change an app; one without that ends the old secret at once, and says so to it."""
    old = await house.make("rotated")
    new, told = await house.keys("rotate", "rotated")
    assert "Both count until" in told
    await house.until(new, 200)
    assert (await house.ask(old))[0] == 200
    newest, _ = await house.keys("rotate", "rotated", "--overlap", "0")
    for ended in (old, new):
        assert (await house.until(ended, 401))["error"]["code"] == "key_revoked"
    assert (await house.ask(newest))[0] == 200


OPEN = {
    "/v1/chat/completions": ({}, b'"code":"key_revoked"'),
    "/v1/messages": ({"max_tokens": 100_000}, b"event: error"),
    "/api/chat": ({}, b'{"error":'),
}


async def test_a_revoked_key_ends_its_open_streams(house: House):
    """An answer that is being streamed ends with an error in the client's own words, and is settled as one."""
    secret, other = await house.make("revoked"), await house.make("other")
    headers = {"Authorization": f"Bearer {secret}"}
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        answers = {}
        for path, (further, _) in OPEN.items():
            answer = await stack.enter_async_context(session.post(house.gateway.url + path, json=ENDLESS | further))
            assert answer.status == 200
            await answer.content.readuntil(b"and ")
            answers[path] = answer
        await house.keys("revoke", "revoked")
        rests = {path: await answer.content.read() for path, answer in answers.items()}  # revoking alone ends them
    for path, (_, end) in OPEN.items():
        last = rests[path][-600:]
        assert (end in last, b"This API key was revoked" in last) == (True, True), last
    assert (await house.until(secret, 401))["error"]["code"] == "key_revoked"
    assert (await house.ask(other))[0] == 200
    assert await house.settlements("revoked", len(OPEN)) == [("error", "key_revoked", "home")] * len(OPEN)


async def test_the_limits_of_a_key_hold(house: House):
    """What was said when the key was made holds for its requests, and for no other key's."""
    few, many = await house.make("few", "--rpm", "1"), await house.make("many")
    found = [await house.ask(secret, "/v1/chat/completions", ASKED) for secret in (few, few, many, many)]
    assert [status for status, _ in found] == [200, 429, 200, 200]
    assert found[1][1]["error"]["code"] == "rate_limit_exceeded"
    await house.keys("change", "few", "--rpm", "none")
    await house.until(few, 200, "/v1/chat/completions", ASKED)
    assert (await house.ask(few, "/v1/chat/completions", ASKED))[0] == 200


async def test_a_policy_may_name_a_key_that_was_just_made(house: House):
    """A rule for a key counts as soon as both are there; a policy that names a key nobody made is refused."""
    secret = await house.make("ruled", "--admin")
    policy = house.folder / "policy.yaml"
    policy.write_text(
        POLICY + "keys: {ruled: {rules: [{name: not this one, when: {stream: false}, refuse: Not here.}]}}\n"
    )
    refused = await house.until(secret, 403, "/v1/chat/completions", ASKED)
    assert refused["error"]["code"] == "policy_refused"
    policy.write_text(POLICY)


async def test_keys_are_listed_with_what_they_used(house: House):
    """The lists show every key, its limits and its use, and no secret: not on the page of the console either."""
    secret = await house.make(
        "counted", "--user", "Ana", "--rpm", "60", "--expires", "90d", "--models", "auto", "--admin"
    )
    assert (await house.ask(secret, "/v1/chat/completions", ASKED))[0] == 200
    async with asyncio.timeout(30):
        while True:
            used = {one["key"]: one for one in json.loads((await house.keys("usage", "--json"))[0])}
            if used["counted"]["requests"]:
                break
    assert (used["counted"]["tokens_in"], used["counted"]["tokens_out"]) == (11, 5)
    listed, _ = await house.keys("list")
    for word in ("counted", "Ana", "60 rpm", "auto"):
        assert word in listed
    assert "revoked or expired" in listed
    kept = json.loads((await house.keys("list", "--json"))[0])["keys"]
    (counted,) = [one for one in kept if one["name"] == "counted"]
    assert counted["limits"] == {"requests_per_minute": 60}
    assert counted["last_used_at"] is not None
    session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {secret}"})
    async with session, session.get(house.gateway.url + "/console/keys") as answer:
        page = await answer.text()
    assert "counted" in page
    assert "60 requests a minute" in page
    for shown in (page, listed, house.gateway.log, json.dumps(kept)):
        assert secret not in shown
        assert secret[4:] not in shown
    for file in (house.folder / "state").iterdir():
        assert not file.is_file() or secret[4:].encode() not in file.read_bytes()


async def test_keys_are_made_before_the_first_start(tmp_path: Path):
    """Where no gateway has run yet, the command makes what the first start then takes over."""
    async with Talkative() as home:
        (tmp_path / "policy.yaml").write_text(POLICY)
        config = CONFIG.format(home=home.base_url, policy=tmp_path / "policy.yaml")
        gateway = RunningGateway(tmp_path, config)
        early = House(gateway)
        secret, told = await early.keys("create", "--app", "early")
        assert "next start" in told
        async with gateway:
            await gateway.until_ready()
            assert [(await early.ask(one))[0] for one in (secret, None)] == [200, 401]
            assert "state.lost" not in gateway.log
