"""Run the campaign: `python -m tests.campaign [--requests 100000] [--seed N] [--namespace]`.

A gateway as it is shipped (its clouds asked by the egress process), a stand-in cloud and a stand-in home. Nothing that
was planted may reach the cloud, whatever fails, dies or is reloaded meanwhile; harmless requests must get there while
the way is open; and a leak on purpose, asked first, must be called one. With `--namespace` all of it runs where no
other network is, and every packet is read. Exit status 1: a leak, or a control that failed.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.gateway import Running, Setup, started
from gateway.cli.audit.recorder import recorder
from tests.campaign.capture import Capture
from tests.campaign.plan import Act, Plan, Weather, calm

_AT_ONCE = 8
_RESTART_EVERY = 1_500  # requests, after which the gateway is killed and started again over its state
_CONTROL_SECONDS = 60.0  # in which a leak on purpose must be seen
_NETWORK = "ip link set lo up && ip route add default dev lo && exec "


class Outcome(msgspec.Struct, kw_only=True):
    """What came of a campaign."""

    requests: int = 0
    sensitive: int = 0
    where: dict[str, int] = {}
    clean: dict[str, int] = {}  # while the way to the cloud was open
    leaks: list[Result] = msgspec.field(default_factory=list)
    control: bool = False  # the leak on purpose was called one
    on_the_wire: list[str] = msgspec.field(default_factory=list)  # sensitive requests that packets to the cloud held
    strange: list[str] = msgspec.field(default_factory=list)  # other addresses that were sent anything
    packets: int = 0
    lost: int = 0
    wire_control: bool | None = None  # harmless requests were seen in packets to the cloud; None: not looked at

    @property
    def holds(self) -> bool:
        """Whether nothing left, and the controls show that it would have been seen."""
        seen = self.wire_control is not False and not self.on_the_wire and not self.strange and not self.lost
        return not self.leaks and self.control and seen and self.clean.get("cloud", 0) > 0


class Campaign:
    """A campaign of so many requests, drawn from a seed."""

    def __init__(self, folder: Path, *, requests: int, seed: int) -> None:
        self._folder = folder
        self._requests = requests
        self._plan = Plan(
            seed,
            (
                Act(name="reload", do=Running.reload, closes=False),
                Act(name="egress killed", do=_kill_egress, closes=True),
            ),
        )
        self._sensitive: dict[str, str] = {}  # marker → name, of what must not be on the wire
        self.outcome = Outcome()

    def run(self, capture: Capture | None = None) -> Outcome:
        """Ask everything, and return what came of it."""
        outcome = self.outcome
        with recorder() as cloud, recorder() as home:
            setup = Setup(folder=self._folder, cloud=cloud.base_url, home=home.base_url)
            while outcome.requests < self._requests:
                until = min(self._requests, outcome.requests + _RESTART_EVERY)
                with ExitStack() as stack:
                    gateway = stack.enter_context(started(setup, setup.write()))
                    asking = AuditClient(gateway, cloud, home)
                    if not outcome.requests:
                        outcome.control = self._control(asking)
                    while outcome.requests < until:
                        self._under(self._plan.weather(), asking)
                    calm(asking)
                    gateway.kill()
                print(f"{outcome.requests:,} of {self._requests:,}, {len(outcome.leaks)} leaks", file=sys.stderr)
        if capture is not None:
            self._compare(capture, urlsplit(cloud.base_url).port or 0)
        return outcome

    def _control(self, asking: AuditClient) -> bool:
        """Return whether a leak on purpose is called one. A busy machine starts slowly: then it is tried again."""
        until = time.monotonic() + _CONTROL_SECONDS
        while time.monotonic() < until:
            control = self._plan.control()
            if asking.judge(control, asking.send(control)).leak:
                return True
        return False

    def _under(self, weather: Weather, asking: AuditClient) -> None:
        """Ask some requests while the targets behave so."""
        asking.home.behave(*weather.home)
        asking.cloud.behave(*weather.cloud)
        cases = [self._plan.case(weather.name) for _ in range(weather.requests)]
        leaving = [self._plan.leaves_early() for _ in cases]
        self._sensitive |= {case.marker: case.name for case in cases if case.sensitive and not case.left_out}

        def one(number: int) -> Result:
            if number == len(cases) // 2 and weather.act is not None:
                weather.act.do(asking.gateway)
            case, seconds = cases[number], leaving[number]
            if seconds is None:
                return asking.judge(case, asking.send(case))
            asking.leave(case, seconds)
            return asking.judge(case, 0)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results = list(pool.map(one, range(len(cases))))
        # Once more at the end: what a client left behind may have gone on without it.
        self._count([asking.judge(result.case, result.status) for result in results], weather)

    def _count(self, results: list[Result], weather: Weather) -> None:
        outcome = self.outcome
        for result in results:
            outcome.requests += 1
            if result.case.sensitive:
                outcome.sensitive += 1
                outcome.where[result.where] = outcome.where.get(result.where, 0) + 1
            elif not weather.closed:
                outcome.clean[result.where] = outcome.clean.get(result.where, 0) + 1
            if result.leak:
                outcome.leaks.append(result)

    def _compare(self, capture: Capture, port: int) -> None:
        outcome, seen = self.outcome, capture.markers[port]
        outcome.on_the_wire = sorted(name for marker, name in self._sensitive.items() if marker in seen)
        outcome.wire_control = bool(seen)
        outcome.strange = sorted(capture.strange)
        outcome.packets, outcome.lost = capture.packets, capture.lost()


def _kill_egress(gateway: Running) -> None:
    """Kill the processes that ask clouds, as a crash would."""
    for pid in _family(gateway.pid):
        if b"gateway.egress" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
            return


def _family(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield from _family(child)
        yield child


def main() -> int:
    """Run the campaign, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--namespace", action="store_true", help="in a network of its own, with every packet read")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    args = parser.parse_args()
    if args.namespace:
        again = [sys.executable, "-m", "tests.campaign", "--inside", *(["--json"] if args.json else [])]
        again += ["--requests", str(args.requests), "--seed", str(args.seed)]
        return subprocess.call(["unshare", "--net", "sh", "-c", _NETWORK + '"$@"', "sh", *again])
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        capture = stack.enter_context(Capture()) if args.inside else None
        outcome = Campaign(Path(folder), requests=args.requests, seed=args.seed).run(capture)
    if args.json:
        print(msgspec.json.encode(outcome).decode())
    else:
        _show(outcome, args.seed, time.monotonic() - began)
    return 0 if outcome.holds else 1


def _show(outcome: Outcome, seed: int, seconds: float) -> None:
    where = ", ".join(f"{place} {count:,}" for place, count in _most_first(outcome.where))
    clean = ", ".join(f"{place} {count:,}" for place, count in _most_first(outcome.clean))
    print(f"seed {seed}: {outcome.requests:,} requests in {seconds:,.0f} s, {outcome.sensitive:,} with a planted value")
    print(f"  planted: {where}; leaks {len(outcome.leaks)}")
    print(
        f"  harmless, while the way was open: {clean}; a leak on purpose was {'seen' if outcome.control else 'MISSED'}"
    )
    if outcome.wire_control is not None:
        print(
            f"  packets: {outcome.packets:,} read, {outcome.lost} lost; planted ones towards the cloud "
            f"{len(outcome.on_the_wire)}; other addresses {', '.join(outcome.strange) or 'none'}; harmless ones "
            f"{'seen' if outcome.wire_control else 'NOT SEEN'}"
        )
    for result in outcome.leaks[:20]:
        print(f"  LEAK {result.case.group} · {result.case.name} · {result.case.path} · answered {result.status}")


def _most_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])


if __name__ == "__main__":
    sys.exit(main())
