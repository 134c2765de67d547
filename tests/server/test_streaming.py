"""A stream to a client that is gone."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
import structlog.testing
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_exceptions import ClientConnectionResetError
from aiohttp.test_utils import make_mocked_request

from gateway.pipeline.settlement import ClientGone
from gateway.server.idempotency import Recording
from gateway.server.streaming import COMMENT, RECORDING, EventStream


@pytest.fixture
def wire() -> mock.NonCallableMagicMock:
    """Transport of a client that has taken everything."""
    transport = mock.create_autospec(asyncio.Transport, instance=True)
    transport.is_closing.return_value = False
    transport.get_write_buffer_size.return_value = 0
    assert isinstance(transport, mock.NonCallableMagicMock)
    return transport


def events_at(wire: mock.Mock, writer: mock.Mock | None = None, **more: Any) -> EventStream:
    """Return an answer to a client at this transport."""
    writer = mock.create_autospec(AbstractStreamWriter, instance=True) if writer is None else writer
    http = make_mocked_request("POST", "/", writer=writer, transport=wire)
    return EventStream(http, **({"content_type": "text/event-stream"} | more))


def written(wire: mock.Mock) -> list[bytes]:
    """Return the chunks that were written."""
    chunks = [call.args[0].partition(b"\r\n") for call in wire.write.call_args_list]
    assert all(int(size, 16) == len(rest) - 2 and rest.endswith(b"\r\n") for size, _, rest in chunks)
    return [rest[:-2] for _, _, rest in chunks]


@pytest.mark.parametrize("step", ["write_headers", "write", "drain", "write_eof"])
async def test_a_client_that_goes_while_anything_is_sent_is_gone_and_not_a_fault(
    step: str, wire: mock.NonCallableMagicMock
) -> None:
    """The head, a frame or the end: the request is then settled as cancelled, not as an internal error."""
    writer = mock.create_autospec(AbstractStreamWriter, instance=True)
    if step == "write":
        wire.is_closing.return_value = True
    else:
        getattr(writer, step).side_effect = ClientConnectionResetError("Cannot write to closing transport")
    events = events_at(wire, writer)
    with pytest.raises(ClientGone):
        await events.open({})
        await events.send(b"data: x\n\n")
        await events.close()


async def test_a_large_frame_is_written_in_pieces(wire: mock.NonCallableMagicMock) -> None:
    """So that only a little of it waits for a slow reader, who is waited for, and all of it arrives in order."""
    writer = mock.create_autospec(AbstractStreamWriter, instance=True)
    events = events_at(wire, writer)
    await events.open({})
    frame = bytes(range(256)) * 4096
    await events.send(frame)
    pieces = written(wire)
    assert b"".join(pieces) == frame
    assert max(map(len, pieces)) <= 16 * 1024
    assert writer.drain.await_count == len(pieces)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - calls of a mock can only be looked at
            await asyncio.sleep(0.001)


def live(wire: mock.Mock, waiting: bytes = COMMENT) -> EventStream:
    return events_at(wire, waiting=waiting, first_seconds=0.0, pause_seconds=0.005)


async def test_head_and_signs_of_life_come_while_a_prompt_is_read(wire: mock.NonCallableMagicMock) -> None:
    """A client that waits for a long prompt gets the head, what comes before the answer, and comments; then the answer.

    So no proxy and no client takes the silence for a failure.
    """
    events = live(wire)
    events.expect({"x-aduana-label": "internal"}, b"data: start\n\n")
    await until(lambda: len(written(wire)) >= 3)
    assert not await events.open({"x-aduana-target": "late"})
    await events.send(b"data: x\n\n")
    await events.rest()
    assert events.response.headers["x-aduana-label"] == "internal"
    assert "x-aduana-target" not in events.response.headers
    assert written(wire)[0] == b"data: start\n\n"
    assert set(written(wire)[1:]) == {COMMENT, b"data: x\n\n"}


async def test_an_answer_that_comes_at_once_has_no_signs_of_life(wire: mock.NonCallableMagicMock) -> None:
    """An answer, or an error, that comes sooner than the head keeps its own headers and status."""
    events = events_at(wire, first_seconds=1e6)
    events.expect({}, b"start")
    assert not events.opened
    assert await events.open({"x-aduana-target": "home"})
    await events.rest()
    assert events.response.headers["x-aduana-target"] == "home"
    assert written(wire) == []


async def test_where_every_line_is_read_only_the_head_comes_early(wire: mock.NonCallableMagicMock) -> None:
    """Lines of JSON have no comments: nothing but the head comes before the answer."""
    events = live(wire, waiting=b"")
    events.expect({}, b"")
    await until(lambda: events.opened)
    await events.rest()
    assert written(wire) == []


async def test_signs_of_life_for_a_client_that_is_gone_are_no_fault(wire: mock.NonCallableMagicMock) -> None:
    """A client that goes away while it waits is noticed by whoever sends the answer, and only there."""
    wire.is_closing.return_value = True
    events = live(wire)
    events.expect({}, b"")
    await until(lambda: wire.is_closing.call_count > 0)
    await events.rest()
    assert written(wire) == []


async def test_a_fault_while_a_client_waits_is_told_and_ends_no_answer(wire: mock.NonCallableMagicMock) -> None:
    """What goes wrong with a sign of life is logged by its kind, and the answer that follows is sent all the same."""
    wire.write.side_effect = RuntimeError("made up")
    events = live(wire)
    events.expect({}, b"")
    with structlog.testing.capture_logs() as logs:
        await until(lambda: wire.write.call_count > 0)
        await events.rest()
    assert [(one["event"], one["error"]) for one in logs] == [("stream.waiting_failed", "RuntimeError")]
    wire.write.side_effect = None
    await events.send(b"data: x\n\n")
    assert written(wire)[-1] == b"data: x\n\n"


async def test_texts_are_sent_at_once_to_a_client_that_has_taken_everything(wire: mock.NonCallableMagicMock) -> None:
    """Each in one write, and nothing at all where there is nothing to send: an empty chunk would end the body."""
    events = events_at(wire)
    await events.open({}, b"data: start\n\n")
    assert events.takes(100)
    events.send_now(b"data: x\n\n")
    events.send_now(b"")
    assert written(wire) == [b"data: start\n\n", b"data: x\n\n"]


@pytest.mark.parametrize("why", ["slow", "gone", "large", "recorded"])
async def test_nothing_is_sent_at_once_that_must_wait(why: str, wire: mock.NonCallableMagicMock) -> None:
    """A slow client is waited for, of a large text only a little waits for it, and what is recorded is sent twice."""
    http = make_mocked_request("POST", "/", transport=wire)
    wire.get_write_buffer_size.return_value = int(why == "slow")
    wire.is_closing.return_value = why == "gone"
    if why == "recorded":
        http[RECORDING] = mock.create_autospec(Recording, instance=True)
    events = EventStream(http, content_type="text/event-stream")
    assert not events.takes(1_000_000 if why == "large" else 100)


async def test_an_error_behind_the_end_says_nothing_more(wire: mock.NonCallableMagicMock) -> None:
    """What the client would read as the beginning of its next answer is not sent: the connection ends."""
    events = events_at(wire)
    await events.open({})
    await events.send(b"data: x\n\n")
    await events.close()
    await events.fail(b"data: error\n\n")
    assert written(wire) == [b"data: x\n\n"]
    assert wire.abort.called
