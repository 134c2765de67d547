"""Requests as typed, frozen views over the whole JSON document that a client sent."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from gateway.core.document import Json, JsonObject
from gateway.core.labels import Label
from gateway.core.limits import Limits
from gateway.core.secret import Credential


class Endpoint(enum.StrEnum):
    """What the client asks for, the same in every dialect."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RERANK = "rerank"
    MODERATIONS = "moderations"
    TOKENIZE = "tokenize"
    DECISIONS = "decisions"
    IMAGES = "images"
    TRANSCRIPTIONS = "transcriptions"
    SPEECH = "speech"


MEDIA_ENDPOINTS = frozenset({Endpoint.IMAGES, Endpoint.TRANSCRIPTIONS, Endpoint.SPEECH})
"""What a target serves only where its configuration says so: questions or answers that are no text."""

LOCAL_ENDPOINTS = frozenset({Endpoint.RERANK, Endpoint.MODERATIONS, Endpoint.TOKENIZE, Endpoint.DECISIONS})
"""What no cloud is ever asked: there is no road for it out of the house."""


class Dialect(enum.StrEnum):
    """The wire API that the client speaks."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    OLLAMA = "ollama"
    LLAMACPP = "llamacpp"
    A1111 = "a1111"


class Media(enum.StrEnum):
    """Kind of a part that is not text. Inspection can't read such parts: each counts as a doubt."""

    IMAGE = "image"
    AUDIO = "audio"
    FILE = "file"


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """Call of a tool in the conversation so far. `arguments` is the JSON text that the model wrote."""

    id: str
    name: str
    arguments: str


