"""What the tests of commands that speak Spanish share: every sentence is translated, with the same values in it."""

import ast
import string
from collections.abc import Mapping
from pathlib import Path

_TRANSLATORS = ("say", "tell", "self._tell")


def assert_translated(folder: Path, catalogue: Mapping[str, str], in_data: set[str]) -> None:
    """Check that whatever a command says is in the catalogue with the same values, and nothing else is.

    Args:
        folder: The command's code.
        catalogue: English sentence → Spanish sentence.
        in_data: Sentences that stand in data, and not in a call of a translator.
    """
    said = _in_calls(folder)
    assert len(said) > 20
    assert set(catalogue) == said | in_data
    assert {english for english, spanish in catalogue.items() if _values(english) != _values(spanish)} == set()


def _in_calls(folder: Path) -> set[str]:
    """Return every sentence that the code of a command hands to a translator."""
    return {
        part.value
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _TRANSLATORS
        for part in ast.walk(node.args[0])
        if isinstance(part, ast.Constant)
    }


def _values(sentence: str) -> list[str]:
    """Return the names of the values in a sentence."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name)
