"""YAML, changed by ruamel.yaml, which keeps comments, quotes and order."""

import io
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.util import load_yaml_guess_indent

from gateway.cli.connect.documents.document import put
from gateway.cli.connect.documents.edits import Edit

_WIDTH = 4096  # long lines are not broken


class YamlSyntax:
    """YAML 1.2, one document a file."""

    def read(self, text: str) -> Any:
        """Return what the text says.

        Raises:
            ValueError: It can't be read.
        """
        try:
            return _unshared(YAML(typ="safe", pure=True).load(text))
        except (YAMLError, RecursionError) as error:
            raise ValueError(str(error)) from error

    def apply(self, text: str, edits: Sequence[Edit]) -> str:
        """Return the text with these edits made."""
        yaml = YAML()
        yaml.preserve_quotes = True
        yaml.width = _WIDTH
        _, indent, offset = load_yaml_guess_indent(text) if text.strip() else (None, 4, 2)
        yaml.indent(mapping=2, sequence=indent or 4, offset=2 if offset is None else offset)
        tree = yaml.load(text)
        before = ""
        if tree is None:  # comments that belong to nothing
            before = text if not text or text.endswith("\n") else text + "\n"
            tree = {} if isinstance(edits[0].path[0], str) else []
        for edit in edits:
            put(tree, edit.path, edit.after)
        written = io.StringIO()
        yaml.dump(tree, written)
        return before + written.getvalue()


def _unshared(value: Any) -> Any:
    """Return plain data in which what an alias stands for is a value of its own: changing one changes no other."""
    match value:
        case dict():
            return {key: _unshared(inner) for key, inner in value.items()}
        case list():
            return [_unshared(inner) for inner in value]
        case _:
            return value
