"""Namespaces of the worker's own: no network device, nobody's rights. See namespaces(7)."""

import contextlib
import ctypes
import sys

from gateway.attachments.worker.sandbox.system_calls import call, unshare

_NEWIPC, _NEWUTS, _NEWUSER, _NEWNET = 0x08000000, 0x04000000, 0x10000000, 0x40000000  # <linux/sched.h>
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522


def enter() -> bool:
    """Enter namespaces of its own and give up all rights in them. Say whether the network is gone."""
    if sys.platform != "linux":
        return False
    gone = any(_entered(flags) for flags in (_NEWUSER | _NEWNET | _NEWIPC | _NEWUTS, _NEWUSER | _NEWNET, _NEWNET))
    with contextlib.suppress(OSError):
        _give_up_rights()
    return gone


def _entered(flags: int) -> bool:
    try:
        unshare(flags)
    except OSError:  # forbidden by the system's owner, or by a container
        return False
    return True


def _give_up_rights() -> None:
    """Empty all sets of capabilities: who enters a namespace of users has every right in it.

    Raises:
        OSError: it failed.
    """
    import platform

    number = _CAPSET.get(platform.machine())
    if number is None:
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    call(number, ctypes.cast(header, ctypes.c_void_p), ctypes.cast(sets, ctypes.c_void_p))
