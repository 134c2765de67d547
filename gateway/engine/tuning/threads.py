"""Choose how many CPU threads compute on this machine. Reads the system's files; times are `thread_tuner`'s."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from gateway.engine.settings import EngineSettings
from gateway.engine.tuning.thread_tuner import ThreadTuner, choices

# Rounds that a waiting thread of GNU OpenMP spins before it sleeps; its own default is 300,000. A thread that never
# spins is woken for every operation of a step, which costs more than a small model's step; one that spins long takes
# the core from the thread that it waits for, where threads or other programs take every core. Measured with two
# threads on two cores, milliseconds a token alone and beside a program that takes a core: 1,000 rounds 14.5 and 28;
# 10,000 rounds 12.2 and 27; 30,000 rounds 12.3 and 48; 100,000 rounds 12.5 and 270.
_SHORT_SPIN = "10000"


def wait_environment(wait: str) -> dict[str, str]:
    """Return environment variables for OpenMP, which say how threads wait (`thread_wait`).

    OpenMP reads them when its library is loaded.
    """
    match wait:
        case "spin":
            return {"OMP_WAIT_POLICY": "active"}
        case "sleep":
            return {"OMP_WAIT_POLICY": "passive"}
        case _:
            return {"GOMP_SPINCOUNT": _SHORT_SPIN}


def default_threads() -> int:
    """Return the number of threads to begin with: all cores but one.

    One stays free, because llama.cpp's threads wait for each other by spinning, and collapse when they must share a
    core.
    """
    return max(1, usable_cores() - 1)


def tuner_of(
    settings: EngineSettings, threads: int, *, gpu: bool, cores: Callable[[], int] | None = None
) -> ThreadTuner | None:
    """Make the tuner that changes the number of threads while the worker runs.

    None: the number was configured, or a GPU does the work. `cores` counts the cores that may be used.
    """
    if settings.threads is not None or (gpu and settings.gpu_layers != 0):
        return None
    numbers = choices((cores or usable_cores)())
    return ThreadTuner(numbers, threads) if len(numbers) > 1 else None


def usable_cores() -> int:
    """Count the cores that this process may use at once (affinity, control group); of hyper-threads one a core."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _physical_cores() or usable, granted_cpus(Path("/")) or usable)


def _physical_cores() -> int | None:
    """Count distinct (package, core) pairs among the usable CPUs; None: unknown."""
    found = set()
    for cpu in os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ():
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        try:
            package = (topology / "physical_package_id").read_text().strip()
            found.add((package, (topology / "core_id").read_text().strip()))
        except OSError:
            return None
    return len(found) or None


def granted_cpus(root: Path) -> int | None:
    """Count the whole CPUs that the control groups of this process grant (a container's CPU limit).

    None: no limit, or unknown. `root` is where /proc and /sys are. A limit of half a CPU counts as one.
    """
    grants = [grant for folder in _control_groups(root) if (grant := _grant(folder)) is not None]
    return max(1, int(min(grants))) if grants else None


def _control_groups(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's control groups that can limit CPUs, and of all groups around them."""
    mounted = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = ["0::/"]
    for line in lines:
        _, controllers, name = line.split(":", 2)  # cgroups(7): hierarchy, its controllers, path; version 2 names none
        if controllers and "cpu" not in controllers.split(","):
            continue
        hierarchies = [mounted / "cpu", mounted / "cpu,cpuacct"] if controllers else [mounted, mounted / "unified"]
        path = PurePosixPath(name)
        for hierarchy in hierarchies:
            yield from (hierarchy / part.relative_to("/") for part in (path, *path.parents) if ".." not in part.parts)


def _grant(folder: Path) -> float | None:
    """Return how many CPUs one control group may use; None: no limit."""
    try:
        if (folder / "cpu.max").exists():  # version 2: "quota period", or "max period"
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        return None if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
