"""The listener: what it says of its settings at its start, and its two ports."""

import resource
import socket

import aiohttp
import pytest
import structlog
from aiohttp import web

from gateway.pipeline.drain import DrainWindow
from gateway.server.listener import Listener


def listener_of(application: web.Application, *, further_port: int | None = None) -> Listener:
    """A listener on a free port of loopback."""
    return Listener(
        application,
        host="127.0.0.1",
        port=0,
        further_port=further_port,
        drain=DrainWindow(),
        drain_seconds=1,
        write_seconds=1,
        max_connections=1024,
    )


@pytest.mark.parametrize(("limit", "told"), [(1024, [(448, 1024)]), (1_048_576, [])])
def test_fewer_connections_than_configured_are_said(
    monkeypatch: pytest.MonkeyPatch, limit: int, told: list[tuple[int, int]]
) -> None:
    """A limit of open files that lowers `max_connections` is in the log, with what to raise."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    with structlog.testing.capture_logs() as logs:
        listener_of(web.Application())
    assert [(line["kept"], line["before"]) for line in logs] == told
    assert all("LimitNOFILE" in line["reason"] for line in logs)


async def test_a_second_port_answers_the_same() -> None:
    """Apps that look for Ollama at its usual port find everything there; a stop ends both."""

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/", hello)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        further = probe.getsockname()[1]
    listener = listener_of(application, further_port=further)
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
        listener = listener_of(web.Application(), further_port=port)
        with pytest.raises(OSError, match="in use") as caught:
            await listener.start()
    assert caught.value.filename == f"127.0.0.1:{port}"
