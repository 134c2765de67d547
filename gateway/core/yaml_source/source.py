"""YAML 1.2 with positions: plain values, and for each of them the file, line and column it came from. Pure.

Stricter than YAML: duplicate keys, non-string keys, custom tags and excessive nesting are refused, because a
configuration that can be read in two ways is a hole in the fence.
"""

import difflib
import io
from collections.abc import Iterable, Mapping

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gateway.core.errors import ConfigurationError
from gateway.core.yaml_source.faults import fault_of

Path = tuple[str | int, ...]
_MAX_NODES = 200_000
_MAX_DEPTH = 64
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")}

_INVISIBLE = "\u00a0\u2002\u2003\u2007\u2009\u200b\u202f\u3000\ufeff"  # spaces that are none to YAML
_FEW = 8  # so many names are listed whole


class Position(msgspec.Struct, frozen=True):
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Source(msgspec.Struct, frozen=True):
    """A parsed file: `value` in plain Python data, `positions` by path (mapping entries: the key's place)."""

    file: str
    value: object
    positions: Mapping[Path, Position]

    def where(self, path: Path) -> Position:
        """Return the position of `path`, or of the nearest parent that stands in the file."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, Position(self.file, 1, 1))


class _Builder:
    def __init__(self, file: str, constructor: SafeConstructor) -> None:
        self.file = file
        self.constructor = constructor
        self.positions: dict[Path, Position] = {}
        self.problems: list[str] = []
        self.nodes = 0

    def at(self, node: Node) -> Position:
        return Position(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def build(self, node: Node, path: Path) -> object:
        self.nodes += 1
        if self.nodes > _MAX_NODES or len(path) > _MAX_DEPTH:
            raise ConfigurationError((f"{self.at(node)}: the file nests or repeats too much.",))
        self.positions.setdefault(path, self.at(node))
        match node:
            case MappingNode():
                return self.mapping(node, path)
            case SequenceNode():
                return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
            case ScalarNode():
                return self.scalar(node)
            case _:  # pragma: no cover - the composer makes no other nodes
                raise ConfigurationError((f"{self.at(node)}: this can't be read.",))

    def mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if key is None:
                self.problems.append(f"{self.at(key_node)}: a key must be a plain word.")
                continue
            if key != key.strip(_INVISIBLE):
                self.problems.append(
                    f"{self.at(key_node)}: beside this key stands a space of another kind, which an editor or a web "
                    "page has put there. Delete it, and type a plain space."
                )
            if key in result:
                first = self.positions[(*path, key)]
                self.problems.append(
                    f"{self.at(key_node)}: the key {key!r} stands twice in one mapping (first in line {first.line}). "
                    "Keep one of them."
                )
                continue
            self.positions[(*path, key)] = self.at(key_node)
            result[key] = self.build(value_node, (*path, key))
        return result

    def scalar(self, node: ScalarNode) -> object:
        if node.tag not in _PLAIN_TAGS:
            if node.tag == "tag:yaml.org,2002:timestamp":
                return node.value
            self.problems.append(f"{self.at(node)}: the tag {node.tag!r} is not used here. Write a plain value.")
            return None
        if node.tag.endswith(":str"):
            return node.value
        try:
            return self.constructor.construct_object(node)
        except ValueError:
            self.problems.append(f"{self.at(node)}: {node.value!r} is not what its tag {node.tag!r} says.")
            return None


def parse_yaml(text: str, file: str) -> Source:
    """Parse one YAML document.

    Raises:
        ConfigurationError: Something in it is wrong or can be read in two ways; with file, line and column.
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(io.StringIO(text))
    except YAMLError as error:
        fault = fault_of(error, text)
        raise ConfigurationError((f"{Position(file, fault.line, fault.column)}: {fault.sentence}",)) from error
    except RecursionError as error:
        raise ConfigurationError((f"{file}: the file nests or repeats too much.",)) from error
    if node is None:
        return Source(file, {}, {})
    builder = _Builder(file, yaml.constructor)
    value = builder.build(node, ())
    if builder.problems:
        raise ConfigurationError(tuple(builder.problems))
    return Source(file, value, builder.positions)


def suggest(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'health'?` where a known word is close, else an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def known_names(word: str, known: Iterable[str]) -> str:
    """Return ` Known here: …` with all names where they are few, else with the three that are nearest to the word."""
    names = sorted(known)
    if not names:
        return ""
    if len(names) <= _FEW:
        return f" Known here: {', '.join(names)}."
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.0)
    return f" The nearest of {len(names)} names known here: {', '.join(near)}."
