"""When a worker that died is started again, and how. Pure, so that every death can be tried in a table.

Three rules. A worker that dies of a CPU fault (an illegal instruction, a bad access) while it loads is started once
more without repacked weights, whose kernels are the usual culprit. If that dies of one too, the build does not fit this
CPU, and nothing is gained by trying again. Whatever else goes wrong is tried again after a pause that doubles, and
after a few failures in a row at a long interval only.
"""

import enum
import signal
import sys

import msgspec

from gateway.local.embedded.settings import EmbeddedSettings

CPU_FAULTS = frozenset({signal.SIGILL, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV})
_TURN_DOWN = (
    "Its worker was killed while it loaded the model, most likely because memory ran out. Turn down 'slots', 'context' "
    "or 'gpu_layers', set 'kv_type: q8_0', or take a smaller quantisation."
)


class Retry(enum.Enum):
    """What comes after a death."""

    SOON = enum.auto()  # after a short pause
    WITHOUT_REPACK = enum.auto()  # at once, with weights as they stand in the file
    LATER = enum.auto()  # it failed; tried again after a long pause
    NEVER = enum.auto()  # it failed; only a person changes that


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """How one process ended. `cause` is a word for metrics (`signal_11`), `detail` the same for people."""

    cause: str
    detail: str
    signal: int | None = None
    served: float | None = None  # seconds since it was ready; None: it never was
    load_problem: str = ""  # the worker itself said why it can't load the model
    public_problem: str = ""  # the same for clients: no path


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """Next step. `pause` in seconds; None: there is no restart. Both texts are whole sentences; empty: all is well."""

    retry: Retry
    pause: float | None = None
    problem: str = ""
    public_problem: str = ""

    @property
    def failed(self) -> bool:
        """Whether the worker counts as failed, not as restarting."""
        return self.retry in (Retry.LATER, Retry.NEVER)


class RestartPolicy:
    """Rules for what follows each death of one worker and its successors. Owns the count of failures in a row."""

    def __init__(self, settings: EmbeddedSettings, *, repack: bool) -> None:
        """Begin without failures. `repack`: whether the first process runs with repacked weights."""
        self._settings = settings
        self.repack = repack
        self._failures = 0

    def after(self, death: Death) -> Restart:
        """Return what to do now; also turns `repack` off where that is the remedy."""
        self._failures = max(0, self._failures - self._forgiven(death.served or 0.0)) + 1
        if death.signal in CPU_FAULTS and (death.served is None or death.signal == signal.SIGILL):
            return self._after_cpu_fault(death)
        problem, public = self._explain(death)
        if self._failures >= self._settings.restart_limit:
            reason = f"It failed {self._failures} times in a row. "
            problem, public = reason + (problem or f"Last: {death.detail}."), reason + public
            return Restart(
                retry=Retry.LATER, pause=self._settings.retry_failed, problem=problem, public_problem=public.strip()
            )
        return Restart(retry=Retry.SOON, pause=self._pause(death), problem=problem, public_problem=public)

    def _forgiven(self, served: float) -> int:
        """Return how many failures a stretch of service makes up for: all of them after `stable_after`."""
        if served >= self._settings.stable_after:
            return self._failures
        return int(self._settings.restart_limit * served / self._settings.stable_after)

    def _after_cpu_fault(self, death: Death) -> Restart:
        if self.repack:
            self.repack = False
            return Restart(retry=Retry.WITHOUT_REPACK, pause=0.0)
        name = signal.Signals(death.signal or 0).name
        if death.signal == signal.SIGILL:
            what = f"The build of llama.cpp does not fit this CPU: its worker died of {name} (illegal instruction)."
        else:
            what = f"llama.cpp died of {name}: its build does not fit this CPU, or the model file is damaged."
        return Restart(
            retry=Retry.NEVER,
            problem=f"{what} To build it for any CPU: {rebuild_command()}",
            public_problem=f"{what} The gateway's log says what to do.",
        )

    def _explain(self, death: Death) -> tuple[str, str]:
        """Explain the problem to operators and to clients; empty while a first restart is under way."""
        if death.load_problem:
            return death.load_problem, death.public_problem
        if death.served is None and death.signal == signal.SIGKILL:
            return _TURN_DOWN, _TURN_DOWN
        if self._failures > 1:
            return f"Its worker died ({death.detail}).", f"Its worker died ({death.cause})."
        return "", ""

    def _pause(self, death: Death) -> float:
        shortest = 1.0 if death.load_problem else self._settings.restart_first
        doubled = 0.0 if self._failures == 1 else 2.0 ** (self._failures - 2)
        return float(max(shortest, min(self._settings.restart_longest, doubled)))


def rebuild_command() -> str:
    """Return the shell command that compiles llama.cpp anew, for any x86-64 CPU with AVX2, in this environment."""
    return f"{sys.executable} -m gateway engine install --portable"
