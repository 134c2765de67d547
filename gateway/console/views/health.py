"""Health: everything that can be wrong, how it is, and what to do about it."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from gateway.console.views.view import Ask, Shown
from gateway.core.target import Catalog, ServerState, TargetState
from gateway.server import Readiness

OK, NOTE, PROBLEM = "ok", "note", "problem"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing, how it is, and what to do about it (a sentence of the catalogue; empty where all is well)."""

    name: str
    part: bool = True  # the name is a word of the catalogue; False: the configuration's, or the code's
    state: str
    told: str
    advice: str = ""


class Health:
    """The view of the gateway's health. It asks the owners of each part, and owns nothing."""

    def __init__(
        self,
        *,
        readiness: Callable[[], Readiness],
        states: Callable[[], Mapping[str, TargetState]],
        catalog: Catalog,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readiness = readiness
        self._states = states
        self._catalog = catalog
        self._monotonic = monotonic

    async def show(self, ask: Ask) -> Shown:
        """Return the page."""
        readiness = self._readiness()
        lines = [*general(readiness), *self._targets()]
        return Shown(
            template="health.html",
            title="Health",
            values={"ready": readiness.ready, "lines": sorted(lines, key=lambda line: _ORDER[line.state])},
        )

    def _targets(self) -> list[Line]:
        states, now = self._states(), self._monotonic()
        lines = []
        for name in self._catalog.targets:
            state = states.get(name, TargetState(healthy=False))
            lines += [target_line(name, state, now), *(server_line(name, server, now) for server in state.servers)]
        return lines


_ORDER = {PROBLEM: 0, NOTE: 1, OK: 2}


def general(readiness: Readiness) -> list[Line]:
    """Return the lines of the gateway as a whole."""
    told = readiness.details
    lines = [_ledger(told), _policy(told), _keys(told)]
    if "state_problem" in told:
        lines.append(
            Line(
                name="State directory",
                state=PROBLEM,
                told=str(told["state_problem"]),
                advice="Bring the lost files back from a backup and start the gateway again (deploy/README.md).",
            )
        )
    if "certificate_problem" in told:
        lines.append(
            Line(
                name="Certificate",
                state=PROBLEM,
                told=str(told["certificate_problem"]),
                advice="Put a new certificate and its key into the two files; they count within seconds.",
            )
        )
    if "names" in told:
        fine = told["names"] == "ok"
        lines.append(
            Line(
                name="Search for names",
                state=OK if fine else PROBLEM,
                told="" if fine else str(told["names"]),
                advice="" if fine else "Look into the log for the reason; until then such requests stay at home.",
            )
        )
    if "attachments" in told:
        lines.append(_attachments(str(told["attachments"])))
    background = told.get("background")
    if isinstance(background, Mapping):
        lines += [
            Line(
                name=str(name),
                part=False,
                state=PROBLEM,
                told=str(state),
                advice="It begins again by itself. If it dies again, the log says why.",
            )
            for name, state in background.items()
        ]
    return lines


def _ledger(told: Mapping[str, object]) -> Line:
    fine = told["ledger"] == "ok"
    return Line(
        name="Ledger",
        state=OK if fine else PROBLEM,
        told="" if fine else str(told["ledger"]),
        advice="" if fine else "Make room on the disk and see who owns the state directory: nothing is sent meanwhile.",
    )


def _policy(told: Mapping[str, object]) -> Line:
    fine = "policy_problem" not in told
    return Line(
        name="Policy",
        state=OK if fine else PROBLEM,
        told="" if fine else str(told["policy_problem"]),
        advice="" if fine else "Correct the file at the place that is named: ‘aduana check’ tries it before it counts.",
    )


def _keys(told: Mapping[str, object]) -> Line:
    fine = "keys_problem" not in told
    return Line(
        name="API keys",
        state=OK if fine else PROBLEM,
        told="" if fine else str(told["keys_problem"]),
        advice="" if fine else "See that the key’s file is there and can be read by the gateway.",
    )


def _attachments(told: str) -> Line:
    if told.startswith("not read"):
        return Line(name="Attachments", state=NOTE, told=told, advice="Set attachments.read to have them read here.")
    if "held by nothing" in told:
        return Line(
            name="Attachments",
            state=NOTE,
            told=told,
            advice="Run the gateway on a Linux that permits user namespaces, or as the service in deploy/.",
        )
    if "install" in told:
        return Line(
            name="Attachments",
            state=NOTE,
            told=told,
            advice="Run ‘aduana extras install documents’ and start it again.",
        )
    return Line(name="Attachments", state=OK, told=told)


def target_line(name: str, state: TargetState, now: float) -> Line:
    """Return the line of one target."""
    if state.open_until is not None and state.open_until > now:
        return _held(name)
    if state.problem:
        return Line(
            name=name,
            part=False,
            state=PROBLEM,
            told=state.failure(datetime.now()),
            advice="The log has the whole reason; docs/models.md says what to do when a model does not start.",
        )
    if not state.healthy:
        return _down(name)
    if state.loaded is False:
        return Line(name=name, part=False, state=OK, told="not loaded")
    return Line(name=name, part=False, state=OK, told="up")


def server_line(target: str, server: ServerState, now: float) -> Line:
    """Return the line of one of a target's several servers."""
    name = f"{target}: {server.name}"
    if server.open_until is not None and server.open_until > now:
        return _held(name)
    if not server.healthy:
        return _down(name, told=server.problem)
    return Line(name=name, part=False, state=OK, told="up")


def _held(name: str) -> Line:
    return Line(
        name=name,
        part=False,
        state=PROBLEM,
        told="left alone after faults",
        advice="It is tried again by itself. See whether its server runs, and what its log says.",
    )


def _down(name: str, *, told: str = "") -> Line:
    return Line(
        name=name,
        part=False,
        state=PROBLEM,
        told=told or "down",
        advice="See whether its server runs, and whether base_url in the configuration is right.",
    )
