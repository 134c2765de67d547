"""What of a Responses body is in the translated document: whatever else it has, the answer names as left out."""

from gateway.wire.left_out import Kinds, Part, Words, part
from gateway.wire.responses.built_in_items import CALLS, DONE, RESULTS

_TEXT = part("type", "text")
_PARTS = Kinds(
    input_text=_TEXT,
    output_text=_TEXT,
    text=_TEXT,
    refusal=part("type", "refusal"),
    input_image=part("type", "image_url", "detail"),
    input_file=part("type", "filename", "file_data"),
    input_audio=part("type", input_audio=part("data", "format")),
)
_MESSAGE = part("type", "role", content=_PARTS)
_OUTPUT = part("type", "call_id", output=_PARTS)
_THOUGHTS = part("type", "text")
_SEALED = "encrypted_content"
_FUNCTIONS = Kinds(
    function=part("type", "name", "description", "parameters", "strict"),
    custom=part("type", "name", "description"),
)
_TOOLS = Kinds(_FUNCTIONS | Kinds(namespace=part("type", "name", tools=_FUNCTIONS)))
_REST = part("type", "call_id")
_WITH_ID = part("type", "call_id", "id")
_BUILT_IN = (
    {kind: Part(_REST | arguments) for kind, arguments in CALLS.items()}
    | {kind: Part(_REST | part(**{name: shape})) for kind, (name, shape) in RESULTS.items()}
    | {kind: Part(_WITH_ID | arguments | result) for kind, (arguments, result) in DONE.items()}
)
_ITEMS = Kinds(
    _BUILT_IN,
    tool_search_call=part("type", "call_id", "id", "arguments"),
    tool_search_output=part("type", "call_id", "id", tools=_TOOLS),
    local_shell_call_output=part("type", "call_id", "id", "output"),
    apply_patch_call_output=part("type", "call_id", "output", status=Words({"failed"})),
    mcp_call=part("type", "call_id", "id", "name", "server_label", "arguments", "output", "error"),
    additional_tools=part("type", tools=_TOOLS),
    computer_call_output=part("type", "call_id", output=part("image_url")),
    **{"": _MESSAGE},
    message=_MESSAGE,
    function_call=part("type", "call_id", "name", "namespace", "arguments"),
    custom_tool_call=part("type", "call_id", "name", "namespace", "input"),
    function_call_output=_OUTPUT,
    custom_tool_call_output=_OUTPUT,
    reasoning=part("type", content=_THOUGHTS, summary=_THOUGHTS),
)
_MARKED_ITEMS = Kinds(_ITEMS | Kinds(reasoning=part("type", "id", _SEALED, content=_THOUGHTS, summary=_THOUGHTS)))
_FORMATS = Kinds(
    text=part("type"),
    json_object=part("type"),
    json_schema=part("type", "name", "description", "strict", "schema"),
)

BODY = part(
    "model",
    "instructions",
    "max_output_tokens",
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "top_logprobs",
    "stream",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "service_tier",
    input=_ITEMS,
    tools=_TOOLS,
    tool_choice=part("type", "name", "mode", tools=part("type", "name")),
    text=part("verbosity", format=_FORMATS),
    reasoning=part("effort"),
    include=Words({"message.output_text.logprobs"}),
    truncation=Words({"disabled"}),
)
"""What every target is sent."""
MARKED_BODY = Part(
    BODY | part(input=_MARKED_ITEMS, include=Words({"message.output_text.logprobs", f"reasoning.{_SEALED}"}))
)
"""What targets are sent that take sealed thoughts back."""
