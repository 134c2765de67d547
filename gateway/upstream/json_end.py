"""Find where a JSON object that comes in pieces ends, without reading it anew with each piece. Pure."""

import re
from typing import Any

import msgspec

_SIGNS = re.compile(r'\\.|["{}\[\]]', re.DOTALL)


class JsonEnd:
    """Text of one JSON value that comes in pieces."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._backslash = ""  # at the end of a piece; what it stands before comes with the next one
        self._depth = 0
        self._in_string = False

    @property
    def begun(self) -> bool:
        """Whether any text has come."""
        return bool(self._pieces)

    @property
    def closed(self) -> bool:
        """Whether all that was opened is closed again, so that nothing can follow."""
        return self.begun and self._depth <= 0 and not self._in_string

    def is_object(self) -> bool:
        """Say whether the text is a whole JSON object. Reads it, so this is for the end."""
        try:
            msgspec.json.decode("".join(self._pieces).encode(), type=dict[str, Any])
        except (ValueError, RecursionError):
            return False
        return True

    def add(self, piece: str) -> None:
        """Take the next piece."""
        self._pieces.append(piece)
        text = self._backslash + piece
        backslashes = len(text) - len(text.rstrip("\\"))
        self._backslash = "\\" if backslashes % 2 else ""
        for sign in _SIGNS.findall(text):
            if sign == '"':
                self._in_string = not self._in_string
            elif not self._in_string and len(sign) == 1:
                self._depth += 1 if sign in "{[" else -1
