"""What targets yield while they answer.

INVARIANT: a complete answer is deltas, then one `Finish` for each choice, then exactly one `UsageReport`. A stream
that ends otherwise is incomplete: an error, never a clean end.
"""

import enum
from typing import TypeAlias

import msgspec

from gateway.core.usage import Usage


class FinishReason(enum.StrEnum):
    """Why a choice ended, in OpenAI's words; dialects translate."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


class TokenLogprob(msgspec.Struct, frozen=True, kw_only=True):
    """One token's natural-log probability; NaN: there is none, it is the first token of an echoed prompt.

    `raw` are its bytes (may be part of a character).
    """

    token: str
    logprob: float
    raw: bytes
    top: tuple[tuple[str, float, bytes], ...] = ()


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Answer text of choice `index`."""

    text: str
    index: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()


class Reasoning(msgspec.Struct, frozen=True, kw_only=True):
    """Thinking that a model shows apart from its answer."""

    text: str
    index: int = 0


class ModelRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """The model's own refusal text (OpenAI `refusal`)."""

    text: str
    index: int = 0


class ToolCallPart(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a tool call: `id` and `name` only in the first piece of call number `call`."""

    call: int
    arguments: str = ""
    id: str | None = None
    name: str | None = None
    index: int = 0


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """Choice `index` is complete."""

    reason: FinishReason
    index: int = 0


class UsageReport(msgspec.Struct, frozen=True, kw_only=True):
    """The last delta of every answer."""

    usage: Usage


Delta: TypeAlias = Text | Reasoning | ModelRefusal | ToolCallPart | Finish | UsageReport


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """How well each text answers the query, in the order of the texts: 0 to 1 from a model that runs here."""

    scores: tuple[float, ...]
    usage: Usage


class Embeddings(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors in the order of the inputs."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
