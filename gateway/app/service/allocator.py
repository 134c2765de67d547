"""The C library's allocator, told to keep little that nobody uses. Only glibc can be told."""

import contextlib
import ctypes
import sys

_ARENA_MAX = -8  # M_ARENA_MAX of <malloc.h>
_ARENAS = 2  # one for the loop, one for threads: Python's own lock lets hardly more allocate at once


def keep_few_arenas() -> None:
    """Let threads share their memory, instead of keeping some for each. Before the first thread begins."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


def give_memory_back() -> None:
    """Give the system back what a start needed for a while: parsers, price lists, patterns that were compiled."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
