"""The tokens that are set aside for a request before anybody has counted them."""

from gateway.core.request import AnyRequest, ChatRequest, CompletionRequest
from gateway.pipeline.rate_limits.meter import Need

USUAL_ANSWER = 1_000  # tokens of an answer that nobody limits; what goes beyond counts when it has come


def need_of(request: AnyRequest, prompt_tokens: int | None, cap: int | None) -> Need:
    """Return the tokens that a request may take. `cap`: the longest answer that the policy lets it have."""
    prompt = prompt_tokens or 0
    match request:
        case ChatRequest():
            answers = max(1, request.sampling.n)
        case CompletionRequest():
            answers = max(1, request.sampling.n) * len(request.prompts)
        case _:
            return Need(prompt=prompt)
    wished = request.sampling.max_tokens
    longest = wished if cap is None else cap if wished is None else min(wished, cap)
    return Need(prompt=prompt, answer=answers * (USUAL_ANSWER if longest is None else longest))
