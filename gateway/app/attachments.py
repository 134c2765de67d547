"""How attachments are read: the one place for the running gateway and for commands that look at requests."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec

from gateway.attachments.fetching import FetchSettings, FileFetcher
from gateway.attachments.hearing import HearingReader, Reads
from gateway.attachments.reader import AttachmentReader, ReaderSettings, Turn
from gateway.attachments.worker.parts import Limits
from gateway.core.errors import TargetBusy
from gateway.local.slots import FairSlots
from gateway.local.speech.reading import reading_of
from gateway.local.speech.target import SpeechTarget
from gateway.local.throughput import Throughput
from gateway.pipeline.attachments import Attachments, AttachmentSettings
from gateway.pipeline.attachments.carried import Carriers, KeptFiles
from gateway.pipeline.ports import Observer
from gateway.settings import Settings

_MOST_WAITING = 1_024  # files; one key has no more than two thirds of them
_LONGEST = 3_600.0  # seconds until a turn; whoever wants a file read has less patience than this
_WANTED = {"pypdfium2": "PDFs", "rapidocr": "scans and pictures"}  # what each part of the extra reads


def reader_of(settings: Settings) -> AttachmentReader | None:
    """Return the reader of files, which starts nothing before it is asked; None: the owner wants none."""
    config = settings.attachments
    if not config.reads:
        return None
    limits = Limits(seconds=config.seconds, pages=config.max_pages)
    reading = ReaderSettings(processes=config.processes, memory_bytes=config.memory, limits=limits)
    return AttachmentReader(reading, turns(config.processes))


def turns(processes: int) -> Turn:
    """Return what lets files into so many processes: keys take turns, so that many scans of one keep nobody waiting."""
    slots = FairSlots(
        "files", Throughput(), slots=processes, queue=_MOST_WAITING, queue_wait=_LONGEST, clock=time.monotonic
    )

    @asynccontextmanager
    async def turn(key: str) -> AsyncGenerator[None, None]:
        try:
            async with slots.slot(key, 0, asyncio.get_running_loop().time() + _LONGEST):
                yield
        except TargetBusy as error:
            raise TimeoutError from error

    return turn


def hearing_of(
    settings: Settings, reader: AttachmentReader | None, targets: Iterable[SpeechTarget]
) -> HearingReader | None:
    """Return a reader that hears, too, by the first target that does; None: nobody hears, or nothing is read."""
    target = next(iter(targets), None)
    if reader is None or target is None:
        return None
    return HearingReader(reader, lambda data: reading_of(target, data, settings.attachments.seconds))


def attachments_of(settings: Settings, reader: Reads | None, observer: Observer | None) -> Attachments:
    """Return the finder and reader of attachments, as the owner wants them."""
    config = settings.attachments
    return Attachments(
        reader,
        AttachmentSettings(may_leave=frozenset(config.clean_may_leave), remember=config.remember),
        observer,
    )


def carriers_of(settings: Settings, files: KeptFiles | None, fetcher: FileFetcher | None) -> Carriers:
    """Return what puts into requests the files and addresses that they name."""
    return Carriers(files, fetcher, most_bytes=settings.server.max_body_bytes)


def fetcher_of(settings: Settings) -> FileFetcher | None:
    """Return the client that fetches addresses; None: no host is named."""
    fetch = settings.attachments.fetch
    if not fetch.hosts:
        return None
    return FileFetcher(FetchSettings(hosts=fetch.hosts, max_bytes=fetch.max_bytes, seconds=fetch.seconds))


def missing_extras() -> tuple[str, ...]:
    """Return what can't be read, because a part of the extra `documents` is not installed."""
    return tuple(read for module, read in _WANTED.items() if find_spec(module) is None)


def told(settings: Settings, reader: AttachmentReader | None) -> str:
    """Return in a few words whether attachments are read, what is not, and what holds the processes that do it."""
    if not settings.attachments.reads:
        return "not read (attachments.read is off): each is a doubt"
    missing = missing_extras()
    lacking = f", but {' and '.join(missing)} are not: run 'aduana extras install documents'" if missing else ""
    protection = reader.protection if reader is not None else None
    if protection is None:
        return f"read{lacking}"
    walls = f"held by {', '.join(protection)}" if protection else "held by nothing that this system offers"
    return f"read{lacking}; the processes are {walls}"
