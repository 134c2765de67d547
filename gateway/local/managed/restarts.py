"""When a managed server that died is started again. Pure, so that every death can be tried in a table.

The first death is answered at once, the next ones after 1, 2, 4 … seconds, and after `restart_limit` failures in a row
it counts as failed and is tried at a long interval only.
"""

import msgspec

from gateway.local.managed.settings import ServerSettings


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """How one start ended. `cause` is a word for metrics (`signal_9`, `exit_1`, `not_ready`)."""

    cause: str
    detail: str  # a whole sentence for whoever runs the gateway
    public: str  # the same for clients: no path, nothing that the server printed
    served: float | None = None  # seconds since it was ready; None: it never was


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """Next step: a start after `pause` seconds. The texts are whole sentences; empty: it is about to be well again."""

    pause: float
    failed: bool = False
    problem: str = ""
    public_problem: str = ""


class RestartPolicy:
    """Rules for what follows each death of one server. Owns the count of failures in a row."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._failures = 0

    def after(self, death: Death) -> Restart:
        """Return what to do now."""
        settings = self._settings
        if death.served is not None and death.served >= settings.stable_after:
            self._failures = 0
        self._failures += 1
        if self._failures >= settings.restart_limit:
            times = f"It failed {self._failures} times in a row. "
            return Restart(
                pause=settings.retry_failed,
                failed=True,
                problem=times + death.detail,
                public_problem=times + death.public,
            )
        if self._failures == 1:
            return Restart(pause=0.0)
        return Restart(
            pause=min(settings.restart_longest, 2.0 ** (self._failures - 2)),
            problem=death.detail,
            public_problem=death.public,
        )
