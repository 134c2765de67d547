"""Rows of Anthropic's addresses."""

from collections.abc import Iterator

from gateway.core.request import Dialect
from gateway.server.handlers.table.route import CHAT, ID, HttpRoute, Work

_MESSAGE_BATCH_ID = f"/v1/messages/batches/{{id:{ID}}}"


def anthropic_rows() -> Iterator[HttpRoute]:
    """Yield the rows."""
    yield HttpRoute(
        method="POST", path="/v1/messages", handler=lambda its: its.anthropic.messages, work=Work.ANSWERS, once=True,
        dialect=Dialect.ANTHROPIC, summary="Answer a conversation.", example={**CHAT, "max_tokens": 16},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/messages/count_tokens", handler=lambda its: its.anthropic.count_tokens,
        work=Work.MEASURES, dialect=Dialect.ANTHROPIC, summary="Count the tokens of a conversation.", example=CHAT,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/messages/batches", handler=lambda its: its.message_batches.create, work=Work.KEEPS,
        dialect=Dialect.ANTHROPIC, example={"requests": ()},
        summary="Queue conversations, each of which is inspected, decided on and settled when its turn comes.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/v1/messages/batches", handler=lambda its: its.message_batches.list, work=Work.KEEPS,
        dialect=Dialect.ANTHROPIC, summary="List the batches.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=_MESSAGE_BATCH_ID, handler=lambda its: its.message_batches.read, work=Work.KEEPS,
        dialect=Dialect.ANTHROPIC, summary="Say how far a batch has come.",
    )  # fmt: skip
    yield HttpRoute(
        method="DELETE", path=_MESSAGE_BATCH_ID, handler=lambda its: its.message_batches.delete, work=Work.KEEPS,
        dialect=Dialect.ANTHROPIC, summary="Delete a batch that has ended, with its results.",
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path=f"{_MESSAGE_BATCH_ID}/results", handler=lambda its: its.message_batches.results,
        work=Work.KEEPS, dialect=Dialect.ANTHROPIC, summary="Read the results of a batch.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path=f"{_MESSAGE_BATCH_ID}/cancel", handler=lambda its: its.message_batches.cancel,
        work=Work.KEEPS, dialect=Dialect.ANTHROPIC, summary="Begin no further request of a batch.",
    )  # fmt: skip
