"""Which views of a text are worth making: one pass over some kinds says the same as one for each."""

import pytest

from gateway.privacy.decoding.views import TRIGGERS, ViewKind
from gateway.privacy.decoding.worth import Kinds, kinds_of
from tests.bench.privacy.disguises import HARMLESS, hidden

SOME = [*TRIGGERS][::2]
OTHERS = [*TRIGGERS][1::2]
TEXTS = [*HARMLESS, *[text for _, text in hidden(7)]]


@pytest.mark.parametrize("among", [SOME, OTHERS, [*TRIGGERS]])
def test_some_kinds_are_told_as_all_are(among: list[ViewKind]) -> None:
    """Also in texts that are longer than what is looked at in one pass."""
    kinds = Kinds(among)
    for text in (*TEXTS, *[text + " and so on" * 2_000 for text in TEXTS[:20]]):
        assert kinds.of(text) == kinds_of(text) & frozenset(among)


def test_disguises_are_worth_a_view_and_plain_words_none() -> None:
    """Else the test above would compare nothing."""
    assert sum(bool(kinds_of(text)) for text in TEXTS) > len(TEXTS) / 2
    assert not kinds_of("Please tell me how the weather was in spring")
