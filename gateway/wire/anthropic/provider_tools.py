"""Read the blocks of tools that Anthropic's own service ran: searches, pages, programs, connectors. Pure.

Source: the content blocks of Anthropic's API reference. What is sealed (`encrypted_content`) only Anthropic can read.
"""

from typing import Any

from gateway.wire.anthropic.native import whole
from gateway.wire.body_fields import Fields
from gateway.wire.built_in_tools import call, result
from gateway.wire.left_out import WHOLE, Kinds, Part, part

_LONGEST = 256
_ERROR = part("type", "error_code", "error_message")
_SOURCE = Kinds(text=part("type", "data"), base64=part("type", "media_type"))
_PAGE = part("type", "url", "retrieved_at", content=part("type", "title", "context", source=_SOURCE))
_RAN = part("type", "stdout", "stderr", "return_code")
_ANSWERS = Kinds(
    {"": WHOLE},
    text=part("type", "text"),
    web_search_result=part("type", "title", "url", "page_age"),
    web_fetch_result=_PAGE,
    code_execution_result=_RAN,
    encrypted_code_execution_result=part("type", "stderr", "return_code"),
    bash_code_execution_result=_RAN,
    text_editor_code_execution_view_result=part(
        "type", "file_type", "content", "num_lines", "start_line", "total_lines"
    ),
    text_editor_code_execution_create_result=part("type", "is_file_update"),
    text_editor_code_execution_str_replace_result=part(
        "type", "lines", "old_start", "new_start", "old_lines", "new_lines"
    ),
    tool_search_tool_search_result=part("type", tool_references=Kinds(tool_reference=part("type", "tool_name"))),
    advisor_result=part("type", "text"),
    web_search_tool_result_error=_ERROR,
    web_fetch_tool_result_error=_ERROR,
    code_execution_tool_result_error=_ERROR,
    bash_code_execution_tool_result_error=_ERROR,
    text_editor_code_execution_tool_result_error=_ERROR,
    tool_search_tool_result_error=_ERROR,
    advisor_tool_result_error=_ERROR,
)
_RESULT = part("type", "tool_use_id", "is_error", content=_ANSWERS)
PROVIDER_CALLS: dict[str, Part] = {
    "server_tool_use": part("type", "id", "name", "input"),
    "mcp_tool_use": part("type", "id", "name", "server_name", "input"),
}
PROVIDER_RESULTS: dict[str, Part] = {
    f"{name}_result": _RESULT
    for name in (
        "web_search_tool",
        "web_fetch_tool",
        "code_execution_tool",
        "bash_code_execution_tool",
        "text_editor_code_execution_tool",
        "tool_search_tool",
        "advisor_tool",
        "mcp_tool",
    )
}
BROWSER_STATE = part("type", "tabs", "state_changes")


def provider_call(block: Fields) -> dict[str, Any]:
    """Return the call in a block.

    Raises:
        BadRequest: it has no id or name.
    """
    server = block.string("server_name", longest=_LONGEST)
    name = block.required_string("name", longest=_LONGEST)
    given, call_id = block.document.get("input"), block.required_string("id", longest=_LONGEST)
    return call(call_id, f"{server}__{name}" if server else name, given, WHOLE) | whole(block.document)


def provider_result(block: Fields) -> dict[str, Any]:
    """Return the result in a block.

    Raises:
        BadRequest: it does not say which call it answers.
    """
    answered = block.required_string("tool_use_id", longest=_LONGEST)
    message = result(answered, block.document.get("content"), _ANSWERS)
    if block.boolean("is_error"):
        message["content"] = f"The tool failed:\n{message['content']}"
    return message | whole(block.document)
