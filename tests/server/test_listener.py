"""The listener: what it says of its settings at its start, and its two ports."""

import asyncio
import resource
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
import structlog
from aiohttp import web

from gateway.pipeline.drain import DrainWindow
from gateway.server.application import Application
from gateway.server.listener import Handed, Listener
from tests.standins.certificates import Authority


def listener_of(
    served: Application,
    *,
    further_port: int | None = None,
    tls: ssl.SSLContext | None = None,
    max_connections: int = 1024,
    handed: Handed | None = None,
) -> Listener:
    """A listener on a free port of loopback."""
    return Listener(
        served,
        host="127.0.0.1",
        port=0,
        further_port=further_port,
        drain=DrainWindow(),
        drain_seconds=1,
        write_seconds=1,
        max_connections=max_connections,
        tls=tls,
        handed=handed,
    )


@pytest.mark.parametrize(("limit", "told"), [(1024, [(448, 1024)]), (1_048_576, [])])
def test_fewer_connections_than_configured_are_said(
    monkeypatch: pytest.MonkeyPatch, limit: int, told: list[tuple[int, int]]
) -> None:
    """A limit of open files that lowers `max_connections` is in the log, with what to raise."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    with structlog.testing.capture_logs() as logs:
        listener_of(Application())
    assert [(line["kept"], line["before"]) for line in logs] == told
    assert all("LimitNOFILE" in line["reason"] for line in logs)


async def test_a_second_port_answers_the_same() -> None:
    """Apps that look for Ollama at its usual port find everything there; a stop ends both."""

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    served = Application()
    served.serve("GET", "/", hello)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        further = probe.getsockname()[1]
    listener = listener_of(served, further_port=further)
    url = await listener.start()
    try:
        async with aiohttp.ClientSession() as session:
            for base in (url, f"http://127.0.0.1:{further}"):
                async with session.get(base + "/") as answer:
                    assert await answer.text() == "hello"
    finally:
        await listener.stop()
    with socket.create_server(("127.0.0.1", further)):
        pass  # it is free again


async def test_a_port_that_is_taken_is_named() -> None:
    """The error says which of the two addresses can't be had, and the other one is given back."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listener = listener_of(Application(), further_port=port)
        with pytest.raises(OSError, match="in use") as caught:
            await listener.start()
    assert caught.value.filename == f"127.0.0.1:{port}"


async def test_connections_that_never_begin_tls_count(tmp_path: Path) -> None:
    """Whoever only connects takes a place like everybody else, so that the limit of connections holds."""
    authority = Authority(tmp_path)
    authority.write(tmp_path / "cert.pem", tmp_path / "key.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listener = listener_of(Application(), tls=context, max_connections=2)
    url = await listener.start()
    trust = ssl.create_default_context(cafile=str(authority.file))
    silent = []
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(url, ssl=trust, headers={"Connection": "close"}) as answer:
                assert answer.status == 404
            port = int(url.rpartition(":")[2])
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            async with session.get(url, ssl=trust) as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (503, "busy")
    finally:
        for _, writer in silent:
            writer.close()
        await listener.stop()


async def test_a_reader_that_takes_nothing_is_cut_off_behind_tls_too(tmp_path: Path) -> None:
    """The limit holds for what the system has of an answer, whoever encrypts it."""
    authority = Authority(tmp_path)
    authority.write(tmp_path / "cert.pem", tmp_path / "key.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    ended = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        finally:
            ended.set()

    served = Application()
    served.serve("GET", "/", endless)
    listener = listener_of(served, tls=context)
    url = await listener.start()
    trust = ssl.create_default_context(cafile=str(authority.file))
    port = int(url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname="localhost", limit=1024)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(60):
            await ended.wait()
    finally:
        writer.transport.abort()
        await listener.stop()


class Elsewhere:
    """Another process that accepts: here a socket of the test's own."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.ended = False

    def begin(self, take: Callable[[socket.socket], None]) -> tuple[str, int]:
        asyncio.get_running_loop().add_reader(self.socket, lambda: take(self.socket.accept()[0]))
        host, port = self.socket.getsockname()
        return host, port

    def end(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()
        self.ended = True


async def test_connections_that_another_process_accepted_are_answered(tmp_path: Path) -> None:
    """They speak HTTPS where it is configured; one that does not is closed; a stop takes what was handed over."""
    authority = Authority(tmp_path)
    authority.write(tmp_path / "cert.pem", tmp_path / "key.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    served = Application()
    served.serve("GET", "/", answered)
    handed = Elsewhere()
    listener = listener_of(served, tls=tls, handed=handed)
    url = await listener.start()
    try:
        trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(authority.file)))
        async with aiohttp.ClientSession(connector=trusting) as session, session.get(url) as answer:
            assert await answer.text() == "hello"
        reader, writer = await asyncio.open_connection(*handed.socket.getsockname())
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()
    finally:
        await listener.stop()
    assert handed.ended


async def answered(_: web.Request) -> web.Response:
    """Any answer."""
    return web.Response(text="hello")
