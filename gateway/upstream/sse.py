"""Decode server-sent events: bytes as they arrive → events, within a limit of size. Pure.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from collections.abc import Iterator

import msgspec

from gateway.core.errors import TargetProtocolError

MOST_LINE_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


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
        """Yield the events that `chunk` completes.

        Raises:
            TargetProtocolError: a line or an event is longer than `most_bytes`.
        """
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

    def _unix_lines(self, chunk: bytes) -> bytes:
        if not chunk:
            return chunk
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, line: bytes) -> ServerSentEvent | None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if not line:
            event = ServerSentEvent(data=b"\n".join(self._data), name=self._name) if self._data else None
            self._data, self._size, self._name = [], 0, ""
            return event
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._size += len(value) + 1
            if self._size > self._most_bytes:
                raise self._too_long()
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        # Comments (lines that begin with a colon), `id`, `retry` and unknown fields say nothing to us.
        return None

    def _too_long(self) -> TargetProtocolError:
        return TargetProtocolError(f"The target sent one event of more than {self._most_bytes} bytes.")
