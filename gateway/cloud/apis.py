"""The APIs that providers speak: where a cleared document goes, in which form, and how its answer is read.

INVARIANT: a body is made of the cleared document alone, by a pure function of `upstream`.
"""

from typing import Protocol

from gateway.cloud.settings import CloudSettings
from gateway.core.document import JsonObject
from gateway.core.errors import TargetError
from gateway.core.request import Endpoint
from gateway.core.target import Api
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.anthropic.answers import MessagesReader
from gateway.upstream.anthropic.requests import messages_request
from gateway.upstream.body import PATHS
from gateway.upstream.reading import AnswerReading

_ANSWER_TOKENS = 8192  # where neither the request nor the configuration says


class ProviderApi(Protocol):
    """One provider's way to ask and to answer."""

    def path(self, endpoint: Endpoint) -> str:
        """Return the path behind the base URL.

        Raises:
            TargetError: The API has no such endpoint.
        """
        ...

    def body(self, document: JsonObject) -> JsonObject:
        """Return what is sent for a cleared document.

        Raises:
            TargetError: The document asks for something that the API has no words for.
        """
        ...

    def reader(self, document: JsonObject) -> AnswerReading:
        """Return the reader of the answer to a cleared chat or completion document."""
        ...


class ChatApi:
    """OpenAI's chat completions, which cleared documents are written in."""

    def __init__(self, target: str) -> None:
        self._target = target

    def path(self, endpoint: Endpoint) -> str:
        """Return the path of an endpoint."""
        return PATHS[endpoint]

    def body(self, document: JsonObject) -> JsonObject:
        """Return the document as it was cleared."""
        return document

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

    def path(self, endpoint: Endpoint) -> str:
        """Return the path of `messages`."""
        return _chat_only(self._target, endpoint, self._path)

    def body(self, document: JsonObject) -> JsonObject:
        """Return the cleared document in this API's words."""
        return messages_request(
            self._target,
            document,
            version=self._settings.anthropic_version,
            answer_tokens=self._settings.answer_tokens or _ANSWER_TOKENS,
        )

    def reader(self, document: JsonObject) -> AnswerReading:
        """Return the reader of an answer in this API's events."""
        return MessagesReader(self._target, document)


def api_of(target: str, settings: CloudSettings) -> ProviderApi:
    """Return the API that a target speaks."""
    match settings.api:
        case Api.CHAT:
            return ChatApi(target)
        case Api.MESSAGES:
            return MessagesApi(target, settings)


def _chat_only(target: str, endpoint: Endpoint, path: str) -> str:
    if endpoint is not Endpoint.CHAT:
        raise TargetError(f"The target {target!r} serves chats alone.", code="unsupported_endpoint", status=400)
    return path
