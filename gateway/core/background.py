"""How a room asks for a task that runs as long as its owner does."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
Keep: TypeAlias = Callable[[str, Work], "asyncio.Task[None]"]
"""Begins work under a name, for people, and returns its task, which the owner cancels. Whoever wires the rooms decides
what happens when the work dies."""


def unwatched(name: str, work: Work) -> "asyncio.Task[None]":
    """Begin work that nobody begins again when it dies: for owners that are used by themselves."""
    return asyncio.get_running_loop().create_task(work(), name=name)
