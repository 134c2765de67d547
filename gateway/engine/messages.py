"""Messages between the gateway and a worker, and their framing: msgpack behind a four-byte little-endian length.

Token ids travel as packed little-endian int32. Times are seconds. No prompt text crosses the socket, only ids, and the
bytes of pictures and sounds.
"""

import array
import sys
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from gateway.core.delta import FinishReason
from gateway.engine.media import MediaSpan, Piece
from gateway.engine.sequence_memory import SequenceMemory
from gateway.engine.settings import EngineSettings

MAX_FRAME = 512 * 2**20


class _FramedMessage(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One message; each travels in a frame of its own."""


class SamplingSpec(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How to sample the tokens of one sequence. `temperature` 0 takes the likeliest token."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    seed: int = 0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repeat_penalty: float = 1.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    logprobs: int = -1  # -1: none; 0: of the chosen token; n: and of the n likeliest
    ignore_eos: bool = False


class StepCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that steps take, as a worker measured them at load with this many threads."""

    threads: int
    batches: dict[int, float] = {}  # rows in a step → seconds
    drafts: dict[int, float] = {}  # draft tokens behind one token → seconds that they cost more


class Load(_FramedMessage, frozen=True, kw_only=True):
    """The first message to a worker: load this model. `costs`: as measured before, so that it need not measure."""

    settings: EngineSettings
    costs: StepCosts | None = None


class Medium(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Picture or sound of a request, as a file's bytes."""

    data: bytes
    sound: bool = False


class Measure(_FramedMessage, frozen=True, kw_only=True):
    """Order to say what stands in a prompt for a picture of this size, or for this sound."""

    id: int
    width: int = 0
    height: int = 0
    sound: bytes = b""
    isolation: str = ""  # of the request that brings the sound

    @property
    def ids(self) -> tuple[int, ...]:
        """Its id."""
        return (self.id,)


class ThoughtBudget(msgspec.Struct, frozen=True, kw_only=True):
    """How long an answer may think, and the markers by which its thought is known and ended."""

    tokens: int
    begun: bool  # the prompt ends inside the thought
    open: str  # the answer begins with it, if it thinks
    mark: str  # what ends a thought
    close: tuple[int, ...]  # tokens that are written when the budget is used up


class Submit(_FramedMessage, frozen=True, kw_only=True):
    """Order to generate one sequence, or several of one prompt.

    `tokens`: the prompt as packed ids; `max_tokens`: the longest answer. Sequences share a cached prefix, and encoded
    pictures, only within the same `isolation` key.
    """

    id: int
    repeats: tuple[int, ...] = ()  # ids of further sequences; each has the seed behind that of the one before
    tokens: bytes
    max_tokens: int
    sampling: SamplingSpec
    isolation: str = ""
    priority: int = 0  # higher is admitted and read first
    grammar: str = ""  # llguidance grammar (JSON text); empty: free text
    thought: ThoughtBudget | None = None  # None: it may think as long as it likes
    prompt_logs: bool = False  # also the log-probabilities of the prompt, as many as `sampling.logprobs` says
    media: tuple[Medium, ...] = ()
    spans: tuple[MediaSpan, ...] = ()  # where they stand in `tokens`, in order

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of all its sequences."""
        return self.id, *self.repeats

    def sequences(self) -> "list[Submit]":
        """Return an order for each of its sequences; they share the bytes of the prompt and of the media."""
        if not self.repeats:
            return [self]
        change, seed = msgspec.structs.replace, self.sampling.seed
        return [
            change(self, id=number, repeats=(), sampling=change(self.sampling, seed=seed + place))
            for place, number in enumerate(self.ids)
        ]


class Cancel(_FramedMessage, frozen=True, kw_only=True):
    """Order to stop work on these sequences, embeddings and measurements; nothing more is sent for them."""

    ids: tuple[int, ...]


class Embed(_FramedMessage, frozen=True, kw_only=True):
    """Order to make a vector, or a rank, of each input (packed token ids)."""

    id: int
    inputs: tuple[bytes, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """Its id."""
        return (self.id,)


ToWorker: TypeAlias = Load | Submit | Cancel | Embed | Measure


class Loading(_FramedMessage, frozen=True, kw_only=True):
    """Progress of the load, 0 to 1."""

    fraction: float


class Ready(_FramedMessage, frozen=True, kw_only=True):
    """Report that the model can answer, and what it can do. `seconds`: how long its load took."""

    seconds: float
    context: int
    slots: int
    trained_context: int
    threads: int
    embedding_size: int
    description: str
    generates: bool = True
    ranks: bool = False  # then Embed is answered with one number for each input
    sees: bool = False
    hears: bool = False
    sequences: SequenceMemory | None = None  # None: it makes no text
    drafts: bool = False
    draft_head: str = ""  # of its file: `used`, or a sentence why it is not; empty: there is none
    costs: StepCosts | None = None


class Failed(_FramedMessage, frozen=True, kw_only=True):
    """Report that the model can't be loaded; the worker ends. `retry`: trying again may help.

    Both texts are complete sentences: `message` is for whoever runs the gateway and may name paths; `public` is what
    clients are told.
    """

    message: str
    public: str = ""
    retry: bool = False


class TokenLog(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Natural-log probability of a chosen token, and of the likeliest ones."""

    logprob: float
    top: tuple[tuple[int, float], ...] = ()


class End(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Report that a sequence is complete. Where `error` is set it failed, with a message for the client.

    `refused`: because of what was sent, so that it fails elsewhere too.
    """

    id: int
    reason: FinishReason
    prompt: int = 0
    cached: int = 0
    generated: int = 0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    error: str | None = None
    refused: bool = False


class Read(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Report that one step computed this many tokens of a sequence's prompt."""

    id: int
    tokens: int


class Tokens(_FramedMessage, frozen=True, kw_only=True):
    """Tokens that one step produced: `ids[i]` got `tokens[i]`. `logs` is empty or as long as `ids`.

    `starts`: sequences whose first token this is, with the number of prompt tokens that came from the cache.
    """

    ids: tuple[int, ...] = ()
    tokens: tuple[int, ...] = ()
    logs: tuple[TokenLog | None, ...] = ()
    starts: tuple[tuple[int, int], ...] = ()
    ends: tuple[End, ...] = ()
    reads: tuple[Read, ...] = ()
    busy: int = 0
    waiting: int = 0
    cells: int = 0  # of the KV memory, that running sequences hold


class PromptLogs(_FramedMessage, frozen=True, kw_only=True):
    """Log-probabilities of the next tokens of a prompt; its first token has none. In order, before its `Tokens`."""

    id: int
    logs: tuple[TokenLog, ...]


class Vectors(_FramedMessage, frozen=True, kw_only=True):
    """Answer to Embed: row-major float32 vectors of equal length; of one number from a model that ranks."""

    id: int
    vectors: tuple[bytes, ...] = ()
    error: str | None = None


class Measured(_FramedMessage, frozen=True, kw_only=True):
    """Answer to Measure. `error`: why it can't be taken, as the end of a sentence."""

    id: int
    pieces: tuple[Piece, ...] = ()
    error: str | None = None


ToGateway: TypeAlias = Loading | Ready | Failed | Tokens | PromptLogs | Vectors | Measured

_ENCODER = msgspec.msgpack.Encoder()
to_worker = msgspec.msgpack.Decoder(ToWorker)
to_gateway = msgspec.msgpack.Decoder(ToGateway)


def frame(message: ToWorker | ToGateway) -> bytes:
    """Encode a message as the bytes that go over the socket."""
    body = _ENCODER.encode(message)
    return len(body).to_bytes(4, "little") + body


class Frames:
    """Parser that cuts a byte stream into message bodies."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes from the socket and yield each body that is complete now.

        Raises:
            ValueError: a frame is longer than `MAX_FRAME` bytes.
        """
        self._data += data
        start = 0
        while len(self._data) - start >= 4:
            size = int.from_bytes(self._data[start : start + 4], "little")
            if size > MAX_FRAME:
                raise ValueError(f"a frame of {size} bytes is over the limit")
            if len(self._data) - start - 4 < size:
                break
            yield bytes(self._data[start + 4 : start + 4 + size])
            start += 4 + size
        del self._data[:start]


def pack_tokens(tokens: "array.array[int] | list[int] | tuple[int, ...]") -> bytes:
    """Pack token ids as little-endian int32."""
    packed = array.array("i", tokens)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_tokens(data: bytes) -> "array.array[int]":
    """Return the token ids that `pack_tokens` packed.

    Raises:
        ValueError: the length is not a multiple of four.
    """
    tokens = array.array("i")
    tokens.frombytes(data)
    if sys.byteorder == "big":
        tokens.byteswap()
    return tokens
