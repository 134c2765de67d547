"""Two gateways on one PostgreSQL: what clients ask one of them to keep is there at the other, with its label."""

import asyncio
import base64
import io
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e.test_two_gateways import gateway
from tests.faults.fault_server import DONE, FINISH, USAGE, Exchange, FaultServer, streamed, text, usage
from tests.standins.gateway import RunningGateway
from tests.standins.postgresql import Postgresql

POLICY = "version: 1\nlabels: {default: public, tags: {private: sensitive}}\notherwise: {prefer: [den]}\n"
STORES = {"responses": {"store": "on"}, "batches": {"store": "on", "when": "always"}}
MARKER = "Marker-of-the-harbour"
PUBLIC, SENSITIVE = 0, 2

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Den:
    """A model server that answers everything, but for the first time that it is asked what it is to stop at."""

    def __init__(self) -> None:
        self.stop_at = ""
        self.stopped = asyncio.Event()
        self.asked: list[str] = []  # all that a request said, one text each

    async def __call__(self, exchange: Exchange) -> None:
        said = json.dumps(json.loads(exchange.body)["messages"])
        self.asked.append(said)
        if self.stop_at and self.stop_at in said and not self.stopped.is_set():
            self.stopped.set()
            await exchange.until_gone()
            return
        await streamed(text("Noted."), FINISH, usage(USAGE), DONE)(exchange)


class Pair:
    """Two gateways, their database and the model server."""

    def __init__(self, folder: Path, one: RunningGateway, two: RunningGateway, den: Den, database: str) -> None:
        self.folder = folder
        self.one, self.two, self.den = one, two, den
        self.database = database

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What somebody else reads from the database, or changes in it."""
        import psycopg

        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def label(self, response_id: str) -> int:
        """The label that a request was written down with."""
        request_id = "req_" + response_id.removeprefix("resp_")
        return int(self.rows(f"SELECT label FROM receipts WHERE request_id = '{request_id}'")[0][0])


@asynccontextmanager
async def pair(folder: Path, database: str) -> AsyncIterator[Pair]:
    """Both gateways, once they are ready."""
    async with AsyncExitStack() as stack:
        den = Den()
        server = await stack.enter_async_context(FaultServer(den))
        target = {"kind": "openai", "zone": "local", "model": "qwen", "base_url": server.base_url, "slots": 64}
        settings = {"ledger": database, "targets": {"den": target | {"capabilities": ["files"]}}} | STORES
        both = [
            await stack.enter_async_context(gateway(folder / name, "", policy=POLICY, **settings))
            for name in ("one", "two")
        ]
        for each in both:
            await each.until_ready()
        yield Pair(folder, both[0], both[1], den, database)


def off(folder: Path, database: str) -> RunningGateway:
    """A gateway of that database where nothing is to be stored."""
    return gateway(folder, "http://127.0.0.1:9/v1", policy=POLICY, ledger=database)


async def call(
    gateway: RunningGateway, method: str, path: str, *, status: int = 200, tags: str = "", **fields: Any
) -> Any:
    """What a gateway answers, as JSON."""
    headers = {"x-aduana-tags": tags} if tags else {}
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession() as session,
        session.request(method, gateway.url + path, headers=headers, **fields) as answer,
    ):
        content = await answer.read()
        assert answer.status == status, content[:1000]
        return json.loads(content) if answer.content_type == "application/json" else content


async def ask(gateway: RunningGateway, content: str, *, tags: str = "", status: int = 200, **fields: Any) -> Any:
    """One request of the Responses API."""
    body = {"model": "auto", "input": content} | fields
    return await call(gateway, "POST", "/v1/responses", json=body, tags=tags, status=status)


async def upload(gateway: RunningGateway, name: str, content: bytes, purpose: str) -> str:
    """The id of a new file."""
    form = aiohttp.FormData()
    form.add_field("purpose", purpose)
    form.add_field("file", io.BytesIO(content), filename=name)
    return str((await call(gateway, "POST", "/v1/files", data=form))["id"])


def lines(count: int) -> bytes:
    """A batch's file."""
    return b"\n".join(
        json.dumps(
            {
                "custom_id": f"line-{number}",
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {"model": "auto", "messages": [{"role": "user", "content": f"This is line-{number}."}]},
            }
        ).encode()
        for number in range(count)
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(tmp_path_factory: pytest.TempPathFactory, postgresql: Postgresql) -> AsyncIterator[Pair]:
    """Two gateways that several tests use."""
    async with pair(tmp_path_factory.mktemp("both"), postgresql.fresh()) as made:
        yield made


async def test_a_conversation_goes_on_at_the_other_gateway(both: Pair) -> None:
    """By `previous_response_id`, by conversation, and by what is read and deleted; the label comes with it."""
    private = await ask(both.one, f"{MARKER} one", tags="private")
    assert private["store"] is True
    follows = await ask(both.two, "And then?", previous_response_id=private["id"])
    assert f"{MARKER} one" in both.den.asked[-1]
    again = await ask(both.one, "And then?", previous_response_id=follows["id"])
    assert both.den.asked[-1].count("And then?") == 2
    plain = await ask(both.two, "Something else.")
    labels = [both.label(one["id"]) for one in (private, follows, again, plain)]
    assert labels == [SENSITIVE, SENSITIVE, SENSITIVE, PUBLIC]

    talk = await call(both.two, "POST", "/v1/conversations", json={"metadata": {"a": "b"}})
    await asyncio.gather(*(ask((both.one, both.two)[n % 2], f"turn-{n}", conversation=talk["id"]) for n in range(6)))
    items = await call(both.one, "GET", f"/v1/conversations/{talk['id']}/items?limit=100")
    assert sorted(n for n in range(6) if f"turn-{n}" in json.dumps(items)) == list(range(6))
    assert len(items["data"]) == 12

    assert (await call(both.two, "GET", f"/v1/responses/{private['id']}"))["id"] == private["id"]
    await call(both.two, "DELETE", f"/v1/responses/{private['id']}")
    await ask(both.one, "And then?", previous_response_id=follows["id"], status=404)
    everything = b"".join(bytes(sealed) for (sealed,) in both.rows("SELECT sealed FROM stored"))
    assert MARKER.encode() not in everything
    assert not [*both.folder.rglob("responses.sqlite3"), *both.folder.rglob("batches.sqlite3")]


async def test_a_file_is_used_at_the_other_gateway(both: Pair) -> None:
    """A file of several pieces that one took is listed, read, named by a request and deleted at the other."""
    content = b"0123456789abcdef\n" * 80_000
    large = await upload(both.one, "large.jsonl", content, "batch")
    note = f"The ship came in. {MARKER}".encode()
    small = await upload(both.one, "note.txt", note, "user_data")
    assert {one["id"] for one in (await call(both.two, "GET", "/v1/files"))["data"]} == {large, small}
    same = await call(both.two, "GET", f"/v1/files/{large}/content") == content
    assert same
    said = [{"type": "input_text", "text": "What came in?"}, {"type": "input_file", "file_id": small}]
    await call(both.two, "POST", "/v1/responses", json={"model": "auto", "input": [{"role": "user", "content": said}]})
    assert base64.b64encode(note).decode() in both.den.asked[-1]
    await call(both.two, "DELETE", f"/v1/files/{small}")
    await call(both.one, "GET", f"/v1/files/{small}", status=404)


async def test_a_batch_goes_on_when_its_gateway_is_killed(tmp_path: Path, postgresql: Postgresql) -> None:
    """kill -9 in the middle: the other one answers the rest; only the line that was under way is asked twice."""
    database = postgresql.fresh()
    async with pair(tmp_path, database) as both:
        both.den.stop_at = "line-5."
        file = await upload(both.one, "in.jsonl", lines(12), "batch")
        new = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        batch = await call(both.one, "POST", "/v1/batches", json=new)
        async with asyncio.timeout(30):
            await both.den.stopped.wait()
        running = await call(both.two, "GET", f"/v1/batches/{batch['id']}")
        assert (running["status"], running["request_counts"]["completed"]) == ("in_progress", 5)
        assert both.one.process is not None
        both.one.process.kill()
        await both.one.process.wait()
        both.rows("UPDATE stored_leases SET ends = 1")  # as after half a minute
        async with asyncio.timeout(60):
            while (done := await call(both.two, "GET", f"/v1/batches/{batch['id']}"))["status"] != "completed":  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.1)
        assert done["request_counts"] == {"total": 12, "completed": 12, "failed": 0}
        output = await call(both.two, "GET", f"/v1/files/{done['output_file_id']}/content")
        answered = [json.loads(line)["custom_id"] for line in output.splitlines()]
        assert answered == [f"line-{number}" for number in range(12)]
        asked = Counter(number for said in both.den.asked for number in range(12) if f"line-{number}." in said)
        assert asked == Counter(range(12)) + Counter([5])
        assert both.rows("SELECT count(*) FROM receipts") == [(13,)]
    async with off(tmp_path / "two", database):  # the last one: everything is erased
        assert both.rows("SELECT count(*) FROM stored") == [(0,)]


