"""Managed targets whose server is the stand-in, and requests for them, as the tests here want them."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.core.delta import Text
from gateway.core.errors import AduanaError
from gateway.core.labels import Label, Zone
from gateway.core.target import TargetInfo
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.http.settings import HttpSettings
from gateway.local.managed.cards import CardMemory
from gateway.local.managed.settings import ServerSettings
from gateway.local.managed.target import ManagedTarget
from gateway.local.models.events import WorkerEvent
from gateway.local.models.pool import ModelPool
from gateway.wire import openai

ROOT = Path(__file__).resolve().parents[3]
CHAT = openai.parse_chat(b'{"model":"auto","messages":[{"role":"user","content":"my secret"}],"stream":false}')
STANDIN = (sys.executable, "-m", "tests.standins.server", "{port}", "--host", "{host}")


def server(*options: str, **changes: Any) -> ServerSettings:
    """Settings of a stand-in with these options."""
    settings: dict[str, Any] = {"command": (*STANDIN, *options), "directory": str(ROOT), "stop_seconds": 5.0}
    return ServerSettings(**(settings | changes))


def managed(
    settings: ServerSettings,
    *,
    name: str = "painter",
    pool: ModelPool | None = None,
    memory: int = 0,
    events: list[WorkerEvent] | None = None,
    cards: Callable[[], CardMemory] = CardMemory,
    **http: Any,
) -> ManagedTarget:
    """A target that is not started yet."""
    info = TargetInfo(name=name, kind="server", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="m")
    return ManagedTarget(
        info,
        settings,
        HttpSettings(base_url="/v1", **http),
        models=pool or ModelPool(),
        footprint=MemoryFootprint(compute=memory),
        listener=events.append if events is not None else None,
        cards=cards,
    )


async def told(target: ManagedTarget, seconds: float = 60) -> dict[str, Any]:
    """What the server says of itself."""
    deadline = asyncio.get_running_loop().time() + seconds
    answer = target.generate(CHAT, deadline=deadline, isolation="x")
    said = json.loads("".join([delta.text async for delta in answer if isinstance(delta, Text)]))
    assert isinstance(said, dict)
    return said


async def failure(target: ManagedTarget, seconds: float = 60) -> AduanaError:
    """How a request fails."""
    try:
        await told(target, seconds)
    except AduanaError as error:
        return error
    raise AssertionError("it was answered")


def runs(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
