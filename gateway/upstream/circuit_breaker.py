"""Decide when to stop asking a target that fails: small state machines with the time passed in. Pure.

    closed ──failures in a row──▶ open ──time──▶ half open ──success──▶ closed
                                   ▲                 │
                                   └────failure──────┘ (each time for longer)

Whatever opened it, time half opens it: failures, a time that the target named itself (429 with Retry-After), refused
credentials, an endpoint or a model that it has not got, several times in a row. What one request's content causes opens
nothing: that would let one client close a target for all.
"""

import msgspec

from gateway.core.errors import (
    AduanaError,
    BadRequest,
    ClientCredentialRefused,
    ClientLimited,
    TargetBusy,
    TargetCutOff,
    TargetLacksEndpoint,
    TargetMisconfigured,
    TargetProtocolError,
    TargetUnavailable,
)
from gateway.core.request import Endpoint


class CircuitBreakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one circuit breaker; times in seconds. Each hold in a row is twice as long as the one before."""

    failures: int = 5  # in a row, until it opens
    first_hold: float = 2.0
    longest_hold: float = 60.0
    rate_limit_hold: float = 1.0  # after a 429 that names no time
    probe_seconds: float = 5.0  # a try that takes longer to begin its answer does not keep others from trying
    credentials_hold: float = 5.0  # after a 401 or 403, and after 404s in a row: keys are rotated, models are loaded


class CircuitBreaker:
    """One circuit breaker. `now` is monotonic seconds, always of the same clock."""

    def __init__(self, settings: CircuitBreakerSettings = CircuitBreakerSettings()) -> None:  # noqa: B008 - frozen
        self._settings = settings
        self._failures = 0
        self._holds = 0  # in a row, without a success in between
        self._until: float | None = None
        self._probe_until: float | None = None  # a request tries the target; until then no other one does
        self.misconfigured = False
        self.calm = True  # nothing has failed since the last success, so that nothing but a failure changes anything

    def open_until(self, now: float) -> float | None:
        """Return when the present hold ends; None if the target may be asked."""
        return self._until if self._until is not None and now < self._until else None

    def admit(self, target: str, now: float) -> None:
        """Let a request through to the target. Whoever is let through calls `record` or `release` afterwards.

        Raises:
            TargetUnavailable: the target is held, or another request is trying it just now.
        """
        if self._until is None:
            return
        until = self.open_until(now)
        if until is not None:
            raise TargetUnavailable(
                f"The target {target!r} is held after failures.", code="target_held", retry_after=until - now
            )
        if self._probe_until is not None and now < self._probe_until:
            raise TargetUnavailable(
                f"The target {target!r} is being tried again.", code="target_held", retry_after=self._probe_until - now
            )
        self._probe_until = now + self._settings.probe_seconds

    def release(self) -> None:
        """Note that a request was given up before the target showed how it is doing."""
        self._probe_until = None

    def answering(self, now: float) -> None:
        """Let other requests in, because the target began to answer. `record` tells later how the answer ended."""
        self._probe_until = None
        if self._until is not None and self.open_until(now) is None:
            self._until = None

    def record(self, error: AduanaError | None, now: float) -> None:
        """Note how an admitted request ended. None, and errors that are the request's own fault, are successes."""
        self._probe_until = None
        if error is None or is_own_fault(error):
            self._succeed(now)
            return
        self.calm = False
        if isinstance(error, TargetBusy):
            self._hold(self._settings.rate_limit_hold, error, now)
        elif isinstance(error, TargetLacksEndpoint):
            self._fail(error, now, hold=self._settings.credentials_hold)  # one 404 can be one request's own
        elif isinstance(error, TargetMisconfigured):
            self.misconfigured = True
            self._hold(self._settings.credentials_hold, error, now)
        else:
            self._fail(error, now)

    def _succeed(self, now: float) -> None:
        self._failures = 0
        if self._until is not None and self.open_until(now) is not None:
            return  # an answer from before the hold says nothing about the time after it
        self._until = None
        self._holds = 0
        self.misconfigured = False
        self.calm = True

    def _fail(self, error: AduanaError | None, now: float, *, hold: float | None = None) -> None:
        self._failures += self.open_until(now) is None  # those that were under way when it opened don't count
        half_open = self._until is not None
        if half_open or self._failures >= self._settings.failures or (error and error.retry_after is not None):
            self._hold(self._settings.first_hold if hold is None else hold, error, now)

    def _hold(self, first: float, error: AduanaError | None, now: float) -> None:
        """Open for the time that the target named, or for one that grows from `first`."""
        if error is not None and error.retry_after is not None:
            self._until = max(now + error.retry_after, self._until or 0.0)
        elif self.open_until(now) is None:
            self._until = now + max(first, min(first * 2**self._holds, self._settings.longest_hold))
            self._holds += 1


class TargetBreaker:
    """Circuit breakers of one target: one for all of it, and one for each endpoint, which it may lack."""

    def __init__(self, settings: CircuitBreakerSettings) -> None:
        self._target = CircuitBreaker(settings)
        self._endpoints = {endpoint: CircuitBreaker(settings) for endpoint in Endpoint}

    @property
    def calm(self) -> bool:
        """Whether nothing has failed since the target's last success, so that it may be asked."""
        return self._target.calm

    @property
    def misconfigured(self) -> bool:
        """Whether the target refused this gateway's credentials when it was last asked."""
        return self._target.misconfigured

    def open_until(self, now: float) -> float | None:
        """Return when the hold of the whole target ends; None if it may be asked."""
        return self._target.open_until(now)

    def admit(self, target: str, endpoint: Endpoint, now: float) -> None:
        """Let a request through to an endpoint. Whoever is let through calls `record` or `release` afterwards.

        Raises:
            TargetUnavailable: the target or its endpoint is held, or another request is trying it just now.
        """
        own = self._endpoints[endpoint]
        if own.calm and self._target.calm:  # nearly always
            return
        own.admit(target, now)
        try:
            self._target.admit(target, now)
        except TargetUnavailable:
            own.release()
            raise

    def release(self, endpoint: Endpoint) -> None:
        """Note that a request was given up before the target showed how it is doing."""
        self._target.release()
        self._endpoints[endpoint].release()

    def answering(self, endpoint: Endpoint, now: float) -> None:
        """Let other requests in, because the target began to answer. `record` tells later how the answer ended."""
        own = self._endpoints[endpoint]
        if own.calm and self._target.calm:
            return
        self._target.answering(now)
        own.answering(now)

    def record(self, endpoint: Endpoint, error: AduanaError | None, now: float) -> None:
        """Note how an admitted request ended: which endpoint it asked, and with what error."""
        own = self._endpoints[endpoint]
        if error is None and own.calm and self._target.calm:
            return
        lacks = isinstance(error, TargetLacksEndpoint)
        self._target.record(None if lacks else error, now)
        if lacks or error is None or is_own_fault(error):
            own.record(error, now)
        else:
            own.release()  # the target as a whole failed, which says nothing of the endpoint


def is_own_fault(error: AduanaError | None) -> bool:
    """Say whether a request ended well, or badly for a reason that lies in itself, its key or its answer's content."""
    if isinstance(error, TargetProtocolError):
        return not isinstance(error, TargetCutOff)
    return error is None or isinstance(error, BadRequest | ClientCredentialRefused | ClientLimited)
