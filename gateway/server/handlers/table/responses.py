"""Rows of OpenAI's Responses API and of its conversations."""

from collections.abc import Iterator

from gateway.core.document import Json
from gateway.server.handlers.table.route import ID, RESPONSE, TEXT, HttpRoute, Work

_ITEM: Json = {"type": "message", "role": "user", "content": TEXT}
_RESPONSE_ID = f"/v1/responses/{{id:{ID}}}"
_CONVERSATION_ID = f"/v1/conversations/{{id:{ID}}}"
_ITEM_ID = f"{_CONVERSATION_ID}/items/{{item:{ID}}}"


def responses_rows() -> Iterator[HttpRoute]:
    """Yield the rows of responses."""
    yield HttpRoute(
        method="POST", path="/v1/responses", handler=lambda its: its.responses.create, work=Work.ANSWERS, once=True,
        summary="Answer a request of the Responses API; where responses are stored, keep the answer.",
        example=RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/responses/input_tokens", handler=lambda its: its.responses.input_tokens,
        work=Work.MEASURES, summary="Count the tokens of a request.", example=RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/responses/compact", handler=lambda its: its.responses.compact, work=Work.ANSWERS,
        once=True, summary="Summarise a conversation; its client keeps the summary, sealed.", example=RESPONSE,
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


def conversations_rows() -> Iterator[HttpRoute]:
    """Yield the rows of conversations."""
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
