"""Readers of a call's arguments in pieces: whatever a model writes them in, JSON text comes out as it grows."""

import json
from typing import Protocol

from gateway.local.embedded.text.detokenizer import overlap

_BLANK = " \t\r\n"
_PLAIN = frozenset("0123456789+-.eEtrufalsn,:" + _BLANK)  # besides strings and brackets
_NAMES = {"None": "null", "True": "true", "False": "false"}  # what templates show of them
_CLOSE = {"{": "}", "[": "]"}


class ArgumentReader(Protocol):
    """Reader of the arguments of one call.

    `done`: they are complete, `rest` is the text behind them. `failed`: they can't be read on, `rest` is what could
    not be read.
    """

    done: bool
    failed: bool
    rest: str

    def feed(self, text: str) -> str:
        """Return the JSON text that is complete now."""
        ...

    def flush(self) -> str:
        """Return what completes the arguments where the answer ends within them."""
        ...


class JsonReader:
    """Reader of arguments that are JSON already: an object, or a string that holds one."""

    def __init__(self) -> None:
        self.done = self.failed = False
        self.rest = ""
        self._open: list[str] = []
        self._in_string = self._escaped = False
        self._quoted: list[str] | None = None  # pieces of arguments that stand in a string

    @property
    def in_string(self) -> bool:
        """Whether the text so far ends within a string."""
        return self._in_string and not self.failed

    def feed(self, text: str) -> str:
        """Return the text up to the end of the value."""
        for place, character in enumerate(text):
            if self._in_string:
                if self._escaped:
                    self._escaped = False
                elif character == "\\":
                    self._escaped = True
                elif character == '"':
                    self._in_string = False
            elif character == '"':
                self._in_string = True
                if not self._open and self._quoted is None:
                    self._quoted = []
            elif character in _CLOSE:
                self._open.append(_CLOSE[character])
            elif self._open and character == self._open[-1]:
                self._open.pop()
            elif character not in _PLAIN:
                self.failed, self.rest = True, text[place:]
                return self._out(text[:place])
            if not self._open and not self._in_string and character not in _BLANK:
                self.done, self.rest = True, text[place + 1 :]
                return self._out(text[: place + 1])
        return self._out(text)

    def flush(self) -> str:
        """Return nothing: what was cut short stays short."""
        return ""

    def _out(self, text: str) -> str:
        if self._quoted is None:
            return text
        self._quoted.append(text)
        if not self.done:
            return ""
        value = json.loads("".join(self._quoted), strict=False)
        return value if isinstance(value, str) else ""


class GemmaReader:
    """Reader of Gemma's arguments, from behind their first brace: keys without quotes, strings between `<|"|>`."""

    _QUOTE = '<|"|>'

    def __init__(self) -> None:
        self.done = self.failed = False
        self.rest = ""
        self._open = ["}"]
        self._held = ""
        self._in_string = False
        self._begun = False

    def feed(self, text: str) -> str:
        """Return the JSON text that is complete now."""
        result, self._begun = "" if self._begun else "{", True
        text, self._held = self._held + text, ""
        while text and not self.done:
            place = text.find(self._QUOTE)
            if self._in_string:
                keep = 0 if place >= 0 else overlap(text, self._QUOTE)
                inner = text[:place] if place >= 0 else text[: len(text) - keep]
                result += json.dumps(inner, ensure_ascii=False)[1:-1]
                if place < 0:
                    self._held = text[len(text) - keep :]
                    return result
                result, text, self._in_string = result + '"', text[place + len(self._QUOTE) :], False
            elif text.startswith(self._QUOTE):
                result, text, self._in_string = result + '"', text[len(self._QUOTE) :], True
            elif self._QUOTE.startswith(text):
                self._held = text
                return result
            else:
                piece, text = self._plain(text)
                if not piece:
                    self._held = text
                    return result
                result += piece
        if self.done:
            self.rest = text
        return result

    def flush(self) -> str:
        """Return nothing: what was cut short stays short."""
        return ""

    def _plain(self, text: str) -> tuple[str, str]:
        """Return the JSON of the first word or bracket, and the text behind it; no JSON: the word may go on."""
        first = text[0]
        if first in _CLOSE:
            self._open.append(_CLOSE[first])
            return first, text[1:]
        if first == self._open[-1]:
            self._open.pop()
            self.done = not self._open
            return first, text[1:]
        if first in "," + _BLANK + ":":
            return first, text[1:]
        end = next((place for place, letter in enumerate(text) if letter in ",:{}[]<" + _BLANK and place), -1)
        if end < 0:
            return "", text
        word, after = text[:end], text[end:]
        if after.startswith(":") and self._open[-1] == "}":
            return json.dumps(word.strip('"'), ensure_ascii=False), after
        word = _NAMES.get(word, word)
        try:
            json.loads(word)
        except ValueError:
            return json.dumps(word, ensure_ascii=False), after
        return word, after
