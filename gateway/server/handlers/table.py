"""The table of routes: every address that is served, whose dialect it speaks, who may use it and what it does.

The application, `/openapi.json` and the tests of authentication, inspection, receipts, error shapes and limits are made
from it, so that no address can be there without them. A new address is one row here.
"""

import enum
from collections.abc import Callable, Iterator, Mapping
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
from gateway.server.handlers.models import ModelHandlers
from gateway.server.handlers.ollama import OllamaHandlers
from gateway.server.handlers.ollama_models import OllamaModelHandlers
from gateway.server.handlers.openai import OpenAIHandlers
from gateway.server.handlers.operations import Operations
from gateway.server.handlers.responses import ResponsesHandlers

_NO_BODY: Mapping[str, Json] = MappingProxyType({})
_ID = "[A-Za-z0-9_-]{1,128}"
TEXT = "Hello"
"""What stands in the example bodies for the text that a client wants to be worked on."""


class Work(enum.StrEnum):
    """What an address does with a request. INVARIANT: only ANSWERS hands its content to a target."""

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


class Handlers(msgspec.Struct, frozen=True, kw_only=True):
    """Handlers of all dialects, from which the rows take theirs."""

    openai: OpenAIHandlers
    responses: ResponsesHandlers
    conversations: ConversationHandlers
    files: FileHandlers
    batches: BatchHandlers
    anthropic: AnthropicHandlers
    ollama: OllamaHandlers
    llama: LlamaCppHandlers
    shown: OllamaModelHandlers
    administration: ModelHandlers
    operations: Operations
    description: Reading


_CHAT: Mapping[str, Json] = {"model": "auto", "messages": ({"role": "user", "content": TEXT},)}
_RESPONSE: Mapping[str, Json] = {"model": "auto", "input": TEXT}
_RERANK: Mapping[str, Json] = {"model": "auto", "query": TEXT, "documents": ("a", "b")}
_ITEM: Json = {"type": "message", "role": "user", "content": TEXT}
_RESPONSE_ID = f"/v1/responses/{{id:{_ID}}}"
_FILE_ID = f"/v1/files/{{id:{_ID}}}"
_BATCH_ID = f"/v1/batches/{{id:{_ID}}}"
_CONVERSATION_ID = f"/v1/conversations/{{id:{_ID}}}"
_ITEM_ID = f"{_CONVERSATION_ID}/items/{{item:{_ID}}}"


