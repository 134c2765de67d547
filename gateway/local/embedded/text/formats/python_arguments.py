"""Reader of the arguments of a Python call, from behind its bracket; each comes out when it is complete."""

import json

from gateway.local.embedded.text.formats.coercion import python_value

_CLOSE = {"(": ")", "[": "]", "{": "}"}


class PythonReader:
    """Reader of `a='x', b=2)`."""

    def __init__(self) -> None:
        self.done = self.failed = False
        self.rest = ""
        self._held: list[str] = []
        self._open: list[str] = []
        self._quote = ""
        self._escaped = False
        self._count = 0

    def feed(self, text: str) -> str:
        """Return the JSON text that is complete now."""
        result = ""
        for place, character in enumerate(text):
            if self._ends(character):
                piece = self._argument(last=character == ")")
                if piece is None:
                    self.failed, self.rest = True, "".join(self._held) + text[place:]
                    return result + ("}" if self._count else "{}")
                result += piece
                self._held = []
                if character == ")":
                    self.done, self.rest = True, text[place + 1 :]
                    return result + ("}" if self._count else "{}")
            else:
                self._held.append(character)
        return result

    def flush(self) -> str:
        """Return what closes the object; an argument that was cut short is none."""
        self.failed, self.rest = bool(self._held), "".join(self._held)
        return "}" if self._count else "{}"

    def _ends(self, character: str) -> bool:
        """Take note of a character; say whether it ends an argument."""
        if self._quote:
            if self._escaped:
                self._escaped = False
            elif character == "\\":
                self._escaped = True
            elif character == self._quote:
                self._quote = ""
        elif character in "\"'":
            self._quote = character
        elif character in _CLOSE:
            self._open.append(_CLOSE[character])
        elif self._open and character == self._open[-1]:
            self._open.pop()
        else:
            return not self._open and character in ",)"
        return False

    def _argument(self, *, last: bool) -> str | None:
        """Return the argument that is held, as JSON; None: it can't be read."""
        text = "".join(self._held).strip()
        if not text:
            return "" if last else None
        key, equals, value = text.partition("=")
        if not equals or not key.strip().isidentifier():
            return None
        try:
            read = json.dumps(python_value(value.replace("\n", "\\n")), ensure_ascii=False)
        except ValueError:
            return None
        self._count += 1
        return ("{" if self._count == 1 else ", ") + json.dumps(key.strip(), ensure_ascii=False) + ": " + read
