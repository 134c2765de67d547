"""llama.cpp's own dialect, as the server uses it: request bytes in, answer bytes out. Pure.

Owns the translation of llama-server's completions and infills into OpenAI documents, its events, and what it says about
a model. Must not read a clock: it is passed in. Source: tools/server/README.md of llama.cpp.
"""

from collections.abc import Callable

from gateway.core.request import CompletionRequest, EmbeddingsRequest, TokenizeRequest
from gateway.wire.dialect import AnswerAssembly, AnswerStream
from gateway.wire.json_body import parse_request
from gateway.wire.llamacpp import embeddings, requests, text_work
from gateway.wire.llamacpp.answers import CompletionStream, WholeCompletion
from gateway.wire.llamacpp.embeddings import embeddings_body
from gateway.wire.llamacpp.requests import LlamaCompletion
from gateway.wire.llamacpp.status import (
    Properties,
    error_body,
    loading_body,
    ok_body,
    props_body,
    slots_body,
)
from gateway.wire.llamacpp.text_work import content_body, prompt_body, tokens_body
from gateway.wire.openai import requests as openai_requests

__all__ = [
    "LlamaCompletion",
    "Properties",
    "assembly",
    "content_body",
    "embeddings_body",
    "error_body",
    "loading_body",
    "ok_body",
    "parse_completion",
    "parse_detokenize",
    "parse_embeddings",
    "parse_infill",
    "parse_template",
    "parse_tokenize",
    "parse_unversioned",
    "prompt_body",
    "props_body",
    "slots_body",
    "stream",
    "tokens_body",
]


def parse_completion(body: bytes, unnamed: str = "") -> LlamaCompletion:
    """Parse the body of `/completion`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return requests.parse_completion(parse_request(body, unnamed))


def parse_unversioned(body: bytes, unnamed: str = "") -> LlamaCompletion | CompletionRequest:
    """Parse the body of `/completions`: llama-server's own one, or OpenAI's from an app whose base URL lacks `/v1`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    document = parse_request(body, unnamed)
    if requests.is_own(document):
        return requests.parse_completion(document)
    return openai_requests.parse_completion(document)


def parse_embeddings(body: bytes, unnamed: str = "") -> EmbeddingsRequest:
    """Parse the body of `/embedding`; that of `/embeddings` may be OpenAI's, from an app whose base URL lacks `/v1`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    document = parse_request(body, unnamed)
    if embeddings.is_own(document):
        return embeddings.parse_embeddings(document)
    return openai_requests.parse_embeddings(document)


def parse_infill(body: bytes, unnamed: str = "") -> LlamaCompletion:
    """Parse the body of `/infill`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return requests.parse_infill(parse_request(body, unnamed))


def parse_tokenize(body: bytes, unnamed: str = "") -> tuple[TokenizeRequest, bool]:
    """Parse the body of `/tokenize`; True: each token is wanted with its text.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing or has the wrong type.
    """
    return text_work.parse_tokenize(parse_request(body, unnamed))


def parse_detokenize(body: bytes, unnamed: str = "") -> TokenizeRequest:
    """Parse the body of `/detokenize`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing or has the wrong type.
    """
    return text_work.parse_detokenize(parse_request(body, unnamed))


def parse_template(body: bytes, unnamed: str = "") -> TokenizeRequest:
    """Parse the body of `/apply-template`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return text_work.parse_template(parse_request(body, unnamed))


def stream(asked: LlamaCompletion, *, clock: Callable[[], float]) -> AnswerStream:
    """Return the encoder for a streamed answer. `clock` gives monotonic seconds."""
    return CompletionStream(asked, clock=clock)


def assembly(asked: LlamaCompletion, *, clock: Callable[[], float]) -> AnswerAssembly:
    """Return the collector for a whole answer. `clock` gives monotonic seconds."""
    return WholeCompletion(asked, clock=clock)
