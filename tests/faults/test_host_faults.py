"""Rows 39 to 47: models that don't load, full queues, stops and kills, a ledger in trouble, broken policy files."""

import asyncio
import resource
import signal
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.core.errors import LedgerUnavailable
from tests.faults.fault_server import DONE, FINISH, GOOD, STREAM, USAGE, Exchange, FaultServer, text, usage
from tests.faults.house import chat, opened
from tests.standins.gateway import RunningGateway, starter_models

CONFIG = """
server: {{drain_seconds: 10}}
targets:
  den: {{kind: openai, zone: local, base_url: "{url}", model: den-1}}
"""


class Paced:
    """An answer that goes on when the test says so."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        await exchange.send(STREAM)
        await exchange.chunk(text("Hello"))
        await self.go_on.wait()
        await exchange.chunk(text(" there"), FINISH, usage(USAGE), DONE)
        await exchange.finish()


def outcomes(folder: Path) -> list[str]:
    """Of all settlements, in order."""
    with sqlite3.connect(folder / "state" / "ledger.sqlite3") as database:
        rows = database.execute("SELECT outcome FROM settlements ORDER BY seq").fetchall()
    database.close()
    return [outcome for (outcome,) in rows]


async def first_text(answer: aiohttp.ClientResponse) -> None:
    """Until the answer has begun."""
    async for line in answer.content:
        if b"Hello" in line:
            return
    raise AssertionError("the answer ended before it began")


async def until_refused(url: str) -> None:
    """Until no new connection is taken any more."""
    async with aiohttp.ClientSession() as late:
        while True:
            try:
                async with late.get(url + "/healthz"):
                    await asyncio.sleep(0.02)
            except aiohttp.ClientError:
                return


async def test_41_sigterm_lets_running_answers_finish(tmp_path: Path) -> None:
    """After SIGTERM the gateway accepts nothing more, cuts no stream inside the drain window, and ends well."""
    paced = Paced()
    async with (
        FaultServer(paced) as den,
        RunningGateway(tmp_path, CONFIG.format(url=den.base_url)) as gateway,
        aiohttp.ClientSession() as client,
        asyncio.timeout(30),
    ):
        await gateway.until_ready()
        assert gateway.process is not None
        address = gateway.url + "/v1/chat/completions"
        async with client.post(address, data=chat(stream=True)) as answer:
            await first_text(answer)
            gateway.process.send_signal(signal.SIGTERM)
            await until_refused(gateway.url)
            paced.go_on.set()
            rest = (await answer.read()).decode()
        assert "there" in rest
        assert rest.rstrip().endswith("data: [DONE]")
        assert await gateway.process.wait() == 0
    assert outcomes(tmp_path) == ["ok"]


DIALECTS = {
    "openai": ("/v1/chat/completions", b'data: {"error":'),
    "responses": ("/v1/responses", b"event: response.failed"),
    "anthropic": ("/v1/messages", b"event: error"),
    "ollama": ("/api/chat", b'{"error":'),
}


def asking(path: str) -> bytes:
    """A streaming request in the path's dialect."""
    if path == "/v1/responses":
        return b'{"model":"auto","input":"Hello","stream":true}'
    return chat(stream=True, max_tokens=100)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_41_an_answer_longer_than_the_drain_window_ends_with_an_error(tmp_path: Path, dialect: str) -> None:
    """In its dialect, once, and soon after the window; it is booked as an error with what was delivered."""
    path, error = DIALECTS[dialect]
    config = CONFIG.replace("drain_seconds: 10", "drain_seconds: 1")
    async with (
        FaultServer(Paced()) as den,
        RunningGateway(tmp_path, config.format(url=den.base_url)) as gateway,
        aiohttp.ClientSession() as client,
        asyncio.timeout(60),
    ):
        await gateway.until_ready()
        assert gateway.process is not None
        async with client.post(gateway.url + path, data=asking(path)) as answer:
            await first_text(answer)
            gateway.process.send_signal(signal.SIGTERM)
            rest = await answer.read()
        assert rest.count(error) == 1
        assert b"shutting down" in rest
        assert await gateway.process.wait() == 0
    with sqlite3.connect(tmp_path / "state" / "ledger.sqlite3") as database:
        rows = database.execute("SELECT outcome, target, error, output > 0 FROM settlements").fetchall()
    database.close()
    assert rows == [("error", "den", "shutting_down", 1)]


