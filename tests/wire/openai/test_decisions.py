"""Questions to decision models: what is read of them, and how their answers are told."""

import json
from typing import Any

import pytest

from gateway.core.delta import Decisions
from gateway.core.document import freeze, freeze_object
from gateway.core.errors import AduanaError, BadRequest, TargetProtocolError
from gateway.core.request import DecisionForm, Endpoint, endpoint_of
from gateway.core.usage import Usage
from gateway.upstream.decisions import read_decisions
from gateway.wire.openai.decisions import decisions_body, parse_decisions, parse_systemone

NOUL = {"type": "noul", "instructions": "Is it urgent?"}
STATE = {"model": "m", "state": "The site is down.", "questions": {"urgent": NOUL}}
INPUT = {"model": "m", "input": "The site is down.", "questions": [{"type": "predicate", "instructions": "Urgent?"}]}
ANSWERS = {"urgent": {"type": "noul", "noul": 0.97}}


def test_both_forms_are_read() -> None:
    """A state with questions by name, and an input with a list of questions, are requests for decisions."""
    one, other = parse_systemone(json.dumps(STATE).encode()), parse_decisions(json.dumps(INPUT).encode())
    assert (one.form, other.form) == (DecisionForm.SYSTEM_ONE, DecisionForm.OPENAI)
    assert (one.questions, other.questions) == (1, 1)
    assert one.text == other.text == "The site is down."
    assert endpoint_of(one) is endpoint_of(other) is Endpoint.DECISIONS
    assert parse_systemone(json.dumps(STATE | {"state": {"mail": ["a"]}}).encode()).text == ""


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"state": ""}, "state"), ({"state": None}, "state"), ({"state": 7}, "state"), ({"questions": {}}, "questions"),
        ({"questions": [NOUL]}, "questions"), ({"questions": {"a": "?"}}, "questions"), ({"model": 1}, "model"),
        ({"stream": True}, "stream"), ({"base_url": "http://x"}, "base_url"),
    ],
)  # fmt: skip
def test_a_broken_body_is_refused_by_its_field(fields: dict[str, Any], param: str) -> None:
    """What is missing, empty, of another type or not for clients to say is named."""
    with pytest.raises(BadRequest) as refused:
        parse_systemone(json.dumps(STATE | fields).encode())
    assert refused.value.param == param


def test_the_answer_is_told_as_the_server_wrote_it() -> None:
    """Answers stay as they are, the model has the client's name, and tokens are counted."""
    request = parse_systemone(json.dumps(STATE).encode())
    body = json.dumps(
        {"model": "kev-4b", "answers": ANSWERS, "usage": {"input_tokens": 12, "output_tokens": 0}}
    ).encode()
    found = read_decisions("t", request.form, request.document, 1, body)
    told = {"model": "m", "answers": ANSWERS, "usage": {"input_tokens": 12, "output_tokens": 0}}
    assert json.loads(decisions_body(request, found)) == told
    other = parse_decisions(json.dumps(INPUT).encode())
    listed = Decisions(answers=freeze([{"type": "predicate", "probability": 0.9}]), usage=Usage(input=3))
    assert json.loads(decisions_body(other, listed))["usage"]["total_tokens"] == 3


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", TargetProtocolError),
        (b"{}", TargetProtocolError),
        (b'{"answers": []}', TargetProtocolError),
        (b'{"answers": {"a": {}, "b": {}}}', TargetProtocolError),
        (b'{"error": {"code": 501, "message": "This model is not a decision model"}}', AduanaError),
    ],
)
def test_an_answer_that_is_none_is_an_error(body: bytes, error: type[AduanaError]) -> None:
    """Broken, missing or surplus answers, and errors, never look like decisions."""
    with pytest.raises(error):
        read_decisions("t", DecisionForm.SYSTEM_ONE, freeze_object(STATE), 1, body)


def test_tokens_are_estimated_where_the_server_does_not_count() -> None:
    """Without a usage report the tokens are estimated from what was sent."""
    found = read_decisions(
        "t", DecisionForm.SYSTEM_ONE, freeze_object(STATE), 1, json.dumps({"answers": ANSWERS}).encode()
    )
    assert found.usage.estimated
    assert found.usage.input > 0
