"""Pictures and sounds of requests: a thread of their own encodes them while the loop goes on computing text.

A request is handed to the scheduler when all of its pictures are encoded, and keeps what they became until it ends, so
that no step waits for the thread. What was encoded is also kept for a while by the hash of its bytes, so that a
conversation about a picture encodes it once.
"""

import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from cachetools import LRUCache

from gateway.engine.llama.model import EmbeddingRows
from gateway.engine.llama.projector import EncodedPart, MediaFault, Projector
from gateway.engine.media import MediaSpan, Piece, digest_of
from gateway.engine.messages import Measure, Measured, Medium, Submit
from gateway.engine.pictures import PictureFault, pixels_of
from gateway.engine.scheduler.step import Row

_MOST_KEPT = 256 * 2**20  # bytes of embeddings: some hundred pictures of a small model, some dozens of a large one
_MOST_HELD = 1024 * 2**20  # bytes of embeddings of requests that have not ended; more requests wait
_T = TypeVar("_T")


class EncodedMedia(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of one picture or sound, ready to be computed, and what stands in a prompt for it where that was asked."""

    parts: tuple[EncodedPart, ...]
    pieces: tuple[Piece, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return sum(part.size for part in self.parts)


class EncodedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Request whose media were encoded, or what is wrong with them; empty: nothing is."""

    message: Submit
    media: tuple[EncodedMedia, ...] = ()
    problem: str = ""


class MediaJobs:
    """Owner of the projector, of the thread that runs it, and of what was encoded for requests that have not ended."""

    def __init__(self, projector: Projector | None, wake: Callable[[], None], *, room: int = _MOST_HELD) -> None:
        """Begin with nothing to do.

        Args:
            projector: of the model; None: it takes text alone.
            wake: called from the thread when something was encoded.
            room: bytes of embeddings that requests may hold together; a single one may take more.
        """
        self._projector = projector
        self._wake = wake
        self._room = room
        self._waiting: deque[Submit] = deque()  # until there is room
        self._wanted: dict[int, int] = {}  # request in the thread, or encoded → bytes of embeddings it takes
        self._media: dict[int, tuple[EncodedMedia, ...]] = {}
        self._measuring: set[int] = set()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._encoded: deque[EncodedRequest] = deque()
        self._measured: deque[Measured] = deque()
        # Used by the thread alone.
        self._cache: LRUCache[tuple[str, bytes], EncodedMedia] = LRUCache(_MOST_KEPT, getsizeof=lambda one: one.size)
        if projector is not None:
            threading.Thread(target=self._work, name="media", daemon=True).start()

    def measure(self, message: Measure) -> Measured | None:
        """Say what stands in a prompt for a picture or sound. None: `measured` says so later."""
        if self._projector is None:
            return Measured(id=message.id, error="can't be taken by this model")
        if message.sound:  # its length is known once it is decoded; then it may as well be encoded
            self._measuring.add(message.id)
            self._jobs.put(partial(self._measure_sound, self._projector, message))
            return None
        try:
            return Measured(id=message.id, pieces=tuple(self._projector.measure_picture(message.width, message.height)))
        except MediaFault as fault:
            return Measured(id=message.id, error=str(fault))

    def add(self, message: Submit) -> None:
        """Begin to encode what a request brings; `encoded` tells when all of it is."""
        self._waiting.append(message)
        self._begin()

    def measured(self) -> list[Measured]:
        """Return the answers that have come since the last call."""
        came = [answer for answer in _taken(self._measured) if answer.id in self._measuring]
        self._measuring.difference_update(answer.id for answer in came)
        return came

    def encoded(self) -> list[tuple[Submit, str]]:
        """Return the requests that were encoded since the last call, each with its error; empty: there is none.

        They come without the bytes of their media, which nobody needs any more.
        """
        came = [one for one in _taken(self._encoded) if one.message.id in self._wanted]
        self._media |= {one.message.id: one.media for one in came}
        return [(msgspec.structs.replace(one.message, media=()), one.problem) for one in came]

    def forget(self, request: int) -> None:
        """Forget a request that has ended, or that nobody waits for any more."""
        self._measuring.discard(request)
        self._media.pop(request, None)
        if self._wanted.pop(request, None) is None:
            self._waiting = deque(message for message in self._waiting if message.id != request)
        self._begin()

    def rows(self, row: Row, span: MediaSpan) -> EmbeddingRows:
        """Return what a step computes for one part of a picture."""
        part = self._media[row.request][span.medium].parts[span.part]
        start = row.position - row.shift
        return EmbeddingRows(embeddings=part.embeddings, positions=part.places + part.moves * start, causal=part.causal)

    def _begin(self) -> None:
        """Give the thread the requests for which there is room."""
        while self._waiting:
            message, projector = self._waiting[0], self._projector
            size = sum(span.tokens for span in message.spans) * (projector.token_bytes if projector else 0)
            if self._wanted and sum(self._wanted.values()) + size > self._room:
                return
            self._waiting.popleft()
            self._wanted[message.id] = size
            if projector is None:
                self._encoded.append(EncodedRequest(message=message, problem="This model takes text alone."))
            else:
                self._jobs.put(partial(self._encode_all, projector, message))

    # In the thread

    def _work(self) -> None:
        while True:
            self._jobs.get()()
            self._wake()

    def _encode_all(self, projector: Projector, message: Submit) -> None:
        """Encode every picture of a request, as long as somebody waits for it."""
        encoded = []
        for number, medium in enumerate(message.media):
            if message.id not in self._wanted:
                return
            what = "sound" if medium.sound else "picture"
            try:
                encoded.append(self._encode(projector, medium, message.isolation))
            except (MediaFault, PictureFault) as fault:
                self._encoded.append(EncodedRequest(message=message, problem=f"The {what} {fault}."))
                return
            if not _same([span for span in message.spans if span.medium == number], encoded[-1].parts):
                problem = f"The {what} is not as long as its header says."
                self._encoded.append(EncodedRequest(message=message, problem=problem))
                return
        self._encoded.append(EncodedRequest(message=message, media=tuple(encoded)))

    def _encode(self, projector: Projector, medium: Medium, isolation: str) -> EncodedMedia:
        """Return a picture's embeddings, from the cache or computed.

        Raises:
            MediaFault: the model can't take it.
            PictureFault: it can't be decoded.
        """
        key = isolation, digest_of(medium.data)
        found = self._cache.get(key)
        if found is None:
            found = _encoded(projector, medium)
            if found.size <= self._cache.maxsize:
                self._cache[key] = found
        return found

    def _measure_sound(self, projector: Projector, message: Measure) -> None:
        if message.id not in self._measuring:
            return
        sound = Medium(data=message.sound, sound=True)
        try:
            answer = Measured(id=message.id, pieces=self._encode(projector, sound, message.isolation).pieces)
        except MediaFault as fault:
            answer = Measured(id=message.id, error=str(fault))
        self._measured.append(answer)


def _encoded(projector: Projector, medium: Medium) -> EncodedMedia:
    try:
        if medium.sound:
            pieces, parts = projector.encode_sound(medium.data)
            return EncodedMedia(parts=tuple(parts), pieces=tuple(pieces))
        return EncodedMedia(parts=tuple(projector.encode_picture(pixels_of(medium.data))))
    except (MediaFault, PictureFault):
        raise
    except Exception as error:
        # Whatever a file does to its reader: its own request is told, and the thread goes on for the others.
        print(f"a picture or sound can't be encoded: {type(error).__name__}", file=sys.stderr)  # noqa: T201
        raise MediaFault("can't be encoded") from error


def _taken(queue: deque[_T]) -> list[_T]:
    """Take everything out that is there now."""
    return [queue.popleft() for _ in range(len(queue))]


def _same(spans: Sequence[MediaSpan], parts: Sequence[EncodedPart]) -> bool:
    """Say whether a prompt has room for exactly these parts."""
    return [(span.part, span.tokens, span.positions) for span in spans] == [
        (number, len(part.embeddings), part.positions) for number, part in enumerate(parts)
    ]
