"""`/v1/rerank` in the shape that Jina, Cohere, llama-server, vLLM and LocalAI share. Pure.

A text is a string, or an object with `text`. Scores come best first, each with the place of its text.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import msgspec

from gateway.core.delta import Ranking
from gateway.core.document import Json, JsonObject
from gateway.core.errors import TargetProtocolError
from gateway.core.request import Dialect, RerankRequest
from gateway.wire.fields import Fields, bad_field
from gateway.wire.json_body import parse_object
from gateway.wire.openai_pieces import encode_json
from gateway.wire.openai_usage import estimated_usage, reported_usage
from gateway.wire.overrides import refuse_overrides
from gateway.wire.upstream_faults import complaint, fault_in_stream

_MOST_TEXTS = 2048
_LONGEST_MODEL = 256


class _Result(msgspec.Struct):
    index: int
    relevance_score: float


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    usage: Any = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Answer)


def parse_rerank(body: bytes) -> RerankRequest:
    """The body of `/v1/rerank`. Raises BadRequest with `param`."""
    document = parse_object(body)
    refuse_overrides(document)
    fields = Fields(document)
    model = fields.required_string("model", longest=_LONGEST_MODEL)
    if not model.isprintable():
        raise bad_field("model", "has control characters.")
    documents = fields.items("documents", _MOST_TEXTS)
    if not documents:
        raise bad_field("documents", "must be an array of texts, at least one.")
    return RerankRequest(
        dialect=Dialect.OPENAI,
        model=model,
        document=document,
        query=fields.required_string("query"),
        texts=tuple(_text(item, f"documents[{place}]") for place, item in enumerate(documents)),
        top=fields.integer("top_n", 1, 2**31 - 1),
        echo=fields.boolean("return_documents"),
    )


def _text(item: Json, param: str) -> str:
    text = item.get("text") if isinstance(item, Mapping) else item
    if not isinstance(text, str):
        raise bad_field(param, "must be a text, or an object with 'text'.")
    if not text:
        raise bad_field(param, "is empty.")
    return text


def rerank_body(request: RerankRequest, ranking: Ranking, *, id: str) -> bytes:  # noqa: A002 - the field's name
    """The answer to `request`."""
    order = sorted(range(len(ranking.scores)), key=lambda place: -ranking.scores[place])
    results: list[dict[str, object]] = [
        {"index": place, "relevance_score": ranking.scores[place]} for place in order[: request.top]
    ]
    if request.echo:
        for result, place in zip(results, order, strict=False):
            result["document"] = {"text": request.texts[place]}
    tokens = ranking.usage.prompt_tokens
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return encode_json({"id": id, "object": "list", "model": request.model, "results": results, "usage": usage})


def upstream_document(document: JsonObject) -> JsonObject:
    """What another server is asked for: all scores, without the texts; choosing and repeating happen here."""
    return {name: value for name, value in document.items() if name not in ("top_n", "return_documents")}


def read_ranking(target: str, document: JsonObject, texts: int, body: bytes) -> Ranking:
    """Another server's scores in the order of the texts. Raises TargetProtocolError unless there is one for each."""
    try:
        answer = _DECODER.decode(body)
    except (ValueError, RecursionError) as error:
        raise TargetProtocolError(f"The target {target!r} sent a ranking that can't be read.") from error
    if answer.error:
        raise fault_in_stream(target, complaint(answer.error))
    scores = {result.index: result.relevance_score for result in answer.results}
    if sorted(scores) != list(range(texts)) or not all(map(isfinite, scores.values())):
        raise TargetProtocolError(f"The target {target!r} did not send one score for each text.")
    usage = reported_usage(answer.usage, answered=False)
    if usage is None or usage.prompt_tokens == 0:
        usage = estimated_usage(document, answer=0, reasoning=0)
    return Ranking(scores=tuple(scores[place] for place in range(texts)), usage=usage)
