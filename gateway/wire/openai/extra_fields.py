"""Join fields that OpenAI does not have from the pieces of a stream into those of a whole answer. Pure."""

from typing import Any

# The pieces of these texts follow one another; of every other value the last one counts.
_CONTINUED = frozenset({"text", "summary", "data", "thinking", "content"})


def joined(whole: dict[str, Any], piece: dict[str, Any]) -> dict[str, Any]:
    """Join the fields of `piece` to those of `whole`, which changes, and return it.

    Items of lists that have the same `index` and `type` are one item in pieces, as OpenRouter sends reasoning.
    """
    for name, value in piece.items():
        before = whole.get(name)
        match before, value:
            case dict(), dict():
                joined(before, value)
            case list(), list():
                _append(before, value)
            case str(), str() if name in _CONTINUED:
                whole[name] = before + value
            case _ if value is not None or before is None:
                whole[name] = value
    return whole


def _append(items: list[Any], more: list[Any]) -> None:
    for item in more:
        last = items[-1] if items else None
        if isinstance(item, dict) and isinstance(last, dict) and _place(item) == _place(last) != (None, None):
            joined(last, item)
        else:
            items.append(item)


def _place(item: dict[str, Any]) -> tuple[Any, Any]:
    return (item.get("index"), item.get("type") if item.get("index") is not None else None)
