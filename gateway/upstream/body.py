"""Turn the raw bytes of one target's answer into deltas: content type, decompression, framing, parsing. Pure."""

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from gateway.core.delta import Delta
from gateway.core.document import JsonObject
from gateway.core.errors import AduanaError, TargetProtocolError
from gateway.core.request import Endpoint
from gateway.upstream.framing.answer_framing import AnswerFraming
from gateway.upstream.framing.decompression import Inflater
from gateway.upstream.framing.sse import EventDecoder
from gateway.upstream.reading import AnswerReading, ReadTexts

PATHS = {
    Endpoint.CHAT: "/chat/completions",
    Endpoint.COMPLETIONS: "/completions",
    Endpoint.EMBEDDINGS: "/embeddings",
    Endpoint.RERANK: "/rerank",
    Endpoint.MODERATIONS: "/chat/completions",  # a chat that is held to the categories
}

# Pages and files. All other types are judged by their first bytes: servers name event streams in many ways, or not.
_NO_ANSWERS = ("text/html", "application/xhtml", "text/xml", "application/xml", "image/", "audio/", "video/", "font/")
_BOM = b"\xef\xbb\xbf"


class BodyShape(msgspec.Struct, frozen=True, kw_only=True):
    """Shape of an answer's body: what its headers say about it, and how large it may become when unpacked."""

    content_type: str
    content_encoding: str
    most_bytes: int

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()


class AnswerBody:
    """Body of one answer, fed with bytes as they arrive. Never ends an answer that did not end itself."""

    def __init__(self, target: str, reader: AnswerReading, shape: BodyShape) -> None:
        media_type = shape.media_type
        if media_type.startswith(_NO_ANSWERS):
            raise TargetProtocolError(f"The target {target!r} answered with something else than an event stream.")
        self._reader = reader
        self._inflater = Inflater(shape.content_encoding, shape.most_bytes)
        self._framing = AnswerFraming(target, declared=media_type == "text/event-stream")
        self._events: EventDecoder | None = None
        self._texts: ReadTexts | None = getattr(reader, "texts", None)

    @property
    def done(self) -> bool:
        """Whether the answer is complete; whatever follows is ignored."""
        return self._reader.done

    @property
    def ended(self) -> bool:
        """Whether the answer is complete but for its usage, although nothing has said that it is over."""
        return self._reader.ended

    def feed(self, chunk: bytes) -> Iterable[deque[Delta]]:
        """Return the deltas that `chunk` completes; those before a fault come first, then the fault is raised.

        Raises:
            AduanaError: the answer reports an error.
            TargetProtocolError: the bytes can't be read, or there are too many of them.
        """
        pieces = self._inflater.feed(chunk)
        if isinstance(pieces, tuple):  # nothing was packed: no generator for the one piece that nearly all chunks are
            deltas, fault = self._read(chunk)
            if fault is None:
                return (deltas,) if deltas else ()
            return _broken(deltas, fault)
        return self._unpacked(pieces)

    def _unpacked(self, pieces: Iterable[bytes]) -> Iterator[deque[Delta]]:
        for piece in pieces:
            deltas, fault = self._read(piece)
            if deltas:
                yield deltas
            if fault is not None:
                raise fault
            if self._reader.done:
                return  # whatever follows is not part of the answer

    def _read(self, piece: bytes) -> tuple[deque[Delta], AduanaError | None]:
        """Return all deltas of a piece, and the fault behind them.

        At once, so that while a slow client takes a delta, not its line, its event and its JSON are held besides.
        """
        if self._texts is not None and self._events is not None and (payloads := self._events.whole(piece)):
            texts = self._texts(payloads)
            if texts is not None:
                return texts, None
        deltas: deque[Delta] = deque()
        try:
            for event in self._framing.feed(piece):
                for delta in self._reader.event(event):
                    deltas.append(delta)
                if self._reader.done:
                    break
        except AduanaError as fault:
            return deltas, fault
        self._events = self._events or self._framing.events
        return deltas, None

    def end(self) -> Iterator[Delta]:
        """Yield the deltas that are known only at the end of the bytes.

        Raises:
            AduanaError: an answer that came whole reports an error.
            TargetProtocolError: the answer is cut.
        """
        if self._reader.done:
            return
        if not self._reader.ended:
            self._inflater.finish()
        for event in self._framing.end():
            yield from self._reader.event(event)
        yield from self._reader.end()


def _broken(deltas: deque[Delta], fault: AduanaError) -> Iterator[deque[Delta]]:
    if deltas:
        yield deltas
    raise fault


def collected(shape: BodyShape, chunks: list[bytes]) -> bytes:
    """Return a whole body, unpacked.

    Raises:
        TargetProtocolError: the body is larger than the shape allows, or its compression is broken.
    """
    inflater = Inflater(shape.content_encoding, shape.most_bytes)
    body = b"".join([piece for chunk in chunks for piece in inflater.feed(chunk)])
    inflater.finish()
    return body.removeprefix(_BOM)


def inputs_of(document: JsonObject) -> int:
    """Count the vectors that an embeddings document asks for."""
    inputs = document.get("input")
    return len(inputs) if isinstance(inputs, tuple) and inputs and type(inputs[0]) is not int else 1


def has_token_numbers(document: JsonObject) -> bool:
    """Say whether the document has text in token numbers, which no inspection can read."""
    for name in ("prompt", "input"):
        given = document.get(name)
        if isinstance(given, tuple) and any(not isinstance(item, str) for item in given):
            return True
    return False
