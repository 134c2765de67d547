"""Two gateways behind Debian's HAProxy, with the configuration that `deploy/` ships: one stops or dies under load."""

import asyncio
import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.faults.fault_server import DONE, FINISH, USAGE, Exchange, FaultServer, streamed, text, usage
from tests.standins.gateway import RunningGateway
from tests.standins.postgresql import Postgresql

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/sbin")
EXAMPLE = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
POLICY = "version: 1\nlabels: {default: public}\notherwise: {prefer: [den]}\n"
DEAR = "version: 1\nlabels: {default: public}\notherwise: {prefer: [big]}\n"
WORDS = " ".join(f"word{number}" for number in range(8)) + " "
AT_WORK = 12  # clients

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed: apt-get install haproxy")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def model_server(folder: Path) -> AsyncIterator[str]:
    """A model server in a process of its own; yields its base URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.standins.model_server", "0", str(folder / "asked"), "8", "0.05"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        yield f"http://127.0.0.1:{int(line.split()[-1])}/v1"
    finally:
        process.kill()
        await process.wait()


def gateway(folder: Path, den: str, *, policy: str = POLICY, **config: Any) -> RunningGateway:
    """A gateway with a state directory of its own before that model server."""
    (folder / "state").mkdir(mode=0o700, parents=True, exist_ok=True)
    key = folder / "state" / "taint.key"
    if not key.exists():  # all gateways of a ledger have the same one
        key.touch(0o600)
        key.write_bytes(bytes(range(32)))
    (folder / "policy.yaml").write_text(policy)
    target = {"kind": "openai", "zone": "local", "model": "qwen", "base_url": den, "slots": 64}
    base = {
        "policy": "policy.yaml",
        "server": {"drain_seconds": 20},
        "targets": {"den": target} | config.pop("targets", {}),
    }
    return RunningGateway(folder, json.dumps(base | config))


class Balanced:
    """HAProxy before two gateways."""

    def __init__(self, url: str, gateways: tuple[RunningGateway, RunningGateway], admin: Path) -> None:
        self.url = url
        self.gateways = gateways
        self._admin = admin

    def drain_one(self) -> None:
        """Send nothing new to the first gateway, as its administrator does before it is stopped."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self._admin))
            admin.sendall(b"set server gateways/one state drain\n")
            assert admin.recv(4096).strip() == b""


