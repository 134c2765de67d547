"""Whatever bytes a target sends, deltas in their order or one of our errors come out, and nothing else."""

import gzip
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.delta import Delta, Finish, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import AduanaError, TargetProtocolError
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.body import AnswerBody, BodyShape, collected
from gateway.upstream.embeddings import read_vectors

DOCUMENT = freeze_object({"messages": [{"role": "user", "content": "hello"}], "n": 2})
STREAM = BodyShape(content_type="text/event-stream; charset=utf-8", content_encoding="", most_bytes=2**20)
WHOLE = BodyShape(content_type="application/json", content_encoding="", most_bytes=2**20)

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([{}]),
)
FINISHES = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "", "error", None])
DELTA = st.dictionaries(
    st.sampled_from(["content", "reasoning_content", "reasoning", "refusal", "tool_calls", "role"]), ODD, max_size=3
)
GOOD_DELTA = st.fixed_dictionaries({"content": st.text(max_size=5)})
CHOICE = st.fixed_dictionaries(
    {"index": st.integers(0, 2), "delta": GOOD_DELTA | DELTA, "finish_reason": FINISHES}, optional={"logprobs": ODD}
)
CHUNK = st.fixed_dictionaries({"choices": st.lists(CHOICE, max_size=2)}, optional={"usage": ODD, "error": ODD})
EVENT = st.one_of(
    CHUNK.map(lambda chunk: b"data: " + json.dumps(chunk).encode() + b"\n\n"),
    st.sampled_from([b"data: [DONE]\n\n", b": ping\n\n", b"event: error\n", b"data: {\n\n", b"data: []\n\n", b"\r\n"]),
    st.binary(max_size=20),
)

WHOLE_ANSWER = [b'data: {"choices":[{"index":%d,"delta":{"content":"a"}}]}\n\n' % index for index in (0, 0, 1, 1)]
ENDS = [b'data: {"choices":[{"index":%d,"finish_reason":"stop"}]}\n\n' % index for index in (0, 1)]
GOOD = st.sampled_from(WHOLE_ANSWER + ENDS)
# Mostly good events, with a few odd ones somewhere between them.
EVENTS = st.builds(
    lambda good, odd, at: [*good[:at], *odd, *good[at:]],
    st.lists(GOOD, max_size=6) | st.permutations(WHOLE_ANSWER).map(lambda order: [*order, *ENDS]),
    st.lists(EVENT, max_size=2),
    st.integers(0, 6),
)


def read(shape: BodyShape, data: bytes, size: int) -> tuple[list[Delta], bool]:
    """What came out, and whether it ended well."""
    deltas: list[Delta] = []
    try:
        body = AnswerBody("t", AnswerReader("t", DOCUMENT), shape)
        for at in range(0, len(data), size):
            for together in body.feed(data[at : at + size]):
                deltas.extend(together)
        deltas.extend(body.end())
    except AduanaError:
        return deltas, False
    return deltas, True


def check(deltas: list[Delta], well: bool) -> None:
    """The order that everything downstream relies on."""
    reports = [delta for delta in deltas if isinstance(delta, UsageReport)]
    finished: set[int] = set()
    for delta in deltas:
        if isinstance(delta, Finish):
            assert delta.index not in finished
            finished.add(delta.index)
        elif not isinstance(delta, UsageReport):
            assert delta.index not in finished
    if well:
        assert finished == {0, 1}
        assert reports == [deltas[-1]]
    else:
        assert not reports


@given(EVENTS, st.integers(1, 80))
@settings(max_examples=300)
def test_any_stream(events: list[bytes], size: int) -> None:
    """Any stream gives no raw exception, no clean end that was not there, and no text behind a finish."""
    check(*read(STREAM, b"".join(events), size))


@given(st.binary(max_size=100) | CHUNK.map(lambda chunk: json.dumps(chunk).encode()))
@settings(max_examples=200)
def test_any_whole_answer(data: bytes) -> None:
    """Any whole answer gives no raw exception, no clean end that was not there, and no text behind a finish."""
    check(*read(WHOLE, data, 50))


@given(
    st.binary(max_size=100)
    | st.dictionaries(st.sampled_from(["data", "usage", "error"]), ODD).map(lambda answer: json.dumps(answer).encode())
)
def test_any_embeddings_answer(data: bytes) -> None:
    """Any answer to an embeddings request gives vectors or one of our errors."""
    try:
        found = read_vectors("t", DOCUMENT, 1, data)
    except AduanaError:
        return
    assert len(found.vectors) == 1


def test_whole_bodies_are_capped_when_unpacked() -> None:
    """A body that comes in one piece, as embeddings do, may not unpack to more than its limit."""
    packed = gzip.compress(b"x" * 5000)
    shape = BodyShape(content_type="application/json", content_encoding="gzip", most_bytes=1000)
    with pytest.raises(TargetProtocolError, match="larger"):
        collected(shape, [packed])
    assert collected(BodyShape(content_type="", content_encoding="gzip", most_bytes=6000), [packed]) == b"x" * 5000


def test_while_a_client_takes_a_large_delta_its_text_is_all_that_is_held() -> None:
    """A slow reader of large events costs their text, not also the line, the event and the JSON that it came in."""
    size, piece = 600_000, 64 * 1024
    event = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % (b"x" * size)
    body = AnswerBody("den", AnswerReader("den", freeze_object({"messages": []})), STREAM)
    tracemalloc.start()
    try:
        held = [
            tracemalloc.get_traced_memory()[0]
            for start in range(0, len(event), piece)
            for _ in body.feed(event[start : start + piece])
        ]
    finally:
        tracemalloc.stop()
    assert len(held) == 1
    assert size < held[0] < 1.5 * size