class MediaPart(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a message that is not text. `source`: a data URL, base64 or an address, as it was sent; empty: none."""

    kind: Media
    source: str = ""
    param: str = "messages"  # where it stands in the body


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a conversation. `text` joins its text parts; `parts` has all of them, where some are not text."""

    role: str  # system, developer, user, assistant, tool
    text: str
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None
    parts: tuple[str | MediaPart, ...] = ()


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """Settings for drawing tokens. None: the target's default."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repeat_penalty: float = 1.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    word_bias: tuple[tuple[str, float], ...] = ()  # the same for all tokens of a text
    logprobs: bool = False
    top_logprobs: int = 0
    n: int = 1
    ignore_eos: bool = False


class ResponseFormat(msgspec.Struct, frozen=True, kw_only=True):
    """Form that the answer must have: `text`, `json_object`, `json_schema` with its schema, or `grammar`."""

    kind: str = "text"
    schema: Json = None
    strict: bool = False
    grammar: str = ""  # in llama.cpp's GBNF


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """How much a model is to think before it answers. None and empty: as its template has it."""

    enabled: bool | None = None
    effort: str = ""  # in the client's word: minimal, low, medium, high, …
    budget: int | None = None  # tokens; a thought that is longer is ended


class Request(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """Fields that every request has. `document` is the whole body: inspected whole, serialised anew when it is sent."""

    dialect: Dialect
    model: str  # as asked for by the client
    document: JsonObject
    stream: bool = False
    include_usage: bool = False
    media: frozenset[Media] = frozenset()
    left_out: tuple[str, ...] = ()  # paths of the body that the translation of its dialect has no place for
    built_in_tools: tuple[str, ...] = ()  # names of offered tools that only their provider could run
    marked: tuple[str, ...] = ()  # paths of the body that stand in the document for targets alone that take marks
    own_words: tuple[str, ...] = ()  # the same for targets alone that speak the API of the request's dialect
    provider_words: tuple[str, ...] = ()  # and of these, for those that let the provider run tools
    betas: tuple[str, ...] = ()  # features under test of that API which the client asks for


class ChatRequest(Request, frozen=True, kw_only=True):
    """A conversation to continue."""

    messages: tuple[Message, ...]
    tools: tuple[JsonObject, ...] = ()
    tool_choice: Json = None
    sampling: Sampling = Sampling()
    response_format: ResponseFormat = ResponseFormat()
    thinking: Thinking = Thinking()
    older_functions: bool = False  # asked with `functions`: calls are answered as `function_call`

    @property
    def provider_tools(self) -> tuple[str, ...]:
        """Kinds of tools in `tools` that only a provider's own server could run."""
        kinds = [str(tool.get("type")) for tool in self.tools]
        return tuple(dict.fromkeys(kind for kind in kinds if kind not in ("function", "custom")))


class ModerationRequest(ChatRequest, frozen=True, kw_only=True):
    """A text or a picture, and the question to a local model which of the categories of harm it has."""


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """Piece of a file that an editor shows the model."""

    name: str
    text: str


class CompletionRequest(Request, frozen=True, kw_only=True):
    """Raw text to continue: each prompt is text or token ids of the target model."""

    prompts: tuple[str | tuple[int, ...], ...]
    echo: bool = False
    suffix: str | None = None
    snippets: tuple["Snippet", ...] = ()  # of other files: what an editor shows beside a text with a hole
    insert: bool = False  # what stands between prompt and suffix is asked for, be the suffix empty
    control_tokens: bool = False  # their names in the prompt count as them, as in a rendered conversation
    sampling: Sampling = Sampling()
    response_format: ResponseFormat = ResponseFormat()


class EmbeddingsRequest(Request, frozen=True, kw_only=True):
    """Texts (or token ids) to embed."""

    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int | None = None
    base64: bool = False  # encoding_format
    truncate: bool = False  # cut what is longer than the window, in place of an error


class RerankRequest(Request, frozen=True, kw_only=True):
    """Texts to put in the order in which they answer a query."""

    query: str
    texts: tuple[str, ...]
    top: int | None = None  # top_n; None: all
    echo: bool = False  # return_documents


class DecisionForm(enum.StrEnum):
    """How questions and answers of a decision model are written."""

    SYSTEM_ONE = "systemone"  # a state, and questions by name
    OPENAI = "decisions"  # an input, and a list of questions


class DecisionsRequest(Request, frozen=True, kw_only=True):
    """Questions about a text or a situation, each with the answers that it can have."""

    form: DecisionForm
    questions: int
    text: str = ""  # what they are about, where it is one text


class TextWork(enum.StrEnum):
    """What can be done with texts without asking the model."""

    TOKENIZE = "tokenize"  # a text becomes token ids
    DETOKENIZE = "detokenize"  # token ids become a text
    TEMPLATE = "template"  # a conversation becomes the prompt that the model would read


class TokenizeRequest(Request, frozen=True, kw_only=True):
    """Text, token ids or a conversation to put through a model's vocabulary or template."""

    work: TextWork
    text: str = ""
    ids: tuple[int, ...] = ()
    chat: ChatRequest | None = None
    add_special: bool = False  # with the tokens that begin or end a text
    control_tokens: bool = True  # their names in the text count as them
    pieces: bool = False  # each token is wanted with its text


class MediaWork(enum.StrEnum):
    """What is asked for where the question or the answer is no text, by the last word of OpenAI's path."""

    GENERATIONS = "generations"  # pictures of a prompt
    EDITS = "edits"  # pictures of a prompt and other pictures
    VARIATIONS = "variations"  # pictures that are like another one
    TRANSCRIPTIONS = "transcriptions"  # what a recording says
    TRANSLATIONS = "translations"  # the same, in English
    SPEECH = "speech"  # a recording that says a text


class MediaRequest(Request, frozen=True, kw_only=True):
    """Question or answer that is no text: what three endpoints have in common.

    Files stand in the document as data URLs, in fields such as `image` and `file`. `text` is what the client wrote: a
    picture's prompt, what is to be spoken, what helps to understand a recording.
    """

    work: MediaWork
    text: str = ""


class ImagesRequest(MediaRequest, frozen=True, kw_only=True):
    """Pictures to make. `size` is `WIDTHxHEIGHT`; it and `quality` are empty where the target is to choose."""

    n: int = 1
    size: str = ""
    quality: str = ""


class TranscriptionRequest(MediaRequest, frozen=True, kw_only=True):
    """Recording whose words are wanted as text; in English where `work` is a translation."""

    language: str = ""  # of the recording, ISO 639-1; empty: not known
    response_format: str = "json"
    granularities: frozenset[str] = frozenset()  # of the times that are wanted: word, segment


class SpeechRequest(MediaRequest, frozen=True, kw_only=True):
    """Text that is to be spoken."""

    voice: str = ""  # empty: the target's own
    response_format: str = "mp3"
    speed: float = 1.0


GenerateRequest: TypeAlias = ChatRequest | CompletionRequest
AnyMediaRequest: TypeAlias = ImagesRequest | TranscriptionRequest | SpeechRequest
AnyRequest: TypeAlias = (
    ChatRequest
    | CompletionRequest
    | EmbeddingsRequest
    | RerankRequest
    | DecisionsRequest
    | TokenizeRequest
    | AnyMediaRequest
)


def endpoint_of(request: AnyRequest) -> Endpoint:
    """Return the endpoint that a request belongs to."""
    return _ENDPOINTS[type(request)]


_ENDPOINTS: Mapping[type, Endpoint] = MappingProxyType(
    {
        ModerationRequest: Endpoint.MODERATIONS,
        ChatRequest: Endpoint.CHAT,
        CompletionRequest: Endpoint.COMPLETIONS,
        EmbeddingsRequest: Endpoint.EMBEDDINGS,
        RerankRequest: Endpoint.RERANK,
        DecisionsRequest: Endpoint.DECISIONS,
        TokenizeRequest: Endpoint.TOKENIZE,
        ImagesRequest: Endpoint.IMAGES,
        TranscriptionRequest: Endpoint.TRANSCRIPTIONS,
        SpeechRequest: Endpoint.SPEECH,
    }
)


class Caller(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """Who asks: the API key's entry in the configuration, or the anonymous caller where no keys are required."""

    key: str = "anonymous"  # the key's name, never its secret
    user: str | None = None
    tags: frozenset[str] = frozenset()
    admin: bool = False
    metrics: bool = False  # may read /metrics, also where that needs a key
    front_end: bool = False  # a program that asks for several people: what it says of who asks is believed
    models: frozenset[str] | None = None  # what this key may ask for; None: everything
    limits: Limits = Limits()  # of the key, before those that the configuration has for its name
    # Of the user's groups, over all keys; behind those that the configuration has for the name.
    user_limits: Limits = Limits()
    account: str = ""  # of a user whom a token or a front end's header names; empty: what is kept is the key's

    @property
    def owner(self) -> str:
        """Return whose the things are that this caller lets be kept: the key's, or one person's behind it."""
        return f"{self.key}/{self.account}" if self.account else self.key

    def may_use(self, model: str, alias: str) -> bool:
        """Return whether this caller may ask for a model under this name, which the alias answers."""
        return self.models is None or model in self.models or alias in self.models


class Inherited(msgspec.Struct, frozen=True, kw_only=True):
    """What a request inherits from the stored turns that it continues: their highest label, its causes, their tags."""

    label: Label = Label.PUBLIC
    causes: frozenset[str] | None = None  # categories that alone made them sensitive; None: not known, or not only they
    tags: frozenset[str] = frozenset()
    rest: Label = Label.PUBLIC  # what is left of a sensitive label where all its causes are masked
    heads: tuple[
        tuple[tuple[str, str], ...], ...
    ] = ()  # headers that policies look at, of turns that nobody decided on

    @property
    def least(self) -> Label:
        """Return the label below which masking must not bring what continues this."""
        return self.rest if self.label is Label.SENSITIVE else self.label

    def joined(self, other: "Inherited") -> "Inherited":
        """Return what both together hand down."""
        sensitive = [one for one in (self, other) if one.label is Label.SENSITIVE]
        causes: frozenset[str] | None = None
        if sensitive and all(one.causes for one in sensitive):
            causes = frozenset().union(*(one.causes or () for one in sensitive))
        return Inherited(
            label=max(self.label, other.label),
            causes=causes,
            tags=self.tags | other.tags,
            rest=max(self.least, other.least),
            heads=tuple(dict.fromkeys((*self.heads, *other.heads))),
        )


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its circumstances, as it enters the pipeline."""

    id: str
    request: AnyRequest
    caller: Caller
    tags: frozenset[str] = frozenset()  # header + key + alias
    headers: tuple[tuple[str, str], ...] = ()  # allow-listed names only, lower case
    size: int = 0  # bytes of the body
    parse_seconds: float = 0.0  # from the body's last byte to the frozen request
    inherited: Inherited | None = None  # from stored turns that are in the request; None: it continues none
    credentials: tuple[Credential, ...] = ()  # the caller's own, for targets that want them; one of a form
    background: bool = False  # nobody waits for it: in the queues of local targets it is behind everything else
