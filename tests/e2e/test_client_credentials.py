"""A caller's own key for a provider through the whole gateway: where it arrives, and that it stays nowhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app.wiring import running
from gateway.settings import Settings
from tests.standins.anthropic_cloud import StandInAnthropic
from tests.standins.cloud import StandInCloud

POLICY = """
version: 1
labels: {default: public, tags: {health: sensitive}}
otherwise: {prefer: [claude, gpt, other, home]}
"""
OWN = "the-clients-own-provider-key"
HOUSE = "a-key-of-the-gateway"
ASK = {"model": "auto", "max_tokens": 20, "messages": [{"role": "user", "content": "Say hello, please."}]}
MESSAGES, CHAT, RESPONSES, OLLAMA = "/v1/messages", "/v1/chat/completions", "/v1/responses", "/api/chat"
BEARER = {"Authorization": f"Bearer {OWN}"}
API_KEY = {"x-api-key": OWN}


class House:
    """A running gateway, a client of it, two providers that want the client's key, one that does not, and a home."""

    def __init__(self, session: aiohttp.ClientSession, url: str, places: dict[str, StandInCloud]) -> None:
        self.session = session
        self.url = url
        self.places = places

    async def ask(self, path: str, headers: dict[str, str], **fields: Any) -> tuple[int, str, str]:
        """Return status, answering target and body of a request."""
        body = {**ASK, **fields}
        if path == RESPONSES:
            body = {"model": "auto", "input": "Say hello, please.", **fields}
        async with self.session.post(self.url + path, json=body, headers=headers) as response:
            return response.status, response.headers.get("x-aduana-target", ""), await response.text()

    def asked(self) -> list[str]:
        """Return the places that got a request of the client's."""
        return [name for name, place in self.places.items() if any(place.bodies)]

    def with_key(self) -> list[str]:
        """Return the places to which the client's key came."""
        return [name for name, place in self.places.items() if OWN in json.dumps(place.headers) + place.arrived]


@asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncIterator[House]:
    """Open a house under the policy."""
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "key").write_text("the-owners-key")
    (folder / "house").write_text(HOUSE)
    async with StandInAnthropic() as claude, StandInCloud() as gpt, StandInCloud() as other, StandInCloud() as home:
        of_client = {"credential": "client", "ceiling": "public", "retries": 0}
        chat = {"kind": "openai", "model": "m"}
        whole = Settings(
            server={"port": 0},
            state_dir=folder / "state",
            policy=(folder / "policy.yaml",),
            responses={"store": "on"},
            targets={
                "claude": {"kind": "anthropic", "base_url": claude.address, "model": "c", **of_client},
                "gpt": {**chat, "zone": "cloud", "base_url": gpt.base_url, **of_client},
                "other": {**chat, "zone": "cloud", "base_url": other.base_url, "api_key": f"file:{folder / 'key'}"},
                "home": {**chat, "zone": "local", "base_url": home.base_url},
            },
            **settings,
        )
        places = {"claude": claude, "gpt": gpt, "other": other, "home": home}
        async with running(whole) as gateway, aiohttp.ClientSession() as session:
            yield House(session, gateway.url, places)


@pytest.mark.parametrize(
    ("path", "headers", "target"),
    [
        (MESSAGES, API_KEY, "claude"),
        (MESSAGES, BEARER, "claude"),
        (CHAT, BEARER, "gpt"),
        (CHAT, API_KEY, "claude"),
        (RESPONSES, BEARER, "gpt"),
        (OLLAMA, BEARER, "gpt"),
        (CHAT, {}, "other"),
        (MESSAGES, {}, "other"),
        (CHAT, {**BEARER, "x-aduana-tags": "health"}, "home"),
    ],
)
async def test_the_key_reaches_its_provider_and_stays_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], path: str, headers: dict[str, str], target: str
) -> None:
    """The key is at the one provider that it came for, in no file, log, metric or answer; without one the next answers.

    So it is for an answer that is stored, and for a request that is repeated under its `Idempotency-Key`.
    """
    async with opened(tmp_path, log={"level": "debug"}) as house:
        for _ in range(2):
            status, answered, body = await house.ask(path, {**headers, "Idempotency-Key": "k1"})
            assert (status, answered) == (200, target), body
            assert OWN not in body
        assert len(list(filter(None, house.places[target].bodies))) == 1
        wanted = [target] if target in ("claude", "gpt") else []
        assert house.with_key() == wanted
        async with house.session.get(house.url + "/metrics") as metrics:
            assert OWN not in await metrics.text()
    out, err = capfd.readouterr()
    assert OWN not in out + err
    for file in (tmp_path / "state").rglob("*"):
        assert not file.is_file() or OWN.encode() not in file.read_bytes(), file


