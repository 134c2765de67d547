"""A target that hears: what comes of a recording, its queue, its memory, and how it shows."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from gateway.core.delta import Delta, Finish, Text, Transcript, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import BadRequest, TargetBusy, TargetLacksEndpoint, TargetTimeout, TargetUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.request import Dialect, Endpoint, MediaWork, SpeechRequest, TranscriptionRequest
from gateway.core.target import TargetInfo
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.models.eviction import MemoryLimits
from gateway.local.models.pool import ModelPool
from gateway.local.speech.process import SpeechWorker
from gateway.local.speech.settings import SpeechTargetSettings
from gateway.local.speech.target import SpeechTarget
from gateway.speech.messages import SpeechSettings
from tests.local.speech.test_process import standin

INFO = TargetInfo(
    name="ear", kind="speech", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="tiny",
    endpoints=frozenset({Endpoint.TRANSCRIPTIONS}),
)  # fmt: skip


def target_of(pool: ModelPool | None = None, model: str = "good", **settings: Any) -> SpeechTarget:
    """Return a target whose process is the stand-in."""
    slots = settings.pop("slots", 1)
    own = SpeechTargetSettings(worker=SpeechSettings(model=model, slots=slots), restart_first=0.01, **settings)
    target: list[SpeechTarget] = []
    worker = SpeechWorker("ear", own, lambda event: target[0].happened(event), standin)
    footprint = MemoryFootprint(weights=100)
    target.append(SpeechTarget(INFO, own, models=pool, footprint=footprint, worker=worker))
    return target[0]


@pytest.fixture
async def ear() -> AsyncGenerator[SpeechTarget, None]:
    """A target with one slot."""
    target = target_of(queue=1)
    await target.start()
    yield target
    await target.close()


def recording(said: str, **fields: Any) -> TranscriptionRequest:
    """Return a request with a recording that says something."""
    sound = base64.b64encode(said.encode()).decode()
    document = freeze_object({"model": "ear", "file": f"data:audio/wav;base64,{sound}"} | fields)
    return TranscriptionRequest(
        dialect=Dialect.OPENAI, model="ear", document=document, work=MediaWork.TRANSCRIPTIONS,
        language=str(fields.get("language", "")),
    )  # fmt: skip


def answer_of(
    target: SpeechTarget, request: TranscriptionRequest, seconds: float = 60.0
) -> AsyncGenerator[Delta, None]:
    """Return the answer, which has not begun."""
    return target.exchange(request, deadline=asyncio.get_running_loop().time() + seconds, isolation="me")


async def heard(target: SpeechTarget, request: TranscriptionRequest, seconds: float = 60.0) -> list[Delta]:
    """Return the whole answer."""
    return [delta async for delta in answer_of(target, request, seconds)]


async def test_a_recording_becomes_a_transcript(ear: SpeechTarget) -> None:
    """Text as it comes, then the times of OpenAI's verbose answer, then what it used; the model loads for it."""
    assert ear.state().loaded is False
    *texts, facts, finish, report = await heard(ear, recording("say one|two"))
    assert [delta.text for delta in texts if isinstance(delta, Text)] == [" first", " one", " two"]
    assert isinstance(facts, Transcript)
    assert (facts.fields["language"], facts.fields["duration"]) == ("es", 4.0)
    segments: Any = facts.fields["segments"]
    assert [(one["id"], one["seek"], one["start"], one["text"]) for one in segments][1] == (1, 100, 1.0, " one")
    assert isinstance(finish, Finish)
    assert isinstance(report, UsageReport)
    assert (report.usage.heard_seconds, report.usage.output) == (4.0, 5)
    state = ear.state()
    assert (state.loaded, state.healthy, state.slots_busy, state.memory) == (True, True, 0, 100)


async def test_the_language_of_the_house_is_used_where_none_is_said() -> None:
    """A request's own comes first."""
    target = target_of(language="en")
    for fields, language in (({}, "en"), ({"language": "es"}, "es")):
        (facts,) = [one for one in await heard(target, recording("say hi", **fields)) if isinstance(one, Transcript)]
        assert facts.fields["language"] == language
    await target.close()


async def test_recordings_wait_for_their_turn(ear: SpeechTarget) -> None:
    """One is heard, one waits, and the third is refused at once."""
    first = answer_of(ear, recording("long"))
    await anext(first)
    second = asyncio.create_task(heard(ear, recording("say hi")))
    while ear.state().queue_depth != 1:  # noqa: ASYNC110 - nobody is told of it
        await asyncio.sleep(0.01)
    with pytest.raises(TargetBusy):
        await heard(ear, recording("say no"))
    await first.aclose()
    assert len(await second) == 5


async def test_a_recording_that_takes_too_long_ends(ear: SpeechTarget) -> None:
    """With an error that says so; the next one is heard."""
    with pytest.raises(TargetTimeout):
        await heard(ear, recording("long"), seconds=2.0)
    assert len(await heard(ear, recording("say hi"))) == 5


async def test_what_is_no_recording_is_refused(ear: SpeechTarget) -> None:
    """Before anything is loaded."""
    request = recording("say hi")
    for broken in ("https://example.org/a.wav", "data:audio/wav;base64,%%%"):
        document = freeze_object({"model": "ear", "file": broken})
        wrong = TranscriptionRequest(dialect=Dialect.OPENAI, model="ear", document=document, work=request.work)
        with pytest.raises(BadRequest):
            await heard(ear, wrong)
    assert ear.state().loaded is False


async def test_a_model_that_cannot_be_loaded_shows() -> None:
    """Requests are told, and so is whoever looks at the state; no path is in it."""
    target = target_of(model="broken")
    await target.start()
    with pytest.raises(TargetUnavailable, match="Its model is broken"):
        await heard(target, recording("say hi"))
    assert (target.state().healthy, target.state().problem) == (False, "Its model is broken.")
    await target.close()


async def test_models_that_do_not_fit_together_take_turns() -> None:
    """What hears gives its memory back for another, and comes back for the next recording."""
    pool = ModelPool(MemoryLimits(memory=150), turn=0.0, grace=0.0)
    ear = target_of(pool)

    class Other:
        """Another model in the same memory."""

        loaded = False

        def begin(self) -> None:
            self.loaded = True
            pool.load_finished("other", seconds=0.1)

        async def close(self) -> None:
            self.loaded = False

    other = Other()
    pool.add("other", other, MemoryFootprint(weights=100))
    await heard(ear, recording("say hi"))
    async with pool.lease("other", asyncio.get_running_loop().time() + 60):
        assert other.loaded
        assert ear.state().loaded is False
    await heard(ear, recording("say hi"))
    assert not other.loaded
    await ear.close()


async def test_it_only_hears(ear: SpeechTarget) -> None:
    """Whatever else is asked of it is refused."""
    document = freeze_object({"model": "ear", "input": "Hi"})
    request = SpeechRequest(dialect=Dialect.OPENAI, model="ear", document=document, work=MediaWork.SPEECH)
    with pytest.raises(TargetLacksEndpoint):
        await anext(ear.exchange(request, deadline=0.0, isolation="me"))
