"""Files and batches: OpenAI's own client, and what of a batch may never leave."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio

from tests.e2e.conftest import House, write_house
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

BATCHES = """
batches: {store: on, max_file_bytes: 3 MB, max_bytes: 8 MB}
keys:
  ana: {secret: "env:ANA"}
  ben: {secret: "env:BEN"}
"""
ENV = {"STANDIN_KEY": "sk-standin", "ANA": "ana-secret-1", "BEN": "ben-secret-1"}
IBAN = "ES91 2100 0418 4502 0005 1332"
LONG = "The committee met again and spoke of the harbour, the weather and the price of bread. " * 40
CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
ENDED = {"completed", "failed", "expired", "cancelled"}


def gateway_in(folder: Path, cloud: StandInCloud, extra: str = BATCHES) -> RunningGateway:
    """Return the gateway of a folder, whose state lies there from one start to the next."""
    return RunningGateway(folder, write_house(folder, cloud, extra), env=ENV)


def client_of(gateway: RunningGateway, secret: str = "ana-secret-1", tags: str = "public") -> openai.AsyncOpenAI:
    """Return the SDK client of an app, which holds answers to OpenAI's types."""
    headers = {"x-aduana-tags": tags} if tags else {}
    return openai.AsyncOpenAI(
        base_url=gateway.url + "/v1",
        api_key=secret,
        max_retries=0,
        default_headers=headers,
        _strict_response_validation=True,
    )


def chat(text: str, **fields: Any) -> dict[str, Any]:
    """Return the body of a short chat."""
    return {"model": "auto", "messages": [{"role": "user", "content": text}], "max_tokens": 4} | fields


def written(bodies: list[dict[str, Any]], url: str = CHAT) -> bytes:
    """Return a batch's file with these bodies, under the ids `line-0`, `line-1`, …"""
    lines = [
        {"custom_id": f"line-{number}", "method": "POST", "url": url, "body": body}
        for number, body in enumerate(bodies)
    ]
    return "\n".join(map(json.dumps, lines)).encode()


async def begun(client: openai.AsyncOpenAI, content: bytes, url: Any = CHAT, **fields: Any) -> Any:
    """Upload a file and begin a batch with it."""
    file = await client.files.create(file=("in.jsonl", content), purpose="batch")
    return await client.batches.create(input_file_id=file.id, endpoint=url, completion_window="24h", **fields)


async def ended(client: openai.AsyncOpenAI, batch_id: str) -> Any:
    """Return the batch when it has ended."""
    async with asyncio.timeout(60):
        while (batch := await client.batches.retrieve(batch_id)).status not in ENDED:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)
    return batch


async def results(client: openai.AsyncOpenAI, file_id: str | None) -> dict[str, Any]:
    """Return the lines of a result's file by their ids."""
    if file_id is None:
        return {}
    content = (await client.files.content(file_id)).content
    found = [json.loads(line) for line in content.splitlines()]
    return {line["custom_id"]: line for line in found}


def receipts(gateway: RunningGateway) -> int:
    """Return how many receipts the ledger has."""
    file = gateway.folder / "state" / "ledger.sqlite3"
    with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as ledger:
        return ledger.execute("SELECT count(*) FROM receipts").fetchone()[0]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def batching(tmp_path_factory) -> AsyncIterator[House]:
    """Start a gateway that answers batches, with two keys."""
    folder = tmp_path_factory.mktemp("batching")
    async with StandInCloud() as cloud, gateway_in(folder, cloud) as gateway:
        await gateway.until_ready()
        yield House(gateway, cloud)


