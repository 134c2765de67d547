"""Long documents are inspected in threads of their own; a queue that is full refuses instead of growing."""

import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest

from gateway.core.errors import Unavailable
from gateway.core.finding import Inspection
from gateway.pipeline.inspection import INLINE_BYTES, RequestInspection
from gateway.pipeline.inspection_threads import InspectionThreads
from tests.pipeline.house import chat


class Held:
    """Inspector that works for as long as it is held."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.began: list[str] = []

    def inspect(self, document: object, media: object = frozenset(), *, letters: bool = True) -> Inspection:
        """Wait, and find nothing."""
        self.began.append(threading.current_thread().name)
        self.go_on.wait(30)
        return Inspection()


@pytest.fixture
async def held() -> AsyncGenerator[Held, None]:
    inspector = Held()
    yield inspector
    inspector.go_on.set()


async def test_a_full_queue_refuses_and_takes_again(held: Held) -> None:
    """With one thread and one place, the third long request gets 503 with a time to wait; later ones are taken."""
    inspection = RequestInspection(held, threads=InspectionThreads(threads=1, waiting=1))  # type: ignore[arg-type]
    request = chat("hello")[1]
    first, second = (asyncio.create_task(inspection.examine(request, INLINE_BYTES + 1)) for _ in range(2))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as caught:
        await inspection.examine(request, INLINE_BYTES + 1)
    assert (caught.value.status, caught.value.code) == (503, "inspection_busy")
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 1
    held.go_on.set()
    assert await first == await second == await inspection.examine(request, INLINE_BYTES + 1) == Inspection()
    assert {name.split("_")[0] for name in held.began} == {"inspection"}


async def test_short_documents_wait_for_nobody(held: Held) -> None:
    """A small request is inspected at once, also while the queue is full."""
    inspection = RequestInspection(held, threads=InspectionThreads(threads=1, waiting=0))  # type: ignore[arg-type]
    long = asyncio.create_task(inspection.examine(chat("hello")[1], INLINE_BYTES + 1))
    await asyncio.sleep(0)
    held.go_on.set()
    assert await inspection.examine(chat("hello")[1], 100) == Inspection()
    await long


async def test_a_client_that_leaves_gives_its_place_back(held: Held) -> None:
    """A request that was given up while it waited takes no place from others."""
    threads = InspectionThreads(threads=1, waiting=1)
    inspection = RequestInspection(held, threads=threads)  # type: ignore[arg-type]
    running = asyncio.create_task(inspection.examine(chat("hello")[1], INLINE_BYTES + 1))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(inspection.examine(chat("hello")[1], INLINE_BYTES + 1))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    another = asyncio.create_task(inspection.examine(chat("hello")[1], INLINE_BYTES + 1))
    await asyncio.sleep(0)
    held.go_on.set()
    assert await running == await another == Inspection()
    threads.close()
