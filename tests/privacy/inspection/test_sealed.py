"""What a cloud sealed is no key when it comes back in its place; elsewhere, and from anybody else, it may be one."""

from typing import Any

import pytest

from gateway.core.document import freeze_object
from gateway.core.finding import Inspection
from gateway.core.provider_fields import RESPONSES, sealed, signed
from gateway.privacy import Inspector
from gateway.privacy.inspection.sealed import SealedPieces

PIECE = "q83Kz0vTfLw2Xb7NnYhR5sJcGm9DpEaUo4iVtWQxB1yCk6ZrHSgMOeAuP8dFjl3I"
IBAN = "ES91 2100 0418 4502 0005 1332"
PIECES = SealedPieces()


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(hyperscan=False, sealed=PIECES)


def look(inspector: Inspector, **message: Any) -> Inspection:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "so", **message}]
    return inspector.inspect(freeze_object({"model": "m", "messages": turns}))


def answered(piece: str) -> None:
    PIECES.received(freeze_object({"reasoning_details": [sealed(piece, RESPONSES, 0)]}))


def test_a_piece_counts_until_its_cloud_has_sent_it(inspector: Inspector) -> None:
    """Random letters look like a key wherever they stand; those that a cloud sent are none where it sealed them."""
    holders: list[dict[str, Any]] = [
        {"reasoning_details": [sealed(PIECE, RESPONSES, 0)]},
        {"reasoning_details": [signed("so", PIECE, 0)]},
        {"tool_calls": [{"extra_content": {"google": {"thought_signature": PIECE}}}]},
    ]
    assert all(look(inspector, **holder).findings for holder in holders)
    answered(PIECE)
    assert not any(look(inspector, **holder).findings for holder in holders)
    assert look(inspector, content=f"My key is {PIECE}").findings
    assert look(inspector, note=PIECE).findings
    assert look(inspector, reasoning_details=[sealed(PIECE[::-1], RESPONSES, 0)]).findings


def test_what_can_be_read_counts_also_where_a_cloud_sent_it(inspector: Inspector) -> None:
    """An account number in the place of a sealed piece is found, whoever wrote it there."""
    answered(IBAN)
    assert look(inspector, reasoning_details=[sealed(IBAN, RESPONSES, 0)]).findings


def test_only_sealed_places_of_an_answer_are_remembered(inspector: Inspector) -> None:
    """Text in an answer stays text: what it says is found when it comes back."""
    other = PIECE.swapcase()
    PIECES.received(freeze_object({"note": other, "reasoning_details": [{"text": other}]}))
    assert look(inspector, reasoning_details=[sealed(other, RESPONSES, 0)]).findings
