"""A gateway whose memories of texts hold a hundredth: they are full in minutes, and whatever grows then is a leak.

Run as `python -m tests.standins.small_memories …`, where the rest of the line is how a gateway is started.
"""

import sys
from types import ModuleType

from gateway.cli import main
from gateway.ledger.taint import cache
from gateway.ner import recognition
from gateway.pipeline import topic_judge
from gateway.pipeline.memory import passage_cache, taint
from gateway.privacy.sensitivity import judge

SHARE = 100
BOUNDS: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (passage_cache, ("_CHECKED", "_HARMLESS", "_AT_HAND", "_TURNS", "_ENDS")),
    (taint, ("_SCOPES",)),
    (cache, ("_AT_HAND",)),
    (judge, ("_KNOWN_TEXTS", "_KNOWN_PASSAGES")),
    (topic_judge, ("_REMEMBERED",)),
)


def shrink() -> None:
    """Let the memories of this process hold a hundredth of what they would."""
    for module, names in BOUNDS:
        for name in names:
            setattr(module, name, getattr(module, name) // SHARE)
    full = recognition.LRUCache
    recognition.LRUCache = lambda size: full(size // SHARE)  # type: ignore[assignment,misc]


if __name__ == "__main__":
    shrink()
    sys.exit(main(sys.argv[sys.argv.index("gateway") + 1 :]))
