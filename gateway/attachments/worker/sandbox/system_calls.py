"""System calls that Python has no function for."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: int | ctypes.c_void_p | None) -> int:
    """Make a system call by its number, and return what it returns.

    Raises:
        OSError: it failed.
    """
    return _checked(_LIBC.syscall(ctypes.c_long(number), *map(_argument, arguments)))


def prctl(option: int, value: int = 0, address: int = 0) -> None:
    """Set an attribute of this process. `address`: of a structure, where the attribute is one.

    Raises:
        OSError: it failed.
    """
    _checked(_LIBC.prctl(option, *map(ctypes.c_ulong, (value, address, 0, 0))))


def unshare(flags: int) -> None:
    """Enter new namespaces.

    Raises:
        OSError: it failed.
    """
    _checked(_LIBC.unshare(flags))


def _argument(value: int | ctypes.c_void_p | None) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _checked(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
