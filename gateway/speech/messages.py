"""Messages between the gateway and a worker that hears, each as msgpack behind a four-byte little-endian length."""

import enum
from typing import TypeAlias

import msgspec

from gateway.speech.transcript import Hearing, Segment

LENGTH_BYTES = 4
MOST_BYTES = 512 * 2**20  # of one message
MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")
"""What must stand in a model's folder: what is missing would be fetched from a hub."""


class SpeechSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Model of a worker, and how it computes."""

    model: str  # folder with the model's files
    device: str = "auto"  # auto, cpu or cuda
    compute_type: str = "auto"  # as CTranslate2 names them: auto, int8, float16, …
    threads: int = 0  # of each recording, on the CPU; 0: as many as CTranslate2 takes
    slots: int = 1  # recordings at once
    beam: int = 5
    skip_silence: bool = True  # what has no voice in it is not given to the model, which would make words of noise
    most_seconds: float = 7200.0  # of one recording


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One message; each travels in a frame of its own."""


class Load(_Message, frozen=True, kw_only=True):
    """The first message to a worker: load this model."""

    settings: SpeechSettings


class Hear(_Message, frozen=True, kw_only=True):
    """Order to write down what a recording says. `sound` are the bytes of a sound file of any known kind."""

    id: int
    sound: bytes
    translate: bool = False  # into English
    language: str = ""  # ISO 639-1; empty: found out
    prompt: str = ""  # names and words that are likely, or what was said before
    temperature: float | None = None  # None: 0, and higher where the text looks wrong
    words: bool = False  # each word with its time


class Cancel(_Message, frozen=True, kw_only=True):
    """Order to stop work on a recording at its next segment."""

    id: int


class Ready(_Message, frozen=True, kw_only=True):
    """The model is loaded. `languages` are those that it tells apart; a model of one language has one."""

    seconds: float
    languages: tuple[str, ...]
    walled: bool = False  # it can't open sockets, start programs or write files any more


class Unusable(_Message, frozen=True, kw_only=True):
    """The model can't be loaded. `message` is for the owner, and may have paths; `public` for clients."""

    message: str
    public: str


class Heard(_Message, frozen=True, kw_only=True):
    """A further segment of a recording."""

    id: int
    segment: Segment


class Ended(_Message, frozen=True, kw_only=True):
    """A recording was heard to its end. None: its work was cancelled."""

    id: int
    hearing: Hearing | None


class Problem(enum.StrEnum):
    """Why a recording can't be written down."""

    EMPTY = "empty"  # no bytes, or a file without any sound in it
    UNREADABLE = "unreadable"  # no sound file, a codec that nobody knows, or broken from the beginning
    TOO_LONG = "too_long"
    LANGUAGE = "language"  # the model does not know the language that was asked for
    NO_TRANSLATION = "no_translation"  # a model of one language
    FAILED = "failed"  # the model's own fault


class Refused(_Message, frozen=True, kw_only=True):
    """A recording can't be written down."""

    id: int
    problem: Problem
    seconds: float = 0.0  # of the recording, where it is too long


ToWorker: TypeAlias = Load | Hear | Cancel
ToGateway: TypeAlias = Ready | Unusable | Heard | Ended | Refused

to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
to_gateway: msgspec.msgpack.Decoder[ToGateway] = msgspec.msgpack.Decoder(ToGateway)


def frame(message: ToWorker | ToGateway) -> bytes:
    """Return a message as it travels."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "little") + body


def length_of(head: bytes) -> int:
    """Return how many bytes follow a frame's head.

    Raises:
        ValueError: More than any message has.
    """
    length = int.from_bytes(head, "little")
    if length > MOST_BYTES:
        raise ValueError("a message of this length was never sent")
    return length
