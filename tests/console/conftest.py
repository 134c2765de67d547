"""A house with a past: a gateway with a local and a cloud target, some requests, and a ledger that reaches back."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest_asyncio

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway, starter_models

CONFIG = """
models_dir: {models}
policy: {policy}
server: {{ {server} }}
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: qwen3-8b, context: 32768}}
  big: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: gpt-4.1, ceiling: internal}}
  small: {{kind: embedded, model: smollm2, context: 2048, slots: 2, threads: 1, load: on_demand}}
models: {{auto: {{}}, local: {{targets: [home]}}, big: {{targets: [big]}}, small: {{targets: [small]}}}}
energy: {{hardware_usd: 2500, tariff: {{fixed: 0.15}}, idle_watts: 20, busy_watts: 300}}
budgets: {{day_usd: 1, month_usd: 20}}
prices: {{currency: EUR, usd_rate: 0.9}}
inspection: {{names: off}}
{keys}
"""
POLICY = """
version: 1
labels:
  default: internal
  tags: {health: sensitive, public: public, children: sensitive}
  findings: {secret: sensitive, id: sensitive, financial: sensitive, contact: sensitive}
rules:
  - name: no pictures of children
    when: {tags: children}
    refuse: Not here.
  - name: long prompts go out
    when: {prompt_tokens: {over: 300}}
    prefer: [big, home]
otherwise: {prefer: [home, big, small]}
claims:
  - never: {when: {findings: {in: [financial]}}, zone: cloud}
  - never: {when: {tags: health}, zone: cloud}
"""
SECRETS = {"OWNER": "owner-secret-1", "APP": "app-secret-1"}
KEYS = """
keys: {owner: {secret: "env:OWNER", admin: true, user: Ana}, app: {secret: "env:APP", tags: [office]}}
limits: {keys: {app: {requests_per_minute: 30}}, users: {Ana: {usd_day: 2}}}
"""
ASKED = (
    ("local", "What is a harbour?", ""),
    ("auto", "Pay to ES91 2100 0418 4502 0005 1332, please.", ""),
    ("auto", "Tell me about tides. " * 120, ""),
    ("auto", "A public question.", "public"),
    ("big", "Pay to ES91 2100 0418 4502 0005 1332, please.", ""),
    ("auto", "His results are here.", "health"),
    ("auto", "A picture, please.", "children"),
)


class House:
    """A running gateway, its cloud, and the folder of its state."""

    def __init__(self, gateway: RunningGateway, cloud: StandInCloud) -> None:
        self.gateway = gateway
        self.cloud = cloud

    @property
    def url(self) -> str:
        """Return the gateway's address."""
        return self.gateway.url

    def ledger(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement on the ledger's file."""
        file = self.gateway.folder / "state" / "ledger.sqlite3"
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(statement, values).fetchall()


@contextlib.asynccontextmanager
async def house(folder: Path, *, keys: bool = False, server: str = "") -> AsyncIterator[House]:
    """Start a gateway with two stand-in servers."""
    (folder / "policy.yaml").write_text(POLICY)
    async with StandInCloud() as cloud, StandInCloud("The house says hello.") as home:
        config = CONFIG.format(
            models=starter_models(folder / "models"),
            policy=folder / "policy.yaml",
            home=home.base_url,
            cloud=cloud.base_url,
            keys=KEYS if keys else "",
            server=server,
        )
        async with RunningGateway(folder, config, env={"STANDIN_KEY": "sk-standin", **SECRETS}) as gateway:
            await gateway.until_ready()
            yield House(gateway, cloud)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def past(tmp_path_factory) -> AsyncIterator[House]:
    """Start a gateway on the own machine, without keys, after some days of use."""
    async with house(tmp_path_factory.mktemp("past")) as one:
        async with aiohttp.ClientSession() as http:
            for _ in range(10):
                for model, text, tags in ASKED:
                    body = {"model": model, "messages": [{"role": "user", "content": text}]}
                    headers = {"x-aduana-tags": tags} if tags else {}
                    async with http.post(f"{one.url}/v1/chat/completions", json=body, headers=headers) as answer:
                        await answer.read()
        one.ledger("UPDATE settlements SET settled_at = settled_at - (70 - seq) * 20000")
        one.ledger("UPDATE receipts SET received_at = received_at - (70 - seq) * 20000")
        one.ledger(
            "UPDATE settlements SET avoided_micros = (seq % 7 + 2) * 900000, cost_micros = 0 WHERE zone = 'local'"
        )
        one.ledger("UPDATE settlements SET cost_micros = (seq % 5) * 60000 WHERE zone = 'cloud'")
        one.ledger(
            "WITH RECURSIVE hours (hour) AS (SELECT unixepoch() / 3600 UNION SELECT hour - 1 FROM hours LIMIT 400) "
            "INSERT INTO energy SELECT hour, 'gpu0', 'request', 'counter', 720000000000, 30000, 70000 FROM hours"
        )
        yield one