def _openai() -> Iterator[HttpRoute]:
    yield HttpRoute(
        method="POST", path="/v1/chat/completions", handler=lambda its: its.openai.chat, work=Work.ANSWERS, once=True,
        summary="Answer a conversation.", example=_CHAT,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/completions", handler=lambda its: its.openai.completions, work=Work.ANSWERS, once=True,
        summary="Continue a text.", bare=False, example={"model": "auto", "prompt": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/embeddings", handler=lambda its: its.openai.embeddings, work=Work.ANSWERS, once=True,
        summary="Give vectors of texts.", bare=False, example=_RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/rerank", handler=lambda its: its.openai.rerank, work=Work.ANSWERS, once=True,
        # llama-server's second name, and where Cohere's clients ask
        also=("/v1/reranking", "/reranking", "/v2/rerank"),
        summary="Put texts in the order in which they answer a query. Never in a cloud.", example=_RERANK,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/moderations", handler=lambda its: its.openai.moderations, work=Work.ANSWERS, once=True,
        summary="Name the categories of harm in a text. Never in a cloud.", example=_RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/v1/models", handler=lambda its: its.openai.models, work=Work.LISTS,
        summary="List the models that this key may ask for.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/v1/models/{id:.+}", handler=lambda its: its.openai.model, work=Work.LISTS,
        summary="Describe a model.",
    )  # fmt: skip


def _responses() -> Iterator[HttpRoute]:
    yield HttpRoute(
        method="POST", path="/v1/responses", handler=lambda its: its.responses.create, work=Work.ANSWERS, once=True,
        summary="Answer a request of the Responses API; where responses are stored, keep the answer.",
        example=_RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/responses/input_tokens", handler=lambda its: its.responses.input_tokens,
        work=Work.MEASURES, summary="Count the tokens of a request.", example=_RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/responses/compact", handler=lambda its: its.responses.compact, work=Work.ANSWERS,
        once=True, summary="Summarise a conversation; its client keeps the summary, sealed.", example=_RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=_RESPONSE_ID, handler=lambda its: its.responses.read, work=Work.KEEPS,
        summary="Read a stored response.",
    )  # fmt: skip
    yield HttpRoute(
        method="DELETE", path=_RESPONSE_ID, handler=lambda its: its.responses.delete, work=Work.KEEPS,
        summary="Delete a stored response.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path=f"{_RESPONSE_ID}/cancel", handler=lambda its: its.responses.cancel, work=Work.KEEPS,
        summary="Refuse to cancel a response: none runs in the background.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=f"{_RESPONSE_ID}/input_items", handler=lambda its: its.responses.input_items,
        work=Work.KEEPS, summary="List what a stored response was given.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/conversations", handler=lambda its: its.conversations.create, work=Work.KEEPS,
        summary="Begin a stored conversation.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=_CONVERSATION_ID, handler=lambda its: its.conversations.read, work=Work.KEEPS,
        summary="Describe a conversation.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path=_CONVERSATION_ID, handler=lambda its: its.conversations.update, work=Work.KEEPS,
        summary="Change a conversation's metadata.", example={"metadata": {"topic": "harbour"}},
    )  # fmt: skip
    yield HttpRoute(
        method="DELETE", path=_CONVERSATION_ID, handler=lambda its: its.conversations.delete, work=Work.KEEPS,
        summary="Delete a conversation with its items.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=f"{_CONVERSATION_ID}/items", handler=lambda its: its.conversations.items, work=Work.KEEPS,
        summary="List the items of a conversation.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path=f"{_CONVERSATION_ID}/items", handler=lambda its: its.conversations.add_items,
        work=Work.KEEPS, summary="Add items to a conversation.", example={"items": (_ITEM,)},
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=_ITEM_ID, handler=lambda its: its.conversations.item, work=Work.KEEPS,
        summary="Read an item of a conversation.",
    )  # fmt: skip
    yield HttpRoute(
        method="DELETE", path=_ITEM_ID, handler=lambda its: its.conversations.delete_item, work=Work.KEEPS,
        summary="Delete an item of a conversation.",
    )  # fmt: skip


def _batches() -> Iterator[HttpRoute]:
    new: Mapping[str, Json] = {
        "input_file_id": "file-abc", "endpoint": "/v1/chat/completions", "completion_window": "24h",
    }  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/files", handler=lambda its: its.files.create, work=Work.KEEPS,
        summary="Upload a file of requests for a batch.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/v1/files", handler=lambda its: its.files.list, work=Work.KEEPS, summary="List the files.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=_FILE_ID, handler=lambda its: its.files.read, work=Work.KEEPS, summary="Describe a file.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=f"{_FILE_ID}/content", handler=lambda its: its.files.content, work=Work.KEEPS,
        summary="Read a file.",
    )  # fmt: skip
    yield HttpRoute(
        method="DELETE", path=_FILE_ID, handler=lambda its: its.files.delete, work=Work.KEEPS, summary="Delete a file.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/batches", handler=lambda its: its.batches.create, work=Work.KEEPS,
        summary="Queue a file's requests, each of which is inspected, decided on and settled when its turn comes.",
        example=new,
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/v1/batches", handler=lambda its: its.batches.list, work=Work.KEEPS,
        summary="List the batches.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=_BATCH_ID, handler=lambda its: its.batches.read, work=Work.KEEPS,
        summary="Say how far a batch has come.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path=f"{_BATCH_ID}/cancel", handler=lambda its: its.batches.cancel, work=Work.KEEPS,
        summary="Begin no further request of a batch.",
    )  # fmt: skip


def _anthropic() -> Iterator[HttpRoute]:
    yield HttpRoute(
        method="POST", path="/v1/messages", handler=lambda its: its.anthropic.messages, work=Work.ANSWERS, once=True,
        dialect=Dialect.ANTHROPIC, summary="Answer a conversation.", example={**_CHAT, "max_tokens": 16},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/messages/count_tokens", handler=lambda its: its.anthropic.count_tokens,
        work=Work.MEASURES, dialect=Dialect.ANTHROPIC, summary="Count the tokens of a conversation.", example=_CHAT,
    )  # fmt: skip


