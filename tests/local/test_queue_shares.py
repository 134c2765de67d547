"""Shares of a queue: what a flood may take of it, and what is left for others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.queue_shares import QueueShares


def flooded(shares: QueueShares, key: str) -> int:
    """Take places for a key until it gets no more; return how many it got."""
    count = 0
    while shares.fits(key):
        shares.take(key)
        count += 1
    return count


@pytest.mark.parametrize(("queue", "waiting"), [(0, 0), (1, 1), (2, 1), (3, 2), (6, 4), (64, 42)])
def test_one_key_alone_has_all_slots_and_two_thirds_of_the_queue(queue: int, waiting: int) -> None:
    """The rest stays free for others, in a queue of any length that has a rest."""
    assert flooded(QueueShares(slots=8, queue=queue), "flood") == 8 + waiting


def test_a_flood_can_not_keep_a_light_key_out() -> None:
    """Any number of requests under one key, or under several, leaves a place for somebody new."""
    shares = QueueShares(slots=8, queue=64)
    for flood in ("a", "b", "c"):
        flooded(shares, flood)
        assert shares.fits("light")
    shares.take("light")
    assert not shares.fits("a")


def test_a_light_key_waits_behind_one_of_each_other_key_and_not_behind_the_flood() -> None:
    """Keys take turns, and the expected wait counts on it."""
    shares = QueueShares(slots=4, queue=60)
    assert shares.ahead("flood") is None
    assert flooded(shares, "flood") == 44
    assert (shares.ahead("flood"), shares.ahead("light")) == (40, 1)


def test_a_request_for_many_answers_counts_as_many() -> None:
    """Ten answers take ten places."""
    shares = QueueShares(slots=2, queue=12)
    assert shares.fits("a", 10)
    assert not shares.fits("a", 11)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=200))
def test_no_sequence_of_events_overfills_the_queue(events: list[tuple[str, bool]]) -> None:
    """However keys come and go: never more than slots and queue hold, and free slots are never refused."""
    shares, held = QueueShares(slots=3, queue=9), dict.fromkeys("abcd", 0)
    for key, comes in events:
        if comes and shares.fits(key):
            shares.take(key)
            held[key] += 1
        elif comes:
            assert sum(held.values()) >= 3
        elif held[key]:
            shares.give_back(key)
            held[key] -= 1
        assert sum(held.values()) <= 12
        assert shares.waiting == max(0, sum(held.values()) - 3)


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 4), st.integers(0, 12))
def test_the_places_left_are_those_that_can_be_taken(before: list[str], slots: int, queue: int) -> None:
    """What a key is told that it may still send is what it gets, and never more than it could get alone."""
    shares = QueueShares(slots=slots, queue=queue)
    for key in before:
        if shares.fits(key):
            shares.take(key)
    left = shares.left("a")
    assert left == flooded(shares, "a")
    assert shares.left("a") == 0
    assert left <= shares.most
