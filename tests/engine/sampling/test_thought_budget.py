"""A thought that is longer than its budget is ended with the model's own marker; nothing else is touched."""

import pytest

from gateway.engine.messages import ThoughtBudget
from gateway.engine.sampling.thought_budget import BudgetedThought

OPEN, CLOSE, PIECES = 1, 2, {1: b"<think>", 2: b"</think>", 3: b"\n"}


class Letters:
    """A vocabulary of letters, and of two markers."""

    size = 256

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes of a token."""
        return PIECES.get(token, bytes([token]))


class Never:
    """A grammar that counts what it is told."""

    def __init__(self) -> None:
        self.tokens: list[int] = []

    def permits(self, token: int) -> bool:
        """Everything but an x."""
        return token != ord("x")

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
