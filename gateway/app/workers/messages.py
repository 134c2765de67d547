"""What a supervisor and its worker say to each other, over a socket without a name: frames of msgpack."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from gateway.core.kept_answers import Identity, KeptAnswer

VARIABLE = "ADUANA_WORKER"
"""Names the descriptor of the socket, in the environment of a worker."""
_LENGTH = 4  # bytes before each message


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is refused, for its client."""

    message: str
    code: str
    status: int
    retry_after: float | None


class Setup(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a worker is told first. `line`, by which connections come, and `lock` are descriptors that it inherits."""

    number: int
    workers: int
    supervisor: int  # its process
    line: int
    address: tuple[str, int]  # where clients connect
    listens: Mapping[str, Any] = {}  # settings of `server:` that follow from systemd's sockets
    lock: int
    accept_loss: bool = False
    watchdog_seconds: float | None = None
    secret: bytes  # signs the sessions of people in the console
    ended: tuple[str, ...] = ()  # sessions that are over


class Told(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a worker tells of itself, in the words of sd_notify(3)."""

    text: str


class WantPage(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Somebody wants metrics: of all, if a worker says this; of this worker, if the supervisor does."""

    ask: int


class Page(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The metrics that were asked for."""

    ask: int
    text: bytes


class Others(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How all workers are, by number."""

    states: Mapping[int, str]


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A session in the console that ended: at this worker, or, from the supervisor, at another one."""

    session: str


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A request with an `Idempotency-Key` has come to a worker."""

    ask: int
    identity: Identity
    fingerprint: bytes


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What to do with it: repeat this answer, refuse it so, or, with neither, let it run."""

    ask: int
    answer: KeptAnswer | None = None
    refusal: Refusal | None = None


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A request that `Begin` had told of has ended: with an answer to keep, or with none."""

    ask: int
    answer: KeptAnswer | None = None


Message: TypeAlias = Setup | Told | WantPage | Page | Others | Ended | Begin | Begun | Finished
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def framed(message: Message) -> bytes:
    """Return a message as it is sent."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(_LENGTH, "big") + body


async def heard(reader: asyncio.StreamReader) -> Message | None:
    """Return the next message; None: the other side is gone."""
    try:
        size = int.from_bytes(await reader.readexactly(_LENGTH), "big")
        return _decoder.decode(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, OSError):
        return None


def first_heard(connection: socket.socket) -> Message:
    """Return the first message. Blocks.

    Raises:
        EOFError: The other side is gone.
    """
    return _decoder.decode(_exactly(connection, int.from_bytes(_exactly(connection, _LENGTH), "big")))


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data
