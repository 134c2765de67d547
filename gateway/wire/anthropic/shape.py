"""What of an Anthropic body is in the translated document: whatever else it has, the answer names as left out."""

from gateway.wire.anthropic.client_tools import CLIENT_TOOLS
from gateway.wire.anthropic.provider_tools import BROWSER_STATE, PROVIDER_CALLS, PROVIDER_RESULTS
from gateway.wire.left_out import Kinds, part

_TEXT = part("type", "text")
_TEXTS = Kinds(text=_TEXT)
_IMAGE = part(
    "type",
    source=Kinds(base64=part("type", "media_type", "data"), url=part("type", "url")),
)


def _document(inner: Kinds) -> Kinds:
    """Return the shape of a document's source, of which one kind has blocks inside."""
    whole = part("type", "media_type", "data")
    return Kinds(text=whole, base64=whole, content=part("type", content=inner))


_TOOL = part("type", "name", "description", "input_schema", "input_examples", "strict", "defer_loading")
_CLIENT_TOOL = part("type", "name", "defer_loading")
_TOOLS = Kinds({"": _TOOL, "custom": _TOOL} | dict.fromkeys(CLIENT_TOOLS, _CLIENT_TOOL))
_CHANGE = part("type", tool=part("type", "name", definition=_TOOLS))
_INNERMOST = Kinds(text=_TEXT, image=_IMAGE)
_SEARCH = part("type", "title", "source", content=_TEXTS)
_DOCUMENT = part("type", "title", "context", source=_document(_INNERMOST))
_PARTS = Kinds(
    text=_TEXT,
    image=_IMAGE,
    document=_DOCUMENT,
    search_result=_SEARCH,
    tool_reference=part("type", "tool_name"),
    browser_state=BROWSER_STATE,
)
_BLOCKS = Kinds(
    _PARTS
    | PROVIDER_CALLS
    | PROVIDER_RESULTS
    | Kinds(
        tool_result=part("type", "tool_use_id", "is_error", content=_PARTS),
        thinking=part("type", "thinking"),
        redacted_thinking=part("type"),
        tool_use=part("type", "id", "name", "input"),
        compaction=part("type", "content"),
        tool_addition=_CHANGE,
        tool_removal=_CHANGE,
    )
)
_FORMAT = part("type", "schema")

BODY = part(
    "model",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "stream",
    system=_TEXTS,
    messages=part("role", content=_BLOCKS),
    tools=_TOOLS,
    tool_choice=part("type", "name", "disable_parallel_tool_use"),
    metadata=part("user_id"),
    output_config=part("effort", format=_FORMAT),
    output_format=_FORMAT,
)
