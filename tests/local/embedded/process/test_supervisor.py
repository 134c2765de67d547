"""Model files that are no good in ways only loading shows: the worker may die of them, the gateway answers clearly."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import AduanaError, TargetError, TargetUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.target import TargetInfo
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from gateway.local.models.events import WorkerEvent
from gateway.wire import openai
from tests.engine import tiny

pytestmark = [pytest.mark.model, pytest.mark.asyncio]
EMBED = b'{"model":"m","input":"the cat"}'


def made(path: Path, events: list[WorkerEvent] | None = None, **changes: Any) -> EmbeddedTarget:
    """A target on this file that gives up soon."""
    info = TargetInfo(name="home", kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="m", context=128)
    settings: dict[str, Any] = {"model": str(path), "context": 128, "slots": 1, "threads": 1, "batch": 64}
    listener = events.append if events is not None else None
    return EmbeddedTarget(info, EmbeddedSettings(**(settings | changes)), listener=listener)


def changed(monkeypatch: pytest.MonkeyPatch, metadata: dict[str, Any], tensors: dict[str, Any]) -> None:
    """Files that are written from now on lie: None leaves a key or a tensor out."""
    write = tiny.write_gguf

    def lying(path: Path, values: Any, weights: Any) -> Path:
        both = ({**values, **metadata}, {**weights, **tensors})
        kept = tuple({name: value for name, value in part.items() if value is not None} for part in both)
        return write(path, *kept)

    monkeypatch.setattr(tiny, "write_gguf", lying)


@pytest.mark.parametrize(
    ("metadata", "tensors"),
    [
        ({"general.architecture": "perpetuum"}, {}),
        ({"bert.block_count": None}, {}),
        ({"bert.block_count": 50}, {}),
        ({"bert.attention.head_count": 0}, {}),
        ({"bert.embedding_length": 48}, {}),
        ({"bert.block_count": "two"}, {}),
        ({"tokenizer.ggml.model": "telepathy"}, {}),
        ({"tokenizer.ggml.model": None}, {}),
        ({"tokenizer.ggml.tokens": None}, {}),
        ({"tokenizer.ggml.tokens": ["a"]}, {}),
        ({}, {"token_embd.weight": None}),
        ({}, {"blk.1.ffn_up.weight": tiny.np.zeros((2, 2), "f4")}),
    ],
    ids=str,
)
async def test_a_file_that_lies(
    metadata: dict[str, Any], tensors: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model file that lies gives 503 without a path, whatever it does to the worker; the gateway lives on."""
    changed(monkeypatch, metadata, tensors)
    events: list[WorkerEvent] = []
    target = made(tiny.write_encoder(tmp_path / "lie.gguf", 1), events)
    await target.start()
    with pytest.raises(TargetUnavailable) as caught:
        await target.embed(openai.parse_embeddings(EMBED), deadline=asyncio.get_running_loop().time() + 60)
    assert caught.value.status == 503
    assert str(tmp_path) not in caught.value.message
    assert events[-1].cause
    assert not target.state().healthy
    assert not target.residency.loading  # so that it can be evicted for other models
    await target.unload()
    assert target.state().healthy  # the next request may try again: the file may have been replaced
    await target.close()


async def test_a_worker_that_is_killed_while_it_loads(tmp_path: Path) -> None:
    """A kill while loading, as the kernel does it when memory runs out, is told with what to turn down."""
    target = made(tiny.write_encoder(tmp_path / "m.gguf", 1), restart_first=60.0)
    await target.start()
    await until(lambda: target._worker.pid is not None)
    assert target._worker.pid is not None
    os.kill(target._worker.pid, signal.SIGKILL)
    with pytest.raises(TargetUnavailable, match=r"memory ran out\. Turn down 'slots'"):
        await target.embed(openai.parse_embeddings(EMBED), deadline=asyncio.get_running_loop().time() + 60)
    await target.close()


async def until(true: Callable[[], bool]) -> None:
    """Waits for a fact that nobody announces."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - facts are polled by the policy as well
            await asyncio.sleep(0.01)


async def test_a_file_that_is_cut_off_while_it_is_used(tmp_path: Path) -> None:
    """A model file cut off in use ends the worker (SIGBUS): a clear error, then 503 that says what is wrong."""
    from tests.local.embedded.test_target import complete
    from tests.standins.machine import starter

    path = tmp_path / "shrinks.gguf"
    shutil.copy(starter(), path)
    events: list[WorkerEvent] = []
    target = made(path, events, repack=False, restart_longest=0.1)
    await target.start()

    async def ask() -> None:
        deadline = asyncio.get_running_loop().time() + 60
        async for _ in target.generate(complete("Once", max_tokens=2), deadline=deadline, isolation=""):
            pass

    await ask()
    with path.open("r+b") as file:
        file.truncate(2_000_000)
    with pytest.raises(TargetError) as caught:
        await ask()
    assert isinstance(caught.value, AduanaError)
    assert caught.value.status in (502, 503)
    await until(lambda: bool(target.problem))
    with pytest.raises(TargetUnavailable, match="incomplete"):
        await ask()
    assert any(event.cause.startswith("signal") for event in events)
    await target.close()
