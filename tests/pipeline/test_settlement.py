"""The account of one request: what is kept of an answer, and what is only counted."""

from collections.abc import Iterator

import pytest

from gateway.core.delta import Delta, Finish, FinishReason, Text, UsageReport
from gateway.core.usage import Usage
from gateway.pipeline.settlement import RequestAccount
from tests.observe.conftest import make_receipt


def answer(pieces: int) -> Iterator[Delta]:
    """An answer of so many pieces of 1,000 characters."""
    for _ in range(pieces):
        yield Text(text="x" * 1_000, index=0)
    yield Finish(reason=FinishReason.STOP, index=0)
    yield UsageReport(usage=Usage(input=1, output=1))


@pytest.mark.parametrize(("pieces", "whole"), [(10, True), (10_000, False)])
def test_of_a_huge_answer_only_the_beginning_is_kept(pieces: int, whole: bool) -> None:
    """Its length is still counted, so that an answer that is cut off costs what was given of it."""
    account = RequestAccount(make_receipt(), None, lambda: 0.0)
    account.target = "home"
    for delta in answer(pieces):
        account.note(delta)
    account.check_end()
    assert account.text_is_whole is whole
    assert len(account.answer_text()) == (pieces * 1_000 if whole else 65_000)
    account.usage = None
    assert account.usage_so_far().output == int(pieces * 1_000 / 3.5)