async def test_41_what_waits_for_its_first_word_is_told_too(tmp_path: Path) -> None:
    """At the end of the window: 503 with a time to try again, and it is booked as such."""
    arrived = asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        arrived.set()
        await exchange.until_gone()

    config = CONFIG.replace("drain_seconds: 10", "drain_seconds: 1")
    async with (
        FaultServer(silent) as den,
        RunningGateway(tmp_path, config.format(url=den.base_url)) as gateway,
        aiohttp.ClientSession() as client,
        asyncio.timeout(60),
    ):
        await gateway.until_ready()
        assert gateway.process is not None
        waiting = asyncio.create_task(client.post(gateway.url + "/v1/chat/completions", data=chat()))
        await arrived.wait()
        gateway.process.send_signal(signal.SIGTERM)
        answer = await waiting
        assert (answer.status, (await answer.json())["error"]["code"]) == (503, "shutting_down")
        assert "retry-after" in answer.headers
        assert await gateway.process.wait() == 0
    assert outcomes(tmp_path) == ["error"]


async def test_more_idle_connections_than_descriptors_harm_nobody(tmp_path: Path) -> None:
    """With a low limit of open files: requests are answered, and a changed policy is still loaded."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nlabels: {default: internal}\notherwise: {prefer: [den]}\n")
    async with FaultServer(GOOD) as den, asyncio.timeout(60):
        config = CONFIG.format(url=den.base_url)
        few = ("sh", "-c", 'ulimit -n 256; exec "$@"', "few")
        async with (
            RunningGateway(tmp_path, config, "--policy", str(policy), launcher=few) as gateway,
            aiohttp.ClientSession() as client,
        ):
            await gateway.until_ready()
            port = int(gateway.url.rsplit(":", 1)[1])
            idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
            assert (await client.post(gateway.url + "/v1/chat/completions", data=chat())).status == 200
            policy.write_text(policy.read_text().replace("internal", "sensitive"))
            while "policy.reloaded" not in gateway.log:  # noqa: ASYNC110 - the log has no event
                await asyncio.sleep(0.05)
            for _, writer in idle:
                writer.close()


async def test_42_kill_9_leaves_no_open_account(tmp_path: Path) -> None:
    """Requests that kill -9 cut off are settled as unknown at the next start, once."""
    config = CONFIG
    async with FaultServer([Paced(), GOOD]) as den, asyncio.timeout(60):
        async with RunningGateway(tmp_path, config.format(url=den.base_url)) as gateway:
            await gateway.until_ready()
            assert gateway.process is not None
            async with aiohttp.ClientSession() as client:
                answer = await client.post(gateway.url + "/v1/chat/completions", data=chat(stream=True))
                await first_text(answer)
                gateway.process.kill()
                await gateway.process.wait()
                answer.close()
        assert outcomes(tmp_path) == []
        async with RunningGateway(tmp_path, config.format(url=den.base_url)) as gateway:
            await gateway.until_ready()
            assert outcomes(tmp_path) == ["unknown"]
            async with (
                aiohttp.ClientSession() as client,
                client.post(gateway.url + "/v1/chat/completions", data=chat()) as answer,
            ):
                assert answer.status == 200
    assert outcomes(tmp_path) == ["unknown", "ok"]


async def test_44_a_busy_ledger_stops_requests_before_they_leave(tmp_path: Path, capfd: Any) -> None:
    """While somebody else holds the database, requests get 503 and no target is asked; afterwards all is well again."""
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD) as house, asyncio.timeout(60):
        holder = sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        reply = await house.ask()
        assert (reply.status, reply.error["code"]) == (503, "ledger_unavailable")
        assert not house.den.posts
        holder.execute("ROLLBACK")
        holder.close()
        while (await house.ask()).status != 200:  # noqa: ASYNC110 - the ledger has no event for it
            await asyncio.sleep(0.05)


async def test_44_a_corrupt_ledger_is_left_as_it_is(tmp_path: Path, capfd: Any) -> None:
    """With a corrupt ledger the gateway does not start, says which file, and overwrites nothing."""
    file = tmp_path / "ledger.sqlite3"
    file.write_bytes(b"This is no database. " * 1000)
    with pytest.raises(LedgerUnavailable, match=r"ledger\.sqlite3"):
        async with opened(tmp_path, capfd, big=GOOD, den=GOOD):
            pass
    assert file.read_bytes() == b"This is no database. " * 1000


CLOUDED = """
models_dir: {folder}
targets:
  home: {{kind: embedded, model: {model}, context: 512, slots: 1, queue: {queue}}}
  big: {{kind: openai, zone: cloud, base_url: "{url}", model: big-1, ceiling: public}}
