"""The whole gateway before several servers: receipts, metrics, readiness and the console name the server."""

import json
import sqlite3
from pathlib import Path

import aiohttp

from tests.faults.fault_server import GOOD, FaultServer
from tests.standins.gateway import RunningGateway

POLICY = "version: 1\nlabels: {default: sensitive}\notherwise: {prefer: [den]}\n"


async def test_the_server_that_answered_is_known_everywhere(tmp_path: Path) -> None:
    """Two servers, one of them gone: requests are answered, and each place says by whom and who is missing."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with FaultServer(GOOD) as gone:
        dead = gone.base_url
    async with FaultServer(GOOD) as good:
        servers = [{"base_url": dead, "name": "left"}, {"base_url": good.base_url, "name": "right"}]
        target = {"kind": "openai", "zone": "local", "model": "qwen", "servers": servers}
        config = json.dumps({"policy": "policy.yaml", "targets": {"den": target}})
        async with RunningGateway(tmp_path, config) as gateway, aiohttp.ClientSession(gateway.url) as session:
            await gateway.until_ready()
            chat = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
            async with session.post("/v1/chat/completions", json=chat) as answer:
                assert answer.status == 200
                assert (await answer.json())["choices"][0]["message"]["content"] == "Hello there"
                request_id = answer.headers["x-request-id"]
            async with session.get("/readyz") as answer:
                assert (await answer.json())["targets"]["den"] == "ready, 1 of 2 servers (not left)"
            async with session.get("/metrics") as answer:
                metrics = (await answer.text()).splitlines()
            assert 'aduana_server_requests_total{target="den",server="right",outcome="ok"} 1' in metrics
            assert 'aduana_server_requests_total{target="den",server="left",outcome="ok"} 0' in metrics
            assert 'aduana_server_up{server="left",target="den"} 0.0' in metrics
            assert 'aduana_server_up{server="right",target="den"} 1.0' in metrics
            async with session.get("/") as answer:
                assert "1 of 2 servers" in await answer.text()
            async with session.get("/console/health") as answer:
                page = await answer.text()
                assert "den: left" in page
                assert "den: right" in page
            async with session.get(f"/console/requests/{request_id}") as answer:
                assert "<dd>right</dd>" in await answer.text()
    database = sqlite3.connect(tmp_path / "state" / "ledger.sqlite3")
    assert database.execute("SELECT server FROM answering_servers").fetchall() == [("right",)]
    database.close()
