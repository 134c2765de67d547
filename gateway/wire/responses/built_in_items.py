"""Read the items of tools that OpenAI defines: run by its service, or by the client (shell, patches). Pure.

Source: the input items of OpenAI's API reference, and what Codex writes. What only OpenAI can read (`compaction`,
`encrypted_content`), looks up (`item_reference`) or acts on is left out, and the answer names it.
"""

from collections.abc import Collection
from typing import Any

from gateway.core.document import Json
from gateway.wire.body_fields import Fields
from gateway.wire.built_in_tools import call, result_text
from gateway.wire.left_out import WHOLE, Kinds, Part, part

_LONGEST = 256
_FAILED = "The tool failed:"
_OUTPUTS = Kinds({"": WHOLE}, logs=part("type", "logs"), image=part("type", "url"))
_FOUND = part("file_id", "filename", "text", "score", "attributes")
_LISTED = Kinds(
    function=part("type", "name"), custom=part("type", "name"), namespace=part("type", "name"), mcp=part("server_label")
)

# Calls whose result is an item of its own: the fields that are the call's arguments.
CALLS: dict[str, Part] = {
    "local_shell_call": part("action"),
    "shell_call": part("action"),
    "apply_patch_call": part("operation"),
    "computer_call": part("action", "actions"),
    "tool_search_call": part("arguments"),
    "program": part("code"),
}
# Those results: the field that holds what the tool answered, and its shape.
RESULTS: dict[str, tuple[str, Kinds | Part]] = {
    "local_shell_call_output": ("output", part()),
    "shell_call_output": ("output", part("stdout", "stderr", "outcome")),
    "apply_patch_call_output": ("output", part()),
    "tool_search_output": ("tools", _LISTED),
    "program_output": ("result", part()),
}
# Calls that have their result inside: the fields of the arguments, then those of the result.
DONE: dict[str, tuple[Part, Part]] = {
    "web_search_call": (part("action"), part()),
    "file_search_call": (part("queries"), part(results=_FOUND)),
    "code_interpreter_call": (part("code"), part(outputs=_OUTPUTS)),
    "image_generation_call": (part("revised_prompt"), part()),
    "mcp_call": (part("arguments"), part("output", "error")),
}


def is_built_in(kind: Json) -> bool:
    """Say whether items of this kind are read here."""
    return kind in CALLS or kind in RESULTS or kind in DONE


def built_in_messages(item: Fields, place: int, waiting: Collection[str]) -> list[dict[str, Any]]:
    """Return the call, the result, or both, that an item stands for.

    Args:
        item: The item.
        place: Its number in the conversation.
        waiting: The ids of calls that have no result yet, oldest first.

    Raises:
        BadRequest: the item is not as it must be.
    """
    kind = str(item.document.get("type"))
    if kind in CALLS:
        arguments = item.document.get("arguments") if kind == "tool_search_call" else item.document
        made = call(
            _call_id(item, place), _tool(item, kind), arguments, WHOLE if kind == "tool_search_call" else CALLS[kind]
        )
        return [{"role": "assistant", "content": None, "tool_calls": [made]}]
    if kind in RESULTS:
        name, shape = RESULTS[kind]
        failed = [_FAILED] if item.document.get("status") == "failed" else []
        text = "\n".join([*failed, result_text(item.document.get(name), shape)])
        return [{"role": "tool", "tool_call_id": _answered(item, place, waiting), "content": text}]
    given, shape = DONE[kind]
    arguments = item.document.get("arguments") if kind == "mcp_call" else item.document
    made = call(_call_id(item, place), _tool(item, kind), arguments, given)
    return [
        {"role": "assistant", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": made["id"], "content": result_text(item.document, shape) if shape else ""},
    ]


def _tool(item: Fields, kind: str) -> str:
    if kind == "mcp_call":
        server = item.string("server_label", longest=_LONGEST)
        name = item.required_string("name", longest=_LONGEST)
        return f"{server}__{name}" if server else name
    return kind.removesuffix("_call")


def _call_id(item: Fields, place: int) -> str:
    given = item.string("call_id", longest=_LONGEST) or item.string("id", longest=_LONGEST)
    return given or f"call_{place}"


def _answered(item: Fields, place: int, waiting: Collection[str]) -> str:
    """Return the id of the call that an output answers: as it says, or else the call that came last."""
    given = _call_id(item, place)
    if item.document.get("call_id") is None and given not in waiting and waiting:
        return next(reversed(list(waiting)))
    return given
