"""The whole gateway in the test's own loop, between a broken client and two upstreams that do as they are told.

`opened()` checks, whatever happened: one settlement for each receipt, nothing in flight, no stopped violation, nothing
above its ceiling in the cloud's log, and no key, no prompt and no answer in ledger, metrics or log.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.app.wiring import running
from gateway.settings import Settings
from tests.faults.fault_server import FaultServer, Script

POLICY = """
version: 1
labels:
  default: internal
  tags: {public: public, health: sensitive}
rules:
  - {name: public goes out first, when: {label: public}, prefer: [big, den]}
otherwise: {prefer: [den, big]}
"""
PROVIDER_KEY = "sk-provider-0123456789abcdef"
CLIENT_KEY = "client-key-0123456789abcdef"
PROMPT = "The quick marmalade prompt"  # in every request; must never be written down


class Reply:
    """An HTTP answer as it came over the socket."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.raw = raw
        self.status = int(first.split()[1]) if first else 0
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def error(self) -> dict[str, Any]:
        """The error object, wherever it stands: in the body or in the last event of a stream."""
        text = self.body.decode("utf-8", "replace")
        found = json.loads(text[text.rindex('{"error"') : text.rindex("}") + 1])["error"]
        assert set(found) - {"aduana"} == {"message", "type", "param", "code"}
        return dict(found)


class House:
    """A running gateway."""

    def __init__(self, url: str, folder: Path, big: FaultServer, den: FaultServer) -> None:
        self.port = int(url.rsplit(":", 1)[1])
        self.folder = folder
        self.big = big
        self.den = den

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A raw connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, *parts: bytes) -> Reply:
        """Sends these bytes and reads one answer: up to its length, or until the gateway hangs up."""
        reader, writer = await self.connect()
        try:
            writer.write(b"".join(parts))
            async with asyncio.timeout(60):
                return await read_reply(reader)
        finally:
            writer.close()

    async def ask(self, body: bytes | None = None, *, path: str = "/v1/chat/completions", **headers: str) -> Reply:
        """An ordinary request."""
        return await self.send(request(chat() if body is None else body, path=path, **headers))

    def settlements(self) -> list[tuple[str, str | None, str | None]]:
        """Outcome, target and error of every settled request, in order."""
        with sqlite3.connect(self.folder / "ledger.sqlite3") as database:
            rows = database.execute("SELECT outcome, target, error FROM settlements ORDER BY seq").fetchall()
        database.close()
        return [(outcome, target, error) for outcome, target, error in rows]

    async def settled(self, count: int) -> list[tuple[str, str | None, str | None]]:
        """Waits until so many requests are settled."""
        async with asyncio.timeout(60):
            while len(found := self.settlements()) < count:  # noqa: ASYNC110 - the ledger has no event for it
                await asyncio.sleep(0.01)
        return found


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """One answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), None)
    return Reply(head + (await reader.read(-1) if size is None else await reader.readexactly(size)))


def chat(**fields: Any) -> bytes:
    """A chat body."""
    return json.dumps({"model": "auto", "messages": [{"role": "user", "content": PROMPT}]} | fields).encode()


def request(body: bytes, *, path: str = "/v1/chat/completions", **headers: str) -> bytes:
    """An ordinary HTTP request; header names have `_` for `-`."""
    given = {"Host": "127.0.0.1", "Content-Type": "application/json", "Connection": "close"}
    given |= {"Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


@asynccontextmanager
async def opened(
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    *,
    big: Script | list[Script],
    den: Script | list[Script],
    server: dict[str, Any] | None = None,
    waiting: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """A gateway between `big`, a cloud for public requests, and `den`, a server at home."""
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "key").write_text(PROVIDER_KEY)
    async with FaultServer(big) as cloud, FaultServer(den) as home:
        shared = {"kind": "openai", "api_key": f"file:{folder / 'key'}"}
        config = Settings(
            server={"port": 0, "drain_seconds": 0.5} | (server or {}),
            state_dir=folder,
            policy=(folder / "policy.yaml",),
            targets={
                "den": shared | {"zone": "local", "base_url": home.base_url, "model": "den-1"} | (waiting or {}),
                "big": shared | {"zone": "cloud", "base_url": cloud.base_url, "model": "big-1", "ceiling": "public"},
            },
            **settings,
        )
        async with running(config) as gateway:
            house = House(gateway.url, folder, cloud, home)
            await until_ready(house)
            yield house
            metrics = await metrics_when_quiet(house)
        check_guarantees(house, metrics, "".join(capfd.readouterr()))


async def until_ready(house: House) -> None:
    """Until the local server has been looked at."""
    async with asyncio.timeout(60):
        while not house.den.requests:  # noqa: ASYNC110 - readiness has no event
            await asyncio.sleep(0.01)
        while (await get(house, "/readyz")).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def get(house: House, path: str) -> Reply:
    """A page."""
    return await house.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())


async def metrics_when_quiet(house: House) -> str:
    """The metrics, once nothing is in flight any more."""
    async with asyncio.timeout(60):
        while True:
            text = (await get(house, "/metrics")).body.decode()
            flying = [line for line in text.splitlines() if line.startswith("aduana_requests_in_flight")]
            assert flying
            if all(float(line.split()[-1]) == 0 for line in flying):
                return text
            await asyncio.sleep(0.01)


def check_guarantees(house: House, metrics: str, log: str) -> None:
    """What holds in every row."""
    with sqlite3.connect(house.folder / "ledger.sqlite3") as database:
        receipts, settlements = (
            {row[0] for row in database.execute(f"SELECT seq FROM {table}")} for table in ("receipts", "settlements")
        )
        labels = dict(
            database.execute("SELECT s.target, max(r.label) FROM settlements s JOIN receipts r USING (seq) GROUP BY 1")
        )
    database.close()
    assert receipts == settlements
    assert labels.get("big", 0) == 0
    for sent in house.big.posts:
        assert b'"model":"big-1"' in sent.body
        assert b"health" not in sent.body
    violations = [line for line in metrics.splitlines() if line.startswith("aduana_privacy_violations_total")]
    assert [float(line.split()[-1]) for line in violations] == [0]
    written = b"".join(file.read_bytes() for file in house.folder.glob("ledger.sqlite3*")).decode("latin-1")
    for secret in (PROVIDER_KEY, CLIENT_KEY, PROMPT, "marmalade", "Hello there"):
        for place in (metrics, log, written):
            assert secret not in place