def _ollama() -> Iterator[HttpRoute]:
    yield HttpRoute(
        method="POST", path="/api/chat", handler=lambda its: its.ollama.chat, work=Work.ANSWERS, once=True,
        dialect=Dialect.OLLAMA, summary="Answer a conversation.", example=_CHAT,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/api/generate", handler=lambda its: its.ollama.generate, work=Work.ANSWERS, once=True,
        dialect=Dialect.OLLAMA, summary="Answer a prompt.", example={"model": "auto", "prompt": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/api/embed", handler=lambda its: its.ollama.embed, work=Work.ANSWERS, once=True,
        dialect=Dialect.OLLAMA, summary="Give vectors of texts.", example=_RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/api/embeddings", handler=lambda its: its.ollama.embed, work=Work.ANSWERS, once=True,
        dialect=Dialect.OLLAMA, summary="Give the vector of a text.", example={"model": "auto", "prompt": TEXT},
    )  # fmt: skip
    for name, handler, summary in (
        ("version", lambda its: its.shown.version, "Tell the version of Ollama's API."),
        ("tags", lambda its: its.shown.tags, "List the models."),
        ("ps", lambda its: its.shown.loaded, "List the models that are loaded."),
    ):
        yield HttpRoute(
            method="GET", path=f"/api/{name}", handler=handler, work=Work.LISTS, dialect=Dialect.OLLAMA, summary=summary
        )
    for name, handler, summary in (
        ("show", lambda its: its.shown.show, "Describe a model."),
        ("pull", lambda its: its.shown.pull, "Say that a model is there; none is fetched."),
    ):
        yield HttpRoute(
            method="POST", path=f"/api/{name}", handler=handler, work=Work.LISTS, dialect=Dialect.OLLAMA,
            summary=summary, example={"model": "auto"},
        )  # fmt: skip
    for method, name in (
        ("POST", "create"), ("POST", "copy"), ("POST", "push"), ("POST", "blobs/{digest}"), ("DELETE", "delete"),
    ):  # fmt: skip
        yield HttpRoute(
            method=method, path=f"/api/{name}", handler=lambda its: its.shown.configured, work=Work.LISTS,
            dialect=Dialect.OLLAMA, summary="Refuse: models are set in the configuration.",
        )  # fmt: skip


def _llamacpp() -> Iterator[HttpRoute]:
    prompt: Mapping[str, Json] = {"prompt": TEXT, "n_predict": 4}
    yield HttpRoute(
        method="POST", path="/completions", handler=lambda its: its.llama.completions, work=Work.ANSWERS, once=True,
        summary="Continue a text, in OpenAI's dialect or in llama.cpp's, as the body is written.",
        example={"model": "auto", "prompt": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/embeddings", handler=lambda its: its.llama.embeddings, work=Work.ANSWERS, once=True,
        summary="Give vectors of texts, in OpenAI's dialect or in llama.cpp's, as the body is written.",
        example=_RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/embedding", handler=lambda its: its.llama.embeddings, work=Work.ANSWERS, once=True,
        dialect=Dialect.LLAMACPP, summary="Give vectors of texts.", example={"content": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/completion", handler=lambda its: its.llama.completion, work=Work.ANSWERS, once=True,
        dialect=Dialect.LLAMACPP, summary="Continue a text.", example=prompt,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/infill", handler=lambda its: its.llama.infill, work=Work.ANSWERS, once=True,
        dialect=Dialect.LLAMACPP, summary="Write what stands between two texts.",
        example={"input_prefix": TEXT, "input_suffix": "", "n_predict": 4},
    )  # fmt: skip
    for path, handler, summary, example in (
        ("/tokenize", lambda its: its.llama.tokenize, "Cut a text into tokens.", {"content": TEXT}),
        ("/detokenize", lambda its: its.llama.detokenize, "Put tokens together to a text.", {"tokens": (1, 2)}),
        ("/apply-template", lambda its: its.llama.apply_template, "Write a conversation as a prompt.", _CHAT),
    ):
        yield HttpRoute(
            method="POST", path=path, handler=handler, work=Work.ANSWERS, dialect=Dialect.LLAMACPP,
            summary=f"{summary} Never in a cloud.", example=example,
        )  # fmt: skip
    for name, handler, summary in (
        ("props", lambda its: its.llama.props, "Describe a model."),
        ("slots", lambda its: its.llama.slots, "Say how many requests a model works on."),
    ):
        yield HttpRoute(
            method="GET", path=f"/{name}", handler=handler, work=Work.LISTS, dialect=Dialect.LLAMACPP, summary=summary
        )
    yield HttpRoute(
        method="GET", path="/health", handler=lambda its: its.llama.health, work=Work.WATCHES, access=Access.OPEN,
        also=("/v1/health",), dialect=Dialect.LLAMACPP, summary="Say whether requests are answered.",
    )  # fmt: skip


def _gateway() -> Iterator[HttpRoute]:
    yield HttpRoute(
        method="POST", path="/admin/explain", handler=lambda its: its.openai.explain, work=Work.MEASURES,
        access=Access.ADMIN, summary="Explain the whole decision about a conversation; send it nowhere.", example=_CHAT,
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/admin/models", handler=lambda its: its.administration.list, work=Work.MANAGES,
        access=Access.ADMIN, summary="List the embedded models and their memory.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/admin/models/{target}/load", handler=lambda its: its.administration.load,
        work=Work.MANAGES, access=Access.ADMIN, summary="Load an embedded model.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/admin/models/{target}/unload", handler=lambda its: its.administration.unload,
        work=Work.MANAGES, access=Access.ADMIN, summary="Give an embedded model's memory back.",
    )  # fmt: skip
    for path, handler, access, summary in (
        ("/healthz", lambda its: its.operations.healthz, Access.OPEN, "Say that the gateway runs."),
        ("/readyz", lambda its: its.operations.readyz, Access.OPEN, "Say whether the default target can answer."),
        ("/metrics", lambda its: its.operations.metrics, Access.OWN, "Give all metrics in Prometheus' format."),
        ("/openapi.json", lambda its: its.description.read, Access.OPEN, "Describe the addresses that are served."),
        ("/", lambda its: its.operations.page, Access.OWN, "Show the status page."),
    ):
        yield HttpRoute(method="GET", path=path, handler=handler, work=Work.WATCHES, access=access, summary=summary)


ROUTES: tuple[HttpRoute, ...] = (
    *_openai(), *_responses(), *_batches(), *_anthropic(), *_ollama(), *_llamacpp(), *_gateway(),
)  # fmt: skip
