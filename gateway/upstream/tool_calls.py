"""Put the tool calls of other servers in order: pieces in any shape → calls that come one after the other. Pure.

Servers number their calls from 0, from 1, all with 0, in words or not at all; they leave ids out, send them empty,
late, twice or anew with each piece; they cut names in two, repeat them, and mix the pieces of several calls. What
leaves is strict: calls are numbered 0, 1, 2 …, each has an id of its own, and its pieces are not mixed with another's.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from gateway.core.delta import ToolCallPart
from gateway.core.document import JsonObject, freeze_object
from gateway.upstream.json_end import JsonEnd

_READ = frozenset({"index", "id", "type", "function", "custom"})


_NONE_YET = ["{}"]  # arguments that may be none, or be followed by the real ones


class _Call:
    """One call while it is read. What is not sent yet waits in `held`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.index: int | None = None
        self.id = ""
        self.name = ""
        self.custom = False
        self.held: list[str] = []
        self.extra: dict[str, Any] = {}
        self.begun = False
        self.arguments = JsonEnd()

    @property
    def closed(self) -> bool:
        """Whether no more arguments can follow."""
        return self.arguments.closed and not self.custom


class _Piece(msgspec.Struct, frozen=True):
    """What one piece says, in the types that it should have."""

    index: int | None
    id: str
    name: str
    arguments: str
    custom: bool
    extra: dict[str, Any]


class ToolCalls:
    """Reader of the calls of one choice of the answer to `document`."""

    def __init__(self, choice: int, document: JsonObject) -> None:
        self._choice = choice
        self._document = document
        self._calls: list[_Call] = []
        self._current = 0  # the call whose pieces go out; later ones wait
        self.characters = 0

    @cached_property
    def _tools(self) -> frozenset[str]:
        """The names of the functions that were offered. Most answers call none, so nobody asks."""
        return _offered_tools(self._document)

    def __bool__(self) -> bool:
        """Say whether there is any call."""
        return bool(self._calls)

    def whole(self) -> bool:
        """Say whether there are calls, and the arguments of each are a whole JSON object."""
        return bool(self._calls) and all(call.name and call.arguments.is_object() for call in self._calls)

    def take(self, given: object) -> Iterator[ToolCallPart]:
        """Take the pieces of one event, and yield what can go on."""
        pieces = [_piece(one) for one in (given if isinstance(given, list) else [given]) if isinstance(one, Mapping)]
        seen: list[_Call] = []
        for place, piece in enumerate(pieces):
            call = self._known(piece, seen, place - len(pieces)) or self._begin(piece)
            seen.append(call)
            self._add(call, piece)
            yield from self._ready()

    def end(self) -> Iterator[ToolCallPart]:
        """Yield what still waits, because nothing more comes."""
        for call in self._calls:
            if not call.name and len(self._tools) == 1:
                call.name = next(iter(self._tools))
            if call.number < self._current:
                call.held = []  # behind a whole JSON object nothing has a meaning
            elif not (call.arguments.begun or call.custom):
                call.held = ["{}"]  # clients read arguments as JSON, also where there are none
            yield from self._send(call)
        self._current = len(self._calls)

    def _known(self, piece: _Piece, seen: list[_Call], place: int) -> _Call | None:
        """Return the call that `piece` goes on with; None: it begins a new one. `place` counts from the list's end."""
        call = self._same(piece, place)
        if call is None or not piece.name:
            return call
        if call in seen:
            return None
        another = bool(piece.id and call.id and piece.id != call.id)
        if not call.arguments.begun:
            return None if another or self._both_offered(call.name, piece.name) else call
        if call.closed:
            return call if not (another or piece.arguments) and piece.name == call.name else None
        return call  # a server that repeats the name with every piece, and may make up a new id each time

    def _same(self, piece: _Piece, place: int) -> _Call | None:
        """Return the call that has the piece's number or id, or else the last one; None where that can't be."""
        if not self._calls:
            return None
        recent = reversed(self._calls)
        if piece.index is not None:
            return next(
                (one for one in recent if piece.index == one.index or (one.index is None and piece.id == one.id)), None
            )
        if piece.id and (same := next((one for one in recent if one.id == piece.id), None)):
            return same
        if piece.name:
            return None if piece.id or self._calls[-1].closed else self._calls[-1]
        return self._calls[place] if 1 < -place <= len(self._calls) else self._calls[-1]

    def _both_offered(self, first: str, second: str) -> bool:
        """Say whether these are the names of two tools, and not two pieces of one name."""
        return first != second and {first, second} <= self._tools and first + second not in self._tools

    def _begin(self, piece: _Piece) -> _Call:
        call = _Call(len(self._calls))
        self._calls.append(call)
        return call

    def _add(self, call: _Call, piece: _Piece) -> None:
        if not call.begun:
            if not call.id and all(one.id != piece.id for one in self._calls):
                call.id = piece.id
            if piece.name and piece.name != call.name and not (call.name and call.arguments.begun):
                together = call.name + piece.name
                repeated = together not in self._tools and piece.name.startswith(call.name)
                call.name = piece.name if repeated else together
        if call.index is None:
            call.index = piece.index
        call.custom = call.custom or piece.custom
        if call.held == _NONE_YET and piece.arguments.startswith("{"):
            call.held, call.arguments = [], JsonEnd()  # a server that begins with an empty object
        if piece.arguments and (call.custom or call.arguments.begun or piece.arguments.strip()):
            call.arguments.add(piece.arguments)
            call.held.append(piece.arguments)
            self.characters += len(piece.arguments)
        call.extra |= piece.extra

    def _ready(self) -> Iterator[ToolCallPart]:
        """Yield what the current call has; where it is closed and another one waits, go on with that."""
        while self._current < len(self._calls):
            call = self._calls[self._current]
            last = call.number + 1 == len(self._calls)
            known = call.name and (call.held or call.begun or self._certain(call.name))
            if known and not (last and call.held == _NONE_YET):
                yield from self._send(call)
            if not call.begun or last or not call.closed:
                return
            self._current += 1

    def _certain(self, name: str) -> bool:
        """Say whether a name is a tool's, and can't be the beginning of another tool's."""
        return name in self._tools and not any(one != name and one.startswith(name) for one in self._tools)

    def _send(self, call: _Call) -> Iterator[ToolCallPart]:
        fresh, call.begun = not call.begun, True
        if not (fresh or call.held or call.extra):
            return
        arguments, extra = "".join(call.held), freeze_object(call.extra)
        call.held, call.extra = [], {}
        yield ToolCallPart(
            call=call.number,
            arguments=arguments,
            id=(call.id or self._made_up(call)) if fresh else None,
            name=call.name if fresh else None,
            index=self._choice,
            custom=call.custom,
            extra=extra,
        )

    def _made_up(self, call: _Call) -> str:
        """Return an id for a call without one: no earlier turn of the conversation may have had the same."""
        messages = self._document.get("messages")
        turn = len(messages) if isinstance(messages, tuple) else 0
        return f"call_{turn}_{self._choice}_{call.number}"


