"""Servers that the gateway starts and stops, as a user meets them: beside an embedded model in one memory."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gateway.cli import main
from gateway.engine.llama.footprint import footprint_of
from gateway.engine.llama.gguf import read_header
from gateway.engine.settings import EngineSettings
from tests.standins import llama_server
from tests.standins.gateway import RunningGateway, starter_models
from tests.standins.machine import starter
from tests.standins.server import PICTURE

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

CONFIG = """
models_dir: {models}
engine: {{memory: {memory} MB}}
targets:
  home: {{kind: embedded, model: smollm2, context: 1024, slots: 2, threads: 1}}
  painter:
    kind: server
    model: brush
    cwd: {root}
    command: [{python}, -m, tests.standins.server, "{{port}}", --key-from, SERVER_KEY, --note, {note}]
    env: {{SERVER_KEY: "{{key}}"}}
    memory: 100 MB
    stop_seconds: 5
    endpoints: [chat, embeddings, images]
  llama:
    kind: server
    model: smollm2
    cwd: {root}
    command: [{python}, -m, tests.standins.llama_server, "{{port}}", {file}, 1024, 2, 1]
    env: {{LLAMA_API_KEY: "{{key}}"}}
    memory: 100 MB
    unload_after: 1
keys:
  boss: {{secret: "env:BOSS_KEY", admin: true}}
