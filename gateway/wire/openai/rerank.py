"""Parse and answer `/v1/rerank` in the shape that Jina, Cohere, llama-server, vLLM and LocalAI share. Pure.

A text is a string, or an object with `text`. Scores come best first, each with the place of its text.
"""

from collections.abc import Mapping

from gateway.core.delta import Ranking
from gateway.core.document import Json
from gateway.core.request import Dialect, RerankRequest
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.encoding import encode_json
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.json_body import parse_request

_MOST_TEXTS = 2048
_LONGEST_MODEL = 256


def parse_rerank(body: bytes, unnamed: str = "") -> RerankRequest:
    """Parse the body of `/v1/rerank`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing or has the wrong type.
    """
    document = parse_request(body, unnamed)
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
    """Encode the answer to `request`."""
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
