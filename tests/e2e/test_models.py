"""Several models in one gateway, as a user meets them: the starter model under two names that don't fit together."""

import asyncio
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
from tests.engine.tiny import write_encoder
from tests.standins.gateway import RunningGateway, starter_models

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

CONFIG = """
models_dir: {models}
engine: {{memory: {memory} MB}}
targets:
  home: {{kind: embedded, model: smollm2, context: 1024, slots: 2, threads: 1}}
  other: {{kind: embedded, model: smollm2, context: 2048, slots: 2, threads: 1, load: on_demand, unload_after: 10 min}}
  ranker: {{kind: embedded, model: ranker, context: 128, slots: 1, threads: 1, load: on_demand, endpoints: [rerank]}}
keys:
  boss: {{secret: "env:BOSS_KEY", admin: true}}
  app: {{secret: "env:APP_KEY"}}
"""
BOSS, APP = "key-of-the-boss", "key-of-the-app"


class House:
    """A gateway and two ways to ask it."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self._http = http

    async def ask(self, method: str, path: str, body: object = None, key: str = BOSS) -> tuple[int, Any]:
        """Return status and answer of a request."""
        headers = {"Authorization": f"Bearer {key}"}
        async with self._http.request(method, self.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def chat(self, model: str) -> tuple[int, Any]:
        """Return a short answer."""
        body = {"model": model, "max_tokens": 3, "messages": [{"role": "user", "content": "hi"}]}
        return await self.ask("POST", "/v1/chat/completions", body, key=APP)

    async def states(self) -> dict[str, str]:
        """Return the state of each model."""
        _, report = await self.ask("GET", "/admin/models")
        return {model["target"]: model["state"] for model in report["models"]}


def room_for(path: Path) -> int:
    """Return the megabytes that hold either of the two models with the small one, and not both."""
    header = read_header(path)
    needs = [footprint_of(header, EngineSettings(model="m", context=size, slots=2)).total for size in (1024, 2048)]
    return (max(needs) + 90_000_000) // 10**6


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Start the gateway, and wait until it can answer."""
    folder = tmp_path_factory.mktemp("models")
    models = starter_models(folder / "models")
    write_encoder(models / "ranker.gguf", 4)
    config = CONFIG.format(models=models, memory=room_for(models / "smollm2.gguf"))
    async with RunningGateway(folder, config, env={"BOSS_KEY": BOSS, "APP_KEY": APP}) as gateway:
        await gateway.until_ready()
        async with aiohttp.ClientSession() as http:
            yield House(gateway.url, http)


async def test_a_model_is_loaded_for_its_first_request_and_gives_way(house: House) -> None:
    """Those that don't fit together take turns; who comes meanwhile waits and is answered."""
    assert await house.states() == {"home": "loaded", "other": "unloaded", "ranker": "unloaded"}
    status, answer = await house.chat("other")
    assert status == 200, answer
    assert (await house.states())["home"] == "unloaded"
    answers = await asyncio.gather(*(house.chat(name) for name in ("home", "other", "home", "other")))
    assert [status for status, _ in answers] == [200] * 4
    _, report = await house.ask("GET", "/admin/models")
    assert report["memory_used"] <= report["memory"]
    assert sum(model["state"] == "loaded" for model in report["models"]) == 1


async def test_ranking_through_the_whole_gateway(house: House) -> None:
    """The best first; a model that can't rank is told apart by the policy already."""
    body = {"model": "ranker", "query": "what is the cat", "documents": ["the bank", "a cat", "money"], "top_n": 2}
    status, answer = await house.ask("POST", "/v1/rerank", body, key=APP)
    assert status == 200, answer
    assert len(answer["results"]) == 2
    assert answer["results"][0]["relevance_score"] >= answer["results"][1]["relevance_score"]
    status, answer = await house.ask("POST", "/v1/rerank", body | {"model": "home"}, key=APP)
    assert status == 400
    assert answer["error"]["code"] == "not_supported"


