"""What of an Anthropic body is in the translated document: whatever else it has, the answer names as left out."""

from gateway.wire.anthropic.client_tools import CLIENT_TOOLS
from gateway.wire.anthropic.provider_tools import BROWSER_STATE, PROVIDER_CALLS, PROVIDER_RESULTS
from gateway.wire.left_out import Kinds, Part, part


def _body(*marks: str) -> Part:
    """Return the shape of a body. `marks`: the fields of blocks that count as carried too."""
    text = part("type", "text", *marks)
    texts = Kinds(text=text)
    image = part(
        "type",
        *marks,
        source=Kinds(base64=part("type", "media_type", "data"), url=part("type", "url")),
    )
    tool = part("type", "name", "description", "input_schema", "input_examples", "strict", "defer_loading", *marks)
    client_tool = part("type", "name", "defer_loading", *marks)
    tools = Kinds({"": tool, "custom": tool} | dict.fromkeys(CLIENT_TOOLS, client_tool))
    change = part("type", tool=part("type", "name", definition=tools))
    parts = Kinds(
        text=text,
        image=image,
        document=part("type", "title", "context", *marks, source=_source(Kinds(text=text, image=image))),
        search_result=part("type", "title", "source", content=texts),
        tool_reference=part("type", "tool_name"),
        browser_state=BROWSER_STATE,
    )
    thoughts = ("signature", "data") if marks else ()
    blocks = Kinds(
        parts
        | PROVIDER_CALLS
        | PROVIDER_RESULTS
        | Kinds(
            tool_result=part("type", "tool_use_id", "is_error", *marks, content=parts),
            thinking=part("type", "thinking", *thoughts),
            redacted_thinking=part("type", *thoughts),
            tool_use=part("type", "id", "name", "input", *marks),
            compaction=part("type", "content"),
            tool_addition=change,
            tool_removal=change,
        )
    )
    form = part("type", "schema")
    return part(
        "model",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "stream",
        "service_tier",
        *(("thinking", *marks) if marks else ()),
        system=texts,
        messages=part("role", content=blocks),
        tools=tools,
        tool_choice=part("type", "name", "disable_parallel_tool_use"),
        metadata=part("user_id"),
        output_config=part("effort", format=form),
        output_format=form,
    )


def _source(inner: Kinds) -> Kinds:
    """Return the shape of a document's source, of which one kind has blocks inside."""
    whole = part("type", "media_type", "data")
    return Kinds(text=whole, base64=whole, content=part("type", content=inner))


BODY = _body()
"""What every target is sent."""
MARKED_BODY = _body("cache_control")
"""What targets are sent that take marks."""
