"""A gateway with a leak: what the soak must notice.

Run as `python -m tests.standins.leaking LEAK …`, where the rest of the line is how a gateway is started. LEAK is
memory, descriptors or threads. Of each request that is settled something is kept for ever: 16 KiB, or of every 40th one
a descriptor or a thread.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping

from gateway.cli import main
from gateway.pipeline.settlement import SettlementWriter
from tests.standins.small_memories import shrink

EVERY = 40
KEPT: list[object] = []


def memory(number: int) -> None:
    """Keep 16 KiB."""
    KEPT.append(os.urandom(16_384))


def descriptors(number: int) -> None:
    """Keep an open file now and then."""
    if number % EVERY == 0:
        KEPT.append(os.open(os.devnull, os.O_RDONLY))


def threads(number: int) -> None:
    """Keep a thread that waits for ever now and then."""
    if number % EVERY == 0:
        threading.Thread(target=threading.Event().wait, daemon=True).start()


LEAKS: Mapping[str, Callable[[int], None]] = {"memory": memory, "descriptors": descriptors, "threads": threads}


def plant(leak: Callable[[int], None]) -> None:
    """Have the gateway of this process leak at each settlement."""
    settle = SettlementWriter._settle

    def leaking(self: SettlementWriter, *what: object) -> None:
        leaking.count += 1  # type: ignore[attr-defined]
        leak(leaking.count)  # type: ignore[attr-defined]
        settle(self, *what)  # type: ignore[arg-type]

    leaking.count = 0  # type: ignore[attr-defined]
    SettlementWriter._settle = leaking  # type: ignore[method-assign]


if __name__ == "__main__":
    shrink()
    plant(LEAKS[sys.argv[1]])
    sys.exit(main(sys.argv[sys.argv.index("gateway") + 1 :]))
