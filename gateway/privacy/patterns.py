"""Patterns that are compiled when a text first needs them. Hundreds stand in this room, and few texts need many.

Compiling all of them was a sixth of a start, and took 8 MB of a gateway that has nothing to do.
"""

import re
from collections.abc import Callable
from re import Pattern
from typing import Any, cast

import re2 as untyped_re2

re2: Any = untyped_re2  # the package has no types


class _Late:
    """What looks like a compiled pattern, and becomes one."""

    def __init__(self, pattern: str, compiled: Callable[[], Any]) -> None:
        self.pattern = pattern
        self._compiled = compiled

    def __getattr__(self, name: str) -> Any:
        """Compile, and have the compiled pattern's methods from then on, so that this is asked only once.

        Raises:
            AttributeError: No pattern has that.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        compiled = self._compiled()
        self.__dict__.update({each: getattr(compiled, each) for each in dir(compiled) if not each.startswith("_")})
        return getattr(compiled, name)


def late(pattern: str, flags: int = 0) -> Pattern[str]:
    """Return what `re.compile` would, without compiling it yet. A pattern that is none is found at its first use."""
    return cast("Pattern[str]", _Late(pattern, lambda: re.compile(pattern, flags)))


def late_re2(pattern: str) -> Any:
    """Return what `re2.compile` would, without compiling it yet."""
    return _Late(pattern, lambda: re2.compile(pattern))
