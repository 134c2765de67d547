"""File descriptors of this process: as many as the system allows, and a part of them for clients."""

import resource

_KEPT = 128  # for files, workers, the ledger and idle upstream connections
_PER_CONNECTION = 2  # a client, and the server that answers it


def raise_limit() -> None:
    """Raise the soft limit of open files to the hard one, which is there to be used (systemd's advice, `LimitNOFILE`).

    The soft limit is low on many systems for programs that use select(2), which nothing here does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            return  # some systems allow for less than they say; `affordable_connections` counts what there is


def affordable_connections(wanted: int) -> int:
    """Return how many connections may be open at once: `wanted`, or what the limit of open files leaves for them."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, max(soft - _KEPT, soft // 4) // _PER_CONNECTION))