async def listening(port: int) -> None:
    """Wait until somebody listens on a port."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return


@asynccontextmanager
async def balanced(folder: Path, den: str, **config: Any) -> AsyncIterator[Balanced]:
    """Two gateways behind HAProxy, once both are ready."""
    assert HAPROXY is not None
    async with AsyncExitStack() as stack:
        one, two = (gateway(folder / name, den, **config) for name in ("one", "two"))
        async with asyncio.TaskGroup() as starting:  # at once, as replicas of a cluster do
            for each in (one, two):
                starting.create_task(stack.enter_async_context(each))
        port = free_port()
        written = EXAMPLE.read_text()
        for example, real in (
            ("127.0.0.1:8480", f"127.0.0.1:{port}"),
            ("/run/haproxy/admin.sock", str(folder / "admin.sock")),
            ("10.0.0.21:8484", one.url.removeprefix("http://")),
            ("10.0.0.22:8484", two.url.removeprefix("http://")),
        ):
            assert example in written
            written = written.replace(example, real)
        (folder / "haproxy.cfg").write_text(written)
        await one.until_ready()
        await two.until_ready()
        process = await asyncio.create_subprocess_exec(
            HAPROXY, "-db", "-f", str(folder / "haproxy.cfg"), stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await listening(port)
            yield Balanced(f"http://127.0.0.1:{port}", (one, two), folder / "admin.sock")
        finally:
            process.kill()
            await process.wait()


class Answered:
    """How one request ended, as its client saw it."""

    def __init__(self) -> None:
        self.status = 0
        self.id = ""
        self.text = ""
        self.done = False  # the client has all of it


async def ask(session: aiohttp.ClientSession, number: int) -> Answered:
    """One streamed chat."""
    found = Answered()
    said = [{"role": "user", "content": f"conversation {number}"}]
    chat = {"model": "auto", "stream": True, "user": f"request-{number}", "messages": said}
    try:
        async with session.post("/v1/chat/completions", json=chat) as answer:
            found.status = answer.status
            found.id = answer.headers.get("x-request-id", "")
            async for line in answer.content:
                if line.strip() == b"data: [DONE]":
                    found.done = True
                elif line.startswith(b"data: {"):
                    for choice in json.loads(line[6:]).get("choices", ()):
                        found.text += choice["delta"].get("content") or ""
    except aiohttp.ClientError:
        pass
    return found


async def load(balance: Balanced, count: int, strike: Callable[[], None]) -> list[Answered]:
    """So many requests, some of them at once; `strike` is called behind the first third."""
    results: list[Answered] = []
    numbers = iter(range(count))
    async with aiohttp.ClientSession(balance.url) as session:

        async def worker() -> None:
            for number in numbers:
                results.append(await ask(session, number))
                if len(results) == count // 3:
                    strike()

        async with asyncio.timeout(120):
            await asyncio.gather(*(worker() for _ in range(AT_WORK)))
    return results


class Ledgers:
    """The record of both gateways: a file of each, or one database for both."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        self._database = database

    @property
    def config(self) -> dict[str, str]:
        """What stands in the gateways' configuration."""
        return {"ledger": self._database} if self._database else {}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a question gives, of both together."""
        if self._database:
            import psycopg

            with psycopg.connect(self._database) as connection:
                return connection.execute(sql.encode()).fetchall()
        found: list[tuple[Any, ...]] = []
        for name in ("one", "two"):
            database = sqlite3.connect(self._folder / name / "state" / "ledger.sqlite3")
            found += database.execute(sql).fetchall()
            database.close()
        return found

    def receipts(self) -> Counter[str]:
        """How often each request was written down."""
        return Counter(row[0] for row in self.rows("SELECT request_id FROM receipts"))

    def settlements(self) -> Counter[str]:
        """How often the end of each was."""
        return Counter(row[0] for row in self.rows("SELECT request_id FROM settlements JOIN receipts USING (seq)"))


@pytest.fixture(params=["files", "database"])
def ledgers(request: pytest.FixtureRequest, tmp_path: Path) -> Ledgers:
    """Each gateway with a ledger of its own, and both with one in PostgreSQL."""
    shared = request.param == "database"
    return Ledgers(tmp_path, request.getfixturevalue("postgresql").fresh() if shared else "")


async def test_a_gateway_that_is_stopped_finishes_its_answers(tmp_path: Path, ledgers: Ledgers) -> None:
    """SIGTERM under load, behind a drain: what it was answering goes on to its end, the other gets the rest."""
    async with model_server(tmp_path) as den, balanced(tmp_path, den, **ledgers.config) as balance:
        process = balance.gateways[0].process
        assert process is not None

        def stop() -> None:
            balance.drain_one()
            # What was on its way to it just then has arrived by now, and is still being answered.
            asyncio.get_running_loop().call_later(0.15, process.send_signal, signal.SIGTERM)

        results = await load(balance, 72, stop)
        assert await process.wait() == 0
        assert {(found.status, found.text, found.done) for found in results} == {(200, WORDS, True)}
    assert ledgers.receipts() == ledgers.settlements() == Counter(found.id for found in results)
    assert {row[0] for row in ledgers.rows("SELECT outcome FROM settlements")} == {"ok"}


async def test_a_gateway_that_is_killed_loses_no_acknowledged_answer(tmp_path: Path, ledgers: Ledgers) -> None:
    """kill -9 under load: only what it was answering breaks off. Each answer that a client has is on record, once."""
    async with model_server(tmp_path) as den, balanced(tmp_path, den, **ledgers.config) as balance:
        process = balance.gateways[0].process
        assert process is not None
        results = await load(balance, 72, process.kill)
        whole = [found for found in results if found.done]
        assert {found.text for found in whole} == {WORDS}
        assert len(whole) >= 72 - AT_WORK
        await process.wait()
        async with gateway(tmp_path / "one", den, **ledgers.config) as again:
            await again.until_ready()
        receipts, settlements = ledgers.receipts(), ledgers.settlements()
        assert {found.id for found in whole} <= set(receipts)
        assert set(receipts.values()) == set(settlements.values()) == {1}
        # In a database those of a dead gateway wait until its lease has ended; its own file it settles when it starts.
        assert len(set(receipts) - set(settlements)) <= (AT_WORK if ledgers.config else 0)
        asked = Counter((tmp_path / "asked").read_text().split())
        assert {asked[f"request-{number}"] for number in range(72)} <= {0, 1}


@pytest.mark.parametrize(
    "bound",
    [
        {"budgets": {"day_usd": 3.0}},  # a dollar each
        {"limits": {"keys": {"anonymous": {"parallel": 3}}}},
        {"limits": {"keys": {"anonymous": {"tokens_per_day": 3_900}}}},  # a thousand each, and the prompt
    ],
    ids=["money", "parallel", "tokens"],
)
async def test_what_is_enough_for_three_lets_three_through(
    tmp_path: Path, postgresql: Postgresql, bound: dict[str, Any]
) -> None:
    """300 requests at once over two gateways with one ledger, and a bound that three reach: three are sent."""
    release = asyncio.Event()

    async def dear(exchange: Exchange) -> None:
        await release.wait()
        await streamed(text("Hello"), FINISH, usage(USAGE), DONE)(exchange)

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        chat = {"model": "auto", "max_tokens": 1000, "messages": [{"role": "user", "content": f"request {number}"}]}
        async with session.post("/v1/chat/completions", json=chat) as answer:
            await answer.read()
            ends[answer.status] += 1

    ends: Counter[int] = Counter()
    async with FaultServer(dear) as cloud, model_server(tmp_path) as den:
        (tmp_path / "provider-key").write_text("sk-provider-0123456789abcdef")
        big = {"kind": "openai", "zone": "cloud", "base_url": cloud.base_url, "model": "m", "ceiling": "public"}
        config = {
            "ledger": postgresql.fresh(),
            "targets": {"big": big | {"api_key": f"file:{tmp_path / 'provider-key'}"}},
            "prices": {"overrides": {"m": {"input": 0, "output": 1_000}}},
        }
        async with (
            balanced(tmp_path, den, policy=DEAR, **config, **bound) as balance,
            aiohttp.ClientSession(balance.url, connector=aiohttp.TCPConnector(limit=300)) as session,
        ):
            asked = [asyncio.create_task(one(session, number)) for number in range(300)]
            async with asyncio.timeout(120):
                while ends[429] < 297:
                    assert not ends[200]
                    assert set(ends) <= {429}
                    await asyncio.sleep(0.02)
                release.set()
                await asyncio.gather(*asked)
        assert ends == {200: 3, 429: 297}
        assert len(cloud.posts) == 3


def test_the_example_is_a_configuration() -> None:
    """HAProxy has nothing to say about it."""
    assert HAPROXY is not None
    done = subprocess.run([HAPROXY, "-c", "-f", EXAMPLE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"WARNING|ALERT", done.stdout + done.stderr)