"""


async def post(client: aiohttp.ClientSession, url: str, tags: str = "", **fields: Any) -> tuple[int, Any, Any]:
    """Status, headers and JSON of an answer."""
    headers = {"x-aduana-tags": tags}
    async with client.post(url + "/v1/chat/completions", data=chat(**fields), headers=headers) as answer:
        return answer.status, answer.headers, await answer.json()


async def test_39_a_corrupt_model_is_named_and_nothing_goes_elsewhere(tmp_path: Path) -> None:
    """A corrupt model is named in log and error; what must stay at home gets 503 and a time, never the cloud."""
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 4096)
    async with FaultServer(GOOD) as big, asyncio.timeout(60):
        config = CLOUDED.format(folder=tmp_path, model="broken", url=big.base_url, queue=4)
        async with RunningGateway(tmp_path, config) as gateway, aiohttp.ClientSession() as client:
            while "broken.gguf" not in gateway.log:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.05)
            status, headers, body = await post(client, gateway.url, "health")
            assert (status, body["error"]["code"]) == (503, "target_unavailable")
            assert "model 'broken'" in body["error"]["message"]
            assert str(tmp_path) not in body["error"]["message"]
            assert float(headers["Retry-After"]) >= 1
        assert not big.connections


@pytest.mark.model
async def test_40_a_full_queue_answers_at_once(tmp_path: Path) -> None:
    """With one slot and no queue, the second request is told when to come back, and the cloud sees neither."""
    models = starter_models(tmp_path / "models")
    async with FaultServer(GOOD) as big, asyncio.timeout(120):
        config = CLOUDED.format(folder=models, model="smollm2", url=big.base_url, queue=0)
        async with RunningGateway(tmp_path, config) as gateway, aiohttp.ClientSession() as client:
            await gateway.until_ready()
            body = chat(stream=True, max_tokens=400, ignore_eos=True)
            async with client.post(gateway.url + "/v1/chat/completions", data=body) as first:
                assert first.status == 200
                await first.content.readline()
                status, headers, refused = await post(client, gateway.url, "health", max_tokens=2)
                assert status in (429, 503)
                assert float(headers["Retry-After"]) >= 1
                assert set(refused["error"]) == {"message", "type", "param", "code", "aduana"}
                first.close()
        assert not big.connections


async def test_43_a_full_disk_stops_requests_before_they_leave(tmp_path: Path) -> None:
    """With a full disk requests get 503 and no target is asked; with space again all is well."""
    async with (
        FaultServer(GOOD) as den,
        RunningGateway(tmp_path, CONFIG.format(url=den.base_url)) as gateway,
        aiohttp.ClientSession() as client,
        asyncio.timeout(60),
    ):
        await gateway.until_ready()
        assert gateway.process is not None
        pid = gateway.process.pid
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, most))
        status, _, body = await post(client, gateway.url)
        assert (status, body["error"]["code"]) == (503, "ledger_unavailable")
        assert not den.posts
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        while (await post(client, gateway.url))[0] != 200:  # noqa: ASYNC110 - the ledger has no event for it
            await asyncio.sleep(0.1)
    assert outcomes(tmp_path)[-1] == "ok"


BROKEN_POLICY = """version: 1
labels: {default: internal}
otherwise: {prefer: [den]}
otherwise: {prefer: [den]}
"""


async def test_47_a_broken_policy_file_changes_nothing(tmp_path: Path) -> None:
    """A policy file with a key that stands twice is refused with file and line, and the old rules stay in force."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nlabels: {default: internal}\notherwise: {prefer: [den]}\n")
    async with FaultServer(GOOD) as den, asyncio.timeout(60):
        config = CONFIG.format(url=den.base_url) + f"policy: {policy}\n"
        async with RunningGateway(tmp_path, config) as gateway, aiohttp.ClientSession() as client:
            await gateway.until_ready()
            assert gateway.process is not None
            policy.write_text(BROKEN_POLICY)
            gateway.process.send_signal(signal.SIGHUP)
            while "policy.yaml:4" not in gateway.log:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.05)
            assert (await post(client, gateway.url))[0] == 200
