"""What of an Anthropic body is in the translated document: whatever else it has, the answer names as left out."""

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


_INNERMOST = Kinds(text=_TEXT, image=_IMAGE)
_SEARCH = part("type", "title", "source", content=_TEXTS)
_DOCUMENT = part("type", "title", "context", source=_document(_INNERMOST))
_PARTS = Kinds(text=_TEXT, image=_IMAGE, document=_DOCUMENT, search_result=_SEARCH)
_BLOCKS = Kinds(
    _PARTS
    | Kinds(
        tool_result=part("type", "tool_use_id", "is_error", content=_PARTS),
        thinking=part("type", "thinking"),
        redacted_thinking=part("type"),
        tool_use=part("type", "id", "name", "input"),
    )
)
_TOOL = part("type", "name", "description", "input_schema", "input_examples", "strict")
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
    tools=Kinds({"": _TOOL, "custom": _TOOL}),
    tool_choice=part("type", "name", "disable_parallel_tool_use"),
    metadata=part("user_id"),
    output_config=part(format=_FORMAT),
    output_format=_FORMAT,
)
