"""A stream to a client that is gone."""

from unittest import mock

import pytest
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_exceptions import ClientConnectionResetError
from aiohttp.test_utils import make_mocked_request

from gateway.pipeline.settlement import ClientGone
from gateway.server.streaming import EventStream


@pytest.mark.parametrize("step", ["write_headers", "write", "write_eof"])
async def test_a_client_that_goes_while_anything_is_sent_is_gone_and_not_a_fault(step: str) -> None:
    """The head, a frame or the end: the request is then settled as cancelled, not as an internal error."""
    writer = mock.create_autospec(AbstractStreamWriter, instance=True)
    getattr(writer, step).side_effect = ClientConnectionResetError("Cannot write to closing transport")
    events = EventStream(make_mocked_request("POST", "/", writer=writer), {}, content_type="text/event-stream")
    with pytest.raises(ClientGone):
        await events.open()
        await events.send(b"data: x\n\n")
        await events.close()


async def test_a_large_frame_is_written_in_pieces() -> None:
    """So that only a little of it waits for a slow reader, and all of it arrives in order."""
    writer = mock.create_autospec(AbstractStreamWriter, instance=True)
    events = EventStream(make_mocked_request("POST", "/", writer=writer), {}, content_type="text/event-stream")
    await events.open()
    frame = bytes(range(256)) * 4096
    await events.send(frame)
    pieces = [call.args[0] for call in writer.write.await_args_list]
    assert b"".join(pieces) == frame
    assert max(map(len, pieces)) <= 16 * 1024
