"""Carry sealed thoughts through an item of ours: their provider knows them by its own item's id. Pure."""

import re

ENCRYPTED = "encrypted_content"
_WITH_ID = re.compile(r"(?P<id>rs_[A-Za-z0-9_-]{1,200})\.(?P<data>.+)", re.DOTALL)


def closed(data: str, item_id: object) -> str:
    """Return what a client keeps for the next turn: what was sealed, behind the id that it has at its provider."""
    return f"{item_id}.{data}" if isinstance(item_id, str) and _WITH_ID.fullmatch(f"{item_id}.{data}") else data


def opened(content: str, item_id: str) -> tuple[str, str]:
    """Return id and data of what a client kept; `item_id` counts where the client had it from its provider itself."""
    found = _WITH_ID.fullmatch(content)
    return (found["id"], found["data"]) if found else (item_id, content)
