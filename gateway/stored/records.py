"""What is kept of a response and of a conversation: frozen data, and their form under the seal. Pure.

Items are JSON as clients sent it or as it was answered. INVARIANT: what is kept carries what its continuation inherits
in the same sealed record, so that neither can be had, cut or exchanged without the other.
"""

from typing import TypeAlias

import msgspec

from gateway.core.request import Inherited


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True, tag="response"):
    """Answer that is kept, with the input that was new in it and the id of what it continued."""

    id: str
    items: tuple[bytes, ...]  # the new input, each item as JSON
    output: tuple[bytes, ...]  # the answer's items as JSON
    body: bytes  # the whole answer as JSON
    inherited: Inherited
    previous: str | None = None  # the response that it continued
    conversation: str | None = None


class Conversation(msgspec.Struct, frozen=True, kw_only=True, tag="conversation"):
    """Conversation that is kept, with all of its items."""

    id: str
    created: int  # Unix seconds
    metadata: dict[str, str]
    items: tuple[bytes, ...] = ()  # each as JSON
    inherited: Inherited = Inherited()

    def grown(self, items: tuple[bytes, ...], inherited: Inherited) -> "Conversation":
        """Return the conversation with further items, and with what they hand down."""
        return msgspec.structs.replace(self, items=(*self.items, *items), inherited=self.inherited.joined(inherited))


Record: TypeAlias = StoredResponse | Conversation
_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[StoredResponse | Conversation] = msgspec.msgpack.Decoder(
    StoredResponse | Conversation
)


def encode(record: Record) -> bytes:
    """Return the record as bytes."""
    return _ENCODER.encode(record)


def decode(content: bytes) -> Record:
    """Return the record that these bytes are.

    Raises:
        ValueError: They are none.
    """
    return _DECODER.decode(content)
