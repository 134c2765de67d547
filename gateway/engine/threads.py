"""How many CPU threads to compute with on this machine."""

import os
from pathlib import Path

_SHORT_SPIN = "10000"  # rounds before a waiting thread sleeps; GNU OpenMP's default is 30 times as many


def wait_environment(wait: str, threads: int | None) -> dict[str, str]:
    """Environment for OpenMP, which reads it when its library is loaded: how threads wait (`thread_wait`)."""
    match wait:
        case "spin":
            return {"OMP_WAIT_POLICY": "active"}
        case "sleep":
            return {"OMP_WAIT_POLICY": "passive"}
        case _ if (threads or default_threads()) >= usable_cores():
            return {"OMP_WAIT_POLICY": "passive"}
        case _:
            return {"GOMP_SPINCOUNT": _SHORT_SPIN}


def default_threads() -> int:
    """One core stays free: llama.cpp's threads wait for each other by spinning, and collapse when they must share."""
    return max(1, usable_cores() - 1)


def usable_cores() -> int:
    """Cores that this process may use at once (affinity, cgroup quota); of hyper-threads one a core."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _physical_cores() or usable, _cgroup_quota() or usable)


def _physical_cores() -> int | None:
    """Distinct (package, core) pairs among the usable CPUs; None: unknown."""
    found = set()
    for cpu in os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ():
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        try:
            package = (topology / "physical_package_id").read_text().strip()
            found.add((package, (topology / "core_id").read_text().strip()))
        except OSError:
            return None
    return len(found) or None


def _cgroup_quota() -> int | None:
    """Whole CPUs that the control group grants; None: no limit or unknown."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None
