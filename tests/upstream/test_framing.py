"""Payloads are found by what the bytes are, whatever the content type says and however they arrive."""

import gzip
import json
from itertools import chain

import pytest

from gateway.core.delta import Finish, Text, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import TargetProtocolError
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.body import AnswerBody, BodyShape

DOCUMENT = freeze_object({"messages": [{"role": "user", "content": "hello"}]})
HELLO = b'{"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}'
THERE = b'{"choices":[{"index":0,"delta":{"content":" there"},"finish_reason":null}]}'
STOP = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
USAGE = b'{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}'
PAYLOADS = (HELLO, THERE, STOP, USAGE)
WHOLE = json.dumps(
    {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2},
    }
).encode()
PRETTY = json.dumps(json.loads(WHOLE), indent=2).encode()


def events(before: bytes = b"data: ", after: bytes = b"\n\n", end: bytes = b"data: [DONE]\n\n") -> bytes:
    return b"".join(before + payload + after for payload in PAYLOADS) + end


STREAMS: dict[str, bytes] = {
    "events": events(),
    "no blank behind the colon": events(b"data:"),
    "CRLF": events(after=b"\r\n\r\n"),
    "CR": events(after=b"\r\r", end=b"data: [DONE]\r\r"),
    "mixed line ends": events(after=b"\r\n\n"),
    "no empty lines between events": events(after=b"\n", end=b"data: [DONE]\n"),
    "no empty lines, CRLF": events(after=b"\r\n", end=b"data: [DONE]"),
    "named events without empty lines": events(b"event: message\ndata: ", b"\n"),
    "named events": events(b"id: 1\nevent: completion.chunk\nretry: 5\ndata: "),
    "comments": events(b": ping\n\n:\n\ndata: "),
    "byte order mark": b"\xef\xbb\xbf" + events(),
    "blanks first": b"\n\n  \r\n" + events(),
    "twice data:": events(b"data: data: "),
    "JSON over several lines": events(end=b"").replace(b'"choices":', b'\ndata: "choices":') + b"data: [DONE]\n\n",
    "blanks around [DONE]": events(end=b"data:  [DONE] \n\n"),
    "no [DONE]": events(end=b""),
    "nothing ends the last event": events(after=b"\n\n", end=b"data: [DONE]"),
    "no [DONE], nothing ends the usage": events(end=b"").rstrip(),
    "empty data": b"data:\n\n" + events(b"data: \n\ndata: "),
    "pings by name": events(b"event: ping\ndata: pong\n\ndata: "),
    "JSON without data:": events(b""),
    "lines of JSON": events(b"", b"\n", b""),
    "lines of JSON, CRLF and blank lines": b"\r\n" + events(b"", b"\r\n\r\n", b""),
    "lines of JSON with [DONE]": events(b"", b"\n", b"[DONE]\n"),
    "lines of JSON, nothing ends the last": events(b"", b"\n", b"").rstrip(),
    "whole": WHOLE,
    "whole with a line end": WHOLE + b"\n",
    "whole, over many lines": PRETTY,
    "whole, after blanks to keep the connection": b" \n" * 500 + WHOLE,
    "whole, after a byte order mark": b"\xef\xbb\xbf" + WHOLE,
    "whole, as an event": b"data: " + WHOLE + b"\n\n",
    "whole, as an event with [DONE]": b"data: " + WHOLE + b"\n\ndata: [DONE]\n\n",
}
TYPES = [
    "text/event-stream",
    "Text/Event-Stream;charset=UTF-8",
    "application/json",
    "application/x-ndjson",
    "text/plain",
    "",
]


def reader() -> AnswerReader:
    return AnswerReader("t", DOCUMENT)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", STREAMS)
def test_an_answer_is_read_whatever_it_is_called(name: str, kind: str) -> None:
    """Events, lines of JSON and whole answers are read under any content type that is not a page's or a file's."""
    for size in (1, 7, 10_000):
        body = AnswerBody("t", reader(), BodyShape(content_type=kind, content_encoding="", most_bytes=10**6))
        data = STREAMS[name]
        deltas = [delta for at in range(0, len(data), size) for delta in chain(*body.feed(data[at : at + size]))]
        deltas += body.end()
        assert "".join(delta.text for delta in deltas if isinstance(delta, Text)) == "Hello there"
        *_, finish, report = deltas
        assert isinstance(finish, Finish)
        assert isinstance(report, UsageReport)
        assert (report.usage.prompt_tokens, report.usage.estimated) == (7, False)


@pytest.mark.parametrize("name", ["events", "lines of JSON", "no empty lines between events"])
def test_text_goes_on_as_it_comes(name: str) -> None:
    """A stream is not held until its end because of what it is called."""
    shape = BodyShape(content_type="application/json", content_encoding="", most_bytes=10**6)
    body = AnswerBody("t", reader(), shape)
    data = STREAMS[name]
    deltas = list(chain(*body.feed(data[: data.index(STOP)])))
    assert Text(text="Hello") in deltas


@pytest.mark.parametrize(
    "kind", ["text/html; charset=utf-8", "application/xhtml+xml", "text/xml", "image/png", "audio/mpeg"]
)
def test_pages_and_files_are_no_answers(kind: str) -> None:
    """What calls itself a page or a file is refused before it is read."""
    with pytest.raises(TargetProtocolError, match="something else"):
        AnswerBody("t", reader(), BodyShape(content_type=kind, content_encoding="", most_bytes=100))


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "application/octet-stream"])
@pytest.mark.parametrize(
    "data", [b"<html>Sign in</html>", b"\x89PNG\r\n", b"OK", b"dat", b"", b"   \n", b" " * (2 << 20)]
)
def test_bytes_that_are_no_answer_are_refused(kind: str, data: bytes) -> None:
    """What begins neither like events nor like JSON is refused, whatever its content type."""
    body = AnswerBody("t", reader(), BodyShape(content_type=kind, content_encoding="", most_bytes=10**7))
    with pytest.raises(TargetProtocolError, match="something else"):
        [*body.feed(data), *body.end()]


def test_a_cut_event_is_not_taken_for_a_whole_one() -> None:
    """A last event that is not whole JSON is no part of the answer, which is then incomplete."""
    body = AnswerBody("t", reader(), BodyShape(content_type="", content_encoding="", most_bytes=10**6))
    assert list(chain(*body.feed(b"data: " + HELLO + b"\n\ndata: " + STOP[:-2]))) == [Text(text="Hello")]
    with pytest.raises(TargetProtocolError, match="before it was complete"):
        list(body.end())


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " x-gzip ", "gzip, identity", "identity,gzip"])
def test_a_packed_answer_is_read(encoding: str) -> None:
    """A server that compresses although nobody asked it to is understood."""
    body = AnswerBody("t", reader(), BodyShape(content_type="", content_encoding=encoding, most_bytes=10**6))
    assert Text(text="Hello") in chain(*body.feed(gzip.compress(events())))


def test_many_lines_of_one_event_cost_no_more_than_their_size() -> None:
    """An event of very many lines is read in one pass; more than its limit is an error."""
    body = AnswerBody("t", reader(), BodyShape(content_type="", content_encoding="", most_bytes=10**8))
    with pytest.raises(TargetProtocolError, match="one event of more than"):
        list(body.feed(b"data: {\n" + b"data: x\n" * 600_000))
