"""How inspection is put together: the one place for the running gateway and for commands that look at requests."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from gateway.app.attachments import attachments_of, hearing_of, reader_of
from gateway.app.room_settings import inspection_settings
from gateway.attachments.reader import AttachmentReader
from gateway.local.speech.target import SpeechTarget
from gateway.ner import Recognition, RecognitionSettings
from gateway.pipeline import LocalTarget
from gateway.pipeline.inspection import Names, RequestInspection, Sensitivity, Topics
from gateway.pipeline.inspection_threads import InspectionThreads
from gateway.pipeline.ports import Observer
from gateway.pipeline.topic_judge import JudgeSettings, TopicJudge
from gateway.privacy import Inspector
from gateway.privacy.detectors.named_entities import NamePolicy
from gateway.privacy.inspection.sealed import SealedPieces
from gateway.privacy.sensitivity.judge import Judge, Mode
from gateway.privacy.topic_questions import TOPICS
from gateway.settings import Settings

LOG = structlog.get_logger("aduana.inspection")
_PATIENCE = 2.0  # seconds; compiled patterns are read in less than one


@dataclass(frozen=True, kw_only=True)
class RunningInspection:
    """Inspection of requests, and the model of names behind it, where one is configured."""

    requests: RequestInspection
    recognition: Recognition | None
    sealed: SealedPieces
    reader: AttachmentReader | None = None


@asynccontextmanager
async def running_inspection(
    settings: Settings,
    judges: Mapping[str, LocalTarget] | None,
    observer: Observer | None = None,
    ears: Iterable[SpeechTarget] = (),
) -> AsyncGenerator[RunningInspection, None]:
    """Build the inspector and start the search for names; stop that search when the context ends.

    Args:
        settings: The whole configuration.
        judges: Local targets, one of which judges topics where that is configured. None: no topics are judged.
        observer: Told of each attachment that is read.
        ears: Targets that hear, one of which writes down what recordings say.

    Raises:
        ConfigurationError: A word, pattern or list of the user's can't be used.
    """
    sealed = SealedPieces()
    inspector = await _built(settings, sealed)
    names = _names(settings)
    threads = InspectionThreads()
    async with AsyncExitStack() as stack:
        stack.callback(threads.close)
        if names is not None:
            names.recognition.start()
            stack.push_async_callback(names.recognition.close)
        sensitivity = sensitivity_of(settings)
        if sensitivity is not None:
            warming = asyncio.create_task(_warm(sensitivity.judge))
            stack.push_async_callback(_ended, warming)
        topics = _topics(settings, judges) if judges is not None else None
        reader = reader_of(settings)
        if reader is not None:
            stack.push_async_callback(reader.close)
            if settings.attachments.clean_may_leave or settings.attachments.for_text_models:
                reader.start()  # requests wait for it
        hearing = hearing_of(settings, reader, ears)
        if hearing is not None:
            stack.push_async_callback(hearing.close)
        attachments = attachments_of(settings, hearing or reader, observer)
        yield RunningInspection(
            requests=RequestInspection(inspector, names, topics, threads, sensitivity, attachments),
            reader=reader,
            recognition=names.recognition if names is not None else None,
            sealed=sealed,
        )


async def _built(settings: Settings, sealed: SealedPieces) -> Inspector:
    """Return the inspector; whoever waits for it is told why."""
    building = asyncio.create_task(asyncio.to_thread(build_inspector, settings, sealed))
    if not (await asyncio.wait([building], timeout=_PATIENCE))[0]:
        LOG.info("inspection.compiling", reason="the first start compiles the patterns of inspection: up to a minute")
    return await building


def build_inspector(settings: Settings, sealed: SealedPieces | None = None) -> Inspector:
    """Return an inspector that also knows the user's own words, patterns and lists.

    The first time it compiles its patterns, for up to a minute, and keeps them in the state directory.

    Raises:
        ConfigurationError: A word, pattern or list of the user's can't be used.
    """
    return Inspector(inspection_settings(settings), cache_dir=settings.state_dir, sealed=sealed)


async def _warm(judge: Judge) -> None:
    """Load the judge before the first request asks it. Where it can't be, every request is told so by its doubt."""
    try:
        await asyncio.to_thread(judge.warm)
    except Exception as error:  # noqa: BLE001 - whatever it is, requests are doubted and the log says why
        LOG.error("inspection.judge_failed", error=type(error).__name__)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def sensitivity_of(settings: Settings) -> Sensitivity | None:
    """Return the judge of sensitivity, unless it is switched off."""
    judge = settings.inspection.judge
    if judge.mode == "off":
        return None
    return Sensitivity(
        judge=Judge(Mode(judge.mode), seconds=judge.seconds),
        unsure_is_doubt=judge.unsure == "sensitive",
        characters=judge.max_characters,
    )


class _LocalNames(Names, frozen=True, kw_only=True):
    """Search for names with worker processes of its own."""

    recognition: Recognition


def _names(settings: Settings) -> _LocalNames | None:
    """Return the search for names and addresses where it is on, not started yet."""
    names = settings.inspection.names_searched
    if names is None:
        return None
    return _LocalNames(
        recognition=Recognition(
            RecognitionSettings(cache=settings.state_dir, processes=names.processes, threads=names.threads)
        ),
        policy=NamePolicy(names.count),
        seconds=names.seconds,
        characters=names.max_characters,
    )


def _topics(settings: Settings, judges: Mapping[str, LocalTarget]) -> Topics | None:
    """Return the judgement of topics by a local target where it is configured."""
    topics = settings.inspection.topics
    if topics is None:
        return None
    own = {name: (f"custom.{name}", about) for name, about in topics.own.items()}
    judge = TopicJudge(
        judges[topics.target],
        JudgeSettings(
            topics={**TOPICS, **own},
            seconds=topics.seconds,
            at_once=topics.at_once,
            certainty=topics.certainty,
        ),
    )
    # Topics of the owner's own are nothing that the judge of sensitivity knows.
    return Topics(judge=judge, only_unsure=topics.ask == "unsure" and not own, characters=topics.max_characters)
