"""Decide when to stop asking a target that fails: a small state machine with the time passed in. Pure.

    closed ──failures in a row──▶ open ──time──▶ half open ──success──▶ closed
                                   ▲                 │
                                   └────failure──────┘ (each time for longer)

A target may also be held for a time that it named itself (429 with Retry-After).
"""

import msgspec

from gateway.core.errors import AduanaError, BadRequest, TargetBusy, TargetMisconfigured, TargetUnavailable


class CircuitBreakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one circuit breaker; times in seconds."""

    failures: int = 5  # in a row, until it opens
    first_hold: float = 2.0
    longest_hold: float = 60.0
    rate_limit_hold: float = 1.0  # after a 429 that names no time
    credentials_hold: float = 30.0  # after a 401 or 403: it may be mended at the provider


class CircuitBreaker:
    """Circuit breaker of one target. `now` is monotonic seconds, always of the same clock."""

    def __init__(self, settings: CircuitBreakerSettings = CircuitBreakerSettings()) -> None:  # noqa: B008 - frozen
        self._settings = settings
        self._failures = 0
        self._hold = settings.first_hold
        self._until: float | None = None
        self._probing = False
        self.misconfigured = False

    def open_until(self, now: float) -> float | None:
        """Return when the present hold ends; None if the target may be asked."""
        return self._until if self._until is not None and now < self._until else None

    def admit(self, target: str, now: float) -> None:
        """Let a request through to the target. Whoever is let through calls `record` or `release` afterwards.

        Raises:
            TargetUnavailable: the target is held, or another request is trying it just now.
        """
        until = self.open_until(now)
        if until is not None:
            raise TargetUnavailable(
                f"The target {target!r} is held after failures.", code="target_held", retry_after=until - now
            )
        if self._until is not None:
            if self._probing:
                raise TargetUnavailable(
                    f"The target {target!r} is being tried again.", code="target_held", retry_after=1.0
                )
            self._probing = True

    def release(self) -> None:
        """Note that a request was given up before the target showed how it is doing."""
        self._probing = False

    def answering(self, now: float) -> None:
        """Let other requests in, because the target began to answer. `record` tells later how the answer ended."""
        self._probing = False
        if self.open_until(now) is None:
            self._until = None

    def record(self, error: AduanaError | None, now: float) -> None:
        """Note how an admitted request ended. None, and errors that are the request's own fault, are successes."""
        self._probing = False
        if error is None or isinstance(error, BadRequest):
            self._succeed(now)
        elif isinstance(error, TargetBusy):
            wait = self._settings.rate_limit_hold if error.retry_after is None else error.retry_after
            self._open(now + wait)
        elif isinstance(error, TargetMisconfigured):
            self.misconfigured = True
            self._open(now + self._settings.credentials_hold)
        else:
            self._fail(error, now)

    def _succeed(self, now: float) -> None:
        self._failures = 0
        if self.open_until(now) is not None:
            return  # an answer from before the hold says nothing about the time after it
        self._until = None
        self._hold = self._settings.first_hold
        self.misconfigured = False

    def _fail(self, error: AduanaError, now: float) -> None:
        if self.open_until(now) is not None:
            return  # requests that were under way when it opened must not make the hold longer
        self._failures += 1
        half_open = self._until is not None
        if half_open or self._failures >= self._settings.failures:
            self._open(now + self._hold)
            self._hold = min(self._hold * 2, self._settings.longest_hold)
        elif error.retry_after is not None:
            self._open(now + error.retry_after)

    def _open(self, until: float) -> None:
        self._until = max(until, self._until or until)
