"""Rows of the addresses of llama.cpp's server."""

from collections.abc import Iterator, Mapping

from gateway.core.document import Json
from gateway.core.request import Dialect
from gateway.server.handlers.table.route import CHAT, RESPONSE, TEXT, Access, HttpRoute, Work


def llamacpp_rows() -> Iterator[HttpRoute]:
    """Yield the rows."""
    prompt: Mapping[str, Json] = {"prompt": TEXT, "n_predict": 4}
    yield HttpRoute(
        method="POST", path="/completions", handler=lambda its: its.llama.completions, work=Work.ANSWERS, once=True,
        summary="Continue a text, in OpenAI's dialect or in llama.cpp's, as the body is written.",
        example={"model": "auto", "prompt": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/embeddings", handler=lambda its: its.llama.embeddings, work=Work.ANSWERS, once=True,
        summary="Give vectors of texts, in OpenAI's dialect or in llama.cpp's, as the body is written.",
        example=RESPONSE,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/embedding", handler=lambda its: its.llama.embeddings, work=Work.ANSWERS, once=True,
        dialect=Dialect.LLAMACPP, summary="Give vectors of texts.", example={"content": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/completion", handler=lambda its: its.llama.completion, work=Work.ANSWERS, once=True,
        dialect=Dialect.LLAMACPP, summary="Continue a text.", example=prompt,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/infill", handler=lambda its: its.llama.infill, work=Work.ANSWERS, once=True,
        dialect=Dialect.LLAMACPP, summary="Write what stands between two texts.",
        example={"input_prefix": TEXT, "input_suffix": "", "n_predict": 4},
    )  # fmt: skip
    for path, handler, summary, example in (
        ("/tokenize", lambda its: its.llama.tokenize, "Cut a text into tokens.", {"content": TEXT}),
        ("/detokenize", lambda its: its.llama.detokenize, "Put tokens together to a text.", {"tokens": (1, 2)}),
        ("/apply-template", lambda its: its.llama.apply_template, "Write a conversation as a prompt.", CHAT),
    ):
        yield HttpRoute(
            method="POST", path=path, handler=handler, work=Work.ANSWERS, dialect=Dialect.LLAMACPP,
            summary=f"{summary} Never in a cloud.", example=example,
        )  # fmt: skip
    for name, handler, summary in (
        ("props", lambda its: its.llama.props, "Describe a model."),
        ("slots", lambda its: its.llama.slots, "Say how many requests a model works on."),
    ):
        yield HttpRoute(
            method="GET", path=f"/{name}", handler=handler, work=Work.LISTS, dialect=Dialect.LLAMACPP, summary=summary
        )
    yield HttpRoute(
        method="GET", path="/health", handler=lambda its: its.llama.health, work=Work.WATCHES, access=Access.OPEN,
        also=("/v1/health",), dialect=Dialect.LLAMACPP, summary="Say whether requests are answered.",
    )  # fmt: skip