async def test_where_the_gateway_has_keys_its_own_comes_beside(tmp_path: Path) -> None:
    """With a gateway's key in `x-aduana-key` the other one goes on; a gateway's key in another place goes nowhere."""
    async with opened(tmp_path, keys={"ana": {"secret": f"file:{tmp_path / 'house'}"}}) as house:
        assert (await house.ask(CHAT, BEARER))[0] == 401
        assert (await house.ask(CHAT, {**BEARER, "x-aduana-key": "wrong"}))[0] == 401
        assert house.asked() == []
        assert (await house.ask(CHAT, {"Authorization": f"Bearer {HOUSE}"}))[:2] == (200, "other")
        assert (await house.ask(CHAT, {"Authorization": f"Bearer {HOUSE}", **API_KEY}))[:2] == (200, "other")
        assert house.with_key() == []
        assert (await house.ask(CHAT, {**BEARER, "x-aduana-key": HOUSE}))[:2] == (200, "gpt")
        assert house.with_key() == ["gpt"]
        assert HOUSE not in json.dumps([place.headers for place in house.places.values()])


@pytest.mark.parametrize(
    ("path", "model", "told"),
    [(MESSAGES, "claude", "authentication_error"), (CHAT, "gpt", "authentication_error"), (OLLAMA, "gpt", "error")],
)
async def test_a_request_without_a_key_is_told_what_to_send(tmp_path: Path, path: str, model: str, told: str) -> None:
    """Where no other target may answer, the error is 401 in the client's dialect, and says which header to set."""
    async with opened(tmp_path) as house:
        status, _, body = await house.ask(path, {}, model=model)
        assert status == 401
        assert told in body
        assert "x-aduana-key" in body
        assert house.asked() == []
        status, _, _ = await house.ask(path, API_KEY if model == "claude" else BEARER, model=model)
        assert status == 200


async def test_a_batch_has_no_key_of_its_client(tmp_path: Path) -> None:
    """Nobody is there when a line of a batch is answered: targets that want the client's key are passed over."""
    line = {"custom_id": "a", "method": "POST", "url": CHAT, "body": ASK}
    async with opened(tmp_path, batches={"store": "on", "when": "always"}) as house:
        form = aiohttp.FormData({"purpose": "batch"})
        form.add_field("file", json.dumps(line).encode(), filename="in.jsonl")
        async with house.session.post(f"{house.url}/v1/files", data=form, headers=BEARER) as response:
            file = (await response.json())["id"]
        new = {"input_file_id": file, "endpoint": CHAT, "completion_window": "24h"}
        async with house.session.post(f"{house.url}/v1/batches", json=new, headers=BEARER) as response:
            batch = (await response.json())["id"]
        async with asyncio.timeout(30):
            while not (ended := await _batch(house, batch)).get("completed_at"):  # noqa: ASYNC110 - of another task
                await asyncio.sleep(0.02)
        assert ended["request_counts"] == {"total": 1, "completed": 1, "failed": 0}
        assert house.asked() == ["other"]
        assert house.with_key() == []


async def _batch(house: House, batch: str) -> dict[str, Any]:
    async with house.session.get(f"{house.url}/v1/batches/{batch}") as response:
        found: dict[str, Any] = await response.json()
    return found
