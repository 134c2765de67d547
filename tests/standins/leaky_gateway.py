"""A gateway whose inspection is broken on purpose: what the audit must notice.

Run as `python -m tests.standins.leaky_gateway FAULT serve …`.
"""

import sys
from collections.abc import Callable, Mapping

from gateway.cli import main
from gateway.core.finding import Inspection
from gateway.privacy import Inspector
from gateway.privacy.inspection import inspector


def blind() -> None:
    """Everything is clean."""
    Inspector.inspect = lambda self, document, media=frozenset(): Inspection()  # type: ignore[method-assign]


def literal() -> None:
    """No encoding is taken off."""
    inspector.views = lambda view, kinds, spend: iter(())  # type: ignore[attr-defined]


FAULTS: Mapping[str, Callable[[], None]] = {"blind": blind, "literal": literal}

if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
