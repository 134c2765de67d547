"""Describe the tools that Anthropic defines and a client runs itself, so that any model can call them. Pure.

Their schemas stand in no request: Anthropic's models know them. Source: the tool pages of Anthropic's documentation
(bash, text editor, memory).
"""

import re
from collections.abc import Mapping
from typing import Any

_KIND = re.compile(r"(bash|text_editor|memory)_\d{8}")
CLIENT_TOOLS = (
    "bash_20241022",
    "bash_20250124",
    "text_editor_20241022",
    "text_editor_20250124",
    "text_editor_20250429",
    "text_editor_20250728",
    "memory_20250818",
)
"""Types of the tools that are described here; later versions of them are taken for the same."""
_TEXT: Mapping[str, Any] = {"type": "string"}
_LINES: Mapping[str, Any] = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
_EDITS: Mapping[str, Any] = {
    "path": _TEXT,
    "file_text": _TEXT,
    "old_str": _TEXT,
    "new_str": _TEXT,
    "insert_line": {"type": "integer"},
    "insert_text": _TEXT,
    "view_range": _LINES,
}


def _commands(*words: str, **more: Mapping[str, Any]) -> dict[str, Any]:
    properties = {"command": {"type": "string", "enum": list(words)}, **_EDITS, **more}
    return {"type": "object", "properties": properties, "required": ["command"], "additionalProperties": False}


_KNOWN: Mapping[str, tuple[str, dict[str, Any]]] = {
    "bash": (
        "Run a command in a persistent bash session; 'restart' starts it anew.",
        {
            "type": "object",
            "properties": {"command": _TEXT, "restart": {"type": "boolean"}},
            "additionalProperties": False,
        },
    ),
    "text_editor": (
        "View a file or directory, create a file, replace a text that stands in it exactly once, or insert text "
        "behind a line.",
        _commands("view", "create", "str_replace", "insert"),
    ),
    "memory": (
        "Keep notes in files under /memories: view, create, change, delete and rename them.",
        _commands("view", "create", "str_replace", "insert", "delete", "rename", old_path=_TEXT, new_path=_TEXT),
    ),
}


def described(kind: str) -> tuple[str, dict[str, Any]] | None:
    """Return description and schema of a tool of this type; None: a client can't run it, or it is not known here."""
    found = _KIND.fullmatch(kind)
    return _KNOWN[found[1]] if found else None
