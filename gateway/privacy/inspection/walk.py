"""The walk over a request's document: every value that holds no others, with the role of its message. Pure."""

from collections.abc import Iterator
from types import MappingProxyType

from gateway.core.document import KEY, JsonObject, Leaf, Place, leaves

OF_THE_API = frozenset(
    {
        "role",
        "content",
        "user",
        "assistant",
        "system",
        "developer",
        "tool",
        "messages",
        "model",
        "type",
        "text",
        "stream",
    }
)  # its own words, in every message of every request
_PLAIN = frozenset({"role", "content"})


def leaves_by_role(document: JsonObject) -> Iterator[tuple[Place, Leaf, bool, str]]:
    """Yield every leaf as `(place, value, whether it is a key, role of its message)`, messages last.

    Messages that are a role of the API and a text are told in one step.
    """
    messages = document.get("messages")
    if not isinstance(messages, tuple):
        for place, leaf, is_key in leaves(document):
            yield place, leaf, is_key, ""
        return
    for name, value in document.items():
        if name == "messages":
            continue
        top: Place = (None, name)
        yield (top, KEY), name, True, ""
        if value is None or isinstance(value, str | int | float):  # most settings of a request
            yield top, value, False, ""
            continue
        for place, leaf, is_key in leaves(value, top):
            yield place, leaf, is_key, ""
    root: Place = (None, "messages")
    for number, message in enumerate(messages):
        here: Place = (root, number)
        lane = ""
        if isinstance(message, MappingProxyType | dict):
            content, role = message.get("content"), message.get("role")
            lane = role if isinstance(role, str) else ""
            if message.keys() == _PLAIN and isinstance(content, str) and lane in OF_THE_API:
                yield (here, "content"), content, False, lane
                continue
        for place, leaf, is_key in leaves(message, here):
            yield place, leaf, is_key, lane
