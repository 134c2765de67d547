"""What is wrong with the gateway as a whole, in sentences for its owner: each fault by its own name."""

from collections.abc import Callable, Mapping, Sequence

from gateway.ledger import Health


class Alarms:
    """Collector of faults. It asks their owners and owns none of them."""

    def __init__(
        self,
        *,
        state: Callable[[], str | None] = lambda: None,
        ledger: Callable[[], Health],
        policy: Callable[[], str | None],
        keys: Callable[[], str | None] = lambda: None,
        users: Callable[[], Sequence[str]] = lambda: (),
        certificate: Callable[[], str | None] = lambda: None,
        checkpoints: Callable[[], str | None] = lambda: None,
        background: Callable[[], Mapping[str, str]],
    ) -> None:
        self._state = state
        self._ledger = ledger
        self._policy = policy
        self._keys = keys
        self._users = users
        self._certificate = certificate
        self._checkpoints = checkpoints
        self._background = background

    def sentences(self) -> tuple[str, ...]:
        """Return one sentence for each fault, the gravest first."""
        found: list[str] = []
        lost = self._state()
        if lost is not None:
            found.append(lost)
        health = self._ledger()
        if not health.ok:
            found.append(f"Receipts can’t be written, so nothing is sent: {health.problem}")
        problem = self._policy()
        if problem is not None:
            found.append(f"The policy’s last change was refused, so the rules before it stay in force: {problem}")
        problem = self._keys()
        if problem is not None:
            found.append(f"The API keys can’t be read again, so the secrets before stay in force: {problem}")
        found += self._users()
        for ask in (self._certificate, self._checkpoints):
            problem = ask()
            if problem is not None:
                found.append(problem)
        found += [
            f"Background work has died and is begun again: {name} ({error}). The log says more."
            for name, error in sorted(self._background().items())
        ]
        return tuple(found)
