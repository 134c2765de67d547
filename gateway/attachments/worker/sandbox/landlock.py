"""Landlock: of all files, the worker reads Python and its libraries. See https://docs.kernel.org/userspace-api/landlock.html."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import gateway
from gateway.attachments.worker.sandbox.system_calls import call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILES_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}  # how many rights on files a version knows; 16 since the fifth
_TCP = 0b11  # bind and connect, since the fourth version
_SCOPES = 0b11  # abstract sockets and signals, since the sixth
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/dev/null", "/dev/urandom",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu", "/sys/fs/cgroup",
)  # fmt: skip


def restrict() -> bool:
    """Forbid everything on files but to read libraries, and TCP. Say whether the kernel does so."""
    if sys.platform != "linux":
        return False
    try:
        version = call(_CREATE_RULESET, None, 0, _VERSION_FLAG)
        rules = _ruleset(version)
    except OSError:  # not in this kernel, or not turned on
        return False
    try:
        for path in _readable():
            with contextlib.suppress(OSError):
                _allow(rules, path)
        call(_RESTRICT_SELF, rules, 0)
    except OSError:
        return False
    finally:
        os.close(rules)
    return True


def _ruleset(version: int) -> int:
    """Return the descriptor of rules that handle all rights of this version.

    Raises:
        OSError: it failed.
    """
    attributes = (ctypes.c_uint64 * 3)((1 << _FILES_OF_VERSION.get(version, 16)) - 1, _TCP, _SCOPES)
    size = 8 if version < 4 else 16 if version < 6 else 24
    return call(_CREATE_RULESET, ctypes.cast(attributes, ctypes.c_void_p), size, 0)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _allow(rules: int, path: Path) -> None:
    """Allow to read what stands beneath a path.

    Raises:
        OSError: it failed.
    """
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Beneath(_READ_FILE | (_READ_DIR if path.is_dir() else 0), place)
        call(_ADD_RULE, rules, _PATH_BENEATH, ctypes.cast(ctypes.pointer(rule), ctypes.c_void_p), 0)
    finally:
        os.close(place)


def _readable() -> Iterator[Path]:
    """Yield Python, its packages and the gateway's own code; never a folder that merely is on Python's path."""
    yield from map(Path, _SYSTEM)
    yield Path(gateway.__file__).resolve().parent
    for prefix in {sys.prefix, sys.base_prefix}:
        yield from (Path(prefix, name) for name in ("lib", "lib64", "pyvenv.cfg"))
    yield from (Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages"))
