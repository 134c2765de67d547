"""Moderations: what the model is asked, what it may say, and OpenAI's form of the answer."""

import json
from typing import Any

import jsonschema
import openai.types
import pytest

from gateway.core.document import thaw
from gateway.core.errors import BadRequest, TargetProtocolError
from gateway.core.request import Endpoint, Media, ModerationRequest, endpoint_of
from gateway.wire.openai.moderations import CATEGORIES, moderations_body, parse_moderations, result

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
TEXT = {"type": "text", "text": "look"}


def parse(given: Any, **fields: Any) -> tuple[ModerationRequest, ...]:
    return parse_moderations(json.dumps({"model": "auto", "input": given, **fields}).encode())


@pytest.mark.parametrize(
    ("given", "asked"),
    [("one", ["one"]), (["one", "two"], ["one", "two"]), ([TEXT], ["look"]), ([TEXT, PICTURE], ["look"])],
)
def test_each_input_is_a_question_of_its_own(given: Any, asked: list[str]) -> None:
    """Texts are asked about one by one, the parts of one input together; each as the endpoint that no cloud serves."""
    questions = parse(given)
    assert [question.messages[-1].text for question in questions] == asked
    assert {endpoint_of(question) for question in questions} == {Endpoint.MODERATIONS}
    assert (Media.IMAGE in questions[0].media) is (given == [TEXT, PICTURE])


def test_the_model_can_name_categories_and_nothing_else() -> None:
    """The schema has the field's categories and is closed."""
    schema = thaw(parse("x")[0].response_format.schema)
    for answer in ({"categories": []}, {"categories": ["violence", "self-harm/intent"]}):
        jsonschema.validate(answer, schema)
    for answer in ({"categories": ["fine"]}, {"categories": [], "more": 1}, {}, ["violence"], {"categories": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(answer, schema)


def test_the_answer_is_openais() -> None:
    """Its own types read the answer; scores are 1 for what was named, and pictures count where they are looked at."""
    text, picture = parse("x")[0], parse([TEXT, PICTURE])[0]
    results = [result(text, '{"categories": []}'), result(picture, '{"categories": ["violence", "hate"]}')]
    found = openai.types.ModerationCreateResponse.model_validate_json(
        moderations_body(results, id="modr-1", model="auto"), strict=True
    )
    assert [one.flagged for one in found.results] == [False, True]
    assert found.results[1].categories.violence
    assert found.results[1].category_scores.hate == 1.0
    assert found.results[1].category_scores.sexual == 0.0
    assert found.results[1].category_applied_input_types.violence == ["text", "image"]
    assert found.results[1].category_applied_input_types.hate == ["text"]
    aliases = {field.alias or name for name, field in openai.types.moderation.Categories.model_fields.items()}
    assert aliases == CATEGORIES.keys()


@pytest.mark.parametrize("answer", ["", "{", '{"categories": ["fine"]}', '{"categories": 1}', "[" * 100_000])
def test_an_answer_that_is_none_is_an_error(answer: str) -> None:
    """A model that did not answer as it was held to has moderated nothing: that is never 'not flagged'."""
    with pytest.raises(TargetProtocolError):
        result(parse("x")[0], answer)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (None, "input"), ([], "input"), (7, "input"), (["a"] * 33, "input"), (["a", TEXT], "input[0]"),
        ([{"type": "sound"}], "input[0].type"), ([{"type": "image_url"}], "input[0].image_url"),
        ([{"type": "image_url", "image_url": {}}], "input[0].image_url.url"), ([{"type": "text"}], "input[0].text"),
    ],
)  # fmt: skip
def test_bad_bodies(given: Any, param: str) -> None:
    """A bad input is refused by its name."""
    with pytest.raises(BadRequest) as caught:
        parse(given)
    assert caught.value.param == param


def test_what_is_not_used_is_named() -> None:
    """Other fields of a body are named in the answer's header."""
    assert parse("x", user="ana")[0].left_out == ("user",)
