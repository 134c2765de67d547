"""The circuit breaker decides when a target is left alone and when it is asked again."""

import pytest

from gateway.core.errors import (
    AduanaError,
    ContextLengthExceeded,
    TargetBusy,
    TargetError,
    TargetMisconfigured,
    TargetRejected,
    TargetUnavailable,
)
from gateway.upstream.circuit_breaker import CircuitBreaker, CircuitBreakerSettings

SETTINGS = CircuitBreakerSettings(
    failures=3, first_hold=2.0, longest_hold=8.0, rate_limit_hold=1.0, credentials_hold=30.0
)
FAULT = TargetError("x")


def asked(breaker: CircuitBreaker, now: float, error: AduanaError | None) -> bool:
    """Whether the target was asked."""
    try:
        breaker.admit("t", now)
    except TargetUnavailable as refusal:
        held = refusal
    else:
        breaker.record(error, now)
        return True
    assert held.code == "target_held"
    assert held.retry_after is not None
    assert held.retry_after > 0
    return False


def test_failures_in_a_row_open_it() -> None:
    """Failures in a row open the breaker; a success in between starts the count again."""
    breaker = CircuitBreaker(SETTINGS)
    history = [FAULT, FAULT, None, FAULT, FAULT, FAULT]
    assert all(asked(breaker, 0.0, error) for error in history)
    assert not asked(breaker, 1.9, None)
    assert breaker.open_until(1.9) == 2.0
    assert asked(breaker, 2.0, None)
    assert breaker.open_until(2.0) is None


def test_each_hold_is_longer_until_the_limit() -> None:
    """Holds last 2, 4, 8, 8 seconds; a success makes the next one short again."""
    breaker = CircuitBreaker(SETTINGS)
    now = 0.0
    holds = []
    for _ in range(3):
        asked(breaker, now, FAULT)
    for _ in range(4):
        until = breaker.open_until(now)
        assert until is not None
        holds.append(until - now)
        now = until
        asked(breaker, now, FAULT)
    assert holds == [2.0, 4.0, 8.0, 8.0]


def test_one_probe_at_a_time() -> None:
    """After the hold a single request tries the target; the others wait for its outcome."""
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(3):
        asked(breaker, 0.0, FAULT)
    breaker.admit("t", 3.0)
    with pytest.raises(TargetUnavailable):
        breaker.admit("t", 3.0)
    breaker.release()
    breaker.admit("t", 3.0)
    breaker.record(None, 3.1)
    breaker.admit("t", 3.1)
    breaker.admit("t", 3.1)


def test_a_probe_that_begins_to_answer_lets_the_others_in() -> None:
    """When the trying request is being answered the others are let in; if it breaks, the target is held again."""
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(3):
        asked(breaker, 0.0, FAULT)
    breaker.admit("t", 3.0)
    breaker.answering(3.1)
    breaker.admit("t", 3.2)
    breaker.record(FAULT, 3.3)
    assert breaker.open_until(3.3) is not None


def test_breaking_off_again_and_again_opens_it() -> None:
    """An answer that begins is no success before it has ended."""
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(3):
        breaker.admit("t", 0.0)
        breaker.answering(0.0)
        breaker.record(FAULT, 0.0)
    assert breaker.open_until(0.0) == 2.0


def test_an_answer_that_begins_does_not_end_a_hold() -> None:
    """A hold for a time that the target named itself is not ended by an answer that begins."""
    breaker = CircuitBreaker(SETTINGS)
    breaker.admit("t", 0.0)
    asked(breaker, 0.0, TargetBusy("x", retry_after=7.0))
    breaker.answering(1.0)
    assert breaker.open_until(1.0) == 7.0


def test_requests_under_way_do_not_prolong_a_hold() -> None:
    """Requests that were under way when the breaker opened neither lengthen the hold by failing nor end it."""
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(8):
        breaker.admit("t", 0.0)
    for _ in range(8):
        breaker.record(FAULT, 0.5)
    assert breaker.open_until(0.5) == 2.5
    breaker.record(None, 0.6)
    assert breaker.open_until(0.6) == 2.5


@pytest.mark.parametrize(
    ("error", "hold"),
    [
        (TargetBusy("x", retry_after=7.0), 7.0),
        (TargetBusy("x"), 1.0),
        (TargetMisconfigured("x"), 30.0),
        (TargetUnavailable("x", retry_after=4.0), 4.0),
        (TargetUnavailable("x"), None),
        (ContextLengthExceeded("x"), None),
        (TargetRejected("x"), None),
    ],
)
def test_what_holds_at_once(error: AduanaError, hold: float | None) -> None:
    """A time that the target named and refused credentials hold it at once; a client's own fault holds nothing."""
    breaker = CircuitBreaker(SETTINGS)
    asked(breaker, 0.0, error)
    assert breaker.open_until(0.0) == hold
    assert breaker.misconfigured is isinstance(error, TargetMisconfigured)


def test_credentials_may_be_mended() -> None:
    """A target that refused its credentials is no longer misconfigured after it answers well."""
    breaker = CircuitBreaker(SETTINGS)
    asked(breaker, 0.0, TargetMisconfigured("x"))
    assert asked(breaker, 30.0, None)
    assert not breaker.misconfigured
