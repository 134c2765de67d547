"""JSON as editors have it: with comments and commas at the end. Only the values that change are written anew."""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.cli.connect.documents.edits import MISSING, Edit, Step

_BLANK = re.compile(r"(?:[ \t\r\n]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD = re.compile(r"[-+.\w]+")


class _Node(msgspec.Struct, frozen=True, kw_only=True):
    """A value in the text, between `start` and `end`."""

    start: int
    end: int
    value: Any
    members: "tuple[_Member, ...]" = ()
    """Of an object or an array, in order."""


class _Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of an object (from its key on) or of an array, with the place of the comma behind it."""

    start: int
    key: str
    node: _Node
    comma: int | None


class JsonSyntax:
    """JSON with comments."""

    def read(self, text: str) -> Any:
        """Return what the text says.

        Raises:
            ValueError: It can't be read.
        """
        return None if not text[_skip(text, 0) :] else _parse(text).value

    def apply(self, text: str, edits: Sequence[Edit]) -> str:
        """Return the text with these edits made."""
        for edit in edits:
            if not text[_skip(text, 0) :]:
                value = edit.after
                for step in reversed(edit.path):
                    value = {step: value} if isinstance(step, str) else [value]
                text += json.dumps(value, indent=2, ensure_ascii=False) + "\n"
                continue
            text = _put(text, _parse(text), edit)
        return text


def _put(text: str, node: _Node, edit: Edit) -> str:
    """Return the text with one value put in, replaced or taken out.

    Raises:
        KeyError: There is no place for it.
    """
    for step in edit.path[:-1]:
        number = _find(node, step)
        if number is None:
            raise KeyError(step)
        node = node.members[number].node
    last = edit.path[-1]
    number = _find(node, last)
    if edit.after is MISSING:
        return text if number is None else _taken_out(text, node, number)
    if number is not None:
        old = node.members[number].node
        written = _written(edit.after, _unit(text), _margin(text, old.start))
        return text[: old.start] + written + text[old.end :]
    return _added(text, node, last, edit.after)


def _find(node: _Node, step: Step) -> int | None:
    for number, member in enumerate(node.members):
        if isinstance(step, str):
            if isinstance(node.value, dict) and member.key == step:
                return number
        elif isinstance(member.node.value, dict) and step.items() <= member.node.value.items():
            return number
    return None


def _added(text: str, node: _Node, step: Step, value: Any) -> str:
    unit = _unit(text)
    inside = text[node.start + 1 : node.end - 1]
    margin = _margin(text, node.members[0].start) if node.members else _margin(text, node.start) + unit
    key = json.dumps(step, ensure_ascii=False) + ": " if isinstance(step, str) else ""
    member = key + _written(value, unit, margin)
    body = node.start + 1 + len(inside.rstrip())  # behind the last member and its comments
    if node.members and "\n" not in inside:
        return text[:body] + (" " if inside.rstrip().endswith(",") else ", ") + member + text[body:]
    ending = text[body : node.end - 1]
    if "\n" not in ending:
        ending = "\n" + _margin(text, node.start)
    text = text[:body] + f"\n{margin}{member}" + ending + text[node.end - 1 :]
    if node.members and node.members[-1].comma is None:
        end = node.members[-1].node.end
        text = text[:end] + "," + text[end:]
    return text


def _taken_out(text: str, node: _Node, number: int) -> str:
    member = node.members[number]
    end = member.node.end if member.comma is None else member.comma + 1
    start = len(text[: member.start].rstrip(" \t"))
    if text[:start].endswith("\n"):
        start = len(text[:start].rstrip("\r\n"))
    text = text[:start] + text[end:]
    before = node.members[number - 1].comma if number else None
    if member.comma is None and before is not None:
        text = text[:before] + text[before + 1 :]
    return text


def _written(value: Any, unit: str, margin: str) -> str:
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", "\n" + margin)


def _unit(text: str) -> str:
    """Return how far the text indents its first line."""
    found = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    return found.group(1) if found else "  "


def _margin(text: str, place: int) -> str:
    """Return the blanks at the beginning of the line of a place."""
    line = text.rfind("\n", 0, place) + 1
    found = re.match(r"[ \t]*", text[line:place])
    return found.group() if found else ""


def _skip(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _parse(text: str) -> _Node:
    """Return the tree of a whole text.

    Raises:
        ValueError: It is not JSON, or has a key twice.
    """
    node = _value(text, _skip(text, 1 if text.startswith("\ufeff") else 0))
    rest = _skip(text, node.end)
    if rest != len(text):
        raise ValueError(_wrong(text, rest))
    return node


def _value(text: str, place: int) -> _Node:
    if text.startswith(("{", "["), place):
        return _container(text, place)
    found = _STRING.match(text, place) or _WORD.match(text, place)
    if found is None:
        raise ValueError(_wrong(text, place))
    try:
        return _Node(start=place, end=found.end(), value=json.loads(found.group()))
    except ValueError as error:
        raise ValueError(_wrong(text, place)) from error


def _container(text: str, start: int) -> _Node:
    is_object = text[start] == "{"
    closing = "}" if is_object else "]"
    members: list[_Member] = []
    place = _skip(text, start + 1)
    while not text.startswith(closing, place):
        if members and members[-1].comma is None:
            raise ValueError(_wrong(text, place))
        member = _member(text, place, is_object)
        if is_object and any(other.key == member.key for other in members):
            raise ValueError(_wrong(text, place, f"the key {member.key!r} stands there twice"))
        members.append(member)
        place = _skip(text, member.node.end if member.comma is None else member.comma + 1)
    value: Any = [member.node.value for member in members]
    if is_object:
        value = {member.key: member.node.value for member in members}
    return _Node(start=start, end=place + 1, value=value, members=tuple(members))


def _member(text: str, start: int, is_object: bool) -> _Member:
    key, place = "", start
    if is_object:
        found = _STRING.match(text, start)
        if found is None:
            raise ValueError(_wrong(text, start))
        key, place = json.loads(found.group()), _skip(text, found.end())
        if not text.startswith(":", place):
            raise ValueError(_wrong(text, place))
        place = _skip(text, place + 1)
    node = _value(text, place)
    comma = _skip(text, node.end)
    return _Member(start=start, key=key, node=node, comma=comma if text.startswith(",", comma) else None)


def _wrong(text: str, place: int, reason: str = "this is not JSON") -> str:
    return f"line {text.count(chr(10), 0, place) + 1}: {reason}"