"""
BOSS = "key-of-the-boss"


class House:
    """A gateway and ways to ask it."""

    def __init__(self, gateway: RunningGateway, http: aiohttp.ClientSession, note: Path) -> None:
        self.gateway = gateway
        self.note = note
        self._http = http

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and answer of a request."""
        headers = {"Authorization": f"Bearer {BOSS}"}
        async with self._http.request(method, self.gateway.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def chat(self, model: str, tokens: int = 3) -> tuple[int, Any]:
        """Return a short answer."""
        body = {"model": model, "max_tokens": tokens, "messages": [{"role": "user", "content": "my card is broken"}]}
        return await self.ask("POST", "/v1/chat/completions", body)

    async def picture(self) -> tuple[int, Any]:
        """Return a picture."""
        return await self.ask("POST", "/v1/images/generations", {"model": "painter", "prompt": "a cat"})

    async def states(self) -> dict[str, str]:
        """Return the state of each model."""
        _, report = await self.ask("GET", "/admin/models")
        return {model["target"]: model["state"] for model in report["models"]}

    async def until(self, target: str, state: str) -> None:
        """Wait until a model is in a state."""
        async with asyncio.timeout(60):
            while (await self.states())[target] != state:  # noqa: ASYNC110 - people look at it as well
                await asyncio.sleep(0.05)

    async def metric(self, line: str) -> float:
        """Return one figure of the metrics."""
        async with self._http.get(self.gateway.url + "/metrics") as answer:
            text = await answer.text()
        found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.M)
        assert found, line
        return float(found[1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Start the gateway with room for the embedded model or a server, not for both."""
    folder = tmp_path_factory.mktemp("managed")
    models = starter_models(folder / "models")
    need = footprint_of(read_header(models / "smollm2.gguf"), EngineSettings(model="m", context=1024, slots=2)).total
    note = folder / "lives"
    config = CONFIG.format(
        models=models,
        memory=(need + 50_000_000) // 10**6,
        root=ROOT,
        python=sys.executable,
        note=note,
        file=starter(),
    )
    async with RunningGateway(folder, config, env={"BOSS_KEY": BOSS, "OPENAI_API_KEY": "the cloud's"}) as gateway:
        await gateway.until_ready()
        async with aiohttp.ClientSession() as http:
            yield House(gateway, http, note)


async def test_an_embedded_model_gives_way_to_a_server_and_comes_back(house: House) -> None:
    """No request is lost, one's memory is back before the other takes it, and the waits are counted."""
    assert await house.states() == {"home": "loaded", "painter": "unloaded", "llama": "unloaded"}
    assert (await house.chat("home"))[0] == 200
    status, answer = await house.picture()
    assert (status, answer["data"]) == (200, [{"b64_json": PICTURE}])
    assert await house.states() == {"home": "unloaded", "painter": "loaded", "llama": "unloaded"}
    answers = await asyncio.gather(
        house.chat("home"), house.picture(), house.chat("home"), house.picture(), house.chat("home")
    )
    assert [status for status, _ in answers] == [200] * 5
    starts = [line.split() for line in house.note.read_text().splitlines() if line.startswith("start")]
    assert [engines for _, _, engines in starts] == ["0"] * len(starts)
    _, report = await house.ask("GET", "/admin/models")
    assert report["memory_used"] <= report["memory"]
    for model in ("brush", "smollm2"):
        assert await house.metric(f'aduana_model_wait_seconds_count{{model="{model}"}}') >= 1
    assert await house.metric('aduana_model_wait_seconds_sum{model="brush"}') > 0


async def test_a_server_serves_what_its_target_names(house: House) -> None:
    """Vectors come from it as well; what it does not serve goes elsewhere or is refused."""
    status, answer = await house.ask("POST", "/v1/embeddings", {"model": "painter", "input": "a cat"})
    assert (status, answer["data"][0]["embedding"]) == (200, [1.0, 0.0])
    status, answer = await house.ask("POST", "/v1/rerank", {"model": "painter", "query": "q", "documents": ["d"]})
    assert (status, answer["error"]["code"]) == (400, "not_supported")


async def test_a_server_sees_no_cloud_key_and_its_prompts_are_nowhere(house: House) -> None:
    """It has few of the gateway's variables, and what it prints of requests is in no log."""
    _, answer = await house.chat("painter")
    said = answer["choices"][0]["message"]["content"]
    assert "the cloud's" not in said
    assert "BOSS_KEY" not in said
    assert "my card is broken" not in house.gateway.log


async def test_people_start_stop_and_see_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands, Ollama's words, readiness and metrics tell of servers as of embedded models."""

    async def aduana(*words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["models", *words, "--url", house.gateway.url, "--key", BOSS])
        return code, capsys.readouterr().out

    assert await aduana("load", "painter") == (0, "painter is loaded.\n")
    lines = {line.split()[0]: line for line in (await aduana("ps"))[1].splitlines()}
    assert "0.1 GB, 4 x ?" in lines["painter"]
    assert "instead of painter" in lines["home"]
    _, listed = await house.ask("GET", "/api/ps")
    assert [(model["name"], model["size"]) for model in listed["models"]] == [("painter", 100_000_000)]
    assert await house.metric('aduana_model_loaded{target="painter"}') == 1
    assert await house.metric('aduana_model_memory_bytes{target="painter"}') == 1e8
    assert await aduana("unload", "painter") == (0, "painter is unloaded.\n")
    assert await asyncio.to_thread(main, ["models", "fit", "--config", str(house.gateway.config)]) == 0
    assert "painter            0.10 GB: as configured; 0.00 of it on GPUs; its server starts on demand" in (
        capsys.readouterr().out
    )
    _, ready = await house.ask("GET", "/readyz")
    assert ready["targets"]["painter"] == "loads when it is asked for"


@pytest.mark.skipif(not llama_server.is_installed(), reason="xllamacpp is not installed")
async def test_llama_cpps_own_server_answers_and_stops_when_it_is_idle(house: House) -> None:
    """A real server with real weights: started by a chat, asked with its key, stopped after a second of rest."""
    status, answer = await house.chat("llama", tokens=8)
    assert status == 200, answer
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] == 8
    assert (await house.states())["llama"] == "loaded"
    await house.until("llama", "unloaded")
    assert (await house.chat("llama"))[0] == 200


async def test_servers_end_with_a_gateway_that_is_killed(tmp_path: Path) -> None:
    """Nothing is left of a server, even if nobody could stop it."""
    note = tmp_path / "lives"
    command = [sys.executable, "-m", "tests.standins.server", "{port}", "--note", str(note), "--daughter"]
    config = (
        f"targets:\n  painter: {{kind: server, model: m, cwd: {ROOT}, load: start, stop_seconds: 2,\n"
        f"    command: {json.dumps(command)}}}\n"
    )
    async with RunningGateway(tmp_path, config) as gateway:
        await gateway.until_ready()
        pid = int(note.read_text().split()[1])
        assert gateway.process is not None
        gateway.process.send_signal(signal.SIGKILL)
        await gateway.process.wait()
        async with asyncio.timeout(30):
            while os.path.exists(f"/proc/{pid}"):  # noqa: ASYNC110 - nobody is left to announce it
                await asyncio.sleep(0.02)


async def test_what_can_not_be_started_is_found_by_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing program, a need above the memory, a need that nobody stated: the gateway would not start."""
    config = tmp_path / "aduana.yaml"
    config.write_text(
        "engine: {memory: 1 GB}\n"
        "targets:\n"
        '  a: {kind: server, model: m, command: [no-such-program, "{port}"], memory: 100 MB}\n'
        '  b: {kind: server, model: m, command: [sh, "{port}"], memory: 2 GB}\n'
        '  c: {kind: server, model: m, command: [sh, "{port}"]}\n'
        '  d: {kind: server, model: m, command: [sh, "{port}"], memory: 1 MB, cwd: nowhere}\n'
        '  e: {kind: server, model: m, command: [sh, "{port}"], memory: 1 MB, log: nowhere/e.log}\n'
    )
    assert await asyncio.to_thread(main, ["check", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert "targets.a.command: there is no program 'no-such-program'" in said
    assert "targets.b: its model needs 2.0 GB (0.0 of it on GPUs), and there are 1.0 GB (engine.memory)" in said
    assert "targets.c: say how much its server takes ('memory')" in said
    assert "targets.d.cwd: there is no directory" in said
    assert "targets.e.log: there is no directory" in said
