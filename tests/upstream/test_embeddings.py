"""Embeddings of other servers are complete and possible, or an error."""

import base64
import json
import struct
from typing import Any

import pytest

from gateway.core.document import freeze_object
from gateway.core.errors import TargetProtocolError
from gateway.upstream.embeddings import read_vectors

DOCUMENT = freeze_object({"input": ["hello there", "good morning"]})


def read(**answer: Any) -> Any:
    return read_vectors("t", DOCUMENT, 2, json.dumps(answer).encode())


def test_vectors_in_the_order_of_the_inputs() -> None:
    """Vectors come in the order of the inputs, whatever order the server sends them in, as numbers or packed."""
    packed = base64.b64encode(struct.pack("<2f", 3.0, 4.0)).decode()
    data = [{"index": 1, "embedding": packed}, {"index": 0, "embedding": [1, 2.0]}]
    found = read(data=data, usage={"prompt_tokens": 6, "total_tokens": 6})
    assert found.vectors == ((1.0, 2.0), (3.0, 4.0))
    assert (found.usage.input, found.usage.estimated) == (6, False)


def test_numbers_that_come_as_text() -> None:
    """Places that a server writes as text are read."""
    found = read(data=[{"index": "1", "embedding": [2]}, {"index": "0", "embedding": [1]}])
    assert found.vectors == ((1.0,), (2.0,))


def test_missing_usage_is_counted_here() -> None:
    """Usage that the server does not report is counted here and marked as an estimate."""
    found = read(data=[{"embedding": [1.0]}, {"embedding": [2.0]}])
    assert found.usage.estimated
    assert found.usage.input > 0


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 2, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": "AAA"}, {"index": 1, "embedding": "!!"}],
        [{"index": 0, "embedding": [1e300]}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0, "embedding": ["x"]}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0, "embedding": base64.b64encode(struct.pack("<f", float("nan"))).decode()}, {"embedding": [1.0]}],
    ],
)
def test_incomplete_or_impossible_vectors(data: Any) -> None:
    """An answer with missing vectors or impossible numbers is an error."""
    with pytest.raises(TargetProtocolError):
        read(data=data)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"data":5}'])
def test_other_bodies(body: bytes) -> None:
    """A body that is no embeddings answer gives one of our errors and no raw exception."""
    with pytest.raises(TargetProtocolError):
        read_vectors("t", DOCUMENT, 2, body)
