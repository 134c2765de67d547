"""The APIs that providers speak: where a cleared document goes, in which form, and how its answer is read.

INVARIANT: a body is made of the cleared document alone, by a pure function of `upstream`.
"""

from typing import Protocol

from gateway.cloud.settings import CloudSettings
from gateway.core.document import JsonObject
from gateway.core.errors import TargetError
from gateway.core.request import Endpoint, MediaWork
from gateway.core.target import Api
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.anthropic.answers import MessagesReader
from gateway.upstream.anthropic.requests import count_request, messages_request
from gateway.upstream.body import PATHS
from gateway.upstream.media.requests import SentBody, media_body
from gateway.upstream.reading import AnswerReading
from gateway.upstream.responses.answers import ResponsesReader
from gateway.upstream.responses.requests import responses_request

_ANSWER_TOKENS = 8192  # where neither the request nor the configuration says


class ProviderApi(Protocol):
    """One provider's way to ask and to answer."""

    def request(self, endpoint: Endpoint, document: JsonObject) -> tuple[str, JsonObject]:
        """Return the path behind the base URL, and what is sent there for a cleared document.

        Raises:
            TargetError: The API has no such endpoint, or no words for what the document asks for.
        """
        ...

    def media(self, work: MediaWork, document: JsonObject) -> SentBody:
        """Return what is sent for a cleared document that asks for pictures, speech or a transcript.

        Raises:
            TargetError: The API has no such endpoint, or a file can't be read.
        """
        ...

    def reader(self, document: JsonObject) -> AnswerReading:
        """Return the reader of the answer to a cleared chat or completion document."""
        ...


class ChatApi:
    """OpenAI's chat completions, which cleared documents are written in."""

    def __init__(self, target: str) -> None:
        self._target = target

    def request(self, endpoint: Endpoint, document: JsonObject) -> tuple[str, JsonObject]:
        """Return the path of an endpoint, and the document as it was cleared."""
        return PATHS[endpoint], document

    def media(self, work: MediaWork, document: JsonObject) -> SentBody:
        """Return a document as OpenAI's own endpoints take it."""
        return media_body(self._target, work, document)

    def reader(self, document: JsonObject) -> AnswerReading:
        """Return the reader of an answer in chunks."""
        return AnswerReader(self._target, document)


class MessagesApi:
    """Anthropic's Messages API."""

    def __init__(self, target: str, settings: CloudSettings) -> None:
        self._target = target
        self._settings = settings
        versioned = settings.base_url.rstrip("/").endswith("/v1")
        self._path = "/messages" if versioned else "/v1/messages"

    def request(self, endpoint: Endpoint, document: JsonObject) -> tuple[str, JsonObject]:
        """Return the path of `messages`, and the cleared document in this API's words."""
        _check_chat(self._target, endpoint)
        answer_tokens = self._settings.answer_tokens or _ANSWER_TOKENS
        version = self._settings.anthropic_version
        return self._path, messages_request(self._target, document, version=version, answer_tokens=answer_tokens)

    def media(self, work: MediaWork, document: JsonObject) -> SentBody:
        """Refuse: this API makes no pictures and no sound.

        Raises:
            TargetError: Always.
        """
        unserved = _unserved(self._target, work)
        raise unserved

    def count(self, document: JsonObject) -> tuple[str, JsonObject]:
        """Return the path of `count_tokens`, and what of the cleared document is counted there."""
        body = count_request(self._target, document, version=self._settings.anthropic_version)
        return f"{self._path}/count_tokens", body

    def reader(self, document: JsonObject) -> AnswerReading:
        """Return the reader of an answer in this API's events."""
        return MessagesReader(self._target, document)


class ResponsesApi:
    """OpenAI's Responses API."""

    def __init__(self, target: str) -> None:
        self._target = target

    def request(self, endpoint: Endpoint, document: JsonObject) -> tuple[str, JsonObject]:
        """Return the path of `responses`, and the cleared document in its words; embeddings are those of chats."""
        if endpoint is Endpoint.EMBEDDINGS:
            return PATHS[endpoint], document
        _check_chat(self._target, endpoint)
        return "/responses", responses_request(self._target, document)

    def media(self, work: MediaWork, document: JsonObject) -> SentBody:
        """Return a document as OpenAI's own endpoints take it."""
        return media_body(self._target, work, document)

    def reader(self, document: JsonObject) -> AnswerReading:
        """Return the reader of an answer in this API's events."""
        return ResponsesReader(self._target, document)


def api_of(target: str, settings: CloudSettings) -> ProviderApi:
    """Return the API that a target speaks.

    Raises:
        ValueError: No cloud is asked in it; the configuration refuses such a target.
    """
    match settings.api:
        case Api.CHAT:
            return ChatApi(target)
        case Api.MESSAGES:
            return MessagesApi(target, settings)
        case Api.RESPONSES:
            return ResponsesApi(target)
        case Api.A1111 | Api.COMFYUI:
            raise ValueError(f"no cloud is asked in the API {settings.api}")


def _check_chat(target: str, endpoint: Endpoint) -> None:
    if endpoint is not Endpoint.CHAT:
        unserved = _unserved(target, endpoint)
        raise unserved


def _unserved(target: str, what: str) -> TargetError:
    return TargetError(f"The target {target!r} serves no {what}.", code="unsupported_endpoint", status=400)
