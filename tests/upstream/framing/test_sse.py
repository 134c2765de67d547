"""Server-sent events are the same however their bytes arrive, and stay within limits."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import TargetProtocolError
from gateway.upstream.framing.sse import EventDecoder, ServerSentEvent

CASES: dict[str, tuple[bytes, list[ServerSentEvent]]] = {
    "one": (b"data: a\n\n", [ServerSentEvent(data=b"a")]),
    "no blank behind the colon": (b"data:a\n\n", [ServerSentEvent(data=b"a")]),
    "two blanks keep one": (b"data:  a\n\n", [ServerSentEvent(data=b" a")]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [ServerSentEvent(data=b"a"), ServerSentEvent(data=b"b")]),
    "CR": (b"data: a\r\rdata: b\r\r", [ServerSentEvent(data=b"a"), ServerSentEvent(data=b"b")]),
    "mixed": (b"data: a\r\n\ndata: b\n\r\n", [ServerSentEvent(data=b"a"), ServerSentEvent(data=b"b")]),
    "comments": (b": ping\n\n:\n\ndata: a\n\n", [ServerSentEvent(data=b"a")]),
    "several lines": (b"data: a\ndata: b\n\n", [ServerSentEvent(data=b"a\nb")]),
    "name": (
        b"event: error\ndata: a\n\ndata: b\n\n",
        [ServerSentEvent(data=b"a", name="error"), ServerSentEvent(data=b"b")],
    ),
    "unknown fields": (b"id: 1\nretry: 5\nnonsense\ndata: a\n\n", [ServerSentEvent(data=b"a")]),
    "byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [ServerSentEvent(data=b"a")]),
    "empty event": (b"event: x\n\ndata: a\n\n", [ServerSentEvent(data=b"a")]),
    "JSON without empty lines": (
        b'data: {"a":1}\ndata: {"b":2}\nevent: x\ndata: {}\n\n',
        [ServerSentEvent(data=b'{"a":1}'), ServerSentEvent(data=b'{"b":2}'), ServerSentEvent(data=b"{}", name="x")],
    ),
    "JSON over several lines": (b'data: {"a":\ndata: 1}\n\n', [ServerSentEvent(data=b'{"a":\n1}')]),
    "JSON without a field": (b'{"error":1}\n\n', [ServerSentEvent(data=b'{"error":1}')]),
    "field said twice": (b"data: data: a\n\n", [ServerSentEvent(data=b" a")]),
    "unfinished": (b"data: a\n\ndata: b\n", [ServerSentEvent(data=b"a")]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_events_do_not_depend_on_how_bytes_arrive(name: str, size: int) -> None:
    """Each stream gives the same events whole and in small pieces."""
    data, expected = CASES[name]
    decoder = EventDecoder()
    assert [event for at in range(0, len(data), size) for event in decoder.feed(data[at : at + size])] == expected


@pytest.mark.parametrize(
    ("rest", "last"),
    [
        (b"data: {}", b"{}"),
        (b"data: {}\n", b"{}"),
        (b"data: [DONE]", b"[DONE]"),
        (b'data: {"a":\ndata: 1}', b'{"a":\n1}'),
        (b'data: {"a"', None),
        (b"data: a\n", None),
        (b"", None),
    ],
)
def test_a_last_event_that_nothing_ends(rest: bytes, last: bytes | None) -> None:
    """At the end of the bytes an event counts without its empty line if it is whole; anything else is dropped."""
    decoder = EventDecoder()
    assert list(decoder.feed(b"data: x\n\n" + rest)) == [ServerSentEvent(data=b"x")]
    assert [event.data for event in decoder.end()] == ([] if last is None else [last])


@given(
    st.lists(
        st.sampled_from([b"data: a", b"event: e", b": c", b"", b"\r", b"\n", b"\r\n", b"data", b"data: {}"]),
        max_size=30,
    )
)
def test_any_cut_gives_the_same_events(parts: list[bytes]) -> None:
    """Bytes fed one by one give the same events as all at once."""
    data = b"".join(parts)
    slow, fast = EventDecoder(), EventDecoder()
    assert [event for byte in data for event in slow.feed(bytes([byte]))] == list(fast.feed(data))


@pytest.mark.parametrize(
    "data",
    [b"data: " + b"x" * 2000, b"data: " + b"x" * 2000 + b"\n\n", b"data: xxxxxxxxxx\n" * 200, b"y" * 2000],
    ids=["line without end", "line", "event of many lines", "unknown field"],
)
@pytest.mark.parametrize("size", [7, 5000])
def test_lines_and_events_have_a_limit(data: bytes, size: int) -> None:
    """A line or an event that does not end is an error, so memory stays bounded."""
    decoder = EventDecoder(most_bytes=1000)
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    with pytest.raises(TargetProtocolError, match="1000 bytes"):
        list(chain.from_iterable(map(decoder.feed, pieces)))


def test_events_before_a_fault_are_not_lost() -> None:
    """Events that are complete come out before the error of the one that is not."""
    events = EventDecoder(most_bytes=10).feed(b"data: a\n\ndata: " + b"x" * 50 + b"\n\n")
    assert next(events) == ServerSentEvent(data=b"a")
    with pytest.raises(TargetProtocolError):
        next(events)
