"""A text that is tried is cut where something was found, and nowhere else."""

import pytest

from gateway.console.views.trial import Piece, pieces
from gateway.policy.evaluation.explanation import FindingLine

TEXT = "Pay to ES91, Ana."


def found(category: str, start: int, end: int, path: str = "$.messages[0].content") -> FindingLine:
    """A finding at a place."""
    return FindingLine(category=category, path=path, start=start, end=end)


@pytest.mark.parametrize(
    ("findings", "marked"),
    [
        ((), []),
        ((found("financial.iban", 7, 11),), [("ES91", ("financial.iban",))]),
        ((found("a", 7, 11), found("b", 9, 16)), [("ES91, Ana", ("a", "b"))]),
        ((found("a", 0, 17), found("b", 0, 3)), [(TEXT, ("a", "b"))]),
        ((found("b", 7, 11), found("a", 0, 7)), [("Pay to ", ("a",)), ("ES91", ("b",))]),
        ((found("a", 7, 11, "$.messages[1].content"), found("b", 5, 5), found("c", 9, 99)), []),
    ],
)
def test_what_was_found_is_marked(findings, marked) -> None:
    """Findings that overlap are one piece; what stands elsewhere, or nowhere in the text, marks nothing."""
    cut = pieces(TEXT, findings)
    assert "".join(piece.text for piece in cut) == TEXT
    assert [(piece.text, piece.categories) for piece in cut if piece.categories] == marked


def test_an_empty_text_has_no_pieces() -> None:
    """Nothing was typed, so nothing is marked."""
    assert pieces("", ()) == []
    assert pieces("a", ()) == [Piece(text="a")]
