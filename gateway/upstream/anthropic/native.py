"""Give a request of Anthropic's API what its client said in that API's own words: fields, documents, tools. Pure.

`wire/anthropic/native.py` puts it into the chat document, and `core/marks.py` leaves in it what the target is sent.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.document import Json, JsonObject
from gateway.core.provider_fields import NATIVE

Block = dict[str, Any]
_NOTE = ("These tools are not available here: ", ". Work without them.")


def words_of(holder: JsonObject) -> JsonObject:
    """Return what is said in this API's own words about a document, a message, a part, a call or a tool."""
    given = holder.get(NATIVE)
    return given if isinstance(given, Mapping) else {}


def fields_of(holder: JsonObject) -> Block:
    """Return fields that are sent as they came."""
    given = words_of(holder).get("fields")
    return dict(given) if isinstance(given, Mapping) else {}


def tools_of(document: JsonObject) -> list[JsonObject]:
    """Return the tools that the provider runs itself, and those that they find."""
    given = words_of(document).get("tools")
    return [tool for tool in (given if isinstance(given, tuple) else ()) if isinstance(tool, Mapping)]


def grouped(part: JsonObject, blocks: list[Block]) -> list[Block]:
    """Return the blocks, with those that a document or a search result was translated into made one again.

    Args:
        part: The last part of it, which says how.
        blocks: Those of the message so far; the last one is this part's.
    """
    mark = words_of(part).get("span")
    count = mark.get("parts") if isinstance(mark, Mapping) else None
    if not isinstance(mark, Mapping) or not isinstance(count, int) or not 0 < count <= len(blocks):
        return blocks
    inner = [{name: value for name, value in one.items() if name != "cache_control"} for one in blocks[-count:]]
    whole = _search_result(mark, inner) if mark.get("type") == "search_result" else _document(mark, inner)
    if whole is None:
        return blocks
    last = blocks[-1]
    marks = {"cache_control": last["cache_control"]} if "cache_control" in last else {}
    return [*blocks[:-count], fields_of(part) | whole | marks]


def _document(mark: JsonObject, inner: list[Block]) -> Block | None:
    whole: Block = {"type": "document"}
    for name in ("title", "context"):
        if mark.get(name) is True and inner:
            whole[name] = inner.pop(0).get("text")
    form = mark.get("form")
    form = form if isinstance(form, Mapping) else {}
    match form.get("type"):
        case "text" if len(inner) == 1:
            media = form.get("media_type") or "text/plain"
            whole["source"] = {"type": "text", "media_type": media, "data": inner[0].get("text")}
        case "content":
            whole["source"] = {"type": "content", "content": inner}
        case "base64" | "file" | "url" if len(inner) == 1 and inner[0].get("type") == "document":
            whole["source"] = inner[0]["source"]
        case _:
            return None
    return whole


def _search_result(mark: JsonObject, inner: list[Block]) -> Block | None:
    if not inner:
        return None
    lines = str(inner.pop(0).get("text")).split("\n", 1)
    heads = [name for name in ("title", "source") if mark.get(name) is True]
    if len(heads) == 2 and len(lines) != 2:
        return None
    whole: Block = dict(zip(heads, lines, strict=False))
    return {"type": "search_result", **whole, "content": inner}


def without_note(system: list[Block], document: JsonObject) -> list[Block]:
    """Return the system texts without the note that says which tools are not available: this provider has them."""
    length = words_of(document).get("note")
    if not isinstance(length, int) or length <= 0:
        return system
    kept: list[Block] = []
    for block in system:
        said = str(block["text"])[-length:]
        if len(said) == length and said.startswith(_NOTE[0]) and said.endswith(_NOTE[1]):
            rest = str(block["text"])[:-length].rstrip("\n")
            kept += [block | {"text": rest}] if rest else []
        else:
            kept.append(block)
    return kept


def provider_block(holder: JsonObject) -> tuple[bool, Json]:
    """Return whether a call or a result was the provider's own, and its block; None: it had not come yet."""
    words = words_of(holder)
    return "block" in words, words.get("block")
