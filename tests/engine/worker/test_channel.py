"""The worker's end of the socket: what is urgent goes at once, and quick tokens travel together."""

import fcntl
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.engine.messages import Frames, Tokens, to_gateway
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


@contextmanager
def connected(gather_seconds: float) -> Iterator[tuple[Channel, Far]]:
    near, far = socket.socketpair()
    with near, far:
        channel = Channel(near, gather_seconds=gather_seconds)
        yield channel, Far(far)
        channel.close()


@pytest.fixture
def patient() -> Iterator[tuple[Channel, Far]]:
    """Both ends, of a channel that gathers quick tokens for an hour."""
    with connected(3600.0) as ends:
        yield ends


@pytest.fixture
def hasty() -> Iterator[tuple[Channel, Far]]:
    """Both ends, of a channel that gathers nothing."""
    with connected(0.0) as ends:
        yield ends


def token(number: int) -> Tokens:
    return Tokens(ids=(1,), tokens=(number,))


def test_quick_tokens_travel_together(patient: tuple[Channel, Far]) -> None:
    """The first token goes at once; the next ones wait for something urgent, and keep their order."""
    channel, far = patient
    channel.send(token(1), patient=True)
    assert far.arrived() == [1]
    channel.send(token(2), patient=True)
    channel.send(token(3), patient=True)
    assert far.arrived() == []
    channel.send(token(4))
    assert far.arrived() == [2, 3, 4]


def test_nothing_waits_longer_than_said(hasty: tuple[Channel, Far]) -> None:
    """Tokens that come slowly are sent one by one."""
    channel, far = hasty
    for number in range(3):
        channel.send(token(number), patient=True)
        assert far.arrived() == [number]


def test_nothing_is_held_while_the_worker_rests(patient: tuple[Channel, Far]) -> None:
    """Before the worker sleeps or does something long, everything is sent."""
    channel, far = patient
    for act in (channel.wait, channel.flush):
        channel.send(token(1), patient=True)
        channel.send(token(2), patient=True)
        channel.wake()
        act()
        assert far.arrived()[-1] == 2


def test_a_closed_gateway_ends_the_worker(hasty: tuple[Channel, Far]) -> None:
    """A closed socket ends the worker, both when it sends and when it reads."""
    channel, far = hasty
    far.socket.close()
    with pytest.raises(PeerClosed):
        channel.receive()
    with pytest.raises(PeerClosed):
        channel.send(token(1))


def test_a_channel_beyond_the_first_thousand_descriptors_works() -> None:
    """A gateway that has a thousand clients hands such a socket to its worker."""
    ours, theirs = socket.socketpair()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ours, theirs:
        if soft <= 2000:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        high = socket.socket(fileno=fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD, 1500))
        channel = Channel(high)
        channel.wake()
        channel.wait()
        theirs.send(b"\0")
        channel.wait()
        channel.close()
        high.close()
