"""Infilling: a prompt that asks for the text between a beginning and an end, in the model's own FIM tokens. Pure.

Most models want the beginning, the end, then the token that asks for the middle. Those without such a token (Codestral)
want the end first and go on behind the beginning. Pieces of other files come before both, in the form that llama-server
has for them (`format_prompt_infill` in its server-common.cpp), which is that of Qwen2.5-Coder.
"""

from collections.abc import Sequence

from gateway.core.errors import BadRequest
from gateway.core.request import Snippet
from gateway.engine.llama.vocabulary import Vocabulary


def infill_prompt(
    vocabulary: Vocabulary, prefix: Sequence[int], suffix: Sequence[int], model: str, before: Sequence[int] = ()
) -> tuple[int, ...]:
    """Return the prompt that asks for what stands between `prefix` and `suffix`, token ids without special tokens.

    `before` is what `snippet_tokens` made of other files.

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
    begin = (*begin, *before)
    if fim.middle < 0:
        return (*begin, fim.suffix, *suffix, fim.prefix, *prefix)
    return (*begin, fim.prefix, *prefix, fim.suffix, *suffix, fim.middle)


def snippet_tokens(vocabulary: Vocabulary, snippets: Sequence[Snippet], room: int) -> list[int]:
    """Return the tokens of pieces of other files; of what has no room in so many tokens, the end stays.

    Editors put the piece that matters most last.
    """
    if not snippets:
        return []
    fim = vocabulary.fim

    def tokens(text: str) -> list[int]:
        return vocabulary.tokenize(text, add_special=False, parse_special=False)

    found: list[int] = []
    if fim.repository >= 0:
        found += [fim.repository, *tokens("project\n")]
    for snippet in snippets:
        if fim.separator >= 0:
            found += [fim.separator, *tokens(f"{snippet.name}\n")]
        else:
            found += tokens("\n\n--- snippet ---\n\n")
        found += tokens(snippet.text)
    if fim.separator >= 0:
        found += [fim.separator, *tokens("file\n")]
    return found[max(0, len(found) - room) :] if room > 0 else []
