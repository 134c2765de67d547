"""Parts of a document that are not text: pictures, files, recordings, numbers of some vocabulary. Each is a doubt."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gateway.core.document import Json

_TEXT_PARTS = frozenset(
    {"text", "input_text", "output_text", "refusal", "tool_result", "tool_use", "thinking", "summary_text", "reasoning"}
)

_OTHER_PARTS = {
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "input_audio": "audio",
    "audio": "audio",
    "file": "file",
    "input_file": "file",
    "document": "file",
}


def unreadable_parts(document: Json) -> Iterator[tuple[str, str]]:
    """Yield kind and path of each part that is not text: an image by URL, a file by id, audio, what is not known."""
    if not isinstance(document, Mapping):
        return
    for name in ("prompt", "input"):
        if _has_token_numbers(document.get(name)):
            yield "token_numbers", f"$.{name}"
    messages = document.get("messages")
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        if isinstance(message, MappingProxyType | dict):
            yield from _parts(message.get("content"), f"$.messages[{number}].content")


def _parts(parts: Json, path: str) -> Iterator[tuple[str, str]]:
    """Yield kind and path of parts that are not text, also of those in the parts of a tool's result."""
    for index, part in enumerate(parts if isinstance(parts, tuple) else ()):
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind not in _TEXT_PARTS:
            yield _OTHER_PARTS.get(str(kind), "unreadable_part"), f"{path}[{index}]"
        elif isinstance(part, Mapping):
            yield from _parts(part.get("content"), f"{path}[{index}].content")


def _has_token_numbers(value: Json) -> bool:
    """Tell whether a prompt is numbers of some vocabulary: text that nobody here can read."""
    items = value if isinstance(value, tuple) else ()
    return any(
        isinstance(item, int | float) or (isinstance(item, tuple) and _has_token_numbers(item)) for item in items
    )
