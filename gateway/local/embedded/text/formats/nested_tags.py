"""Values that are trees of tags, as MiniMax-M3 writes them: `<key>…</key>` is an object, `<item>…</item>` a list."""

import json

import regex

from gateway.local.embedded.text.formats.answer_format import Calls
from gateway.local.embedded.text.formats.coercion import value_as_json

_DEEPEST = 64


def value_of_tags(text: str, calls: Calls) -> object | None:
    """Return the value of a tree of tags; None: the text is none, or this format has no such trees."""
    if "{key}" not in calls.parameter.close:
        return None
    before = regex.escape(calls.parameter.open.removesuffix("<"))
    parts = regex.split(rf"{before}<(/?[^<>\s]{{1,256}})>", text)
    if len(parts) < 3:
        return None
    try:
        value, end = _tree(parts, 0, "", 0)
    except (ValueError, IndexError):
        return None
    return value if end == len(parts) else None


def _tree(parts: list[str], place: int, within: str, depth: int) -> tuple[object, int]:
    """Return the value that begins with the text at `place`, and where it ends.

    Raises:
        ValueError: tags don't match.
    """
    if depth > _DEEPEST:
        raise ValueError("too deep")
    pairs: list[tuple[str, object]] = []
    while place + 1 < len(parts):
        tag = parts[place + 1]
        if tag.startswith("/"):
            break
        value, place = _tree(parts, place + 2, tag, depth + 1)
        pairs.append((tag, value))
    closes = place + 1 < len(parts)
    if (closes and parts[place + 1] != "/" + within) or (not closes and within):
        raise ValueError("tags don't match")
    if not pairs:
        return json.loads(value_as_json(parts[place], frozenset())), place + (2 if closes else 1)
    keys = [tag for tag, _ in pairs]
    listed = all(key == "item" for key in keys)
    result: object = [value for _, value in pairs] if listed else dict(pairs)
    return result, place + (2 if closes else 1)