async def test_without_the_database_it_is_said(both: Pair, postgresql: Postgresql) -> None:
    """While the database is away whatever needs the store is a 503 with the reason, and works again when it is back."""
    first = await ask(both.one, "Hello.")
    postgresql.stop(signal.SIGQUIT)
    try:
        told = await call(both.two, "GET", f"/v1/responses/{first['id']}", status=503)
        assert told["error"]["code"] == "store_unavailable"
        assert "database can't be reached" in told["error"]["message"]
        await call(both.two, "GET", "/v1/files", status=503)
        await ask(both.one, "And then?", previous_response_id=first["id"], status=503)
    finally:
        postgresql.start()
    for each in (both.one, both.two):
        await each.until_ready(30)
    assert (await ask(both.two, "And then?", previous_response_id=first["id"]))["store"] is True


async def test_turned_off_at_one_gateway_nothing_of_others_is_erased(tmp_path: Path, both: Pair) -> None:
    """A gateway that starts with `store: off` while others store erases nothing, and says so."""
    made = await ask(both.one, "Hello.")
    async with off(tmp_path, both.database) as third:
        assert "other gateways still store" in third.log
    assert (await call(both.two, "GET", f"/v1/responses/{made['id']}"))["id"] == made["id"]


async def test_connections_are_few(both: Pair) -> None:
    """However many clients read at once, a gateway has as many connections as before."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'aduana' AND pid <> pg_backend_pid()"
    made = await ask(both.one, "Hello.")
    before = both.rows(count)
    await asyncio.gather(*(call(both.one, "GET", f"/v1/responses/{made['id']}") for _ in range(50)))
    assert both.rows(count) == before
