"""A thought that is longer than its budget is ended with the model's own marker; nothing else is touched."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.core.request import ResponseFormat
from gateway.engine.llama.vocabulary import open_vocabulary
from gateway.engine.messages import ThoughtBudget
from gateway.engine.sampling.grammar import GrammarCompiler
from gateway.engine.sampling.thought_budget import BudgetedThought
from gateway.local.embedded.text.constraint import grammar_of
from gateway.local.embedded.text.formats.answer_format import HERMES, AnswerFormat
from gateway.local.embedded.text.offer import Offer

OPEN, CLOSE, PIECES = 1, 2, {1: b"<think>", 2: b"</think>", 3: b"\n"}


class Letters:
    """A vocabulary of letters, and of two markers."""

    size = 256

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes of a token."""
        return PIECES.get(token, bytes([token]))


class Never:
    """A grammar that counts what it is told, and lets a thought end where it has so many tokens."""

    def __init__(self, ends_from: int = 0) -> None:
        self.tokens: list[int] = []
        self.ends_from = ends_from

    def permits(self, token: int) -> bool:
        """Everything but an x."""
        return token != ord("x")

    def permits_all(self, tokens: Sequence[int]) -> bool:
        """Whether a thought may end now."""
        return len(self.tokens) >= self.ends_from

    def took(self, token: int) -> bool:
        """Complete with a full stop."""
        self.tokens.append(token)
        return token == ord(".")


def write(text: str, *, tokens: int, begun: bool = False, inner: Never | None = None) -> str:
    """What comes of a model that wants to write this; the markers are tokens where they stand."""
    budget = ThoughtBudget(tokens=tokens, begun=begun, open="<think>", mark="</think>", close=(CLOSE, 3))
    held = BudgetedThought(budget, Letters(), inner)  # type: ignore[arg-type]
    wanted = [*text.replace("<think>", "\1").replace("</think>", "\2").encode()]
    written = b""
    while wanted:
        token = wanted[0]
        if held.permits(token):
            wanted.pop(0)
        else:
            (token,) = held.allowed().nonzero()[0].tolist()
        written += PIECES.get(token, bytes([token]))
        held.took(token)
    return written.decode()


@pytest.mark.parametrize(
    ("text", "begun", "expected"),
    [
        ("<think>abcdefg", False, "<think>abc</think>\ndefg"),
        ("abcdefg", True, "abc</think>\ndefg"),
        ("<think>ab</think>cdefg", False, "<think>ab</think>cdefg"),
        ("abcdefg", False, "abcdefg"),
        ("\n<think>abcdefg", False, "\n<think>abc</think>\ndefg"),
    ],
)
def test_a_long_thought_is_ended(text: str, begun: bool, expected: str) -> None:
    """After three tokens; an answer without a thought, or behind one, is as long as it likes."""
    assert write(text, tokens=3, begun=begun) == expected


def test_no_budget_at_all_ends_it_at_once() -> None:
    """The thought is there, and empty."""
    assert write("abc", tokens=0, begun=True) == "</think>\nabc"


def test_a_grammar_sees_every_token() -> None:
    """Those that end the thought, too."""
    inner = Never()
    write("<think>abcde", tokens=2, inner=inner)
    assert bytes(inner.tokens) == b"\1ab\2\3cde"


@pytest.mark.parametrize("tokens", range(9))
def test_a_thought_ends_between_two_characters(tokens: int) -> None:
    """No character is cut: the one that is being written when the budget ends is written to its end."""
    written = write("añ漢🙂xyz", tokens=tokens, begun=True)
    thought, _, rest = written.partition("</think>\n")
    assert thought + rest == "añ漢🙂xyz"
    assert tokens <= len(thought.encode()) < tokens + 4


def test_a_marker_behind_a_character_of_several_tokens_is_seen() -> None:
    """A mark that is no ASCII comes in pieces, and still ends the thought by itself."""
    budget = ThoughtBudget(tokens=9, begun=True, open="", mark="終", close=(CLOSE,))
    held = BudgetedThought(budget, Letters(), None)  # type: ignore[arg-type]
    for token in "a終0123456789".encode():
        assert held.permits(token)
        held.took(token)


def test_bytes_that_are_no_text_end_a_thought_all_the_same() -> None:
    """A model that writes nothing but beginnings of characters does not think for ever."""
    budget = ThoughtBudget(tokens=2, begun=True, open="<think>", mark="</think>", close=(CLOSE,))
    held = BudgetedThought(budget, Letters(), None)  # type: ignore[arg-type]
    written = 0
    while held.permits(0xF0):
        held.took(0xF0)
        written += 1
    assert held.permits(CLOSE)
    assert 2 <= written < 16


def test_a_thought_is_not_ended_where_the_grammar_refuses_it() -> None:
    """It goes on until the grammar lets it end: an answer with a longer thought is better than an error."""
    assert write("abcdefgh", tokens=2, begun=True, inner=Never(ends_from=5)) == "abcde</think>\nfgh"


@pytest.mark.model
def test_no_budget_breaks_an_answer_in_json(starter: Path) -> None:
    """A thought whose characters take several tokens each can end at every budget, and JSON follows."""
    form = AnswerFormat(calls=HERMES, thinks=True)
    wanted = ResponseFormat(kind="json_schema", schema={"type": "object", "properties": {"a": {"type": "string"}}})
    with open_vocabulary(starter) as vocabulary:
        grammar = grammar_of(Offer(), wanted, form, vocabulary.controls(), "<think>\n", thinking=True)
        compiler = GrammarCompiler(vocabulary)
        close, thought, answer = (
            vocabulary.tokenize(text, add_special=False, parse_special=True)
            for text in ("</think>", "考える🙂🙃漢字", '{"a":"b"}')
        )
        for tokens in range(1, len(thought) - 4):
            budget = ThoughtBudget(tokens=tokens, begun=True, open="<think>", mark="</think>", close=tuple(close))
            held = BudgetedThought(budget, vocabulary, compiler.compile(grammar))
            rest = iter(thought)
            while not held.allowed()[close[0]] or held.permits(thought[0]):
                held.took(next(rest))
            for token in [*close, *answer]:
                assert held.permits(token)
                held.took(token)
