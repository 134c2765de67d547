"""The sliding window: what it counts, and when it has room again."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pipeline.rate_limits.window import SECONDS, Window

LIMIT = 10


@given(gaps=st.lists(st.floats(0, 40), max_size=80))
def test_no_sixty_seconds_hold_more_requests_than_the_limit(gaps: list[float]) -> None:
    """Whenever requests come: those that fit are never more than the limit in any window, wherever it begins."""
    window, now, admitted = Window(), 0.0, []
    for gap in gaps:
        now += gap
        window.advance(now)
        if window.wait_for_request(3, now) == 0:
            window.add(now, 0)
            admitted.append(now)
    for first in admitted:
        assert sum(first <= other < first + SECONDS for other in admitted) <= 3


@given(
    requests=st.lists(
        st.tuples(st.floats(0, 30), st.integers(0, LIMIT), st.floats(0, 1), st.floats(0, 200)), max_size=60
    )
)
def test_no_sixty_seconds_hold_more_tokens_than_the_limit(requests: list[tuple[float, int, float, float]]) -> None:
    """However long answers take: while none uses more than its estimate, no window has more than the limit."""
    window, now = Window(), 0.0
    running: list[tuple[float, object, int, int]] = []
    used: list[tuple[float, int]] = []
    for gap, wanted, share, seconds in requests:
        now += gap
        for one in sorted((one for one in running if one[0] <= now), key=lambda one: one[0]):
            running.remove(one)
            window.advance(one[0])
            window.correct(one[1], one[2], one[3], one[0])
        window.advance(now)
        if window.wait_for_tokens(LIMIT, wanted, now) == 0:
            real = int(wanted * share)
            running.append((now + seconds, window.add(now, wanted), wanted, real))
            used.append((now, real))
        assert 0 <= window.tokens <= LIMIT
    for first, _ in used:
        assert sum(tokens for at, tokens in used if first <= at < first + SECONDS) <= LIMIT


@given(tokens=st.lists(st.tuples(st.floats(0, 20), st.integers(1, LIMIT)), min_size=1, max_size=30))
def test_the_wait_is_exact(tokens: list[tuple[float, int]]) -> None:
    """After the time that it names there is room, and a moment before there is not."""
    window, now = Window(), 0.0
    for gap, wanted in tokens:
        now += gap
        window.advance(now)
        wait = window.wait_for_tokens(LIMIT, wanted, now)
        assert 0 <= wait <= SECONDS + 1e-6
        if wait > 0.001:
            window.advance(now + wait - 0.001)
            assert window.wait_for_tokens(LIMIT, wanted, now + wait - 0.001) > 0
        now += wait + 1e-6
        window.advance(now)
        assert window.wait_for_tokens(LIMIT, wanted, now) == 0
        window.add(now, wanted)


def test_what_goes_beyond_an_estimate_counts_when_it_is_known() -> None:
    """An answer that was longer than anybody allowed for makes the next ones wait, also long after it was admitted."""
    window = Window()
    entry = window.add(0.0, 4)
    window.advance(100.0)
    window.correct(entry, 4, 25, 100.0)
    assert window.tokens == 21
    assert window.wait_for_tokens(LIMIT, 1, 100.0) == pytest.approx(SECONDS)
    window.advance(100.0 + SECONDS)
    assert window.empty


def test_what_never_fits_is_said() -> None:
    """No wait makes room for more than all."""
    assert math.isinf(Window().wait_for_tokens(LIMIT, LIMIT + 1, 0.0))
    assert math.isinf(Window().wait_for_request(0, 0.0))


def test_a_flood_takes_little_memory() -> None:
    """However many requests come in a minute, they are at most 1,201 entries."""
    window = Window()
    for number in range(60_000):
        window.advance(number / 1000)
        window.add(number / 1000, 1)
    assert window.requests == 60_000
    assert len(window._entries) <= 1_201
