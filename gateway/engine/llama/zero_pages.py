"""Give memory back that llama.cpp has cleared but not used: a KV cache for eight long windows is mostly zeros.

llama.cpp writes zeros over the whole KV cache at load, which makes all of it resident. Pages that hold nothing but
zeros can be dropped without any effect on what is read from them: private anonymous memory comes back as zeros.
INVARIANT: called only while no other thread writes to the memory of this process.
"""

import ctypes
import sys
from pathlib import Path

_BLOCK = 4 * 2**20
_LEAST = 16 * 2**20  # smaller mappings are not worth reading
_MADV_DONTNEED = 4  # Linux, asm-generic/mman-common.h


def release_zero_pages() -> int:
    """Drop all-zero blocks of large private anonymous mappings. Return the bytes given back; 0 where not on Linux."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    libc.memcmp.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    released = 0
    for start, end in _mappings():
        for at in range(start, end, _BLOCK):
            size = min(_BLOCK, end - at)
            # Each word equals the one behind it, and the first is zero: the quickest look at so many bytes.
            zeros = not ctypes.c_uint64.from_address(at).value and libc.memcmp(at, at + 8, size - 8) == 0
            if zeros and libc.madvise(at, size, _MADV_DONTNEED) == 0:
                released += size
    return released


def _mappings() -> list[tuple[int, int]]:
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        # Private, writable, of no file and without a name: not the heap, not a stack.
        if len(fields) == 5 and fields[1] == "rw-p" and fields[4] == "0":
            start, _, end = fields[0].partition("-")
            if int(end, 16) - int(start, 16) >= _LEAST:
                found.append((int(start, 16), int(end, 16)))
    return found
