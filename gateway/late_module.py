"""Packages that are loaded when they are first used: not every gateway needs them."""

from importlib import import_module
from typing import Any


class _Late:
    """What looks like a module, and asks it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        """Load the module, and keep what it has under that name, so that this is asked only once for each."""
        found = getattr(import_module(self._name), name)
        setattr(self, name, found)
        return found


def late_module(name: str) -> Any:
    """Return what `import` would bind, without loading it yet. That it can't be loaded is found at its first use."""
    return _Late(name)
