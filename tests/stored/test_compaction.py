"""Summaries that clients keep: sealed for their key, together with what their continuation inherits."""

import pytest

from gateway.core.errors import BadRequest
from gateway.core.labels import Label
from gateway.core.request import Inherited
from gateway.ledger.encryption import Seal
from gateway.stored import PREFIX, SealedSummaries, Summary
from gateway.wire.responses.stored_items import is_sealed

SUMMARY = Summary(
    text="They spoke of the harbour.",
    inherited=Inherited(label=Label.SENSITIVE, causes=frozenset({"id"}), tags=frozenset({"health"})),
)
SEALS = SealedSummaries(Seal(b"k" * 32, b"summaries"))


def test_a_summary_comes_back_as_it_was() -> None:
    """What was sealed opens for its owner, with its label; its text can't be read in it."""
    sealed = SEALS.seal("ana", SUMMARY)
    assert SEALS.open("ana", sealed) == SUMMARY
    assert sealed.startswith(PREFIX)
    assert is_sealed(sealed)
    assert "harbour" not in sealed


@pytest.mark.parametrize(
    ("owner", "change"),
    [
        ("ben", lambda sealed: sealed),
        ("ana", lambda sealed: sealed[:-8] + ("A" * 7 + "=" if sealed[-8:] != "A" * 7 + "=" else "B" * 7 + "=")),
        ("ana", lambda sealed: sealed[: len(sealed) // 2]),
        ("ana", lambda sealed: PREFIX),
        ("ana", lambda sealed: PREFIX + "no base64!"),
        ("ana", lambda sealed: SealedSummaries(Seal(b"x" * 32, b"summaries")).seal("ana", SUMMARY)),
        ("ana", lambda sealed: SealedSummaries(Seal(b"k" * 32, b"responses")).seal("ana", SUMMARY)),
    ],
)
def test_what_was_not_sealed_here_for_its_owner_is_refused(owner, change) -> None:
    """Another key's, a changed or a cut one, and one of another purpose or state directory does not open."""
    with pytest.raises(BadRequest) as caught:
        SEALS.open(owner, change(SEALS.seal("ana", SUMMARY)))
    assert caught.value.code == "compaction_not_readable"
