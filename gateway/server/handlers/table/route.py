"""One row of the table of routes, the handlers that rows take theirs from, and the examples that several share."""

import enum
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.core.document import Json
from gateway.core.request import Dialect
from gateway.server.handlers.anthropic import AnthropicHandlers
from gateway.server.handlers.batches import BatchHandlers
from gateway.server.handlers.conversations import ConversationHandlers
from gateway.server.handlers.files import FileHandlers
from gateway.server.handlers.llamacpp import LlamaCppHandlers
from gateway.server.handlers.media.a1111 import A1111Handlers
from gateway.server.handlers.media.audio import AudioHandlers
from gateway.server.handlers.media.images import ImageHandlers
from gateway.server.handlers.message_batches import MessageBatchHandlers
from gateway.server.handlers.models import ModelHandlers
from gateway.server.handlers.ollama import OllamaHandlers
from gateway.server.handlers.ollama_models import OllamaModelHandlers
from gateway.server.handlers.openai import OpenAIHandlers
from gateway.server.handlers.operations import Operations
from gateway.server.handlers.responses import ResponsesHandlers

_NO_BODY: Mapping[str, Json] = MappingProxyType({})
ID = "[A-Za-z0-9_-]{1,128}"
"""Pattern of an id in a path."""
TEXT = "Hello"
"""What stands in the example bodies for the text that a client wants to be worked on."""
CHAT: Mapping[str, Json] = {"model": "auto", "messages": ({"role": "user", "content": TEXT},)}
RESPONSE: Mapping[str, Json] = {"model": "auto", "input": TEXT}
# A picture of one pixel.
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


class Work(enum.StrEnum):
    """What an address does with a request. INVARIANT: only ANSWERS hands its content to a target.

    `count_tokens` measures, and takes the road of ANSWERS where a target is set to `count_tokens: native`.
    """

    ANSWERS = "answers"  # inspected, decided on, with a receipt and a settlement
    MEASURES = "measures"  # looks at a request's content and sends it nowhere
    KEEPS = "keeps"  # reads or changes what is stored for its owner
    LISTS = "lists"  # tells what there is
    MANAGES = "manages"  # for administrators
    WATCHES = "watches"  # health, metrics, the page, this description


class Access(enum.StrEnum):
    """Who may use an address."""

    KEY = "key"  # whoever has a key, or anybody where none is needed
    ADMIN = "admin"  # a key with 'admin: true'
    OPEN = "open"  # anybody
    OWN = "own"  # by rules of its own (docs/headers.md, "Who may look")


class HttpRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    method: str
    path: str
    handler: Callable[["Handlers"], Handler]
    summary: str
    work: Work
    dialect: Dialect = Dialect.OPENAI
    access: Access = Access.KEY
    bare: bool = True  # OpenAI's: also without `/v1`, for apps whose base URL lacks it
    also: tuple[str, ...] = ()  # further paths of the same
    once: bool = False  # a retry with the same `Idempotency-Key` gets the same answer
    example: Mapping[str, Json] = _NO_BODY  # the least body; empty: it has none, or needs none

    @property
    def paths(self) -> tuple[str, ...]:
        """Return every path that is served."""
        bare = self.bare and self.dialect is Dialect.OPENAI and self.path.startswith("/v1/")
        return (self.path, *((self.path.removeprefix("/v1"),) if bare else ()), *self.also)


class Reading(Protocol):
    """Handler of something that is only read."""

    async def read(self, http: web.Request) -> web.StreamResponse:
        """Answer GET."""


class ConsolePages(Protocol):
    """Maker of the console's handlers, by the names of its views, forms and files."""

    def show(self, view: str) -> Handler:
        """Return the handler of a view."""

    def act(self, action: str) -> Handler:
        """Return the handler of a form."""

    def file(self, name: str) -> Handler:
        """Return the handler of a file."""

    async def chat(self, http: web.Request) -> web.StreamResponse:
        """Answer what the chat asks."""


class Handlers(msgspec.Struct, frozen=True, kw_only=True):
    """Handlers of all dialects, from which the rows take theirs."""

    openai: OpenAIHandlers
    responses: ResponsesHandlers
    conversations: ConversationHandlers
    files: FileHandlers
    images: ImageHandlers
    a1111: A1111Handlers
    audio: AudioHandlers
    batches: BatchHandlers
    message_batches: MessageBatchHandlers
    anthropic: AnthropicHandlers
    ollama: OllamaHandlers
    llama: LlamaCppHandlers
    shown: OllamaModelHandlers
    administration: ModelHandlers
    operations: Operations
    description: Reading
    console: ConsolePages
