"""What a managed server prints: its last lines before it is ready, for the error if it never is; later only a count.

INVARIANT: what comes once the server can be asked is not kept: it may quote a request.
"""

import re
from collections import deque

_ENDS = re.compile(rb"[\r\n]+")  # progress bars end their lines with \r
_LINES = 8
_LONGEST = 200  # characters of a line that are kept


class ServerOutput:
    """Reader of one server's output. `lines` counts them all."""

    def __init__(self, secret: str) -> None:
        """Begin with nothing. `secret` is never kept, if the server prints it."""
        self._secret = secret
        self._rest = b""
        self._kept: deque[str] = deque(maxlen=_LINES)
        self.keeps = True
        self.lines = 0

    def feed(self, data: bytes) -> None:
        """Take what was printed."""
        *whole, rest = _ENDS.split(self._rest + data)
        self._rest = rest[-4096:]
        for line in whole:
            self._take(line)

    def ready(self) -> None:
        """Forget what was kept, and keep nothing from now on."""
        self.keeps = False
        self._kept.clear()
        self._rest = b""

    def last(self) -> str:
        """Return the last lines from before it was ready, in one; empty: there are none."""
        if self._rest:
            self._take(self._rest)
            self._rest = b""
        return " | ".join(self._kept)

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip()
        if not text:
            return
        self.lines += 1
        if self.keeps:
            plain = "".join(character if character.isprintable() else " " for character in text)
            self._kept.append(plain.replace(self._secret, "…")[:_LONGEST])
