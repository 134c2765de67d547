"""Rows of OpenAI's addresses for texts, vectors and models."""

from collections.abc import Iterator, Mapping

from gateway.core.document import Json
from gateway.server.handlers.table.route import CHAT, RESPONSE, TEXT, HttpRoute, Work

_RERANK: Mapping[str, Json] = {"model": "auto", "query": TEXT, "documents": ("a", "b")}
_SYSTEM_ONE: Mapping[str, Json] = {
    "model": "auto", "state": TEXT, "questions": {"urgent": {"type": "noul", "instructions": "Is it urgent?"}},
}  # fmt: skip
_DECISIONS: Mapping[str, Json] = {
    "model": "auto", "input": TEXT, "questions": ({"type": "predicate", "instructions": "Is it urgent?"},),
}  # fmt: skip


def openai_rows() -> Iterator[HttpRoute]:
    """Yield the rows."""
    yield HttpRoute(
        method="POST", path="/v1/chat/completions", handler=lambda its: its.openai.chat, work=Work.ANSWERS, once=True,
        summary="Answer a conversation.", example=CHAT,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/completions", handler=lambda its: its.openai.completions, work=Work.ANSWERS, once=True,
        summary="Continue a text.", bare=False, example={"model": "auto", "prompt": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/embeddings", handler=lambda its: its.openai.embeddings, work=Work.ANSWERS, once=True,
        summary="Give vectors of texts.", bare=False, example=RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/rerank", handler=lambda its: its.openai.rerank, work=Work.ANSWERS, once=True,
        # llama-server's second name, and where Cohere's clients ask
        also=("/v1/reranking", "/reranking", "/v2/rerank"),
        summary="Put texts in the order in which they answer a query. Never in a cloud.", example=_RERANK,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/systemone", handler=lambda its: its.openai.systemone, work=Work.ANSWERS, once=True,
        summary="Answer questions about a state by a decision model, as System One has them. Never in a cloud.",
        example=_SYSTEM_ONE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/decisions", handler=lambda its: its.openai.decisions, work=Work.ANSWERS, once=True,
        summary="Answer questions by a decision model, as OpenAI's Decisions API has them. Never in a cloud.",
        example=_DECISIONS,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/moderations", handler=lambda its: its.openai.moderations, work=Work.ANSWERS, once=True,
        summary="Name the categories of harm in a text. Never in a cloud.", example=RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/v1/models", handler=lambda its: its.openai.models, work=Work.LISTS,
        summary="List the models that this key may ask for.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/v1/models/{id:.+}", handler=lambda its: its.openai.model, work=Work.LISTS,
        summary="Describe a model.",
    )  # fmt: skip
