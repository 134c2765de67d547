"""What a model can do besides text: vectors and ranks, as the worker sends them. Pure."""

import numpy as np

from gateway.core.errors import BadRequest
from gateway.core.request import AnyRequest, ChatRequest, CompletionRequest, EmbeddingsRequest, RerankRequest
from gateway.core.usage import Usage
from gateway.engine.messages import Ready
from gateway.local.embedded.text.prompts import Prepared

# Forms of an answer that only other servers know (vLLM, SGLang). Source: their OpenAI-compatible APIs.
_FOREIGN_FORMS = ("guided_regex", "guided_choice", "guided_grammar", "structured_outputs", "regex", "ebnf")


def refuse_unable(request: AnyRequest, ready: Ready, target: str) -> None:
    """Refuse what this model was not made for.

    Raises:
        BadRequest: the model can't do it; says why.
    """
    problem = ""
    match request:
        case RerankRequest() if not ready.ranks:
            problem = f"The model of {target!r} can't rank texts: that takes a model with a classification head."
        case EmbeddingsRequest() if ready.ranks:
            problem = f"The model of {target!r} ranks texts and makes no vectors of them."
        case ChatRequest() | CompletionRequest() if not ready.generates:
            what = "ranks texts" if ready.ranks else "makes vectors of texts"
            problem = f"The model of {target!r} {what} and writes none."
        case ChatRequest() | CompletionRequest():
            _refuse_foreign_form(request)
        case _:
            pass
    if problem:
        raise BadRequest(f"{problem} Ask for another model.", code="not_supported", param="model")


def _refuse_foreign_form(request: ChatRequest | CompletionRequest) -> None:
    name = next((name for name in _FOREIGN_FORMS if request.document.get(name)), None)
    if name is not None:
        raise BadRequest(
            f"'{name}' is another server's word for the form of an answer. "
            "Use 'response_format' with a JSON schema, or 'grammar' in llama.cpp's GBNF.",
            code="not_supported",
            param=name,
        )


def vector_of(raw: bytes, dimensions: int | None = None) -> tuple[float, ...]:
    """Decode a little-endian float32 vector; keep its first `dimensions` numbers, scaled to length one again."""
    vector = np.frombuffer(raw, "<f4")
    if dimensions is not None and dimensions < len(vector):
        vector = vector[:dimensions] / max(float(np.linalg.norm(vector[:dimensions])), 1e-12)
    return tuple(vector.tolist())


def usage_of(prepared: Prepared) -> Usage:
    """Count all tokens as read, none as written."""
    return Usage(input=sum(len(prompt) for prompt in prepared.prompts))
