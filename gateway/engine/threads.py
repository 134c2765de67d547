"""How many CPU threads to compute with on this machine."""

import os
from pathlib import Path


def default_threads() -> int:
    """One core stays free: llama.cpp's threads wait for each other by spinning, and collapse when they must share.

    Counts the cores that this process may use (affinity, cgroup quota), and of hyper-threads only one a core.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota()
    cores = min(usable, _physical_cores() or usable, quota or usable)
    return max(1, cores - 1)


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
