"""The gateway beside other gateways: same upstream, one core for each server, the other for upstream and clients.

    python -m tests.bench.gateway [--rounds 3] [--only WORDS] [--workers N]

With authentication, inspection, decision, durable receipt, settlement and metrics on. The others do none of it.
Medians of interleaved rounds, and ratios to rolter, where it is installed (its path in ROLTER). Machines are noisy:
only ratios of one run mean anything.
"""

import argparse
import asyncio
import contextlib
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.bench.gateway.client import Load, Seen, asked
from tests.bench.gateway.servers import KEY, Subject, subjects, with_workers
from tests.standins.postgresql import running_postgresql

_LOADS = {
    "busy": Load(connections=32, requests=60),
    "alone": Load(connections=1, requests=300),
    "streams": Load(connections=30, requests=1, stream=True),
    "streams, spread": Load(connections=30, requests=1, stream=True, spread=0.02),
}
_FRAMES, _PACE = 200, 0.01
_COLUMNS = ("requests/s, 32", "µs CPU", "p50 ms, 1", "p99 ms, 1", "µs CPU a frame", "first ms, 30", "spread", "MB")


def main() -> int:
    """Print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="servers whose name contains one of these, by commas")
    parser.add_argument(
        "--workers", type=int, default=0, metavar="N", help="also one and N workers on PostgreSQL, on all cores"
    )
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = stack.enter_context(running_postgresql()) if args.workers else None
        os.sched_setaffinity(0, {cores[-1]})
        quick, paced, first = (free_port() for _ in range(3))
        for port, frames, pace in ((quick, 1, 0.0), (paced, _FRAMES, _PACE)):
            command = (sys.executable, "-m", "tests.bench.gateway.upstream", str(port), str(frames), str(pace))
            started(stack, command, {cores[-1]}, {})
        wanted = args.only.split(",")
        rows: dict[str, dict[str, list[Seen]]] = {}
        for upstream in (quick, paced):
            place = Path(folder) / str(upstream)
            place.mkdir()
            known = subjects(place, upstream, first)
            if database is not None:
                known += with_workers(place, upstream, first + 10, args.workers, database.fresh)
            chosen = [one for one in known if any(word.strip() in one.name for word in wanted)]
            loads = {name: load for name, load in _LOADS.items() if load.stream is (upstream == paced)}
            with ExitStack() as servers:
                running = {
                    one.name: serving(servers, one, set(cores) if one.all_cores else {cores[0]}) for one in chosen
                }
                for round_ in range(args.rounds + 1):
                    for one in chosen:
                        for name, load in loads.items():
                            seen = asyncio.run(asked(one.port, load, running[one.name], model="m", key=KEY))
                            if round_:  # the first one warms up
                                rows.setdefault(one.name, {}).setdefault(name, []).append(seen)
    print(f"{len(cores)} cores, load {os.getloadavg()[0]:.1f}, {args.rounds} rounds\n")
    _show(rows)
    return 0


def _figures(runs: dict[str, list[Seen]]) -> list[float]:
    def median(name: str, of: Callable[[Seen], float]) -> float:
        return statistics.median(of(seen) for seen in runs[name])

    def quantile(seen: Seen, share: float) -> float:
        return sorted(seen.firsts)[min(len(seen.firsts) - 1, int(share * len(seen.firsts)))] * 1e3

    return [
        median("busy", lambda seen: len(seen.firsts) / seen.seconds),
        median("busy", lambda seen: seen.cpu / max(1, len(seen.firsts)) * 1e6),
        median("alone", lambda seen: quantile(seen, 0.5)),
        median("alone", lambda seen: quantile(seen, 0.99)),
        median("streams", lambda seen: seen.cpu / max(1, seen.frames) * 1e6),
        median("streams", lambda seen: quantile(seen, 0.99)),
        median("streams, spread", lambda seen: quantile(seen, 0.99)),
        median("streams", lambda seen: seen.resident / 2**20),
    ]


def _show(rows: dict[str, dict[str, list[Seen]]]) -> None:
    figures = {name: _figures(runs) for name, runs in rows.items()}
    beside = figures.get("rolter")
    print("| | " + " | ".join(_COLUMNS) + " |")
    print("|---" * (len(_COLUMNS) + 1) + "|")
    for name, values in figures.items():
        cells = [f"{value:,.0f}" if value >= 100 else f"{value:.2f}" for value in values]
        if beside is not None and name != "rolter":
            cells = [f"{cell} ({value / other:.2f})" for cell, value, other in zip(cells, values, beside, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |")
    bad = {name: sum(seen.bad for runs in loads.values() for seen in runs) for name, loads in rows.items()}
    print("\nIn parentheses: divided by rolter's. Requests that failed:", {k: v for k, v in bad.items() if v} or "none")


def serving(stack: ExitStack, subject: Subject, cores: set[int]) -> int:
    """Start a server, wait until it is ready, and return its process."""
    process = started(stack, subject.command, cores, dict(subject.environment))
    while True:
        if process.poll() is not None:
            raise SystemExit(f"{subject.name} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{subject.port}{subject.wait}", timeout=2):
                return process.pid
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 503:  # it answers, and has no such page
                return process.pid
        except OSError:
            continue


def started(
    stack: ExitStack, command: tuple[str, ...], cores: set[int], environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    """Start a program that ends with the stack."""
    process = subprocess.Popen(
        ["taskset", "-c", ",".join(map(str, sorted(cores))), *command],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    return process


def free_port() -> int:
    """Return a port behind which some more are likely to be free; not one that the system gives to clients."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


if __name__ == "__main__":
    sys.exit(main())
