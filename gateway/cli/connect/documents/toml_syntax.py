"""TOML, changed by tomlkit, which keeps comments, order and blank lines; read by Python's own reader."""

import tomllib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import tomlkit

from gateway.cli.connect.documents.document import put
from gateway.cli.connect.documents.edits import MISSING, Edit


class TomlSyntax:
    """TOML 1.0."""

    def read(self, text: str) -> Any:
        """Return what the text says.

        Raises:
            ValueError: It can't be read.
        """
        return tomllib.loads(text.replace("\r\n", "\n"))

    def apply(self, text: str, edits: Sequence[Edit]) -> str:
        """Return the text with these edits made."""
        tree = tomlkit.parse(text)
        for edit in edits:
            put(tree, edit.path, MISSING if edit.after is MISSING else _item(edit.after))
        return _spaced(tree.as_string(), text)


def _spaced(text: str, before: str) -> str:
    """Return a text in which the heads of tables have a blank line above them again, where they had one before."""
    old, lines = before.splitlines(), text.splitlines(keepends=True)
    heads = {line for above, line in pairwise(old) if line.startswith("[") and not above.strip()}
    spaced = [
        "\n" + line if line.rstrip() in heads and above.strip() else line for above, line in pairwise(["\n", *lines])
    ]
    return "".join(spaced)


def _item(value: Any) -> Any:
    """Return a value as tomlkit writes it: mappings as tables, without a head where they hold nothing but tables."""
    if not isinstance(value, dict):
        return tomlkit.item(value)
    table = tomlkit.table(is_super_table=bool(value) and all(isinstance(inner, dict) for inner in value.values()))
    for key, inner in value.items():
        table[key] = _item(inner)
    return table
