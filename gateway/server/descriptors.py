"""File descriptors of this process: a part of them is for clients."""

import resource

_KEPT = 128  # for files, workers, the ledger and idle upstream connections
_PER_CONNECTION = 2  # a client, and the server that answers it


def affordable_connections(wanted: int) -> int:
    """Return how many connections may be open at once: `wanted`, or what the limit of open files leaves for them."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, max(soft - _KEPT, soft // 4) // _PER_CONNECTION))
