"""Two real models in a memory that holds one: the road of a request through load, wait and unload."""

import asyncio

import pytest

from gateway.core.errors import TargetBusy
from gateway.core.labels import Label, Zone
from gateway.core.target import TargetInfo
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from gateway.local.models.eviction import MemoryLimits
from gateway.local.models.pool import ModelPool
from tests.local.embedded.test_target import complete, process_file, soon, text_of
from tests.standins.machine import repack_works, starter

pytestmark = [pytest.mark.model, pytest.mark.asyncio]


def made(name: str, pool: ModelPool) -> EmbeddedTarget:
    """The starter model under this name, loaded when it is asked for."""
    info = TargetInfo(name=name, kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="smollm2", context=64)
    settings = EmbeddedSettings(
        model=str(starter()), context=64, slots=1, threads=1, batch=32, load="on_demand", repack=repack_works()
    )
    return EmbeddedTarget(info, settings, models=pool, footprint=MemoryFootprint(weights=6))


async def answer(target: EmbeddedTarget) -> str:
    """A short one."""
    request = complete("The capital of France is", max_tokens=1)
    return text_of([delta async for delta in target.generate(request, deadline=soon(), isolation="")])


async def test_one_process_at_a_time() -> None:
    """The second is loaded when the first one's process is gone; facts and waits tell; unloading ends the process."""
    pool = ModelPool(MemoryLimits(memory=10), turn=0.0, grace=0.0)
    one, two = made("one", pool), made("two", pool)
    await one.start()
    assert (one._worker.pid, one.state().loaded, one.state().loading) == (None, False, None)
    assert one.state().healthy
    assert await answer(one) == " Paris"
    first = one._worker.pid
    assert first is not None
    state = two.state()
    assert (state.loaded, state.load_seconds is not None, state.queue_wait_seconds is not None) == (False, True, True)
    assert await answer(two) == " Paris"
    assert not process_file(first, "stat").exists()
    assert one._worker.pid is None
    assert one.state().loaded is False
    stream = two.generate(complete("Once", max_tokens=40, ignore_eos=True), deadline=soon(), isolation="")
    await anext(stream)
    with pytest.raises(TargetBusy):
        await two.unload()
    waiting = asyncio.create_task(answer(one))
    async for _ in stream:
        assert not waiting.done()
    assert await waiting == " Paris"
    last = one._worker.pid
    await one.unload()
    assert not process_file(last, "stat").exists()
    await one.close()
    await two.close()