async def test_a_file_is_kept_for_its_owner(batching):
    """A file is listed, read and deleted by the key that uploaded it; another key finds nothing."""
    content = written([chat(f"{number} {LONG}") for number in range(600)])  # several pieces
    assert 2 * 2**20 < len(content) < 3_000_000
    async with client_of(batching.gateway) as ana, client_of(batching.gateway, "ben-secret-1") as ben:
        file = await ana.files.create(file=("in.jsonl", content), purpose="batch")
        assert (file.bytes, file.filename, file.purpose, file.status) == (
            len(content),
            "in.jsonl",
            "batch",
            "processed",
        )
        assert await ana.files.retrieve(file.id) == file
        assert file in [one async for one in ana.files.list(limit=1)]
        assert (await ana.files.content(file.id)).content == content
        assert [one async for one in ben.files.list()] == []
        for ask in (ben.files.retrieve, ben.files.content, ben.files.delete):
            with pytest.raises(openai.NotFoundError):
                await ask(file.id)
        with pytest.raises(openai.NotFoundError):
            await ben.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
        database = (batching.gateway.folder / "state" / "batches.sqlite3").read_bytes()
        assert b"committee" not in database
        assert (await ana.files.delete(file.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await ana.files.retrieve(file.id)


@pytest.mark.parametrize(
    ("purpose", "content", "status", "code"),
    [
        ("fine-tune", b"{}", 400, "invalid_purpose"),
        ("batch", b"", 400, "empty_file"),
        ("batch", b"x" * 3_000_001, 413, "request_too_large"),
    ],
)
async def test_a_file_that_is_not_for_batches_is_refused(batching, purpose, content, status, code):
    """Other purposes, empty and too large files are clear errors, and nothing of them stays."""
    async with client_of(batching.gateway) as client:
        before = [file.id async for file in client.files.list()]
        with pytest.raises(openai.APIStatusError) as caught:
            await client.files.create(file=("in.jsonl", content), purpose=purpose)
        assert (caught.value.status_code, caught.value.code) == (status, code)
        assert [file.id async for file in client.files.list()] == before


async def test_a_batch_is_answered_line_by_line(batching):
    """Each endpoint's lines are answered under their ids; a line that fails has its error in the other file."""
    lines = [chat("Say hello."), chat("Hi.", stream=True), chat("Hi.", temperature="hot"), chat("Hi.")]
    async with client_of(batching.gateway) as client:
        made = await begun(client, written(lines), metadata={"night": "first"})
        batch = await ended(client, made.id)
        assert (batch.status, batch.metadata) == ("completed", {"night": "first"})
        assert batch.request_counts.model_dump() == {"total": 4, "completed": 2, "failed": 2}
        good, bad = await results(client, batch.output_file_id), await results(client, batch.error_file_id)
        assert (set(good), set(bad)) == ({"line-0", "line-3"}, {"line-1", "line-2"})
        assert good["line-0"]["response"]["status_code"] == 200
        assert good["line-0"]["response"]["body"]["object"] == "chat.completion"
        assert bad["line-2"]["response"]["status_code"] == 400
        assert bad["line-2"]["response"]["body"]["error"]["param"] == "temperature"
        assert batch in [one async for one in client.batches.list(limit=1)]
        assert (await client.files.retrieve(batch.output_file_id)).purpose == "batch_output"
        body = {"model": "auto", "input": "Say hello.", "max_output_tokens": 16}
        batch = await ended(client, (await begun(client, written([body], RESPONSES), RESPONSES)).id)
        found = await results(client, batch.output_file_id)
        assert found["line-0"]["response"]["body"]["object"] == "response"
        body = {"model": "auto", "input": "Say hello."}
        batch = await ended(client, (await begun(client, written([body], EMBEDDINGS), EMBEDDINGS)).id)
        assert batch.status == "completed"
        found = await results(client, batch.output_file_id) | await results(client, batch.error_file_id)
        assert found.keys() == {"line-0"}


async def test_a_sensitive_line_never_leaves(batching):
    """Of lines that would go to the cloud, the one with an account number, or under a sensitive tag, stays at home."""
    lines = [chat(f"Marker-open. {LONG}"), chat(f"Marker-shut. {LONG} Pay to {IBAN}."), chat("Marker-end.")]
    async with client_of(batching.gateway) as client, client_of(batching.gateway, tags="health") as tagged:
        batch = await ended(client, (await begun(client, written(lines))).id)
        assert batch.request_counts.total == batch.request_counts.completed == 3
        assert "Marker-open" in batching.cloud.arrived
        assert "Marker-shut" not in batching.cloud.arrived
        assert "2100 0418" not in batching.cloud.arrived
        for uploads, creates in ((client, tagged), (tagged, client)):
            file = await uploads.files.create(
                file=("in.jsonl", written([chat(f"Marker-tag. {LONG}")])), purpose="batch"
            )
            made = await creates.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
            assert (await ended(client, made.id)).request_counts.completed == 1
        assert "Marker-tag" not in batching.cloud.arrived
        again = f"{LONG} What was it? Pay to {IBAN}."
        assert again not in batching.cloud.arrived


async def test_each_line_has_a_receipt_and_a_settlement(batching):
    """A line is written down under the key that made its batch, like any request."""
    async with client_of(batching.gateway, "ben-secret-1") as client:
        batch = await ended(client, (await begun(client, written([chat("Hi."), chat("Hello.")]))).id)
        found = await results(client, batch.output_file_id)
    file = batching.gateway.folder / "state" / "ledger.sqlite3"
    for line in found.values():
        async with asyncio.timeout(10):
            row = None
            while row != ("ben", 1):
                with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as ledger:
                    row = ledger.execute(
                        "SELECT key, count(settlements.seq) FROM receipts LEFT JOIN settlements USING (seq) "
                        "WHERE request_id = ?",
                        (line["response"]["request_id"],),
                    ).fetchone()
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no JSON", "invalid_json_line"),
        (written([chat("Hi.")], RESPONSES), "mismatched_url"),
        (written([chat("Hi.")]) + b"\n" + written([chat("Ho.")]), "duplicate_custom_id"),
        (b"\n \n", "empty_file"),
    ],
)
async def test_a_file_with_mistakes_fails_with_its_lines(batching, content, code):
    """A batch whose file is not as it must be fails, and says what is wrong in which line."""
    async with client_of(batching.gateway) as client:
        batch = await ended(client, (await begun(client, content)).id)
        assert batch.status == "failed"
        assert batch.errors.data[0].code == code
        assert batch.output_file_id is None


