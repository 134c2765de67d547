"""The way of one answer that is no text, or was made of something that is none: the same for both zones."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Protocol

from gateway.core.delta import Delta
from gateway.core.document import JsonObject
from gateway.core.errors import TargetProtocolError
from gateway.core.request import Endpoint, MediaWork
from gateway.upstream.body import BodyShape, collected
from gateway.upstream.errors import incomplete
from gateway.upstream.exchange import Exchange, Post
from gateway.upstream.framing.decompression import Inflater
from gateway.upstream.framing.sse import EventDecoder
from gateway.upstream.media.pictures import PictureEvents, read_pictures
from gateway.upstream.media.requests import FILE_FIELDS, SentBody
from gateway.upstream.media.sounds import SoundBody
from gateway.upstream.media.transcripts import TranscriptEvents
from gateway.upstream.reading import Body

_MOST_EVENT_BYTES = 48 * 2**20  # a picture in base64


class MediaEvents(Protocol):
    """Reader of the events of one answer, or of an answer that came whole."""

    done: bool  # the answer is complete

    def event(self, data: bytes) -> Iterator[Delta]:
        """Yield the deltas of one event's JSON."""
        ...


async def made(make: Callable[[], SentBody], document: JsonObject) -> SentBody:
    """Return the body that is made of a document; one with files is made in a thread, for they may be large.

    Raises:
        TargetError: The document asks for what the server's API has no words for.
    """
    return await asyncio.to_thread(make) if FILE_FIELDS & document.keys() else make()


async def media_answer(
    exchange: Exchange,
    post: Post,
    *,
    target: str,
    work: MediaWork,
    endpoint: Endpoint,
    document: JsonObject,
    deadline: float,
    working: Callable[[], bool] | None = None,
) -> AsyncGenerator[Delta, None]:
    """Yield the answer to what `post` sends; `document` is what was asked for. `deadline` is in the loop's clock.

    Raises:
        AduanaError: The target can't be asked, or does not answer well and in time.
    """
    if endpoint is Endpoint.IMAGES and document.get("stream") is not True:
        read = partial(read_pictures, target, document)
        for delta in await exchange.whole(post, read, deadline=deadline, endpoint=endpoint, working=working):
            yield delta
        return
    body_of = partial(_body_of, target, work, document)
    answer = exchange.read(post, body_of, deadline=deadline, endpoint=endpoint, working=working)
    async with aclosing(answer) as deltas:
        async for delta in deltas:
            yield delta


def _body_of(target: str, work: MediaWork, document: JsonObject, shape: BodyShape) -> Body:
    """Return the reader of an answer whose head is known."""
    match work:
        case MediaWork.SPEECH:
            return SoundBody(target, document, shape)
        case MediaWork.TRANSCRIPTIONS | MediaWork.TRANSLATIONS:
            return EventBody(target, TranscriptEvents(target, document), shape)
        case MediaWork.GENERATIONS | MediaWork.EDITS | MediaWork.VARIATIONS:
            return EventBody(target, PictureEvents(target, document), shape)


class EventBody:
    """Body of an answer in JSON: events as they come, or one object that is read when it is whole."""

    def __init__(self, target: str, events: MediaEvents, shape: BodyShape) -> None:
        self._target = target
        self._shape = shape
        self._events = events
        self._inflater = Inflater(shape.content_encoding, shape.most_bytes)
        self._decoder = EventDecoder(_MOST_EVENT_BYTES) if shape.media_type == "text/event-stream" else None
        self._whole: list[bytes] = []
        self._size = 0

    @property
    def done(self) -> bool:
        """Whether the answer is complete; whatever follows is ignored."""
        return self._events.done

    @property
    def ended(self) -> bool:
        """Whether the answer is complete but for its usage: never, for that comes with its last event."""
        return False

    def feed(self, chunk: bytes) -> Iterator[deque[Delta]]:
        """Yield the deltas that `chunk` completes, each by itself: they may be large.

        Raises:
            AduanaError: The answer reports an error.
            TargetProtocolError: The bytes can't be read, or there are too many of them.
        """
        if self._decoder is None:
            self._whole.append(chunk)
            self._size += len(chunk)
            if self._size > self._shape.most_bytes:
                raise TargetProtocolError(f"The target {self._target!r} sent too large an answer.")
            return
        for piece in self._inflater.feed(chunk):
            for event in self._decoder.feed(piece):
                if event.data.startswith(b"{") and not self.done:
                    for delta in self._events.event(event.data):
                        yield deque((delta,))

    def end(self) -> Iterator[Delta]:
        """Yield the deltas that are known only at the end of the bytes.

        Raises:
            TargetProtocolError: The answer is cut.
        """
        if self._decoder is None:
            yield from self._events.event(collected(self._shape, self._whole))
        else:
            for event in self._decoder.end():
                if event.data.startswith(b"{") and not self.done:
                    yield from self._events.event(event.data)
        if not self.done:
            raise incomplete(self._target)
