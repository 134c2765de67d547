"""Pictures and sounds of requests: a thread of their own encodes them while the loop goes on computing text.

What was encoded is kept for a while by the hash of its bytes, so that a conversation about a picture encodes it once. A
request is handed to the scheduler when all of its pictures are encoded; what the cache has lost by the time a step
wants it is encoded again.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from gateway.engine.llama.model import EmbeddingRows, EngineFault
from gateway.engine.llama.projector import EncodedPart, MediaFault, Projector
from gateway.engine.media import MediaSpan, Piece, digest_of
from gateway.engine.messages import Measure, Measured, Medium, Submit
from gateway.engine.pictures import PictureFault, pixels_of
from gateway.engine.scheduler.step import Row

_MOST_KEPT = 256 * 2**20  # bytes of embeddings: some hundred pictures of a small model, some dozens of a large one


class EncodedMedia(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of one picture or sound, ready to be computed, and what stands in a prompt for it where that was asked."""

    parts: tuple[EncodedPart, ...]
    pieces: tuple[Piece, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return sum(part.size for part in self.parts)


class _EncodedCache:
    """What was encoded last, by the hash of its bytes. Used by the encoder's thread alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, EncodedMedia] = OrderedDict()
        self._size = 0

    def get(self, digest: bytes) -> EncodedMedia | None:
        found = self._kept.get(digest)
        if found is not None:
            self._kept.move_to_end(digest)
        return found

    def put(self, digest: bytes, encoded: EncodedMedia) -> None:
        self._kept[digest] = encoded
        self._size += encoded.size
        while self._size > _MOST_KEPT and len(self._kept) > 1:
            self._size -= self._kept.popitem(last=False)[1].size


class MediaJobs:
    """Owner of the projector, of the thread that runs it, and of the pictures of requests that have not ended."""

    def __init__(self, projector: Projector | None, wake: Callable[[], None]) -> None:
        self._projector = projector
        self._wake = wake
        self._cache = _EncodedCache()
        self._thread = ThreadPoolExecutor(1, "media")
        self._media: dict[int, tuple[Medium, ...]] = {}
        self._encoding: dict[int, tuple[Submit, Future[str]]] = {}
        self._measuring: dict[int, Future[Measured]] = {}

    def measure(self, message: Measure) -> Measured | None:
        """Say what stands in a prompt for a picture or sound. None: `measured` says so later."""
        if self._projector is None:
            return Measured(id=message.id, error="can't be taken by this model")
        if message.sound:  # its length is known once it is decoded; then it may as well be encoded
            future = self._thread.submit(self._measure_sound, message)
            self._measuring[message.id] = future
            future.add_done_callback(lambda _: self._wake())
            return None
        try:
            return Measured(id=message.id, pieces=tuple(self._projector.measure_picture(message.width, message.height)))
        except MediaFault as fault:
            return Measured(id=message.id, error=str(fault))

    def add(self, message: Submit) -> None:
        """Begin to encode what a request brings; `encoded` tells when all of it is."""
        self._media[message.id] = message.media
        future = self._thread.submit(self._encode_all, message)
        self._encoding[message.id] = (message, future)
        future.add_done_callback(lambda _: self._wake())

    def measured(self) -> list[Measured]:
        """Return the answers that have come since the last call."""
        done = [number for number, future in self._measuring.items() if future.done()]
        return [self._measuring.pop(number).result() for number in done]

    def encoded(self) -> list[tuple[Submit, str]]:
        """Return the requests that were encoded since the last call, each with its error; empty: there is none."""
        done = [number for number, (_, future) in self._encoding.items() if future.done()]
        return [(message, future.result()) for message, future in map(self._encoding.pop, done)]

    def forget(self, request: int) -> None:
        """Forget a request that has ended, or that nobody waits for any more."""
        self._media.pop(request, None)
        _, encoding = self._encoding.pop(request, (None, None))
        for future in (encoding, self._measuring.pop(request, None)):
            if future is not None:
                future.cancel()

    def rows(self, row: Row, span: MediaSpan) -> EmbeddingRows:
        """Return what a step computes for one part of a picture.

        Raises:
            EngineFault: it can't be encoded again.
        """
        medium = self._media[row.request][span.medium]
        try:
            part = self._thread.submit(self._encode, medium).result().parts[span.part]
        except (MediaFault, PictureFault) as fault:
            raise EngineFault(f"a picture {fault}") from fault
        start = row.position - row.shift
        return EmbeddingRows(embeddings=part.embeddings, positions=part.places + part.moves * start, causal=part.causal)

    # In the thread

    def _encode_all(self, message: Submit) -> str:
        """Encode every picture of a request. Return what is wrong; empty: nothing is."""
        for number, medium in enumerate(message.media):
            what = "sound" if medium.sound else "picture"
            try:
                encoded = self._encode(medium)
            except (MediaFault, PictureFault) as fault:
                return f"The {what} {fault}."
            spans = [span for span in message.spans if span.medium == number]
            if not _same(spans, encoded.parts):
                return f"The {what} is not as long as its header says."
        return ""

    def _encode(self, medium: Medium) -> EncodedMedia:
        """Return a picture's embeddings, from the cache or computed.

        Raises:
            MediaFault: the model can't take it.
            PictureFault: it can't be decoded.
        """
        if self._projector is None:
            raise MediaFault("can't be taken by this model")
        digest = digest_of(medium.data)
        found = self._cache.get(digest)
        if found is None:
            if medium.sound:
                pieces, parts = self._projector.encode_sound(medium.data)
            else:
                pieces, parts = [], self._projector.encode_picture(pixels_of(medium.data))
            found = EncodedMedia(parts=tuple(parts), pieces=tuple(pieces))
            self._cache.put(digest, found)
        return found

    def _measure_sound(self, message: Measure) -> Measured:
        try:
            return Measured(id=message.id, pieces=self._encode(Medium(data=message.sound, sound=True)).pieces)
        except MediaFault as fault:
            return Measured(id=message.id, error=str(fault))


def _same(spans: Sequence[MediaSpan], parts: Sequence[EncodedPart]) -> bool:
    """Say whether a prompt has room for exactly these parts."""
    return [(span.part, span.tokens, span.positions) for span in spans] == [
        (number, len(part.embeddings), part.positions) for number, part in enumerate(parts)
    ]
