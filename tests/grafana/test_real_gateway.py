"""A real Prometheus scrapes the real gateway, with the real model, under traffic; every panel is asked."""

import asyncio
import contextlib
import csv
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from tests.grafana.prometheus import Server, running
from tests.grafana.test_expressions import panel_expressions, substituted
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway, starter_models

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

CANARY = "zebra-canary-4711"
SECRET = "sk-standin-secret-0815"
CONFIG = """
models_dir: {models}
policy: {policy}
targets:
  home: {{kind: embedded, model: smollm2, context: 2048, slots: 8}}
  big: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: big-1, ceiling: public}}
prices:
  reference_model: gpt-4.1-mini
  overrides:
    big-1: {{input: 2000, output: 4000}}
budgets: {{day_usd: 100, month_usd: 1000}}
energy:
  period_seconds: 0.2
  nvml: false
  rapl: false
  idle_watts: 50
  busy_watts: 250
  hardware_usd: 2000
  tariff: {{fixed: 0.25}}
"""
POLICY = """
version: 1
labels:
  default: internal
  tags: {health: sensitive, public: public}
  findings: {secret: sensitive, id: sensitive, financial: sensitive, contact: sensitive}
rules:
  - name: public goes out
    when: {tags: {in: [public]}}
    prefer: [big, home]
otherwise: {prefer: [home, big]}
"""
# Nothing fell back or was attached, no rule asks for shadows, no GPU that the test may rely on.
# All else must show something.
MAY_BE_EMPTY = {
    "performance: GPU load",
    "performance: GPU memory",
    "performance: GPU power",
    "performance: GPU temperature",
    "performance: Time to read one",
    "savings: Fallbacks",
    "savings: Likeness of shadow answers",
}


class House(msgspec.Struct, kw_only=True):
    """What the tests look at."""

    url: str
    folder: Path
    gateway: RunningGateway
    prometheus: Server


async def ask(session: aiohttp.ClientSession, url: str, tags: str, *, stream: bool) -> int:
    """One chat with a canary in it; another text for each tag, because a text that was sensitive once stays so."""
    body = {
        "model": "auto",
        "stream": stream,
        "max_tokens": 8,
        "messages": [{"role": "user", "content": f"Say {CANARY} {tags}."}],
    }
    headers = {"x-aduana-tags": tags} if tags else {}
    async with session.post(f"{url}/v1/chat/completions", json=body, headers=headers) as answer:
        await answer.read()
        return answer.status


async def traffic(url: str, stop: asyncio.Event) -> None:
    """Local and cloud, streamed and not, sensitive, and one that is refused."""
    async with aiohttp.ClientSession() as session:
        while not stop.is_set():
            await asyncio.gather(
                ask(session, url, "", stream=True),
                ask(session, url, "public", stream=True),
                ask(session, url, "health", stream=False),
            )
            async with session.post(
                f"{url}/v1/embeddings", json={"model": "local-only-name", "input": [CANARY]}
            ) as answer:
                await answer.read()
            await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Gateway, cloud, Prometheus, and traffic all the while."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "policy.yaml").write_text(POLICY)
    async with StandInCloud() as cloud:
        models = starter_models(folder / "models")
        config = CONFIG.format(models=models, policy=folder / "policy.yaml", cloud=cloud.base_url)
        async with RunningGateway(folder, config, env={"STANDIN_KEY": SECRET}) as gateway:
            await gateway.until_ready()
            scrape = f"""
global: {{scrape_interval: 500ms}}
scrape_configs:
  - job_name: aduana
    static_configs: [{{targets: ["{gateway.url.removeprefix("http://")}"]}}]
"""
            with running(folder, scrape) as server:
                await asyncio.to_thread(server.wait, lambda: server.query("aduana_build_info") == [1.0], "a scrape")
                stop = asyncio.Event()
                busy = asyncio.create_task(traffic(gateway.url, stop))
                enough = "min(aduana_requests_total{outcome='ok', dialect='openai', zone=~'local|cloud'}) > 8"
                await asyncio.to_thread(server.wait, lambda: bool(server.query(enough)), "traffic in both zones", 120)
                await asyncio.to_thread(
                    server.wait, lambda: bool(server.query("aduana_energy_joules_total > 0")), "energy"
                )
                yield House(url=gateway.url, folder=folder, gateway=gateway, prometheus=server)
                stop.set()
                await busy


@pytest.mark.parametrize(("title", "expression"), panel_expressions(), ids=lambda text: text[:60])
async def test_panels_show_the_real_gateway(house: House, title: str, expression: str) -> None:
    """Executed with its variables substituted: something comes back, unless all went too well for it."""
    values = await asyncio.to_thread(house.prometheus.query, substituted(expression))
    if title not in MAY_BE_EMPTY:
        assert any(not math.isnan(value) for value in values), f"{title}: {expression}"


async def get(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_promtool_has_nothing_to_say_about_the_real_exposition(house: House) -> None:
    """`promtool check metrics` on what the running gateway answers."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    text = await get(house.url + "/metrics")
    done = await asyncio.to_thread(
        subprocess.run, [promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


async def test_the_sums_agree(house: House) -> None:
    """Metrics and ledger saw the same requests and the same money, while both go on."""
    text = await get(house.url + "/metrics")
    command = [sys.executable, "-m", "gateway", "savings", "--config", str(house.gateway.config), "--json"]
    environment = os.environ | {"ADUANA_STATE_DIR": str(house.folder / "state")}
    done = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, check=True)
    after = await get(house.url + "/metrics")
    report = json.loads(done.stdout)

    def total(exposition: str, name: str) -> float:
        lines = [line for line in exposition.splitlines() if line.startswith(name + "{")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    for name, field in (
        ("aduana_cloud_cost_usd_total", "cloud_usd"),
        ("aduana_avoided_cloud_cost_usd_total", "avoided_usd"),
        ("aduana_requests_total", "requests"),
    ):
        # A settlement is durable a moment after its event, so the first scrape may be a little ahead.
        assert report[field] > 0
        assert total(text, name) * 0.8 <= report[field] <= total(after, name), name


async def test_no_prompt_and_no_secret_is_anywhere(house: House) -> None:
    """Metrics, page, log, CSV, and the ledger's own file: neither the canary nor the key."""
    page = await get(house.url + "/")
    assert "Requests: where each went, and why" in page
    assert "public goes out" in page
    texts = {"metrics": await get(house.url + "/metrics"), "page": page, "log": house.gateway.log}
    command = [sys.executable, "-m", "gateway", "savings", "--config", str(house.gateway.config), "--csv"]
    environment = os.environ | {"ADUANA_STATE_DIR": str(house.folder / "state")}
    for by in ("app", "rule", "model"):
        done = await asyncio.to_thread(
            subprocess.run, [*command, "--by", by], env=environment, capture_output=True, text=True, check=True
        )
        texts[f"csv by {by}"] = done.stdout
        assert len(list(csv.reader(done.stdout.splitlines()))) > 1
    for file in (house.folder / "state").glob("ledger.sqlite3*"):
        with contextlib.suppress(FileNotFoundError):
            texts[file.name] = file.read_bytes().decode("latin-1")
    for where, text in texts.items():
        assert CANARY not in text, where
        assert SECRET not in text, where
