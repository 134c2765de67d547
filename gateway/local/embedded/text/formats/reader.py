"""Reader of an answer in pieces of any size: text, thoughts and tool calls, whatever the model marks them with.

What could be a marker or a call is held back until it is one or none. What turns out to be none is given out as text,
unchanged.
"""

import enum
from collections.abc import Mapping
from typing import TypeAlias

import msgspec
import regex

from gateway.local.embedded.text.formats.answer_format import AnswerFormat, Style, Tool
from gateway.local.embedded.text.formats.arguments import ArgumentReader, GemmaReader, JsonReader
from gateway.local.embedded.text.formats.patterns import find, patterns_of
from gateway.local.embedded.text.formats.python_arguments import PythonReader
from gateway.local.embedded.text.formats.tagged_arguments import TagReader

_LONGEST_HELD = 64 * 1024  # characters that may wait for the rest of a marker


class Said(msgspec.Struct, frozen=True):
    """Piece of the answer's text."""

    text: str


class Thought(msgspec.Struct, frozen=True):
    """Piece of what the model thinks."""

    text: str


class CallBegun(msgspec.Struct, frozen=True):
    """Beginning of a tool call."""

    name: str


class CallArguments(msgspec.Struct, frozen=True):
    """Piece of the JSON text of the arguments of the call that began last."""

    text: str


Event: TypeAlias = Said | Thought | CallBegun | CallArguments


class _Place(enum.Enum):
    START = "start"
    CONTENT = "content"
    THOUGHT = "thought"
    CALL = "call"
    OBJECT_END = "object end"
    AFTER_CALL = "after call"


