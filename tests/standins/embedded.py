"""Embedded targets on the starter model, and requests for them, as tests of the engine want them."""

import asyncio
from collections.abc import Callable
from typing import Any

from gateway.core.delta import Delta, Text, UsageReport
from gateway.core.document import freeze_object
from gateway.core.labels import Label, Zone
from gateway.core.request import CompletionRequest, Dialect, GenerateRequest, Sampling
from gateway.core.target import TargetInfo
from gateway.core.usage import Usage
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from tests.standins.machine import repack_works, starter


def embedded(**changes: Any) -> EmbeddedTarget:
    """A target that is not started yet, with small windows."""
    settings: dict[str, Any] = {"model": str(starter()), "context": 512, "slots": 4, "threads": 1, "batch": 128}
    settings["repack"] = repack_works()
    settings |= changes
    info = TargetInfo(
        name="home",
        kind="embedded",
        zone=Zone.LOCAL,
        ceiling=Label.SENSITIVE,
        model="smollm2",
        context=settings["context"],
    )
    return EmbeddedTarget(info, EmbeddedSettings(**settings))


def completion(*prompts: str | tuple[int, ...], echo: bool = False, **sampling: Any) -> CompletionRequest:
    """Text to continue; greedy unless said otherwise."""
    return CompletionRequest(
        dialect=Dialect.OPENAI,
        model="m",
        document=freeze_object({}),
        prompts=prompts,
        echo=echo,
        sampling=Sampling(**({"temperature": 0.0, "max_tokens": 16} | sampling)),
    )


async def answer_of(target: EmbeddedTarget, request: GenerateRequest, isolation: str = "a") -> list[Delta]:
    """All deltas."""
    deadline = asyncio.get_running_loop().time() + 120
    return [delta async for delta in target.generate(request, deadline=deadline, isolation=isolation)]


async def until(true: Callable[[], bool]) -> None:
    """Waits for a fact that nobody announces."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - facts that can only be looked at
            await asyncio.sleep(0.01)


def text_of(deltas: list[Delta], index: int = 0) -> str:
    """The text of one choice."""
    return "".join(delta.text for delta in deltas if isinstance(delta, Text) and delta.index == index)


def usage_of(deltas: list[Delta]) -> Usage:
    """The report at the end."""
    assert isinstance(deltas[-1], UsageReport)
    return deltas[-1].usage
