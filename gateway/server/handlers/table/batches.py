"""Rows of OpenAI's files and batches."""

from collections.abc import Iterator, Mapping

from gateway.core.document import Json
from gateway.server.handlers.table.route import ID, HttpRoute, Work

_FILE_ID = f"/v1/files/{{id:{ID}}}"
_BATCH_ID = f"/v1/batches/{{id:{ID}}}"


def batches_rows() -> Iterator[HttpRoute]:
    """Yield the rows."""
    new: Mapping[str, Json] = {
        "input_file_id": "file-abc", "endpoint": "/v1/chat/completions", "completion_window": "24h",
    }  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/files", handler=lambda its: its.files.create, work=Work.KEEPS,
        summary="Upload a file: of requests for a batch, or one that requests name by its id.",
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
