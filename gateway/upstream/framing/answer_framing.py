"""Find the payloads in an answer's bytes, whatever its content type says: events, lines of JSON, or one JSON. Pure."""

from collections.abc import Iterator
from typing import Protocol

from gateway.core.errors import TargetProtocolError
from gateway.upstream.chunk import is_json_object
from gateway.upstream.framing.sse import EventDecoder, ServerSentEvent

_MOST_WHOLE_BYTES = 16 * 2**20
_BLANKS = b" \t\r\n\0"  # what servers send to keep a connection alive before they answer
_EVENT_BEGINS = (b"data", b"event", b"id", b"retry", b":", b"[DONE]")
_LONGEST_BEGIN = max(map(len, _EVENT_BEGINS))
_MOST_BLANKS = 1 << 20
_BOM = b"\xef\xbb\xbf"


class Framing(Protocol):
    """What finds payloads in bytes."""

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Yield the payloads that `chunk` completes."""
        ...

    def end(self) -> Iterator[ServerSentEvent]:
        """Yield what is complete only because the bytes end."""
        ...


class JsonDecoder:
    """Decoder of JSON: one object, in one line or many, or an object a line (NDJSON)."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        self._lines: bool | None = None  # None: not known before the first line has ended

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Yield the lines that `chunk` completes, where each line is an object.

        Raises:
            TargetProtocolError: the JSON is too large.
        """
        self._held += chunk
        while self._lines is not False and (end := self._held.find(b"\n", self._searched)) >= 0:
            line = _payload(self._held[:end])
            if line and self._lines is None:
                self._lines = is_json_object(line)
                if not self._lines:
                    break
            del self._held[: end + 1]
            self._searched = 0
            if line:
                yield ServerSentEvent(data=line)
        self._searched = len(self._held)
        if len(self._held) > _MOST_WHOLE_BYTES:
            raise TargetProtocolError("The target sent too large an answer.")

    def end(self) -> Iterator[ServerSentEvent]:
        """Yield the rest: the whole answer, or a last line that nothing ended."""
        rest = _payload(self._held)
        self._held.clear()
        if rest:
            yield ServerSentEvent(data=rest)


def _payload(line: bytearray) -> bytes:
    """Return a line without blanks, and without what makes it an event's in servers that mix both forms."""
    return bytes(line).strip(_BLANKS).removeprefix(b"data:").lstrip(_BLANKS)


class AnswerFraming:
    """Framing of one answer, chosen by its first bytes: content types are wrong too often to go by."""

    def __init__(self, target: str, *, declared: bool) -> None:
        """Begin with nothing read.

        Args:
            target: The name of the target, for errors.
            declared: Whether the content type says that this is an event stream, so that anything else is noise in it.
        """
        self._target = target
        self._declared = declared
        self._begin = b""
        self._blanks = 0
        self._framing: Framing | None = None

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Return the payloads that `chunk` completes.

        Raises:
            TargetProtocolError: the bytes are neither events nor JSON, or there are too many.
        """
        if self._framing is None:
            chunk = self._begin + chunk
            begin = chunk.removeprefix(_BOM).lstrip(_BLANKS)
            self._blanks += len(chunk) - len(begin)
            if self._blanks > _MOST_BLANKS:
                raise self._no_answer()
            self._framing = self._chosen(begin)
            self._begin = begin
            if self._framing is None:
                return iter(())
            chunk, self._begin = begin, b""
        return self._framing.feed(chunk)

    @property
    def events(self) -> EventDecoder | None:
        """What finds the events, once it is known that the answer has some."""
        return self._framing if isinstance(self._framing, EventDecoder) else None

    def end(self) -> Iterator[ServerSentEvent]:
        """Yield what is complete only because the bytes end.

        Raises:
            TargetProtocolError: the bytes were no answer at all.
        """
        if self._framing is not None:
            yield from self._framing.end()
        elif self._begin or not self._declared:
            raise self._no_answer()

    def _chosen(self, begin: bytes) -> Framing | None:
        """Return the framing for bytes that begin so; None: they are too few to tell."""
        if begin.startswith(b"{"):
            return JsonDecoder()
        if begin.startswith(_EVENT_BEGINS):
            return EventDecoder()
        if len(begin) < _LONGEST_BEGIN and any(one.startswith(begin) for one in (*_EVENT_BEGINS, _BOM)):
            return None
        if self._declared:
            return EventDecoder()
        raise self._no_answer()

    def _no_answer(self) -> TargetProtocolError:
        return TargetProtocolError(f"The target {self._target!r} answered with something else than an event stream.")
