"""Decode server-sent events: bytes as they arrive → events, within a limit of size. Pure.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, and what servers make of it:
events of JSON without the empty line between them, JSON without `data:`, and a last event that nothing ends.
"""

from collections.abc import Iterator

import msgspec

from gateway.core.errors import TargetProtocolError
from gateway.upstream.chunk import is_json_object

MOST_LINE_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_DONE = b"[DONE]"


class ServerSentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One server-sent event. `data` is still encoded; `name` is empty where the stream gave none."""

    data: bytes
    name: str = ""


class EventDecoder:
    """Decoder of one stream. Holds at most one unfinished line and one unfinished event, each within `most_bytes`."""

    def __init__(self, most_bytes: int = MOST_LINE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""
        self._after_cr = False
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Return the events that `chunk` completes.

        Raises:
            TargetProtocolError: a line or an event is longer than `most_bytes`.
        """
        payloads = self.whole(chunk)
        return self._lines(chunk) if payloads is None else iter([ServerSentEvent(data=one) for one in payloads])

    def whole(self, chunk: bytes) -> list[bytes] | None:
        """Return the payloads of a chunk that is nothing but whole events of one line each, as nearly all are.

        None: it is something else, and nothing of it was taken.
        """
        if not chunk.startswith(b"data: {") or not chunk.endswith(b"\n\n") or len(chunk) > self._most_bytes:
            return None
        if self._line or self._data or self._name or self._after_cr or b"\r" in chunk or b"data: data:" in chunk:
            return None
        lines = chunk[6:-2].split(b"\n\ndata: ")
        if chunk.count(b"\n") != 2 * len(lines):
            return None
        self._begun = True
        return lines

    def _lines(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        if b"\r" in chunk or self._after_cr:
            chunk = self._unix_lines(chunk)
        first, *rest = chunk.split(b"\n")
        self._line += first
        if len(self._line) > self._most_bytes:
            raise self._too_long()
        if not rest:
            return
        *whole, last = rest
        line, self._line = bytes(self._line), bytearray(last)
        for one in (line, *whole):
            event = self._take(one)
            if event is not None:
                yield event
        if len(last) > self._most_bytes:
            raise self._too_long()

    def end(self) -> Iterator[ServerSentEvent]:
        """Yield the last event, if it is a whole one that only lacks the empty line behind it."""
        line, self._line = bytes(self._line), bytearray()
        for event in (
            self._take(line) if line else None,
            self._dispatch() if self._complete() or is_json_object(b"\n".join(self._data)) else None,
        ):
            if event is not None:
                yield event

    def _unix_lines(self, chunk: bytes) -> bytes:
        if not chunk:
            return chunk
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, line: bytes) -> ServerSentEvent | None:
        """Take a line, and return the event that it ends."""
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if line.startswith((b"{", _DONE)):
            field, value = b"data", line
        before: ServerSentEvent | None = None
        if field in (b"data", b"event") and self._complete():
            before = self._dispatch()  # nothing can follow a whole JSON object: this line is the next event's
        if field == b"data":
            self._size += len(value) + 1
            if self._size > self._most_bytes:
                raise self._too_long()
            self._data.append(value.removeprefix(b"data:"))  # some proxies write it twice
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        # Comments (lines that begin with a colon), `id`, `retry` and unknown fields say nothing to us.
        return before

    def _complete(self) -> bool:
        """Say whether the one line so far is all of its event. More lines are JSON over several, which goes on."""
        return len(self._data) == 1 and (is_json_object(self._data[0]) or self._data[0].strip().startswith(_DONE))

    def _dispatch(self) -> ServerSentEvent | None:
        event = ServerSentEvent(data=b"\n".join(self._data), name=self._name) if self._data else None
        self._data, self._size, self._name = [], 0, ""
        return event

    def _too_long(self) -> TargetProtocolError:
        return TargetProtocolError(f"The target sent one event of more than {self._most_bytes} bytes.")
