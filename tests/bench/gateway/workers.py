"""What several workers answer beside one, where each may use a part of a core alone.

    python -m tests.bench.gateway.workers [--workers 2] [--share 0.2] [--rounds 3]

Database, upstream and clients compute too. So that N workers can be told apart from N cores, each worker may use the
same part of a core (Linux's control groups, as root), and the rest of the machine is the others'.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.gateway.__main__ import free_port, serving, started
from tests.bench.gateway.client import Load, Seen, asked
from tests.bench.gateway.servers import KEY, with_workers
from tests.standins.postgresql import running_postgresql

_PERIOD = 20_000  # microseconds: short, so that a request seldom waits for its worker's next turn
_GROUPS = Path("/sys/fs/cgroup")


@contextmanager
def limited(process: int, share: float) -> Iterator[None]:
    """Let a process use a part of one core alone."""
    old = (_GROUPS / "cpu").is_dir()  # version 1 has a folder for each controller
    group = (_GROUPS / "cpu" if old else _GROUPS) / f"bench-{process}"
    group.mkdir()
    quota = int(share * _PERIOD)
    try:
        if old:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
        (group / "cgroup.procs").write_text(str(process))
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(str(process))
        group.rmdir()


def workers_of(process: int, count: int) -> list[int]:
    """Return the processes that answer: the gateway itself, or the children of what starts several."""
    if count == 1:
        return [process]
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def main() -> int:
    """Print requests a second of one and of several."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--share", type=float, default=0.2, help="of a core, for each worker")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if os.geteuid() != 0:
        print("Only root may limit a process to a part of a core.")
        return 2
    cores = set(os.sched_getaffinity(0))
    load = Load(connections=32, requests=20)
    seen: dict[int, list[Seen]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = stack.enter_context(running_postgresql())
        upstream, first = free_port(), free_port()
        started(stack, (sys.executable, "-m", "tests.bench.gateway.upstream", str(upstream), "1", "0.0"), cores, {})
        subjects = with_workers(Path(folder), upstream, first, args.workers, database.fresh)
        running = {}
        for one, count in zip(subjects, (1, args.workers), strict=True):
            process = serving(stack, one, cores)
            for worker in workers_of(process, count):
                stack.enter_context(limited(worker, args.share))
            running[count] = (one, process)
        for round_ in range(args.rounds + 1):
            for count, (one, process) in running.items():
                came = asyncio.run(asked(one.port, load, process, model="m", key=KEY))
                if round_:  # the first one warms up
                    seen.setdefault(count, []).append(came)
    load_now = os.getloadavg()[0]
    print(f"{len(cores)} cores, load {load_now:.1f}, each worker {args.share:g} of a core, {args.rounds} rounds")
    rates = {count: statistics.median(len(one.firsts) / one.seconds for one in runs) for count, runs in seen.items()}
    for count, rate in rates.items():
        cpu = statistics.median(one.cpu / len(one.firsts) for one in seen[count])
        bad = sum(one.bad for one in seen[count])
        print(f"{count} workers: {rate:.0f} requests/s, {cpu * 1e6:,.0f} µs of CPU each, {bad} failed")
    print(f"{args.workers} beside 1: {rates[args.workers] / rates[1]:.2f} times as many requests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
