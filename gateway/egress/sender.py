"""The gateway's side of the door: signs what a clearance clears, hands it over, and reads the answer as it comes."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Protocol

from gateway.core.errors import AduanaError, TargetCutOff, TargetUnavailable
from gateway.core.secret import Credential
from gateway.egress.faults import error_of
from gateway.egress.messages import (
    Begun,
    Broken,
    Fault,
    Hello,
    Kind,
    frame,
    head,
    read_frame,
    read_message,
    read_parts,
    unpack,
)
from gateway.egress.signing import Signer
from gateway.egress.streams import Watched, Writer, open_streams
from gateway.egress.tls import Secured
from gateway.policy import Clearance
from gateway.upstream.body import BodyShape
from gateway.upstream.media.requests import SentBody

_MOST_IDLE = 64  # connections that are kept open for the next requests
_INLINE_BYTES = 256 * 1024  # a longer body is hashed in a thread
_HELLO_SECONDS = 30.0  # a machine that is busy loads libraries slowly
# Another machine's clock is read once a connection: as well as its greeting is quick, and for as long as clocks agree.
_REMOTE_HELLO_SECONDS = 10.0
_REMOTE_SECONDS = 3600.0


class Connecting(Protocol):
    """Maker of connections to the egress process."""

    @property
    def problem(self) -> str:
        """Why there is none to be had, in a sentence; empty: there is."""
        ...

    @property
    def tls(self) -> Secured | None:
        """What secures a connection to another machine; None: it is on this one."""
        ...

    async def connect(self) -> socket.socket:
        """Return a new connection.

        Raises:
            OSError: There is none to be had.
        """
        ...


class _Connection:
    """Connection to the egress process: for one request at a time."""

    def __init__(self, reader: Watched, writer: Writer, life: bytes, *, ahead: float, until: float | None) -> None:
        self.reader = reader
        self.writer = writer
        self.life = life
        self.ahead = ahead  # seconds, of the other side's clock before ours
        self._until = until

    @property
    def fresh(self) -> bool:
        """Whether it can take a request."""
        late = self._until is not None and time.monotonic() > self._until
        return not late and not self.reader.ended and not self.writer.is_closing()

    def abort(self) -> None:
        """Close it at once: what is under way on it is cancelled on the other side."""
        self.writer.transport.abort()


class Sender:
    """Owner of the connections to the egress process, for all cloud targets."""

    def __init__(self, connecting: Connecting, signer: Signer) -> None:
        """Connect to nobody yet."""
        self._connecting = connecting
        self._signer = signer
        self._idle: list[_Connection] = []

    @property
    def problem(self) -> str:
        """Why nothing can be sent now, in a sentence; empty: it can."""
        return self._connecting.problem

    def door(self, target: str) -> "SealedDoor":
        """Return the door of one target."""
        return SealedDoor(self, target)

    async def send(
        self, clearance: Clearance, sent: SentBody, *, most_bytes: int, credential: Credential | None
    ) -> "SealedReply":
        """Send one body and return the answer that begins.

        Raises:
            AduanaError: The provider or the egress process failed, or the latter would not send it.
        """
        target = clearance.target
        connection = await self._connection(target)
        try:
            kind, body = await self._asked(connection, clearance, sent, most_bytes, credential)
        except (Broken, OSError) as error:
            connection.abort()
            stopped = _stopped(target)
            raise stopped from error
        except BaseException:  # cancelled, or late: the other side learns it from the end of the connection
            connection.abort()
            raise
        if kind is Kind.FAULT:
            self.keep(connection)
            told = _told(body, target)
            raise told
        begun = _begun(body) if kind is Kind.BEGUN else None
        if begun is None:
            connection.abort()
            stopped = _stopped(target)
            raise stopped
        shape = BodyShape(
            content_type=begun.content_type, content_encoding=begun.content_encoding, most_bytes=most_bytes
        )
        return SealedReply(self, connection, target, shape)

    def keep(self, connection: _Connection) -> None:
        """Keep a connection whose answer is read for the next request."""
        if connection.fresh and len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.abort()

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().abort()

    async def _connection(self, target: str) -> _Connection:
        """Return a connection that nobody uses.

        Raises:
            TargetUnavailable: None can be had.
        """
        while self._idle:
            connection = self._idle.pop()
            if connection.fresh:
                return connection
            connection.abort()
        try:
            connected, tls = await self._connecting.connect(), self._connecting.tls
            reader, writer = await open_streams(connected, tls)
        except OSError as error:
            stopped = _stopped(target, self._connecting.problem)
            raise stopped from error
        try:
            async with asyncio.timeout(_HELLO_SECONDS if tls is None else _REMOTE_HELLO_SECONDS):
                hello = await read_message(reader, Kind.HELLO, Hello)
        except (Broken, TimeoutError) as error:
            writer.transport.abort()
            stopped = _stopped(target, self._connecting.problem)
            raise stopped from error
        except BaseException:
            writer.transport.abort()
            raise
        if tls is None:
            return _Connection(reader, writer, hello.life, ahead=0.0, until=None)
        # The greeting was on its way since: what is signed is good for a little less than it says, never for longer.
        now = time.monotonic()
        return _Connection(reader, writer, hello.life, ahead=hello.clock - now, until=now + _REMOTE_SECONDS)

    async def _asked(
        self,
        connection: _Connection,
        clearance: Clearance,
        sent: SentBody,
        most_bytes: int,
        credential: Credential | None,
    ) -> tuple[Kind, bytes]:
        """Sign and hand over, and return the first frame of the answer.

        Raises:
            Broken: The connection ended.
            OSError: It broke.
        """

        def signed() -> bytes:
            ask = self._signer.sign(
                clearance,
                sent,
                life=connection.life,
                most_bytes=most_bytes,
                credential=credential,
                ahead=connection.ahead,
            )
            return frame(Kind.ASK, ask)

        ask = signed() if len(sent.content) < _INLINE_BYTES else await asyncio.to_thread(signed)
        asked = ask + head(Kind.BODY, len(sent.content))
        # Never an empty piece: asyncio's own transport, from Python 3.12 on, would try for ever to send it.
        connection.writer.writelines((asked, sent.content) if sent.content else (asked,))
        await connection.writer.drain()
        return await read_frame(connection.reader)


class SealedDoor:
    """Door of one target in the egress process."""

    def __init__(self, sender: Sender, target: str) -> None:
        self._sender = sender
        self._target = target

    @property
    def problem(self) -> str:
        """Why nothing can leave by it now, in a sentence; empty: it can."""
        return self._sender.problem

    def send(
        self, clearance: Clearance, sent: SentBody, *, most_bytes: int, credential: Credential | None
    ) -> "Coroutine[None, None, SealedReply]":
        """Send one body and return the answer that begins; raises what `Sender.send` raises."""
        assert clearance.target == self._target
        return self._sender.send(clearance, sent, most_bytes=most_bytes, credential=credential)

    async def close(self) -> None:
        """Do nothing: the connections are the sender's."""


