"""What keeps others of the same user out of a process that has keys, on Linux; elsewhere the system's own rules do."""

import contextlib
import ctypes
import os
import signal
import sys

_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38  # <linux/prctl.h>


def harden(parent: int | None = None) -> None:
    """Let nobody read this process's memory, and give it no new rights. It ends with `parent`, where that is given."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0)))
    libc.prctl(_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    if parent is not None:
        libc.prctl(_PDEATHSIG, *map(ctypes.c_ulong, (signal.SIGKILL, 0, 0, 0)))
        if os.getppid() != parent:  # it was gone before
            os._exit(1)
