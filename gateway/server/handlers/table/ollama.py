"""Rows of Ollama's addresses."""

from collections.abc import Iterator

from gateway.core.request import Dialect
from gateway.server.handlers.table.route import CHAT, RESPONSE, TEXT, HttpRoute, Work


def ollama_rows() -> Iterator[HttpRoute]:
    """Yield the rows."""
    yield HttpRoute(
        method="POST", path="/api/chat", handler=lambda its: its.ollama.chat, work=Work.ANSWERS, once=True,
        dialect=Dialect.OLLAMA, summary="Answer a conversation.", example=CHAT,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/api/generate", handler=lambda its: its.ollama.generate, work=Work.ANSWERS, once=True,
        dialect=Dialect.OLLAMA, summary="Answer a prompt.", example={"model": "auto", "prompt": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/api/embed", handler=lambda its: its.ollama.embed, work=Work.ANSWERS, once=True,
        dialect=Dialect.OLLAMA, summary="Give vectors of texts.", example=RESPONSE,
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
