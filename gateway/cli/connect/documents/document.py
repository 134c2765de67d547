"""One settings file, whatever its format: read, changed in places, checked against a plain reading."""

import copy
from collections.abc import Sequence
from typing import Any, Protocol

from gateway.cli.connect.app import Format
from gateway.cli.connect.documents.edits import MISSING, Edit, Path, Step, edits_towards, index, same
from gateway.core.errors import ConfigurationError


class Syntax(Protocol):
    """A format: how its texts are read, and changed without touching the rest."""

    def read(self, text: str) -> Any:
        """Return what a text says, as plain data; an empty text says nothing and is `None`.

        Raises:
            ValueError: It can't be read.
        """

    def apply(self, text: str, edits: Sequence[Edit]) -> str:
        """Return the text with these edits made."""


class Document:
    """The text of a settings file and what it says."""

    def __init__(self, name: str, text: str, syntax: Syntax) -> None:
        """Read the text.

        Raises:
            ConfigurationError: It can't be read.
        """
        self._name, self._syntax, self._text = name, syntax, text
        try:
            self.data = syntax.read(text)
        except (ValueError, RecursionError) as error:
            reason = "it nests too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
            raise ConfigurationError((f"{name}: can't be read, so it was not touched: {reason}.",)) from error

    def edits_towards(self, wanted: Any) -> tuple[Edit, ...]:
        """Return the fewest edits after which it says all that is wanted.

        Raises:
            ConfigurationError: It is of another shape, so it is no such file.
        """
        empty: Any = [] if isinstance(wanted, list) else {}
        if self.data is not None and type(self.data) is not type(empty):
            told = f"{self._name}: does not look like the app's settings, so it was not touched."
            raise ConfigurationError((told,))
        return tuple(edits_towards(empty if self.data is None else self.data, wanted))

    def changed(self, edits: Sequence[Edit]) -> str:
        """Return the text with these edits made, and everything else as it was.

        Raises:
            ConfigurationError: The edits can't be made without changing something else.
        """
        if not edits:
            return self._text
        expected = _applied(self.data, edits)
        try:
            text = self._syntax.apply(self._text, edits)
            done = same(self._syntax.read(text), expected)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise self._by_hand() from error
        if not done:
            raise self._by_hand()
        return text

    def _by_hand(self) -> ConfigurationError:
        return ConfigurationError(
            (
                f"{self._name}: is written in a way that can't be changed in one place without changing another, so it "
                "was not touched. Put the settings in by hand.",
            )
        )


def _applied(data: Any, edits: Sequence[Edit]) -> Any:
    """Return plain data with the edits made."""
    data = copy.deepcopy(data)
    for edit in edits:
        if data is None:
            data = {} if isinstance(edit.path[0], str) else []
        put(data, edit.path, copy.deepcopy(edit.after))
    return data


def put(tree: Any, path: Path, value: Any) -> None:
    """Put a value into nested mappings and lists, or take out what stands there if it is `MISSING`.

    Raises:
        KeyError: There is no such place.
    """
    for step in path[:-1]:
        tree = tree[_place(tree, step)]
    last = path[-1]
    place = index(tree, last)
    if value is MISSING:
        if place is not None:
            del tree[place]
    elif place is not None:
        tree[place] = value
    elif isinstance(last, str):
        tree[last] = value
    else:
        tree.append(value)


def _place(tree: Any, step: Step) -> str | int:
    place = index(tree, step)
    if place is None:
        raise KeyError(step)
    return place


def open_document(name: str, text: str, kind: Format) -> Document:
    """Return the document of a text in a format.

    Raises:
        ConfigurationError: It can't be read.
    """
    match kind:
        case Format.JSON:
            from gateway.cli.connect.documents.json_syntax import JsonSyntax

            return Document(name, text, JsonSyntax())
        case Format.TOML:
            from gateway.cli.connect.documents.toml_syntax import TomlSyntax

            return Document(name, text, TomlSyntax())
        case Format.YAML:
            from gateway.cli.connect.documents.yaml_syntax import YamlSyntax

            return Document(name, text, YamlSyntax())