async def test_administrators_load_and_unload(house: House) -> None:
    """Administrators load and unload models by HTTP, which ends the worker process; other keys may not."""
    status, report = await house.ask("POST", "/admin/models/home/load")
    assert (status, report["state"]) == (200, "loaded")
    status, report = await house.ask("POST", "/admin/models/home/unload")
    assert (status, report["state"]) == (200, "unloaded")
    assert (await house.ask("POST", "/admin/models/nobody/load"))[0] == 404
    for method, path in (("GET", "/admin/models"), ("POST", "/admin/models/home/load")):
        assert (await house.ask(method, path, key=APP))[0] == 403


async def test_ollamas_words(house: House) -> None:
    """`/api/ps` lists what is loaded; `keep_alive` says how long it stays, 0 unloads; only administrators may."""
    await house.ask("POST", "/api/generate", {"model": "other"})
    status, listed = await house.ask("GET", "/api/ps")
    names = [model["name"] for model in listed["models"]]
    assert (status, "other" in names, "home" in names) == (200, True, False)
    assert next(model["size"] for model in listed["models"] if model["name"] == "other") > 10**8
    await house.ask("POST", "/api/generate", {"model": "other", "keep_alive": 0}, key=APP)
    assert (await house.states())["other"] == "loaded"
    _, said = await house.ask("POST", "/api/generate", {"model": "other", "keep_alive": 0})
    assert said["done_reason"] == "unload"
    async with asyncio.timeout(60):
        while (await house.states())["other"] != "unloaded":  # noqa: ASYNC110 - facts are polled by people as well
            await asyncio.sleep(0.02)  # nobody announces it
    body = {"model": "other", "stream": False, "keep_alive": "90s", "options": {"num_predict": 2},
            "messages": [{"role": "user", "content": "hi"}]}  # fmt: skip
    assert (await house.ask("POST", "/api/chat", body))[0] == 200
    _, report = await house.ask("GET", "/admin/models")
    (other,) = [model for model in report["models"] if model["target"] == "other"]
    assert 60 < other["unloads_in"] <= 90


async def test_the_command_line(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """`aduana models` asks the running gateway, and prints what a person wants to know."""

    async def aduana(*words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["models", *words, "--url", house.url, "--key", BOSS])
        return code, *capsys.readouterr()

    assert (await aduana("load", "home"))[:2] == (0, "home is loaded.\n")
    code, told, _ = await aduana("ps")
    lines = {line.split()[0]: line for line in told.splitlines()}
    assert code == 0
    assert "loaded" in lines["home"]
    assert "instead of home" in lines["other"]
    assert "(engine.memory)" in lines["Memory"]
    assert (await aduana("unload", "home"))[:2] == (0, "home is unloaded.\n")
    code, _, problem = await aduana("load", "nobody")
    assert (code, "no target 'nobody'" in problem) == (2, True)
    assert "known once it is loaded" in (await aduana("show", "home"))[1]
    await aduana("load", "ranker")
    assert "makes no text" in (await aduana("show", "ranker"))[1]


async def test_readiness_and_metrics_tell_of_loads(house: House) -> None:
    """A model that loads when it is asked for does not make the gateway unready."""
    await house.ask("POST", "/admin/models/home/unload")
    status, ready = await house.ask("GET", "/readyz")
    assert (status, ready["targets"]["home"]) == (200, "loads when it is asked for")
    async with aiohttp.ClientSession() as http, http.get(house.url + "/metrics") as answer:
        text = await answer.text()
    assert 'aduana_model_loaded{target="home"} 0' in text
    assert 'aduana_model_memory_bytes{target="home"}' in text


async def test_what_can_not_fit_is_found_before_anything_is_loaded(tmp_path: Path) -> None:
    """The gateway does not start, and says what each model needs and what to turn down."""
    models = starter_models(tmp_path / "models")
    for memory, says in ((100, "targets.home: its model needs"), (300, "models that load at start")):
        config = CONFIG.format(models=models, memory=memory).split("  ranker:")[0].replace("on_demand", "start")
        with pytest.raises(RuntimeError, match=says):
            async with RunningGateway(tmp_path, config):
                pass