def _offered_tools(document: JsonObject) -> frozenset[str]:
    """Return the names of the functions that a chat document offers."""
    tools = document.get("tools")
    names: set[str] = set()
    for tool in tools if isinstance(tools, tuple) else ():
        function = tool.get("function") if isinstance(tool, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if isinstance(name, str) and name:
            names.add(name)
    return frozenset(names)


def number_of(given: object) -> int | None:
    """Return a number that counts from 0, also where it came as text or as a fraction; None for anything else."""
    match given:
        case bool():
            return None
        case int() if given >= 0:
            return given
        case float() if given >= 0 and given.is_integer():
            return int(given)
        case str() if len(given) < 10 and given.strip().isdecimal():
            return int(given)
        case _:
            return None


def _piece(given: Mapping[str, Any]) -> _Piece:
    function, custom = given.get("function"), given.get("custom")
    is_custom = isinstance(custom, Mapping) and not isinstance(function, Mapping)
    inner = custom if is_custom else function
    inner = inner if isinstance(inner, Mapping) else {}
    arguments = inner.get("input" if is_custom else "arguments")
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else msgspec.json.encode(arguments).decode()
    return _Piece(
        index=number_of(given.get("index")),
        id=_text(given.get("id")),
        name=_text(inner.get("name")),
        arguments=arguments,
        custom=is_custom,
        extra={name: value for name, value in given.items() if name not in _READ and value is not None},
    )


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
