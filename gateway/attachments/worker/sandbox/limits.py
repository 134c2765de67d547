"""Limits that every Unix has, and what Linux adds to them for one process."""

import contextlib
import signal
import sys

from gateway.attachments.worker.sandbox.system_calls import prctl

_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38  # <linux/prctl.h>
_DESCRIPTORS = 64
_SHARED = 2**30  # address space beside data: libraries, files that are mapped


def apply(memory_bytes: int) -> bool:
    """Limit memory and descriptors, forbid files and core dumps, and end with the gateway. Say whether all holds."""
    if sys.platform == "win32":
        return False
    import resource

    bounds = {
        resource.RLIMIT_CORE: 0,  # a dump would put the file on the disk
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
        resource.RLIMIT_DATA: memory_bytes,
        resource.RLIMIT_AS: 2 * memory_bytes + _SHARED,
    }
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails instead
    held = True
    for name, most in bounds.items():
        try:
            resource.setrlimit(name, (most, most))
        except (OSError, ValueError):
            held = False
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            prctl(_DUMPABLE, 0)
            prctl(_PDEATHSIG, signal.SIGKILL)
            prctl(_NO_NEW_PRIVS, 1)
    return held
