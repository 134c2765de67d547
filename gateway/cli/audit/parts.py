"""The audit's parts, side by side: faults have gateways of their own, so they come while the others are asked."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gateway.cli.audit.cases import Numbers, cases
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.faults import FAULTS, run_fault
from gateway.cli.audit.gateway import Running, Setup, started
from gateway.cli.audit.memory.plan import memory
from gateway.cli.audit.own_policy import own_policy, own_texts
from gateway.cli.audit.recorder import recorder
from gateway.cli.audit.released.plan import asked_in_doubt, released_after
from gateway.settings import Settings

_NO_TIME = 1e-9  # seconds for an inspection


class Audit:
    """Audit of the gateway that `command` starts, with its state below a folder."""

    def __init__(
        self, folder: Path, command: Sequence[str], settings: Settings | None, notes: list[str], *, full: bool
    ) -> None:
        self._folder = folder
        self._command = command
        self._settings = settings
        self._notes = notes
        self._full = full
        self._numbers = Numbers()

    def run(self, parts: Sequence[str]) -> list[Result]:
        """Return the results of these parts.

        Raises:
            DidNotStart: A gateway under audit never listened.
        """
        lanes: list[Callable[[Sequence[str]], list[Result]]] = [self._asking]
        if "faults" in parts:
            lanes.append(self._faults)
        with ThreadPoolExecutor(len(lanes)) as pool:
            running = [pool.submit(lane, parts) for lane in lanes]
            results = [result for lane in running for result in lane.result()]
        return results + self._own_policy()

    @contextmanager
    def _place(self, name: str) -> Iterator["_Bench"]:
        folder = self._folder / name
        folder.mkdir()
        with recorder() as cloud, recorder() as home:
            setup = Setup(
                folder=folder,
                cloud=cloud.base_url,
                home=home.base_url,
                command=self._command,
                settings=self._settings,
            )
            yield _Bench(setup, lambda gateway: AuditClient(gateway, cloud, home))

    def _asking(self, parts: Sequence[str]) -> list[Result]:
        """Ask one gateway everything; it is killed, and started anew over the same state, in between."""
        own = own_texts(self._settings, self._notes) if self._settings is not None else {}
        results: list[Result] = []
        with self._place("asking") as bench, ExitStack() as stack:
            asking = bench.start(stack)
            if "planted" in parts:
                results += asking.ask(cases(own, self._numbers, full=self._full))

            def restart() -> AuditClient:
                nonlocal asking
                asking.gateway.kill()
                if "released" in parts:
                    with ExitStack() as meanwhile:
                        results.extend(asked_in_doubt(bench.start(meanwhile, seconds=_NO_TIME), self._numbers))
                asking = bench.start(stack)
                return asking

            if "memory" in parts:
                for some in memory(asking, self._numbers, restart=restart, full=self._full):
                    results += some
            elif "released" in parts:
                restart()
            if "released" in parts:
                results += released_after(asking, self._numbers)
        return results

    def _faults(self, parts: Sequence[str]) -> list[Result]:
        results: list[Result] = []
        with self._place("faults") as bench:
            for fault in FAULTS:
                results += run_fault(fault, bench.setup, bench.client, self._numbers)
        return results

    def _own_policy(self) -> list[Result]:
        if self._settings is None:
            return []
        with self._place("own") as bench:
            return own_policy(bench.setup, bench.client, self._numbers, self._notes)


class _Bench:
    """Configuration and recorders for gateways that are started one after the other."""

    def __init__(self, setup: Setup, client: Callable[[Running], AuditClient]) -> None:
        self.setup = setup
        self.client = client

    def start(self, stack: ExitStack, *, seconds: float | None = None) -> AuditClient:
        """Return the client of a gateway that runs until the stack is left."""
        return self.client(stack.enter_context(started(self.setup, self.setup.write(seconds=seconds))))
