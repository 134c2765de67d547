"""What takes long is known while it runs: by its target's word, else by how long such work took before."""

import pytest

from gateway.core.progress import Progress
from gateway.core.request import Endpoint
from gateway.observe.long_work import LongWork
from tests.observe.conftest import began, decided, make_receipt, make_settlement, settled


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def drawing(request_id: str = "r1", key: str = "app", **changes: object):  # type: ignore[no-untyped-def]
    return make_receipt(request_id, endpoint=Endpoint.IMAGES, key=key, **changes)


def test_work_is_as_far_as_work_before_it_was_by_then() -> None:
    """The first one says nothing; the next one is half done after half the time, and never done before it ends."""
    clock = Clock()
    work = LongWork(clock=clock)
    for number, expected in (("r1", (None, None)), ("r2", (0.5, 5.0))):
        receipt = drawing(number)
        work.on(decided(receipt))
        work.on(began(number))
        clock.now += 5
        [seen] = work.running("app")
        assert (seen.share, seen.remaining) == expected
        clock.now += 5
        work.on(settled(receipt, make_settlement(number)))
        assert work.running() == ()
    receipt = drawing("r3")
    work.on(decided(receipt))
    work.on(began("r3"))
    clock.now += 1000
    assert work.running()[0].share == pytest.approx(0.99)


def test_a_targets_own_word_goes_first() -> None:
    """A quarter done after five seconds takes fifteen more."""
    clock, progress = Clock(), Progress()
    work = LongWork(clock=clock)
    work.on(decided(drawing()))
    work.on(began("r1", progress))
    clock.now += 5
    progress.share = 0.25
    [seen] = work.running()
    assert (seen.share, seen.remaining) == (0.25, 15.0)


def test_only_long_work_that_goes_somewhere_is_kept() -> None:
    """Chats are not long work, nothing is kept of a refused request, and each key sees its own."""
    work = LongWork()
    work.on(decided(make_receipt("r1")))
    work.on(decided(drawing("r2", permitted=())))
    work.on(decided(drawing("r3", key="other")))
    assert work.running("app") == ()
    assert [one.request_id for one in work.running()] == ["r3"]
