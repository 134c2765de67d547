"""Connections go to workers by turns, wait while nobody answers, and outlive a worker that had not taken them."""

import asyncio
import socket
from collections.abc import Callable

from gateway.app.service.sockets import bound_sockets
from gateway.app.workers.door import Door, HandedConnections, Line


class Worker:
    """Both ends of the way to a worker, and what it was handed."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.line = Line(ours)
        self.taken: list[socket.socket] = []
        self._theirs = theirs
        self._handed = HandedConnections(theirs, ("127.0.0.1", 1))

    def begin(self) -> None:
        assert self._handed.begin(self.taken.append) == ("127.0.0.1", 1)

    def kill(self) -> tuple[socket.socket, ...]:
        """End both sides without a look, and return what was never taken."""
        self._theirs.close()
        return self.line.close()

    def close(self) -> tuple[socket.socket, ...]:
        """End both sides, and return what was never taken."""
        self._handed.end()
        for one in self.taken:
            one.close()
        return self.kill()


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - sockets have no event
            await asyncio.sleep(0.01)


async def test_each_worker_has_its_turn() -> None:
    """Connections wait until somebody answers; then of eight each of two has four, with what the clients said."""
    one, two, answers = Worker(), Worker(), False
    [listening] = bound_sockets("127.0.0.1", [0])
    address = listening.getsockname()
    door = Door([listening], [one.line.take, two.line.take], lambda: answers)
    one.begin()
    two.begin()
    door.open()
    clients = [socket.create_connection(address, timeout=10) for _ in range(8)]
    for number, client in enumerate(clients):
        client.sendall(b"%d" % number)
    await asyncio.sleep(0.1)
    assert not one.taken
    assert not two.taken
    answers = True
    await until(lambda: len(one.taken) + len(two.taken) == 8)
    assert len(one.taken) == len(two.taken) == 4
    assert {taken.recv(1) for taken in (*one.taken, *two.taken)} == {b"%d" % number for number in range(8)}
    door.close()
    for client in clients:
        client.close()
    assert one.close() == two.close() == ()


async def test_what_a_dead_worker_had_not_taken_goes_to_another() -> None:
    """A connection that was on its way to it is not lost; one that nobody takes now is tried again."""
    dead, well = Worker(), Worker()
    alive = [dead]

    def take(connection: socket.socket) -> bool:
        return bool(alive) and alive[0].line.take(connection)

    [listening] = bound_sockets("127.0.0.1", [0])
    door = Door([listening], [take], lambda: True)
    door.open()
    with socket.create_connection(listening.getsockname(), timeout=10) as client:
        client.sendall(b"hello")
        async with asyncio.timeout(30):
            while not dead.line.untaken:  # noqa: ASYNC110 - sockets have no event
                await asyncio.sleep(0.01)
        alive.clear()
        [untaken] = dead.kill()
        assert not door.hand(untaken)
        alive.append(well)
        well.begin()
        await until(lambda: len(well.taken) == 1)
        assert well.taken[0].recv(5) == b"hello"
    door.close()
    assert well.close() == ()
