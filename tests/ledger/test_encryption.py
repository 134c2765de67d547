"""What is sealed opens only under its own key and name."""

import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.encryption import Seal


def test_it_opens_as_it_was_and_never_looks_the_same():
    """What is sealed opens as it was, and sealing the same content twice gives two different seals."""
    seal = Seal(b"k" * 32)
    first, second = seal.seal(b"content", b"name"), seal.seal(b"content", b"name")
    assert first != second
    assert b"content" not in first
    assert Seal(b"k" * 32).open(first, b"name") == seal.open(second, b"name") == b"content"


@pytest.mark.parametrize(
    ("secret", "name", "change"),
    [(b"x" * 32, b"name", bytes), (b"k" * 32, b"other", bytes), (b"k" * 32, b"name", lambda sealed: sealed[:-1] + b"!"),
     (b"k" * 32, b"name", lambda sealed: sealed[:8])],
)  # fmt: skip
def test_another_key_name_or_content_does_not_open(secret, name, change):
    """A seal does not open under another key or name, nor when it was changed or cut short."""
    sealed = Seal(b"k" * 32).seal(b"content", b"name")
    with pytest.raises(LedgerUnavailable):
        Seal(secret).open(change(sealed), name)
