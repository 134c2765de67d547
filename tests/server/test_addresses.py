"""What a path tells without a route: the dialect of its errors, and what is wrong with an app's base URL."""

import pytest

from gateway.core.request import Dialect
from gateway.server.addresses import advice, dialect_of

KNOWN = ("/", "/v1/chat/completions", "/chat/completions", "/v1/messages", "/api/chat", "/v1/models", "/models")
VERSION = {"anthropic-version": "2023-06-01"}


@pytest.mark.parametrize(
    ("path", "headers", "dialect"),
    [
        ("/v1/chat/completions", {}, Dialect.OPENAI),
        ("/v1/chat/completions", VERSION, Dialect.OPENAI),
        ("/embeddings", VERSION, Dialect.OPENAI),
        ("/nowhere", {}, Dialect.OPENAI),
        ("/v1/messages", {}, Dialect.ANTHROPIC),
        ("/messages", {}, Dialect.ANTHROPIC),
        ("/v1/v1/messages", {}, Dialect.ANTHROPIC),
        ("/v1/messages/batches", {}, Dialect.ANTHROPIC),
        ("/v1/models/x", VERSION, Dialect.ANTHROPIC),
        ("/v1/nowhere", VERSION, Dialect.ANTHROPIC),
        ("/api/chat", {}, Dialect.OLLAMA),
        ("/v1/api/chat", {}, Dialect.OLLAMA),
        ("/api/nowhere", {}, Dialect.OLLAMA),
        ("/api/v1/chat/completions", {}, Dialect.OPENAI),
    ],
)
def test_errors_are_read_in_the_clients_dialect(path: str, headers: dict[str, str], dialect: Dialect) -> None:
    """Path and version header tell who asks, also where an app's base URL has too much in it."""
    assert dialect_of(path, headers) is dialect


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/v1/chat/completions", "twice"),
        ("/v1/v1/messages", "twice"),
        ("/v1/api/chat", "Take '/v1' off"),
        ("/api/v1/chat/completions", "Take '/api' off"),
        ("/openai/v1/models", "Take '/openai' off"),
        ("/v1/nowhere", "no such route"),
        ("/v1/filesystem", "no such route"),
        ("/v1/files", "doesn't serve /v1/files. The base URL is right"),
        ("/videos/generations", "doesn't serve /v1/videos."),
        ("/\x00" + "x" * 200 + "/v1/models", "no such route"),
    ],
)
def test_a_wrong_base_url_is_told_what_to_change(path: str, said: str) -> None:
    """The text never says that a path which is under /v1 is not: it names what is too much."""
    assert said in advice(path, KNOWN)
