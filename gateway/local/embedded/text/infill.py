"""Infilling: a prompt that asks for the text between a beginning and an end, in the model's own FIM tokens. Pure.

Most models want the beginning, the end, then the token that asks for the middle. Those without such a token (Codestral)
want the end first and go on behind the beginning.
"""

from collections.abc import Sequence

from gateway.core.errors import BadRequest
from gateway.engine.llama.vocabulary import Vocabulary


def infill_prompt(vocabulary: Vocabulary, prefix: Sequence[int], suffix: Sequence[int], model: str) -> tuple[int, ...]:
    """Return the prompt that asks for what stands between `prefix` and `suffix`, token ids without special tokens.

    Raises:
        BadRequest: the vocabulary of `model` has no FIM tokens, so it was not trained for this.
    """
    fim = vocabulary.fim
    if fim.prefix < 0 or fim.suffix < 0:
        raise BadRequest(
            f"The model {model!r} can't insert text: it has no tokens for that. Send no 'suffix', or ask a model "
            "that was trained to fill in the middle, such as Qwen2.5-Coder.",
            code="not_supported",
            param="suffix",
        )
    begin = (vocabulary.bos,) if vocabulary.adds_bos else ()
    if fim.middle < 0:
        return (*begin, fim.suffix, *suffix, fim.prefix, *prefix)
    return (*begin, fim.prefix, *prefix, fim.suffix, *suffix, fim.middle)
