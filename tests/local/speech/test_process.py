"""The process of a speech worker: it is started, hears, dies, is started again, and is told when nobody waits."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator

import pytest

from gateway.core.errors import BadRequest, TargetError, TargetUnavailable
from gateway.local.models.events import WorkerEvent, WorkerEventKind
from gateway.local.speech.process import SpeechWorker
from gateway.local.speech.settings import SpeechTargetSettings
from gateway.speech.messages import Hear, Problem, SpeechSettings
from gateway.speech.transcript import Hearing, Segment


async def standin(theirs: socket.socket) -> asyncio.subprocess.Process:
    """Start the stand-in instead of the real worker."""
    arguments = ("-m", "tests.standins.hearing_worker", str(theirs.fileno()))
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, pass_fds=[theirs.fileno()], stderr=asyncio.subprocess.PIPE
    )


class House:
    """A worker, and what was told of it."""

    def __init__(self, model: str = "good", stop_within: float = 60.0) -> None:
        settings = SpeechTargetSettings(
            worker=SpeechSettings(model=model, slots=4), restart_first=0.01, stop_within=stop_within
        )
        self.events: list[WorkerEvent] = []
        self.told = asyncio.Event()
        self.worker = SpeechWorker("ear", settings, self._hear, standin)

    def _hear(self, event: WorkerEvent) -> None:
        self.events.append(event)
        self.told.set()

    async def begin(self) -> None:
        self.worker.begin()
        await self.worker.wait_ready(asyncio.get_running_loop().time() + 60)

    async def heard(self, sound: str, **fields: str) -> list[Segment | Hearing]:
        return [item async for item in self.worker.hear(Hear(id=0, sound=sound.encode(), **fields))]

    async def until(self, kind: WorkerEventKind, count: int = 1) -> None:
        async with asyncio.timeout(60):
            while sum(event.kind is kind for event in self.events) < count:
                self.told.clear()
                await self.told.wait()


@pytest.fixture
async def house() -> AsyncGenerator[House, None]:
    """A worker that is ready."""
    house = House()
    await house.begin()
    yield house
    await house.worker.close()


async def test_a_recording_is_heard_segment_by_segment(house: House) -> None:
    """What it says comes in order, and at last what is known of the whole."""
    *segments, end = await house.heard("say one|two", language="en")
    assert [segment.text for segment in segments if isinstance(segment, Segment)] == [" first", " one", " two"]
    assert end == Hearing(seconds=4.0, language="en")
    assert house.worker.busy == 0


async def test_recordings_do_not_mix(house: House) -> None:
    """Of several at once, everybody gets what his own recording says."""
    sounds = [f"say {number}" for number in range(4)]
    answers = await asyncio.gather(*map(house.heard, sounds))
    assert [answer[1].text for answer in answers if isinstance(answer[1], Segment)] == [" 0", " 1", " 2", " 3"]


@pytest.mark.parametrize(
    ("problem", "error", "code"),
    [
        (Problem.EMPTY, BadRequest, "empty_recording"),
        (Problem.UNREADABLE, BadRequest, "unreadable_recording"),
        (Problem.TOO_LONG, BadRequest, "recording_too_long"),
        (Problem.LANGUAGE, TargetError, "unsupported_language"),
        (Problem.NO_TRANSLATION, TargetError, "unsupported_translation"),
        (Problem.FAILED, TargetError, "target_error"),
    ],
)
async def test_what_cannot_be_heard_is_said_in_words(
    house: House, problem: Problem, error: type[Exception], code: str
) -> None:
    """Each reason has a code for programs and a sentence for people; the worker goes on."""
    with pytest.raises(error) as raised:
        await house.heard(problem.value)
    assert raised.value.code == code
    assert (await house.heard("say on"))[-1] == Hearing(seconds=4.0, language="es")


async def test_a_worker_that_dies_is_started_again(house: House) -> None:
    """Who was being heard gets an error that says to try again, and the next recording is heard."""
    before = house.worker.pid
    with pytest.raises(TargetError, match="signal_9") as raised:
        await house.heard("die")
    assert raised.value.retry_after
    await house.until(WorkerEventKind.READY, 2)
    assert house.worker.pid != before
    assert (await house.heard("say again"))[1].text == " again"  # type: ignore[union-attr]


async def test_a_worker_that_is_killed_from_outside_is_started_again(house: House) -> None:
    """Also while nobody is heard."""
    assert house.worker.pid is not None
    os.kill(house.worker.pid, signal.SIGKILL)
    await house.until(WorkerEventKind.READY, 2)
    assert len(await house.heard("say hello")) == 3


async def test_who_goes_away_frees_the_worker(house: House) -> None:
    """The worker is told, and stops at its next segment."""
    heard = house.worker.hear(Hear(id=0, sound=b"long"))
    await anext(heard)
    await heard.aclose()
    async with asyncio.timeout(60):
        while house.worker.busy:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.01)
    assert house.worker.restarts == 0


async def test_a_worker_that_does_not_stop_is_ended() -> None:
    """Where it does not heed that nobody waits, it is killed, and a new one takes its place."""
    house = House(stop_within=0.05)
    await house.begin()
    heard = house.worker.hear(Hear(id=0, sound=b"hang"))
    await anext(heard)
    await heard.aclose()
    await house.until(WorkerEventKind.READY, 2)
    assert house.worker.busy == 0
    await house.worker.close()


@pytest.mark.parametrize(
    ("model", "told", "kind"),
    [("broken", "Its model is broken", WorkerEventKind.FAILED), ("dead", "signal_9", WorkerEventKind.DIED)],
)
async def test_a_model_that_cannot_be_loaded_is_said(model: str, told: str, kind: WorkerEventKind) -> None:
    """Requests get the reason without a path; the log has the whole, and loading is tried again."""
    house = House(model)
    house.worker.begin()
    await house.until(kind, 2)
    with pytest.raises(TargetUnavailable, match=told) as raised:
        await house.worker.wait_ready(asyncio.get_running_loop().time() + 60)
    assert "/secret" not in raised.value.message
    assert raised.value.retry_after
    await house.worker.close()


async def test_a_closed_worker_tells_who_is_heard() -> None:
    """A recording that is being heard ends with an error, and no process stays."""
    house = House()
    await house.begin()
    pid = house.worker.pid
    heard = house.worker.hear(Hear(id=0, sound=b"long"))
    await anext(heard)
    await house.worker.close()
    with pytest.raises(TargetUnavailable, match="shutting down"):
        await anext(heard)
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(TargetUnavailable):
        await house.heard("say hello")
