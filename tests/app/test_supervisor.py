"""Background work that dies is said, begun again, and forgiven only when it has run for a while."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
import structlog.testing

from gateway.app.supervisor import Supervisor


@pytest_asyncio.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    """A supervisor that waits for next to nothing."""
    one = Supervisor(pause=0.001, longest_pause=0.002, proven_seconds=0.01)
    yield one
    await one.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - the supervisor has no event for it
            await asyncio.sleep(0.001)


def dying(*errors: BaseException) -> Callable[[], object]:
    """Work that ends with these errors one after another, and then runs."""
    left = list(errors)

    async def work() -> None:
        if left:
            raise left.pop(0)
        await asyncio.Event().wait()

    return work


@pytest.mark.parametrize(
    "error",
    [
        RecursionError(),
        MemoryError(),
        KeyError("x"),
        OSError(),
        asyncio.CancelledError(),
        ExceptionGroup("x", [OSError()]),
    ],
)
async def test_work_that_dies_is_named_until_it_runs_again(supervisor: Supervisor, error: BaseException) -> None:
    """Whatever ended it, also a cancellation that came from inside; the log says both."""
    with structlog.testing.capture_logs() as logs:
        supervisor.keep("policy reload", dying(error))
        await until(lambda: bool(supervisor.failed()))
        assert supervisor.failed() == {"policy reload": type(error).__name__}
        await until(lambda: not supervisor.failed())
    assert [(entry["event"], entry["name"]) for entry in logs] == [
        ("background.died", "policy reload"),
        ("background.runs_again", "policy reload"),
    ]
    assert logs[0]["error"] == type(error).__name__


async def test_work_that_dies_at_every_start_is_never_called_well(supervisor: Supervisor) -> None:
    """It is tried again and again, and named all the time."""
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        raise OSError

    with structlog.testing.capture_logs():
        supervisor.keep("doomed", work)
        await until(lambda: starts > 0 and bool(supervisor.failed()))
        before = starts
        while starts < before + 5:
            assert supervisor.failed() == {"doomed": "OSError"}
            await asyncio.sleep(0.001)


async def test_work_that_may_not_end_and_does_is_dead(supervisor: Supervisor) -> None:
    """Only work that is done once may come to an end."""

    async def short() -> None: ...

    with structlog.testing.capture_logs():
        told = supervisor.keep("announcement", short, once=True)
        await told
        assert supervisor.failed() == {}
        supervisor.keep("energy accounts", short)
        await until(lambda: supervisor.failed() == {"energy accounts": "it ended"})


async def test_closing_ends_all_work_without_a_word(supervisor: Supervisor) -> None:
    """A stop is no death."""
    with structlog.testing.capture_logs() as logs:
        task = supervisor.keep("work", dying())
        await asyncio.sleep(0)
        await supervisor.close()
    assert task.cancelled()
    assert (logs, supervisor.failed()) == ([], {})
