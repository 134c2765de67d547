"""Bodies that were refused for want of a place, for a short while: most of them come again.

A retry is then the very same frozen request, so whoever remembers a request as long as it lives (its inspection, its
tokens) need not work anew. Nothing is decided here: a retry takes every step that any request takes.
"""

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from cachetools import TTLCache

_SECONDS = 60.0
_MOST = 64
_LONGEST = 8 * 1024  # bytes; longer ones are few in a second

Name = tuple[str, str, str, bytes]


class RetriedBodies:
    """Memory of what refused bodies were parsed to: few, short ones, each for its own key, in RAM alone."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._parsed: TTLCache[Name, Any] = TTLCache(_MOST, _SECONDS, timer=clock)
        self._clock = clock
        self._last: float | None = None  # when one was refused

    @property
    def empty(self) -> bool:
        """Return whether nothing was refused lately."""
        # Asked with every request, and the cache is slow to ask.
        return self._last is None or self._clock() - self._last >= _SECONDS

    def parsed(self, name: Name) -> Any | None:
        """Return what a body was parsed to when it was refused; None: it was not, or long ago."""
        return self._parsed.get(name)

    def keep(self, name: Name, parsed: Any) -> None:
        """Remember a body that was refused."""
        if len(name[-1]) <= _LONGEST:
            self._parsed[name] = parsed
            self._last = self._clock()


def name_of(http: web.Request, key: str, body: bytes) -> Name:
    """Return all that a parsed request depends on, and whose it is."""
    asked = [http.headers.get("anthropic-version", ""), *http.headers.getall("anthropic-beta", ())]
    return key, http.path, "\n".join(asked), body