async def test_a_batch_is_cancelled(batching):
    """A cancelled batch ends with what was answered by then; another key's, and one that has ended, can't be."""
    many = written([chat("Count to a hundred.", model="local", max_tokens=100)] * 40)
    async with client_of(batching.gateway) as ana, client_of(batching.gateway, "ben-secret-1") as ben:
        made = await begun(ana, many)
        for ask in (ben.batches.cancel, ben.batches.retrieve):
            with pytest.raises(openai.NotFoundError):
                await ask(made.id)
        assert (await ana.batches.cancel(made.id)).status == "cancelling"
        batch = await ended(ana, made.id)
        assert batch.status == "cancelled"
        assert batch.request_counts.completed < 40
        with pytest.raises(openai.BadRequestError):
            await ana.batches.cancel(made.id)


async def test_a_batch_survives_a_kill_and_off_erases(tmp_path):
    """After a kill every line is answered, those with a result not again; `off` refuses, and erases what there was."""
    lines = written([chat("Count to a hundred.", model="local", max_tokens=30) for _ in range(6)])
    async with StandInCloud() as cloud:
        async with gateway_in(tmp_path, cloud) as gateway, client_of(gateway) as client:
            await gateway.until_ready()
            made = await begun(client, lines)
            async with asyncio.timeout(60):
                while (await client.batches.retrieve(made.id)).request_counts.completed < 2:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.01)
            assert gateway.process is not None
            gateway.process.kill()
        async with gateway_in(tmp_path, cloud) as gateway, client_of(gateway) as client:
            await gateway.until_ready()
            batch = await ended(client, made.id)
            assert (batch.status, batch.request_counts.completed) == ("completed", 6)
            found = await results(client, batch.output_file_id)
            assert set(found) == {f"line-{number}" for number in range(6)}
            assert 6 <= receipts(gateway) <= 7  # the line that was under way at the kill was asked again, no other
        off = BATCHES.replace("store: on", "store: off")
        async with gateway_in(tmp_path, cloud, off) as gateway, client_of(gateway) as client:
            assert not (tmp_path / "state" / "batches.sqlite3").exists()
            with pytest.raises(openai.BadRequestError, match=r"batches: \{store: on\}"):
                await client.batches.list()
