"""Odd request heads, byte by byte: each gets an error in its dialect's shape, none gets further."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fault_server import GOOD
from tests.faults.house import CLIENT_KEY, POLICY, Reply, chat, get, opened, request

RULE = """rules:
  - {name: app, when: {header: {name: x-app, matches: '^app'}}, prefer: [den]}
"""
PATHS = ("/v1/chat/completions", "/v1/messages", "/api/chat")


def keyed(tmp_path: Path) -> dict[str, Any]:
    """A configuration with one API key."""
    (tmp_path / "client-key").write_text(CLIENT_KEY)
    return {"ana": {"secret": f"file:{tmp_path / 'client-key'}"}}


def told(reply: Reply, path: str) -> str:
    """Return the message of an error in the shape of the path's dialect."""
    error = json.loads(reply.body)["error"]
    return str(error if path.startswith("/api/") else error["message"])


def with_header(name: str, value: bytes, path: str) -> bytes:
    """Return a request with a header of any bytes."""
    head, body = request(chat(), path=path, **{name.replace("-", "_"): "§"}).split("§".encode(), 1)
    return head + value + body


async def test_credentials_of_any_bytes_are_401(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A credential of bytes that are no UTF-8 is a wrong key: 401 in the shape of the dialect, and never a crash."""
    values = [b"Bearer " + bytes([byte]) for byte in range(0x80, 0x100)]
    values += [bytes(range(0x80, 0x100)), b"Basic \xff\xfe", b"\xc3\x28", b"Bearer \xed\xa0\x80"]
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD, keys=keyed(tmp_path)) as one:
        for number, value in enumerate(values):
            path = PATHS[number % len(PATHS)]
            for name in ("Authorization", "x-api-key", "api-key"):
                reply = await one.send(with_header(name, value, path))
                assert reply.status == 401, (name, value)
                assert "API key" in told(reply, path)
        for name in ("Origin", "Host"):
            assert (await one.send(with_header(name, b"http://\xff\x80[", "/v1/messages"))).status == 403
        assert (await one.ask(Authorization=f"Bearer {CLIENT_KEY}")).status == 200


async def test_a_websocket_handshake_is_426(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A WebSocket handshake on any path says that plain HTTP is needed, so that clients fall back."""
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD) as one:
        for path in (*PATHS, "/v1/responses", "/v1/models", "/v1/realtime"):
            reply = await one.send(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            assert (reply.status, reply.headers["upgrade"]) == (426, "HTTP/1.1"), path
            assert "plain HTTP" in told(reply, path)


async def test_a_mistyped_header_protects_nothing_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`x-aduana-tag` for `x-aduana-tags` gets 400 with the right name, in each dialect, and nothing is sent."""
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD) as one:
        for path in PATHS:
            reply = await one.send(with_header("x-aduana-tag", b"health", path))
            assert reply.status == 400
            assert "x-aduana-tags" in told(reply, path)
        assert not one.big.posts
        assert not one.den.posts


async def test_an_unknown_tag_stays_at_home_and_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A mistyped tag keeps even a public request at home; header, receipt and log say so, the log without it."""
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD) as one:
        for path in PATHS:
            reply = await one.ask(chat(max_tokens=5), path=path, x_aduana_tags="public, helth")
            assert (reply.status, reply.headers["x-aduana-unknown-tags"]) == (200, "helth"), reply.body
            assert (reply.headers["x-aduana-label"], reply.headers["x-aduana-zone"]) == ("sensitive", "local")
        assert not one.big.posts
        with sqlite3.connect(tmp_path / "ledger.sqlite3") as database:
            (first, *_) = database.execute("SELECT label_source FROM whole_receipts ORDER BY seq").fetchone()
        database.close()
        assert first == "unknown_tag"  # the later ones have its conversation's past besides
        log = "".join(capfd.readouterr())
        assert log.count("request.unknown_tag") == 1  # once for each tag, however often it comes
        assert "helth" not in log
        assert "health" in log  # the tag that was meant
        metrics = (await get(one, "/metrics")).body.decode()
        assert f"aduana_unknown_tags_total {len(PATHS)}" in metrics
        await one.ask(chat(max_tokens=5), x_aduana_tags=", ".join(f"tag-{number}" for number in range(30)))
        assert "".join(capfd.readouterr()).count("request.unknown_tag") == 3  # no request fills the log


@pytest.mark.parametrize("path", PATHS)
async def test_no_header_of_any_bytes_is_a_crash(tmp_path: Path, capfd: pytest.CaptureFixture[str], path: str) -> None:
    """Whatever bytes stand in whatever header, nothing fails inside, and each answer is an ordinary one."""
    names = ["Host", "Origin", "Content-Type", "Content-Encoding", "Accept", "User-Agent", "anthropic-version"]
    names += ["Expect", "x-aduana-tags", "x-aduana-explain", "Idempotency-Key", "Access-Control-Request-Headers"]
    names += ["Upgrade", "Cookie", "X-App", "X-Forwarded-For", "traceparent", "Authorization"]
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD, header_facts=("x-app",)) as one:
        before = json.loads((await get(one, "/readyz")).body)["policy"]
        (tmp_path / "policy.yaml").write_text(POLICY.replace("rules:", RULE))
        async with asyncio.timeout(60):
            while json.loads((await get(one, "/readyz")).body)["policy"] == before:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.05)
        for name in names:
            for value in (b"\xff", b"\x80\xfe\xc3", b"Bearer \xed\xa0\x80", b"[\xe2\x84\x80"):
                reply = await one.send(with_header(name, value, path))
                assert reply.status in (200, 400, 401, 403, 415, 417, 422), (name, value, reply.body)
        waits = with_header("Expect", b"100-continue", path)
        assert (await one.send(waits)).status == 100
        assert (await get(one, "/v1/models/%ff%fe")).status == 200  # a name that nobody knows, as a chat would have it
        for page in ("/api/%ff", "/%ff", "/admin/models/%ff/load"):
            assert (await get(one, page)).status in (404, 405)
        assert "request.failed" not in "".join(capfd.readouterr())
