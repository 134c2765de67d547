"""What the engine tells on the way of a request: tokens read and written, and how full the KV memory is."""

import asyncio

import pytest

from gateway.core.delta import UsageReport
from gateway.core.progress import Progress
from tests.local.embedded.test_target import complete, made, soon

pytestmark = [pytest.mark.model, pytest.mark.asyncio]


async def test_tokens_are_counted_as_they_are_processed() -> None:
    """A long prompt counts step by step before the first token, answers by the token, and the end agrees with usage."""
    target = made()
    await target.start()
    progress = Progress()
    seen: list[tuple[int, int]] = []
    usage = None
    prompt = "one two three four five six seven eight nine ten " * 27  # three steps of 128 tokens
    try:
        asking = target.generate(complete(prompt, max_tokens=8), deadline=soon(), isolation="a", progress=progress)
        watching = asyncio.get_running_loop().create_task(watch(progress, seen))
        async for delta in asking:
            if isinstance(delta, UsageReport):
                usage = delta.usage
                used = target.state().kv_used
                assert used is not None
                assert 0 <= used < 1
        watching.cancel()
    finally:
        await target.close()
    assert usage is not None
    assert progress.told
    assert (progress.prefill, progress.decode) == (usage.input, usage.completion_tokens)
    assert {prefill for prefill, decode in seen if decode == 0} >= {128, 256}


async def watch(progress: Progress, seen: list[tuple[int, int]]) -> None:
    """Notes every change."""
    while True:
        if not seen or seen[-1] != (progress.prefill, progress.decode):
            seen.append((progress.prefill, progress.decode))
        await asyncio.sleep(0)
