"""What targets yield while they answer.

INVARIANT: a complete answer is deltas, then one `Finish` for each choice, then exactly one `UsageReport`. A stream
that ends otherwise is incomplete: an error, never a clean end.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from gateway.core.document import Json, JsonObject
from gateway.core.target import Api
from gateway.core.usage import Usage


class FinishReason(enum.StrEnum):
    """Why a choice ended, in OpenAI's words; dialects translate."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


class TokenLogprob(msgspec.Struct, frozen=True, kw_only=True):
    """Natural logarithm of one token's probability.

    `logprob` is NaN where there is none, for the first token of an echoed prompt. `raw` are the token's bytes, which
    may be only a part of a character.
    """

    token: str
    logprob: float
    raw: bytes
    top: tuple[tuple[str, float, bytes], ...] = ()


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Piece of the answer's text for choice `index`."""

    text: str
    index: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()


class Reasoning(msgspec.Struct, frozen=True, kw_only=True):
    """Piece of the thinking that a model shows apart from its answer."""

    text: str
    index: int = 0


class ModelRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """Piece of the text in which the model itself refuses (OpenAI's `refusal`)."""

    text: str
    index: int = 0


class ToolCallPart(msgspec.Struct, frozen=True, kw_only=True):
    """Piece of a tool call; `id` and `name` come only in the first piece of call number `call`.

    Of a `custom` tool the arguments are plain text, else JSON. `extra` are fields that OpenAI does not have and the
    server wants back with the call in the next turn, such as Gemini's `extra_content` with a thought's signature.
    """

    call: int
    arguments: str = ""
    id: str | None = None
    name: str | None = None
    index: int = 0
    custom: bool = False
    extra: JsonObject = MappingProxyType({})


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a message that OpenAI does not have, such as OpenRouter's `reasoning_details`.

    The server wants them back with the message in the next turn. Other dialects have no place for them.
    With `whole` they are fields of the answer itself, such as OpenRouter's `provider`.
    """

    fields: JsonObject
    index: int = 0
    whole: bool = False


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """Mark that choice `index` is complete, with the reason. `stop` is the stop text that ended it, if one did."""

    reason: FinishReason
    index: int = 0
    stop: str | None = None


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Picture of an answer, in base64. `number` counts a picture's previews from 0; None: it is finished.

    `facts` are what the target says of it in OpenAI's words: `size`, `quality`, `background`, `output_format`.
    """

    base64: str
    index: int = 0
    number: int | None = None
    revised_prompt: str = ""
    facts: Mapping[str, str] = MappingProxyType({})


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """Piece of a recording's bytes, in the format `media_type` of the whole."""

    data: bytes
    media_type: str
    index: int = 0


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a recording besides its text, which came before as `Text`.

    `fields` are those of OpenAI's verbose answers: `language`, `duration` in seconds, `segments`, `words`.
    """

    fields: JsonObject
    index: int = 0


class UsageReport(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts of an answer: the last delta of every answer.

    `told` is what else the server said of them in the words of its `api`, such as OpenRouter's `cost`: for clients of
    the same API, and never counted.
    """

    usage: Usage
    told: JsonObject = MappingProxyType({})
    api: Api = Api.CHAT


TextDelta: TypeAlias = Text | Reasoning | ModelRefusal | ToolCallPart | Extra | Finish | UsageReport
"""What the answers of chats and completions are made of."""
Delta: TypeAlias = TextDelta | Picture | Sound | Transcript


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """How well each text answers the query, in the order of the texts; 0 to 1 from a model that runs here."""

    scores: tuple[float, ...]
    usage: Usage


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of a decision model, as its server wrote them: by the questions' names, or in their order."""

    answers: Json
    usage: Usage


class Tokenized(msgspec.Struct, frozen=True, kw_only=True):
    """Text and its tokens, whichever was asked for. `pieces`: each token's bytes, maybe a part of a character."""

    text: str = ""
    ids: tuple[int, ...] = ()
    pieces: tuple[bytes, ...] = ()


class Embeddings(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors in the order of the inputs, all of the model's one length."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
