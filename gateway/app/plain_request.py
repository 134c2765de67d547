"""Plain request of the first kind that this gateway serves: readiness decides about it, and people try it. Pure."""

import json
from types import MappingProxyType

from gateway.core.document import JsonObject
from gateway.core.request import (
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    DecisionForm,
    DecisionsRequest,
    Dialect,
    EmbeddingsRequest,
    Endpoint,
    ImagesRequest,
    MediaWork,
    Message,
    ModerationRequest,
    RerankRequest,
    SpeechRequest,
)
from gateway.core.target import Catalog

_TEXT = "Hello!"
_EMPTY: JsonObject = MappingProxyType({})


def plain_model(catalog: Catalog) -> str:
    """Return the name that a client asks for when it has no wish of its own."""
    return catalog.unknown_model or next(iter(catalog.aliases))


def plain_endpoint(catalog: Catalog) -> Endpoint:
    """Return chat where a target serves it, else the first kind of request that one serves."""
    return catalog.plainest(catalog.aliases[plain_model(catalog)].targets)


def plain_request(catalog: Catalog) -> AnyRequest:
    """Return a short request without tags that such a client could send."""
    model, said = plain_model(catalog), (Message(role="user", text=_TEXT),)
    dialect, document = Dialect.OPENAI, _EMPTY
    match plain_endpoint(catalog):
        case Endpoint.EMBEDDINGS:
            return EmbeddingsRequest(dialect=dialect, model=model, document=document, inputs=(_TEXT,))
        case Endpoint.RERANK:
            return RerankRequest(dialect=dialect, model=model, document=document, query=_TEXT, texts=(_TEXT,))
        case Endpoint.COMPLETIONS:
            return CompletionRequest(dialect=dialect, model=model, document=document, prompts=(_TEXT,))
        case Endpoint.DECISIONS:
            form = DecisionForm.SYSTEM_ONE
            return DecisionsRequest(dialect=dialect, model=model, document=document, form=form, questions=1, text=_TEXT)
        case Endpoint.IMAGES:
            work = MediaWork.GENERATIONS
            return ImagesRequest(dialect=dialect, model=model, document=document, work=work, text=_TEXT)
        case Endpoint.SPEECH:
            work = MediaWork.SPEECH
            return SpeechRequest(dialect=dialect, model=model, document=document, work=work, text=_TEXT)
        case Endpoint.MODERATIONS:
            return ModerationRequest(dialect=dialect, model=model, document=document, messages=said)
        case _:
            return ChatRequest(dialect=dialect, model=model, document=document, messages=said)


def path_and_body(catalog: Catalog) -> tuple[str, str]:
    """Return the path and the JSON body of a request that a person can try in a terminal."""
    fields: dict[str, object]
    match plain_endpoint(catalog):
        case Endpoint.EMBEDDINGS:
            path, fields = "/v1/embeddings", {"input": _TEXT}
        case Endpoint.RERANK:
            path, fields = "/v1/rerank", {"query": _TEXT, "documents": [_TEXT, "Goodbye!"]}
        case Endpoint.COMPLETIONS:
            path, fields = "/v1/completions", {"max_tokens": 60, "prompt": _TEXT}
        case Endpoint.DECISIONS:
            question = {"type": "noul", "instructions": "Is this a question?"}
            path, fields = "/v1/systemone", {"state": _TEXT, "questions": {"asks": question}}
        case Endpoint.IMAGES:
            path, fields = "/v1/images/generations", {"prompt": _TEXT}
        case Endpoint.SPEECH:
            path, fields = "/v1/audio/speech", {"input": _TEXT}
        case Endpoint.MODERATIONS:
            path, fields = "/v1/moderations", {"input": _TEXT}
        case _:
            path = "/v1/chat/completions"
            fields = {"max_tokens": 60, "messages": [{"role": "user", "content": _TEXT}]}
    return path, json.dumps({"model": plain_model(catalog), **fields}, ensure_ascii=False)
