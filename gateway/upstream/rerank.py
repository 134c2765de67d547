"""Ask other servers for a ranking: the document that they are sent, and the scores that they return. Pure."""

from math import isfinite, nan
from typing import Any

import msgspec

from gateway.core.delta import Ranking
from gateway.core.document import JsonObject
from gateway.core.errors import TargetProtocolError
from gateway.upstream.errors import complaint, fault_in_stream
from gateway.upstream.usage import estimated_usage, reported_usage


class _Result(msgspec.Struct):
    index: int
    relevance_score: float | None = None
    score: float | None = None  # Text Embeddings Inference


class _Answer(msgspec.Struct):
    results: list[_Result] | None = None
    data: list[_Result] | None = None  # Voyage
    usage: Any = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Answer | list[_Result], strict=False)  # numbers may come as text


def upstream_document(document: JsonObject) -> JsonObject:
    """Return what another server is asked for: all scores and no texts.

    Choosing the best (`top_n`) and repeating their texts (`return_documents`) happens here.
    """
    return {name: value for name, value in document.items() if name not in ("top_n", "return_documents")}


def read_ranking(target: str, document: JsonObject, texts: int, body: bytes) -> Ranking:
    """Return another server's scores in the order of the texts; `texts` is how many there are.

    Raises:
        AduanaError: the answer reports an error.
        TargetProtocolError: the answer can't be read, or does not have one finite score for each text.
    """
    try:
        answer = _DECODER.decode(body)
    except (ValueError, RecursionError) as error:
        raise TargetProtocolError(f"The target {target!r} sent a ranking that can't be read.") from error
    if isinstance(answer, list):
        answer = _Answer(results=answer)
    if answer.error:
        raise fault_in_stream(target, complaint(answer.error))
    scores = {result.index: _score(result) for result in answer.results or answer.data or ()}
    if sorted(scores) != list(range(texts)) or not all(map(isfinite, scores.values())):
        raise TargetProtocolError(f"The target {target!r} did not send one score for each text.")
    usage = reported_usage(answer.usage, answered=False)
    if usage is None or usage.prompt_tokens == 0:
        usage = estimated_usage(document, answer=0, reasoning=0)
    return Ranking(scores=tuple(scores[place] for place in range(texts)), usage=usage)


def _score(result: _Result) -> float:
    score = result.score if result.relevance_score is None else result.relevance_score
    return nan if score is None else score
