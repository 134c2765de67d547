"""Parse and answer `/v1/systemone` and `/v1/decisions`: questions to models that decide and write no text. Pure.

System One has a `state` and questions by name, as TypeSafe, llama.cpp, Ollama and vLLM have it; OpenAI's Decisions API
an `input` and a list of questions. What is in a question is the model's affair.
"""

from collections.abc import Mapping

from gateway.core.delta import Decisions
from gateway.core.document import Json, JsonObject, thaw
from gateway.core.request import DecisionForm, DecisionsRequest, Dialect
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.encoding import encode_json
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.json_body import parse_request

_MOST_QUESTIONS = 1024
_LONGEST_MODEL = 256


def parse_systemone(body: bytes, unnamed: str = "") -> DecisionsRequest:
    """Parse the body of `/v1/systemone`.

    Raises:
        BadRequest: The body is no JSON object, or a field is missing or has the wrong type.
    """
    document = parse_request(body, unnamed)
    questions = document.get("questions")
    if not isinstance(questions, Mapping) or not all(isinstance(one, Mapping) for one in questions.values()):
        raise bad_field("questions", "must be an object with a question under each name.")
    return _request(document, DecisionForm.SYSTEM_ONE, "state", len(questions))


def parse_decisions(body: bytes, unnamed: str = "") -> DecisionsRequest:
    """Parse the body of `/v1/decisions`.

    Raises:
        BadRequest: The body is no JSON object, or a field is missing or has the wrong type.
    """
    document = parse_request(body, unnamed)
    questions = Fields(document).objects("questions", _MOST_QUESTIONS)
    return _request(document, DecisionForm.OPENAI, "input", len(questions))


def _request(document: JsonObject, form: DecisionForm, about: str, questions: int) -> DecisionsRequest:
    refuse_overrides(document)
    fields = Fields(document)
    model = fields.required_string("model", longest=_LONGEST_MODEL)
    if not model.isprintable():
        raise bad_field("model", "has control characters.")
    if not 0 < questions <= _MOST_QUESTIONS:
        raise bad_field("questions", f"must have at least one question, and at most {_MOST_QUESTIONS}.")
    given: Json = document.get(about)
    if not isinstance(given, str | tuple | Mapping) or not given:
        raise bad_field(about, "is missing or empty. Send what the questions are about.")
    if fields.boolean("stream"):
        raise bad_field("stream", "decisions come in one piece. Leave it out.")
    return DecisionsRequest(
        dialect=Dialect.OPENAI,
        model=model,
        document=document,
        form=form,
        questions=questions,
        text=given if isinstance(given, str) else "",
    )


def decisions_body(request: DecisionsRequest, decisions: Decisions) -> bytes:
    """Encode the answer to `request`."""
    usage = decisions.usage
    counts = {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}
    if request.form is DecisionForm.OPENAI:
        counts["total_tokens"] = usage.prompt_tokens + usage.completion_tokens
    return encode_json({"model": request.model, "answers": thaw(decisions.answers), "usage": counts})