class SealedReply:
    """Answer that has begun with status 200 and whose body comes from the egress process."""

    def __init__(self, sender: Sender, connection: _Connection, target: str, shape: BodyShape) -> None:
        self._sender = sender
        self._connection: _Connection | None = connection
        self._target = target
        self._over = False
        self._behind: tuple[Kind, bytes] | None = None  # the frame behind what was read last, where it has come
        self.shape = shape

    async def read(self) -> bytes:
        """Return all raw bytes that have come, or else the next ones; empty at the end.

        Raises:
            AduanaError: the body is cut.
            TargetCutOff: the egress process has stopped.
        """
        if self._over or self._connection is None:
            return b""
        try:
            kind, body = self._behind or await read_frame(self._connection.reader)
            if kind is Kind.PART:
                body, self._behind = read_parts(self._connection.reader, body)
                return body
        except Broken as error:
            raise self._broken() from error
        except BaseException:
            # INVARIANT: nothing is read behind the middle of a frame: it would be taken for another, and for its end.
            await self.close()
            raise
        self._over = True
        if kind is Kind.FAULT:
            told = _told(body, self._target)
            raise told
        return b""

    def come(self) -> bytes:
        """Return raw bytes that have come, without waiting; empty: none have, or only reading tells what comes next.

        Raises:
            TargetCutOff: the egress process has stopped.
        """
        if self._over or self._connection is None or self._behind is not None:
            return b""
        try:
            body, self._behind = read_parts(self._connection.reader)
        except Broken as error:
            raise self._broken() from error
        return body

    @property
    def ended(self) -> bool:
        """Whether the answer was read to its end, or nothing but that it ended stands behind what was read."""
        return self._over or (self._behind is not None and self._behind[0] is Kind.END)

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        """Hand raw bytes to `take` as they arrive; as `Reply.pour` does."""
        if self._over or self._connection is None or self._behind is not None:
            return False
        reader = self._connection.reader
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def came() -> None:
            if waiter.done():  # all is taken, or whoever waited was cancelled
                return
            try:
                body, self._behind = read_parts(reader)
                if body and not take(body):
                    waiter.set_result(True)
                elif self._behind is not None or reader.ended:
                    waiter.set_result(False)
            except BaseException as error:  # noqa: BLE001 - whoever waits gets it
                waiter.set_exception(error)

        came()
        reader.tell(came)
        try:
            return await waiter
        except Broken as error:
            raise self._broken() from error
        except BaseException:
            await self.close()  # as in `read`
            raise
        finally:
            reader.tell(None)

    def _broken(self) -> TargetCutOff:
        return TargetCutOff(
            f"The way to the target {self._target!r} broke inside its answer: the egress process stopped.",
            code="egress_stopped",
        )

    async def close(self) -> None:
        """End the answer; what was not read to its end is cancelled on the other side."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self.ended:
            self._sender.keep(connection)
        else:
            connection.abort()


def _begun(body: bytes) -> Begun | None:
    with contextlib.suppress(Broken):
        return unpack(body, Begun)
    return None


def _told(body: bytes, target: str) -> AduanaError:
    """Return the error that the other side tells."""
    try:
        return error_of(unpack(body, Fault))
    except Broken:
        return _stopped(target)


def _stopped(target: str, problem: str = "") -> TargetUnavailable:
    """Return the error for an egress process that is not there, or was ended with a request in its hands.

    INVARIANT: no such request is sent again by itself: nobody knows whether it has left.
    """
    reason = problem or "The egress process, which alone can reach clouds, stopped or does not answer."
    return TargetUnavailable(f"The target {target!r} can't be asked. {reason}", code="egress_stopped")
