"""The listener says at its start what it can't keep of its settings."""

import resource

import pytest
import structlog
from aiohttp import web

from gateway.pipeline.drain import DrainWindow
from gateway.server.listener import Listener


@pytest.mark.parametrize(("limit", "told"), [(1024, [(448, 1024)]), (1_048_576, [])])
def test_fewer_connections_than_configured_are_said(
    monkeypatch: pytest.MonkeyPatch, limit: int, told: list[tuple[int, int]]
) -> None:
    """A limit of open files that lowers `max_connections` is in the log, with what to raise."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    with structlog.testing.capture_logs() as logs:
        Listener(
            web.Application(),
            host="127.0.0.1",
            port=0,
            drain=DrainWindow(),
            drain_seconds=1,
            write_seconds=1,
            max_connections=1024,
        )
    assert [(line["kept"], line["before"]) for line in logs] == told
    assert all("LimitNOFILE" in line["reason"] for line in logs)
