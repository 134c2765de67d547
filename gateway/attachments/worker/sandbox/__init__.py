"""Walls around the worker: what a file that takes it over can't do to the machine.

Owns no state. Each wall is raised where the system has it, for good, and says whether it stands; they overlap on
purpose. Must be raised while the process has one thread: a thread that is there already would stay outside of them.
"""

import enum

from gateway.attachments.worker.sandbox import landlock, limits, namespaces, seccomp


class Wall(enum.StrEnum):
    """What may hold the worker."""

    LIMITS = "limits"  # memory, no file of any size, no core dump, ends with the gateway
    NAMESPACES = "namespaces"  # users and a network of its own, without any device or right
    LANDLOCK = "landlock"  # reads libraries only, writes nothing, no TCP
    SECCOMP = "seccomp"  # no socket, program, process, signal to others or write of a file


def close(memory_bytes: int) -> tuple[Wall, ...]:
    """Raise every wall that this system has, and return those that stand. `memory_bytes`: of data."""
    raised = (
        (Wall.LIMITS, limits.apply(memory_bytes)),
        (Wall.NAMESPACES, namespaces.enter()),
        (Wall.LANDLOCK, landlock.restrict()),
        (Wall.SECCOMP, seccomp.restrict()),
    )
    return tuple(wall for wall, stands in raised if stands)
