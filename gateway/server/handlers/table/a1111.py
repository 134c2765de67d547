"""Rows of AUTOMATIC1111's addresses."""

from collections.abc import Iterator, Mapping
from functools import partial

from aiohttp.typedefs import Handler

from gateway.core.document import Json
from gateway.core.request import Dialect
from gateway.server.handlers.table.route import DOT, TEXT, Handlers, HttpRoute, Work
from gateway.wire.a1111 import LISTS


def a1111_rows() -> Iterator[HttpRoute]:
    """Yield the rows."""
    prompt: Mapping[str, Json] = {"prompt": TEXT, "steps": 4}
    yield HttpRoute(
        method="POST", path="/sdapi/v1/txt2img", handler=lambda its: its.a1111.txt2img, work=Work.ANSWERS, once=True,
        dialect=Dialect.A1111, summary="Make pictures of a prompt.", example=prompt,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/sdapi/v1/img2img", handler=lambda its: its.a1111.img2img, work=Work.ANSWERS, once=True,
        dialect=Dialect.A1111, summary="Make pictures of a prompt and another picture.",
        example={"prompt": "The same by night", "init_images": (DOT,)},
    )  # fmt: skip
    for name, handler, summary in (
        ("progress", lambda its: its.a1111.progress, "Say how far this key's pictures are."),
        ("options", lambda its: its.a1111.options, "Tell the model that a request without one gets."),
        ("sd-models", lambda its: its.a1111.models, "List the models that make pictures."),
    ):
        yield HttpRoute(
            method="GET", path=f"/sdapi/v1/{name}", handler=handler, work=Work.LISTS, dialect=Dialect.A1111,
            summary=summary,
        )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/sdapi/v1/options", handler=lambda its: its.a1111.set_options, work=Work.LISTS,
        dialect=Dialect.A1111, summary="Refuse to load another model for whoever asks next.",
        example={"sd_model_checkpoint": ""},
    )  # fmt: skip
    for name in LISTS:
        yield HttpRoute(
            method="GET", path=f"/sdapi/v1/{name}", handler=partial(_listed, name), work=Work.LISTS,
            dialect=Dialect.A1111, summary=f"List {name}.",
        )  # fmt: skip


def _listed(name: str, its: Handlers) -> Handler:
    return its.a1111.listed(name)
