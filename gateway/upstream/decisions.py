"""Ask other servers for decisions: where they are asked, and the answers that they return. Pure.

Sources: llama.cpp's server (`POST /v1/systemone`), LocalAI's and LiteLLM's pages on decision models.
"""

from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.delta import Decisions
from gateway.core.document import JsonObject, freeze
from gateway.core.errors import TargetProtocolError
from gateway.core.request import DecisionForm
from gateway.upstream.errors import complaint, fault_in_stream
from gateway.upstream.usage import estimated_usage, reported_usage

PATHS = MappingProxyType({DecisionForm.SYSTEM_ONE: "/systemone", DecisionForm.OPENAI: "/decisions"})


class _Answer(msgspec.Struct):
    answers: Any = None
    usage: Any = None
    error: Any = None


def read_decisions(target: str, form: DecisionForm, document: JsonObject, questions: int, body: bytes) -> Decisions:
    """Return another server's answers to `questions` questions.

    Raises:
        AduanaError: The answer reports an error.
        TargetProtocolError: The answer can't be read, or does not have one answer for each question.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        answers = freeze(answer.answers)
    except (ValueError, RecursionError) as error:
        raise TargetProtocolError(f"The target {target!r} sent decisions that can't be read.") from error
    if answer.error:
        raise fault_in_stream(target, complaint(answer.error))
    kind = dict if form is DecisionForm.SYSTEM_ONE else list
    if not isinstance(answer.answers, kind) or len(answer.answers) != questions:
        raise TargetProtocolError(f"The target {target!r} did not send one answer for each question.")
    usage = reported_usage(answer.usage, answered=False) or estimated_usage(document, answer=0, reasoning=0)
    return Decisions(answers=answers, usage=usage)