class AnswerReader:
    """Reader of one answer. `unreadable`: how many calls could not be read to their end."""

    def __init__(self, form: AnswerFormat, tools: tuple[Tool, ...] = (), *, thinking: bool = False) -> None:
        """Begin before the first character. `thinking`: the prompt ends inside a thought."""
        self._form = form
        self._tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        self._patterns = patterns_of(form, tuple(self._tools))
        self._place = _Place.THOUGHT if thinking else _Place.START
        self._held = ""
        self._fresh = True  # blanks at the beginning of a thought or a text belong to neither
        self._arguments: ArgumentReader | None = None
        self._outer = False  # the call's object stands in another one
        self._called = False
        self._ended = False
        calls = form.calls if tools else None
        self._call_mark = (calls.section.open or calls.call.open).strip() if calls is not None else ""
        self.unreadable = 0

    @property
    def thinking(self) -> bool:
        """Whether the answer is inside a thought now."""
        return self._place is _Place.THOUGHT

    def feed(self, text: str) -> list[Event]:
        """Return what is complete now."""
        self._held += text
        events: list[Event] = []
        while self._held and self._step(events):
            pass
        if len(self._held) > _LONGEST_HELD:
            events += self._out(self._held)
            self._held = ""
        return events

    def flush(self, *, complete: bool = True) -> list[Event]:
        """Return what is left at the end of the answer. `complete`: the model ended it, no limit did."""
        events: list[Event] = []
        self._ended = True
        while self._held and self._step(events):
            pass
        if self._place is _Place.CALL:
            assert self._arguments is not None
            rest = self._arguments.flush() if complete else ""
            if rest:
                events.append(CallArguments(rest))
            if self._arguments.failed and complete:
                self._gave_up(self._arguments.rest, events)
        elif self._place is not _Place.OBJECT_END:
            events += self._out(self._held)
        self._held = ""
        return events

    def _step(self, events: list[Event]) -> bool:
        """Read on; return whether more can be read of what is held."""
        match self._place:
            case _Place.START:
                return self._at_start(events)
            case _Place.CONTENT | _Place.THOUGHT:
                return self._in_text(events)
            case _Place.CALL:
                return self._in_call(events)
            case _Place.OBJECT_END | _Place.AFTER_CALL:
                return self._after_call(events)

    def _at_start(self, events: list[Event]) -> bool:
        found = self._patterns.start.match(self._held, partial=not self._ended)
        if found is None:
            self._place = _Place.CONTENT
            return True
        return not found.partial and self._entered(found, events)

    def _in_text(self, events: list[Event]) -> bool:
        thinking = self._place is _Place.THOUGHT
        pattern = self._patterns.thought if thinking else self._patterns.content
        found = pattern.search(self._held) if self._ended else find(pattern, self._held)
        place = found.start() if found is not None else len(self._held)
        text, self._held = self._held[:place], self._held[place:]
        events += self._out(text)
        if found is None or found.partial:
            return False
        return self._entered(found, events)

    def _out(self, text: str) -> list[Event]:
        if self._fresh:
            text = text.lstrip() if self._place is _Place.THOUGHT else text.lstrip("\n") if self._called else text
        if not text:
            return []
        self._fresh = False
        if self._call_mark and self._call_mark in text and self._place is not _Place.THOUGHT:
            self.unreadable += 1
        return [Thought(text)] if self._place is _Place.THOUGHT else [Said(text)]

    def _entered(self, found: regex.Match[str], events: list[Event]) -> bool:
        """Go where a marker leads. `found` begins where what is held begins."""
        self._held = self._held[found.end() - found.start() :]
        groups = found.groupdict()
        if groups.get("call") is not None or groups.get("following") is not None:
            self._begin_call(found, events)
        elif groups.get("thought") is not None:
            self._place, self._fresh = _Place.THOUGHT, True
        elif groups.get("closer") is not None and self._place is _Place.THOUGHT:
            self._place, self._fresh, self._called = _Place.START, True, True
        elif groups.get("content") is not None:
            self._place, self._fresh = _Place.CONTENT, False
        return True

    def _begin_call(self, found: regex.Match[str], events: list[Event]) -> None:
        assert self._form.calls is not None
        groups = found.groupdict()
        name = str(groups["name"])
        events.append(CallBegun(name))
        self._outer = groups.get("outer") is not None
        self._called = True
        if groups.get("none") is not None or groups.get("early") is not None:
            events.append(CallArguments(groups.get("early") or "{}"))
            self._place = _Place.OBJECT_END if self._outer or groups.get("early") is not None else _Place.AFTER_CALL
            return
        self._place = _Place.CALL
        match self._form.calls.style:
            case Style.OBJECT | Style.NAMED_JSON:
                self._arguments = JsonReader()
            case Style.TAGS:
                self._arguments = TagReader(self._form.calls, self._tools[name].parameters)
            case Style.PYTHON:
                self._arguments = PythonReader()
            case Style.GEMMA:
                self._arguments = GemmaReader()

    def _in_call(self, events: list[Event]) -> bool:
        reader = self._arguments
        assert reader is not None
        assert self._form.calls is not None
        text = reader.feed(self._held)
        self._held = ""
        if text:
            events.append(CallArguments(text))
        if reader.done:
            self._held = reader.rest
            self._place = _Place.OBJECT_END if self._form.calls.style is Style.OBJECT else _Place.AFTER_CALL
        elif reader.failed:
            self._gave_up(reader.rest, events)
        return bool(self._held)

    def _gave_up(self, rest: str, events: list[Event]) -> None:
        """Go on behind a call that can't be read: its rest is text."""
        self.unreadable += 1
        self._place, self._fresh = _Place.CONTENT, False
        if rest:
            events.append(Said(rest))

    def _after_call(self, events: list[Event]) -> bool:
        if self._place is _Place.OBJECT_END:
            ended = self._patterns.object_end.match(self._held, partial=not self._ended)
            if ended is not None and ended.partial:
                return False
            if ended is not None:
                self._held = self._held[ended.end() :]
            if ended is None or not self._outer:
                self._place = _Place.AFTER_CALL
            self._outer = False
            return True
        found = self._patterns.after_call.match(self._held, partial=not self._ended)
        if found is None:
            self._place, self._fresh = _Place.CONTENT, True
            return True
        return not found.partial and self._entered(found, events)
