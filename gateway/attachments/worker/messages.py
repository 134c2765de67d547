"""Messages between the gateway and a worker, and their framing: msgpack behind a four-byte little-endian length.

`Ready` comes first, when the sandbox is closed. Then, for each `Job`: any number of `Found`, and one `Done`.
"""

from typing import TypeAlias

import msgspec

from gateway.attachments.worker.parts import Limits, Reason
from gateway.core.attachment import FileKind, Piece

LENGTH = 4  # bytes before each message
MAX_WORDS = 64 * 1024  # bytes of a message beside its text


class Job(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One file to read; its bytes follow this message as they are. `name`: for its extension only."""

    size: int
    limits: Limits
    name: str = ""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker takes files now. `protection`: what holds it, in words of `sandbox.py`."""

    protection: tuple[str, ...] = ()


class Found(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One piece of text, as soon as it was read."""

    piece: Piece


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The file is read as far as it can be."""

    kind: FileKind
    pages: int = 0
    reasons: tuple[Reason, ...] = ()


ToGateway: TypeAlias = Ready | Found | Done

job = msgspec.msgpack.Decoder(Job)
to_gateway = msgspec.msgpack.Decoder[ToGateway](ToGateway)
_encoder = msgspec.msgpack.Encoder()


def frame(message: Job | ToGateway) -> bytes:
    """Return a message with its length before it."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH, "little") + body
