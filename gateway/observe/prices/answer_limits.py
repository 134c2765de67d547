"""How long an answer may become at most where a request sets no limit, as providers document it for their models.

The longest beginning of the model's name that stands here counts. Sources: the model pages of OpenAI, Anthropic,
Google and DeepSeek ("max output tokens"), November 2025; reasoning counts as a part of the answer.
"""

UNKNOWN = 131_072  # tokens, of a model that stands nowhere: no provider of ours documents more for one answer
_ANSWERS = {
    "gpt-3.5": 4_096,
    "gpt-4": 8_192,
    "gpt-4-turbo": 4_096,
    "gpt-4o": 16_384,
    "gpt-4.1": 32_768,
    "gpt-4.5": 16_384,
    "gpt-5": 128_000,
    "o1": 100_000,
    "o3": 100_000,
    "o4": 100_000,
    "claude-3-haiku": 4_096,
    "claude-3-opus": 4_096,
    "claude-3-5": 8_192,
    "claude-3-7": 128_000,
    "claude-haiku-4": 64_000,
    "claude-sonnet-4": 64_000,
    "claude-opus-4-0": 32_000,
    "claude-opus-4-1": 32_000,
    "claude-opus-4-2": 32_000,
    "claude-opus-4-5": 64_000,
    "gemini-1.5": 8_192,
    "gemini-2.0": 8_192,
    "gemini-2.5": 65_536,
    "gemini-3": 65_536,
    "deepseek-chat": 8_192,
    "deepseek-reasoner": 65_536,
}
# Its price is low and its pictures are counted dearly: 2,833 tokens and 5,667 for each of up to eight tiles.
_PICTURES = {"gpt-4o-mini": 48_169}


def longest_answer(model: str, window: int | None) -> int:
    """Return the most tokens of one answer of a model. `window`: its context in tokens, where that is known."""
    documented = _found(model, _ANSWERS)
    if documented is None:
        documented = UNKNOWN
    return documented if window is None else min(documented, window)


def picture_tokens(model: str, usual: int) -> int:
    """Return the most tokens that one picture counts for."""
    documented = _found(model, _PICTURES)
    return usual if documented is None else max(usual, documented)


def _found(model: str, table: dict[str, int]) -> int | None:
    name = model.rsplit("/", 1)[-1].lower()
    longest = max((start for start in table if name.startswith(start)), key=len, default=None)
    return None if longest is None else table[longest]
