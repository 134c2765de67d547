"""Messages between the gateway and the egress process, and their frames.

A frame's body (`streams.py`) is msgpack, or the raw bytes of a request or an answer. On one connection there is one
request at a time; closing it is how a request is cancelled, and a reader that is slow is heard by the socket itself, so
that there is neither a message for the one nor for the other.
"""

import enum
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from gateway.cloud.settings import CloudSettings
from gateway.core.labels import Label
from gateway.core.request import Endpoint
from gateway.core.secret import CredentialForm
from gateway.egress.streams import Watched
from gateway.privacy.settings import InspectionSettings

T = TypeVar("T")


class Kind(enum.IntEnum):
    """What a frame holds."""

    SETUP = 1  # `Setup`, once, to a child
    REPORT = 2  # `Report`, its answer
    HELLO = 3  # `Hello`, at the begin of each connection
    ASK = 4  # `Ask`
    BODY = 5  # the request's bytes, behind `Ask`
    BEGUN = 6  # `Begun`
    PART = 7  # bytes of the answer
    END = 8  # the answer is whole
    FAULT = 9  # `Fault`


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A cloud target as the egress process knows it. `key`: where its key stands, `env:NAME` or `file:PATH`."""

    name: str
    ceiling: Label
    settings: CloudSettings
    endpoints: frozenset[Endpoint]
    key: str | None = None
    client_credential: bool = False


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an egress process needs. `seal`: the key of the clearances' signatures."""

    providers: tuple[Provider, ...]
    seal: bytes
    inspection: InspectionSettings = InspectionSettings()
    cache: str | None = None  # folder of the compiled patterns
    log_format: str = "console"
    log_level: str = "info"
    tells: bool = False  # whether what is sent is logged at `info`, too, and not only what is not


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a start. `problems`: in sentences, each begins with a setting; empty: it goes on."""

    problems: tuple[str, ...] = ()


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The life of the process on the other side: what is signed for one is worth nothing in the next, or in another.

    `clock`: its monotonic seconds, for a gateway on another machine. `reached`: the clouds, as `host:port`, to which it
    could connect when it tried last.
    """

    life: bytes
    clock: float = 0.0
    reached: tuple[str, ...] = ()


class ClientKey(msgspec.Struct, frozen=True, kw_only=True):
    """A client's own credential for a provider, for one request."""

    form: CredentialForm
    secret: str


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed: one clearance, and the bytes that it clears."""

    life: bytes
    nonce: bytes
    expires: float  # monotonic seconds, of the egress process's machine
    request_id: str
    target: str
    label: Label
    endpoint: Endpoint
    policy: str  # digest
    known: tuple[str, ...]  # categories that were found and permitted to leave
    prefix: str  # text of the policy's own
    path: str
    content_type: str
    size: int
    digest: bytes  # SHA-256 of the body
    most_bytes: int  # of the answer
    client: ClientKey | None = None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request to send. `claims` are the encoded `Claims`; `mac` is their HMAC-SHA256."""

    claims: bytes
    mac: bytes


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The answer begins, with status 200."""

    content_type: str
    content_encoding: str


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """The request, or its answer, failed: one of our errors. `refused`: the egress process itself would not send it."""

    kind: str
    message: str
    code: str
    status: int
    param: str | None = None
    retry_after: float | None = None
    refused: str = ""


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    # INVARIANT: a secret that somebody left in a structure does not travel by itself.
    raise TypeError(f"no message: {type(value).__name__}")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)


class Broken(Exception):
    """The other side is gone, or does not speak as it should."""


def pack(message: msgspec.Struct) -> bytes:
    """Return a message as msgpack."""
    return _ENCODER.encode(message)


def unpack(data: bytes, of: type[T]) -> T:
    """Return the message in `data`.

    Raises:
        Broken: There is none.
    """
    try:
        return msgspec.msgpack.decode(data, type=of)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Broken from error


def head(kind: Kind, size: int) -> bytes:
    """Return what stands before a body."""
    return size.to_bytes(4, "little") + bytes((kind,))


def frame(kind: Kind, message: msgspec.Struct) -> bytes:
    """Return a message with its frame."""
    body = pack(message)
    return head(kind, len(body)) + body


_KINDS = {int(kind): kind for kind in Kind}


async def read_frame(reader: Watched) -> tuple[Kind, bytes]:
    """Return the next frame.

    Raises:
        Broken: The connection ended, or brings something else.
    """
    try:
        kind, body = await reader.frame()
        return _KINDS[kind], body
    except (EOFError, KeyError, ValueError) as error:
        raise Broken from error


def read_parts(reader: Watched, first: bytes | None = None) -> tuple[bytes, tuple[Kind, bytes] | None]:
    """Return part of an answer with the parts behind it that have come, and the frame that stands behind those.

    Without `first`: the parts that have come, be it none.

    Raises:
        Broken: The connection brings something else.
    """
    parts = [] if first is None else [first]
    try:
        while (found := reader.taken()) is not None:
            if found[0] != Kind.PART:
                return b"".join(parts), (_KINDS[found[0]], found[1])
            parts.append(found[1])
    except (KeyError, ValueError) as error:
        raise Broken from error
    return parts[0] if len(parts) == 1 else b"".join(parts), None


async def read_message(reader: Watched, kind: Kind, of: type[T]) -> T:
    """Return the next message, which is of this kind.

    Raises:
        Broken: It is not.
    """
    found, body = await read_frame(reader)
    if found is not kind:
        raise Broken
    return unpack(body, of)
