"""File descriptors of this process: as many as the system allows."""

import resource


def raise_limit() -> None:
    """Raise the soft limit of open files to the hard one, which is there to be used (systemd's advice, `LimitNOFILE`).

    The soft limit is low on many systems for programs that use select(2), which nothing here does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            return  # some systems allow for less than they say; `server/descriptors.py` counts what there is
