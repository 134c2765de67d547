"""The circuit breaker decides when a target is left alone and when it is asked again."""

import pytest

from gateway.core.errors import (
    AduanaError,
    ContextLengthExceeded,
    TargetBusy,
    TargetCutOff,
    TargetError,
    TargetLacksEndpoint,
    TargetMisconfigured,
    TargetProtocolError,
    TargetRejected,
    TargetTimeout,
    TargetUnavailable,
)
from gateway.core.request import Endpoint
from gateway.upstream.circuit_breaker import CircuitBreaker, CircuitBreakerSettings, TargetBreaker

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


def test_a_slow_probe_does_not_keep_all_others_waiting() -> None:
    """While a request tries the target the others hear how long that may take; then the next one tries it too."""
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(3):
        asked(breaker, 0.0, FAULT)
    breaker.admit("t", 3.0)
    with pytest.raises(TargetUnavailable) as caught:
        breaker.admit("t", 4.0)
    assert caught.value.retry_after == 4.0
    breaker.admit("t", 8.0)
    with pytest.raises(TargetUnavailable):
        breaker.admit("t", 8.0)


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


OUTCOMES: dict[str, AduanaError | None] = {
    "success": None,
    "the request's own fault": TargetRejected("x"),
    "an odd answer": TargetProtocolError("x"),
    "a broken connection": TargetCutOff("x"),
    "a failure": FAULT,
    "a time-out": TargetTimeout("x"),
    "a rate limit": TargetBusy("x"),
    "a rate limit with a time": TargetBusy("x", retry_after=20.0),
    "a time to wait": TargetUnavailable("x", retry_after=20.0),
    "refused credentials": TargetMisconfigured("x"),
}
GOOD = frozenset({"success", "the request's own fault", "an odd answer"})
AT_ONCE = {
    "a rate limit": 1.0,
    "a rate limit with a time": 20.0,
    "a time to wait": 20.0,
    "refused credentials": 30.0,
}
STATES: dict[str, tuple[AduanaError, int, float]] = {  # how it came to be: the error, how often, until when
    "open after failures": (FAULT, 3, 2.0),
    "open after time-outs": (TargetTimeout("x"), 3, 2.0),
    "open after a rate limit": (TargetBusy("x"), 1, 1.0),
    "open for a named time": (TargetBusy("x", retry_after=20.0), 1, 20.0),
    "open after refused credentials": (TargetMisconfigured("x"), 1, 30.0),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_closed(outcome: str) -> None:
    """A closed breaker opens for failures in a row, or at once for a named time or refused credentials."""
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(3):
        breaker.admit("t", 0.0)
    for number in range(3):
        breaker.record(OUTCOMES[outcome], 0.0)
        until = AT_ONCE.get(outcome, None if outcome in GOOD or number < 2 else 2.0)
        assert breaker.open_until(0.0) == until


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("state", STATES)
def test_open(state: str, outcome: str) -> None:
    """An open breaker admits nobody and says for how long; what was under way before can only name a longer time."""
    error, times, until = STATES[state]
    breaker = CircuitBreaker(SETTINGS)
    breaker.admit("t", 0.0)
    for _ in range(times):
        breaker.record(error, 0.0)
    with pytest.raises(TargetUnavailable) as caught:
        breaker.admit("t", 0.5)
    assert caught.value.retry_after == until - 0.5
    breaker.record(OUTCOMES[outcome], 0.5)
    named = OUTCOMES[outcome] is not None and OUTCOMES[outcome].retry_after is not None  # type: ignore[union-attr]
    assert breaker.open_until(0.5) == (max(until, 20.5) if named else until)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("state", STATES)
def test_half_open(state: str, outcome: str) -> None:
    """Whatever opened it, one request tries the target when the hold is over: it closes or reopens the breaker."""
    error, times, until = STATES[state]
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(times):
        asked(breaker, 0.0, error)
    assert asked(breaker, until, OUTCOMES[outcome])
    if outcome in GOOD:
        assert breaker.open_until(until) is None
        assert not breaker.misconfigured
        breaker.admit("t", until)
        breaker.admit("t", until)
    else:
        again = breaker.open_until(until)
        assert again is not None
        assert again > until


@pytest.mark.parametrize("state", STATES)
def test_a_target_that_stays_ill_is_asked_more_and_more_rarely(state: str) -> None:
    """Each hold in a row is longer, up to a limit, and the target is never given up."""
    error, times, until = STATES[state]
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(times):
        asked(breaker, 0.0, error)
    holds = [until]
    now = until
    for _ in range(6):
        assert asked(breaker, now, error)
        held = breaker.open_until(now)
        assert held is not None
        holds.append(held - now)
        now = held
    assert holds == sorted(holds)
    assert holds[-1] <= 30.0
    assert asked(breaker, now, None)
    assert breaker.open_until(now) is None


def test_keys_that_are_rotated() -> None:
    """A refused key holds the target for seconds at first, and longer while it stays refused."""
    breaker = CircuitBreaker()
    now = 0.0
    holds = []
    for _ in range(6):
        assert asked(breaker, now, TargetMisconfigured("x"))
        held = breaker.open_until(now)
        assert held is not None
        holds.append(held - now)
        now = held
    assert holds == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def lacking(breaker: TargetBreaker, endpoint: Endpoint) -> None:
    """Get as many 404s in a row as open a breaker."""
    for _ in range(SETTINGS.failures):
        breaker.admit("t", endpoint, 0.0)
        breaker.record(endpoint, TargetLacksEndpoint("x"), 0.0)


@pytest.mark.parametrize("endpoint", Endpoint)
def test_one_404_closes_nothing(endpoint: Endpoint) -> None:
    """It can be one request's own fault; an answer between two of them begins the count anew."""
    breaker = TargetBreaker(SETTINGS)
    for _ in range(SETTINGS.failures):
        for error in [*[TargetLacksEndpoint("x")] * (SETTINGS.failures - 1), None]:
            breaker.admit("t", endpoint, 0.0)
            breaker.record(endpoint, error, 0.0)
    assert breaker.open_until(0.0) is None
    breaker.admit("t", endpoint, 0.0)


@pytest.mark.parametrize("endpoint", Endpoint)
def test_an_endpoint_that_a_target_lacks_is_held_alone(endpoint: Endpoint) -> None:
    """404s in a row hold the endpoint that gave them; the others answer, and the endpoint is tried again."""
    breaker = TargetBreaker(SETTINGS)
    lacking(breaker, endpoint)
    with pytest.raises(TargetUnavailable) as caught:
        breaker.admit("t", endpoint, 1.0)
    assert caught.value.retry_after == 29.0
    assert breaker.open_until(1.0) is None
    for other in set(Endpoint) - {endpoint}:
        breaker.admit("t", other, 1.0)
        breaker.record(other, None, 1.0)
    breaker.admit("t", endpoint, 30.0)
    breaker.record(endpoint, None, 30.0)
    breaker.admit("t", endpoint, 30.0)


def test_an_endpoint_and_its_target_are_tried_by_one_request() -> None:
    """A request that a held target turns away leaves the endpoint free to be tried by the next one."""
    breaker = TargetBreaker(SETTINGS)
    chat, embed = Endpoint.CHAT, Endpoint.EMBEDDINGS
    lacking(breaker, chat)
    breaker.admit("t", embed, 29.5)
    breaker.record(embed, TargetBusy("x"), 29.5)
    with pytest.raises(TargetUnavailable):
        breaker.admit("t", chat, 30.0)
    breaker.admit("t", chat, 30.5)
    breaker.record(chat, FAULT, 30.5)
    assert breaker.open_until(30.5) is not None
    now = breaker.open_until(30.5) or 0.0
    breaker.admit("t", chat, now)
    breaker.release(chat)
    breaker.admit("t", chat, now)
