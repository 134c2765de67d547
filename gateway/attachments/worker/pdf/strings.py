"""Texts out of PDFium's functions, which are called twice: once to measure, once to fill."""

import ctypes
from collections.abc import Callable
from typing import Any

_LONGEST = 32 * 2**20  # bytes; a length beyond is not believed


def wide(function: Callable[..., int], *arguments: Any) -> str:
    """Return a UTF-16 text of a function whose last two arguments are a buffer and its length in bytes."""
    data = _filled(function, *arguments)
    return data.decode("utf-16-le", "replace").rstrip("\0")


def narrow(function: Callable[..., int], *arguments: Any) -> str:
    """Return a byte string of such a function, as text."""
    return _filled(function, *arguments).decode("utf-8", "replace").rstrip("\0")


def raw(function: Callable[..., int], *arguments: Any) -> bytes:
    """Return the bytes of such a function."""
    return _filled(function, *arguments)


def _filled(function: Callable[..., int], *arguments: Any) -> bytes:
    length = function(*arguments, None, 0)
    if not 0 < length <= _LONGEST:
        return b""
    buffer = ctypes.create_string_buffer(length + 2)
    # Texts are declared as pointers to 16-bit units, or as pointers to anything.
    declared = getattr(function, "argtypes", None)
    target = ctypes.cast(buffer, declared[-2]) if declared else buffer
    written = function(*arguments, target, length)
    return buffer.raw[: max(0, min(written, length))]
