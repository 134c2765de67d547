"""What of an Anthropic body is in the translated document: whatever else it has, the answer names as left out."""

from gateway.core.document import JsonObject
from gateway.core.outbound import WITHHELD
from gateway.wire.anthropic.client_tools import CLIENT_TOOLS
from gateway.wire.anthropic.native import CONNECTED, Wanted
from gateway.wire.anthropic.provider_tools import BROWSER_STATE, PROVIDER_CALLS, PROVIDER_RESULTS
from gateway.wire.left_out import WHOLE, Kinds, Open, Part, Shape, left_out
from gateway.wire.left_out import part as closed


def _body(*marks: str, native: bool = False, provider_tools: bool = False) -> Part:
    """Return the shape of a body.

    Args:
        marks: The fields of blocks that count as carried too.
        native: Whether fields that are not known here are carried.
        provider_tools: Whether the provider's own tools are, and what they did.
    """

    def part(*names: str, **fields: Shape) -> Part:
        made = closed(*names, **fields)
        return Open(made) if native else made

    text = part("type", "text", *marks)
    texts = Kinds(text=text)
    image = part(
        "type",
        *marks,
        source=Kinds(base64=closed("type", "media_type", "data"), url=closed("type", "url")),
    )
    tool = part("type", "name", "description", "input_schema", "input_examples", "strict", "defer_loading", *marks)
    client_tool = closed("type", "name", "defer_loading", *marks)
    tools = Kinds({"": tool, "custom": tool} | dict.fromkeys(CLIENT_TOOLS, client_tool))
    change = closed("type", tool=closed("type", "name", definition=tools))
    parts = Kinds(
        text=text,
        image=image,
        document=part("type", "title", "context", *marks, source=_source(Kinds(text=text, image=image))),
        search_result=part("type", "title", "source", content=texts),
        tool_reference=closed("type", "tool_name"),
        browser_state=BROWSER_STATE,
    )
    thoughts = ("signature", "data") if marks else ()
    provider: dict[str, Shape] = {**PROVIDER_CALLS, **PROVIDER_RESULTS}
    blocks = Kinds(
        parts
        | (dict.fromkeys(provider, WHOLE) if provider_tools else provider)
        | Kinds(
            tool_result=part("type", "tool_use_id", "is_error", *marks, content=parts),
            thinking=closed("type", "thinking", *thoughts),
            redacted_thinking=closed("type", *thoughts),
            tool_use=part("type", "id", "name", "input", *marks),
            compaction=closed("type", "content"),
            tool_addition=change,
            tool_removal=change,
        )
    )
    form = closed("type", "schema")
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
        messages=closed("role", content=blocks),
        tools=WHOLE if provider_tools else tools,
        tool_choice=closed("type", "name", "disable_parallel_tool_use"),
        metadata=closed("user_id"),
        output_config=closed("effort", format=form),
        output_format=form,
    )


def _source(inner: Kinds) -> Kinds:
    """Return the shape of a document's source, of which one kind has blocks inside."""
    whole = closed("type", "media_type", "data")
    return Kinds(text=whole, base64=whole, content=closed("type", content=inner))


BODY = _body()
"""What every target is sent."""
MARKED_BODY = _body("cache_control")
"""What targets are sent that take marks."""
_NATIVE_BODY = _body("cache_control", native=True)
_PROVIDER_BODY = _body("cache_control", native=True, provider_tools=True)


def own_words(lost: tuple[str, ...], document: JsonObject, wanted: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which of the names in `lost` stand in the document for targets of Anthropic's API alone.

    The second ones are for those that let the provider run tools.
    """
    if not wanted.words:
        return (), ()
    here = left_out(document, _NATIVE_BODY)
    nowhere = WITHHELD | CONNECTED.keys()
    own = tuple([name for name in lost if name not in here and name not in nowhere])
    beside = left_out(document, _PROVIDER_BODY) if wanted.provider_tools else here
    return own, tuple([name for name in lost if name in here and name not in beside])
