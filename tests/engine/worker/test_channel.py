"""The worker's end of the socket: what is urgent goes at once, and quick tokens travel together."""

import socket
from collections.abc import Iterator

import pytest

from gateway.engine.messages import Frames, Tokens, to_gateway
from gateway.engine.worker import channel as channel_module
from gateway.engine.worker.channel import Channel, PeerClosed


class Far:
    """The gateway's end."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        connection.setblocking(False)
        self._frames = Frames()

    def arrived(self) -> list[int]:
        """The tokens that are here."""
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return []
        found: list[int] = []
        for body in self._frames.feed(data):
            message = to_gateway.decode(body)
            assert isinstance(message, Tokens)
            found += message.tokens
        return found


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Far]]:
    near, far = socket.socketpair()
    with near, far:
        yield Channel(near), Far(far)


def token(number: int) -> Tokens:
    return Tokens(ids=(1,), tokens=(number,))


def test_quick_tokens_travel_together(ends: tuple[Channel, Far], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one goes at once; the next ones wait for something urgent, and keep their order."""
    channel, far = ends
    monkeypatch.setattr(channel_module, "_GATHER_SECONDS", 3600.0)
    channel.send(token(1), patient=True)
    assert far.arrived() == [1]
    channel.send(token(2), patient=True)
    channel.send(token(3), patient=True)
    assert far.arrived() == []
    channel.send(token(4))
    assert far.arrived() == [2, 3, 4]


def test_nothing_waits_longer_than_said(ends: tuple[Channel, Far], monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that come slowly go one by one."""
    channel, far = ends
    monkeypatch.setattr(channel_module, "_GATHER_SECONDS", 0.0)
    for number in range(3):
        channel.send(token(number), patient=True)
        assert far.arrived() == [number]


def test_nothing_is_held_while_the_worker_rests(ends: tuple[Channel, Far], monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it sleeps, and before it does something long, everything goes."""
    channel, far = ends
    monkeypatch.setattr(channel_module, "_GATHER_SECONDS", 3600.0)
    for act in (channel.wait, channel.flush):
        channel.send(token(1), patient=True)
        channel.send(token(2), patient=True)
        channel.wake()
        act()
        assert far.arrived()[-1] == 2


def test_a_closed_gateway_ends_the_worker(ends: tuple[Channel, Far]) -> None:
    """Both when it sends and when it reads."""
    channel, far = ends
    far.socket.close()
    with pytest.raises(PeerClosed):
        channel.receive()
    with pytest.raises(PeerClosed):
        channel.send(token(1))
