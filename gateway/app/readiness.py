"""Whether the gateway can answer an ordinary request now: the policy itself decides about a plain one."""

from collections.abc import Callable, Mapping
from datetime import datetime

from gateway.app.plain_request import plain_request
from gateway.app.policy_store import PolicyStore
from gateway.core.finding import Inspection
from gateway.core.request import Caller, Inbound
from gateway.core.snapshot import Snapshot
from gateway.core.target import Catalog, TargetState
from gateway.ledger import Health
from gateway.policy import Evidence, decide
from gateway.server import Readiness


class ReadinessProbe:
    """Check of policy, targets and ledger. It asks their owners, owns nothing, and sends nothing anywhere."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        policies: PolicyStore,
        targets: Callable[[], Mapping[str, TargetState]],
        ledger: Callable[[], Health],
        names: Callable[[], str] | None = None,
        background: Callable[[], Mapping[str, str]] = dict,
        keys: Callable[[], str | None] = lambda: None,
        state: Callable[[], str | None] = lambda: None,
        certificate: Callable[[], str | None] = lambda: None,
        attachments: Callable[[], str] | None = None,
        workers: Callable[[], str] | None = None,
    ) -> None:
        self._policies = policies
        self._targets = targets
        self._ledger = ledger
        self._names = names
        self._background = background
        self._keys = keys
        self._state = state
        self._certificate = certificate
        self._attachments = attachments
        self._workers = workers
        self._request = Inbound(id="readiness", caller=Caller(), request=plain_request(catalog))

    def check(self) -> Readiness:
        """Return whether the gateway can answer, with details.

        It can when the ledger writes, a plain request's first target is healthy and all background work runs.
        """
        states = self._targets()
        ledger = self._ledger()
        evidence = Evidence(inbound=self._request, inspection=Inspection(), snapshot=Snapshot(targets=states))
        decision = decide(evidence, self._policies.current)
        first = decision.candidates[0].target if decision.candidates else None
        details: dict[str, object] = {
            "default_target": first,
            "targets": {name: _told(state) for name, state in states.items()},
            "policy": self._policies.current.digest,
            "ledger": "ok" if ledger.ok else ledger.problem,
        }
        if self._names is not None:  # without it requests stay at home, so the gateway is ready all the same
            problem = self._names()
            details["names"] = f"{problem} Requests that would leave stay at home until then." if problem else "ok"
        if self._attachments is not None:
            details["attachments"] = self._attachments()
        if self._workers is not None:  # those that answer are enough
            details["workers"] = self._workers()
        if self._policies.problem is not None:
            details["policy_problem"] = f"The last reload was refused, the old rules stay: {self._policies.problem}"
        keys = self._keys()
        if keys is not None:
            details["keys_problem"] = f"The keys can't be read again, the old ones stay: {keys}"
        certificate = self._certificate()
        if certificate is not None:
            details["certificate_problem"] = certificate
        lost = self._state()
        if lost is not None:  # what stays local works, so the gateway is ready all the same
            details["state_problem"] = lost
        dead = self._background()
        if dead:
            details["background"] = {name: f"died ({error}), is begun again" for name, error in dead.items()}
        ready = first is not None and _can_answer(states[first]) and ledger.ok and not dead
        failed = not ready and (first is None or bool(states[first].problem))
        return Readiness(ready=ready, details=details, failed=failed)


def status_of(readiness: Readiness) -> str:
    """Return one line for `systemctl status`: what the gateway can do now, and what its owner should know."""
    details = readiness.details
    first, targets = details.get("default_target"), details.get("targets")
    state = targets.get(first, "") if isinstance(targets, dict) else ""
    if readiness.ready:
        line = f"Ready: {first} answers"
    elif first is None:
        line = "Not ready: no target may answer a plain request"
    else:
        line = f"Not ready: {first}: {state}"
    known = [
        str(details[name])
        for name in ("state_problem", "policy_problem", "keys_problem", "certificate_problem")
        if name in details
    ]
    return " ".join(". ".join((line, *known)).split())


def _told(state: TargetState) -> str:
    if not state.healthy:
        return state.failure(datetime.now()) or "not available"
    if state.servers:
        there = sum(server.healthy for server in state.servers)
        lost = [server.name for server in state.servers if not server.healthy]
        return f"ready, {there} of {len(state.servers)} servers" + (f" (not {', '.join(lost)})" if lost else "")
    if state.loaded is not False:
        return "ready"
    return "loads when it is asked for" if state.loading is None else f"loading, {state.loading:.0%}"


def _can_answer(state: TargetState) -> bool:
    """Return whether a target can answer: also if it loads when asked for, but not while it is loading."""
    return state.healthy and (state.loaded is not False or state.loading is None)
