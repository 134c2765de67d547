"""Reader of arguments that stand between tags, one tag pair a parameter; strings come out as they grow."""

import json
from collections.abc import Mapping
from functools import lru_cache

import regex

from gateway.core.document import Json
from gateway.local.embedded.text.formats.answer_format import Calls
from gateway.local.embedded.text.formats.arguments import JsonReader
from gateway.local.embedded.text.formats.coercion import types_of, value_as_json
from gateway.local.embedded.text.formats.nested_tags import value_of_tags
from gateway.local.embedded.text.formats.patterns import find, loose, value_edge

_CDATA = "<![CDATA["


class TagReader:
    """Reader of the parameters of one call, up to the tag that closes it."""

    def __init__(self, calls: Calls, parameters: Mapping[str, Json]) -> None:
        self.done = self.failed = False
        self.rest = ""
        self._calls = calls
        self._parameters = parameters
        self._key_pattern = _key_pattern(calls)
        self._value_pattern: regex.Pattern[str] | None = None  # within a value: its end
        self._held = ""
        self._value: list[str] = []
        self._types: frozenset[str] = frozenset()
        self._streams = False  # the value is a string, so that it need not be complete
        self._count = 0
        self._key = ""
        self._before_value = False  # what stands between key and value may still come

    def feed(self, text: str) -> str:
        """Return the JSON text that is complete now."""
        self._held += text
        result = ""
        while not self.done and not self.failed:
            piece = self._next_key() if self._value_pattern is None else self._next_value()
            if piece is None:
                break
            result += piece
        if self.done or self.failed:
            self.rest, self._held = self._held, ""
        return result

    def flush(self) -> str:
        """Return what closes the value and the object: models may end their turn before the closing tags."""
        result = "" if self._count or self._value_pattern is not None else "{"
        if self._value_pattern is not None:
            self._value.append(self._held)
            result += self._ended(self._held)
            self._held = ""
        elif self._held.strip():
            self.failed, self.rest = True, self._held
        self.done = True
        return result + "}"

    def _next_key(self) -> str | None:
        found = self._key_pattern.match(self._held, partial=True)
        if found is None:
            self.failed = True
            return ("" if self._count else "{") + "}"
        if found.partial:
            return None
        self._held = self._held[found.end() :]
        if found["end"] is not None:
            self.done = True
            return ("" if self._count else "{") + "}"
        key = found["key"]
        said = found.groupdict().get("string")
        says = frozenset({"string"} if said in ("true", "string") else {"any"})
        self._types = types_of(self._parameters, key) if said is None else says
        self._streams = self._types == {"string"}
        self._value = []
        self._before_value, self._key = True, key
        self._value_pattern = _value_pattern(self._calls, key, False)
        lead = (", " if self._count else "{") + json.dumps(key, ensure_ascii=False) + ": "
        self._count += 1
        return lead + ('"' if self._streams else "")

    def _next_value(self) -> str | None:
        if self._before_value and not self._trimmed():
            return None
        assert self._value_pattern is not None
        found = find(self._value_pattern, self._held)
        place = found.start() if found is not None else len(self._held)
        piece, self._held = self._held[:place], self._held[place:]
        self._value.append(piece)
        if found is None or found.partial:
            return self._escaped(piece) or None
        mark, self._held = self._held[: found.end() - found.start()], self._held[found.end() - found.start() :]
        if self._within_string():
            self._value.append(mark)
            return ""
        return self._ended(piece)

    def _within_string(self) -> bool:
        """Say whether the value is JSON that is still within a string: then a closing tag is a part of it."""
        text = "".join(self._value).lstrip()
        if self._streams or not text.startswith(("{", "[")):
            return False
        scan = JsonReader()
        scan.feed(text)
        return scan.in_string

    def _trimmed(self) -> bool:
        """Take off what belongs to the format, not to the value; return whether enough has come to know."""
        newline = "\n" if self._calls.key_end.endswith("\n") else ""
        if (newline + _CDATA).startswith(self._held) or _CDATA.startswith(self._held):
            return False
        self._held = self._held.removeprefix(newline)
        if self._held.startswith(_CDATA):
            self._held = self._held.removeprefix(_CDATA)
            self._value_pattern = _value_pattern(self._calls, self._key, True)
        self._before_value = False
        return True

    def _ended(self, piece: str) -> str:
        self._value_pattern = None
        if self._streams:
            return self._escaped(piece) + '"'
        text = "".join(self._value)
        nested = value_of_tags(text, self._calls) if self._types & {"object", "array"} or not self._types else None
        return json.dumps(nested, ensure_ascii=False) if nested is not None else value_as_json(text, self._types)

    def _escaped(self, piece: str) -> str:
        return json.dumps(piece, ensure_ascii=False)[1:-1] if self._streams else ""


@lru_cache(64)
def _key_pattern(calls: Calls) -> regex.Pattern[str]:
    end = loose(calls.call.close)
    key = calls.key or rf"{loose(calls.parameter.open)}(?P<key>[^<>\"=\s]{{1,256}}+){loose(calls.key_end)}"
    return regex.compile(rf"\s{{0,8}}(?:(?P<end>{end})|{key})")


@lru_cache(1024)
def _value_pattern(calls: Calls, key: str, cdata: bool) -> regex.Pattern[str]:
    close = value_edge(calls.parameter.close.replace("{key}", key))
    return regex.compile((r"\]\]>" if cdata else "") + close)
