"""`/v1/rerank` names bad fields in its errors, and all its clients can read its answers."""

import json
from typing import Any

import pytest

from gateway.core.delta import Ranking
from gateway.core.errors import BadRequest, TargetProtocolError
from gateway.core.usage import Usage
from gateway.upstream.rerank import read_ranking
from gateway.wire.openai.rerank import parse_rerank, rerank_body


def body(**fields: Any) -> bytes:
    """A good request, with some fields changed."""
    return json.dumps({"model": "ranker", "query": "q", "documents": ["a", "b", "c"]} | fields).encode()


def test_texts_are_strings_or_objects() -> None:
    """Texts may be strings or objects with `text`, as Jina and Cohere write them."""
    request = parse_rerank(body(documents=["a", {"text": "b", "id": 7}], top_n=1, return_documents=True))
    assert (request.query, request.texts, request.top, request.echo) == ("q", ("a", "b"), 1, True)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": "a\nb"}, "model"),
        ({"query": None}, "query"),
        ({"query": ""}, "query"),
        ({"query": 5}, "query"),
        ({"documents": None}, "documents"),
        ({"documents": []}, "documents"),
        ({"documents": "a"}, "documents"),
        ({"documents": ["a", ""]}, "documents[1]"),
        ({"documents": ["a", 5]}, "documents[1]"),
        ({"documents": [{"title": "x"}]}, "documents[0]"),
        ({"documents": ["a"] * 2049}, "documents"),
        ({"top_n": 0}, "top_n"),
        ({"top_n": 1.5}, "top_n"),
        ({"return_documents": "yes"}, "return_documents"),
    ],
)
def test_a_bad_field_is_named(fields: dict[str, Any], param: str) -> None:
    """A bad field is named, so that an app's developer finds it."""
    with pytest.raises(BadRequest) as caught:
        parse_rerank(body(**fields))
    assert caught.value.param == param


def test_the_best_come_first() -> None:
    """The best texts come first with their places, equal ones in the order sent, and no more than asked for."""
    ranking = Ranking(scores=(0.2, 0.9, 0.2), usage=Usage(input=12))
    whole = json.loads(rerank_body(parse_rerank(body()), ranking, id="rerank-1"))
    assert [result["index"] for result in whole["results"]] == [1, 0, 2]
    assert whole["results"][0] == {"index": 1, "relevance_score": 0.9}
    assert (whole["id"], whole["model"], whole["usage"]["total_tokens"]) == ("rerank-1", "ranker", 12)
    some = json.loads(rerank_body(parse_rerank(body(top_n=2, return_documents=True)), ranking, id="x"))
    assert [result["document"]["text"] for result in some["results"]] == ["b", "a"]


@pytest.mark.parametrize(
    "answer",
    [
        b"{",
        b'{"results":[]}',
        b'{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":1}]}',
        b'{"results":[{"index":0,"relevance_score":1},{"index":5,"relevance_score":1}]}',
        b'{"results":[{"index":0,"relevance_score":1e999},{"index":1,"relevance_score":1}]}',
        b'{"results":[{"index":0,"relevance_score":"high"},{"index":1,"relevance_score":1}]}',
    ],
)
def test_an_answer_that_is_not_complete_is_none(answer: bytes) -> None:
    """An answer without one finite score for each text is an error."""
    with pytest.raises(TargetProtocolError):
        read_ranking("server", {}, 2, answer)


def test_usage_is_estimated_where_it_is_not_told() -> None:
    """Usage that the server does not report is estimated from the texts that were sent."""
    document = {"query": "x" * 35, "documents": ("y" * 70,)}
    ranking = read_ranking("server", document, 1, b'{"results":[{"index":0,"relevance_score":-3.5}]}')
    assert ranking.scores == (-3.5,)
    assert ranking.usage.estimated
    assert ranking.usage.input == 32


@pytest.mark.parametrize(
    "answer",
    [
        b'{"results":[{"index":"1","relevance_score":0.25},{"index":0,"relevance_score":0.5}]}',
        b'{"results":null,"data":[{"index":1,"relevance_score":0.25},{"index":0,"relevance_score":0.5}]}',
        b'[{"index":1,"score":0.25},{"index":0,"score":0.5}]',
        b' \n{"data":[{"index":1,"score":"0.25"},{"index":0,"score":0.5}],"usage":null}',
    ],
    ids=["numbers as text", "Voyage", "Text Embeddings Inference", "blanks first"],
)
def test_rankings_of_other_servers(answer: bytes) -> None:
    """The scores are read from the answers of several kinds of servers."""
    assert read_ranking("server", {}, 2, answer).scores == (0.5, 0.25)
