"""Parts of a document that are not text: pictures, files, recordings, numbers of some vocabulary. Each is a doubt."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gateway.core.document import Json, inside, is_object

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
_HOLDERS = _OTHER_PARTS | {
    "images": "image",
    "image_urls": "image",
    "input_images": "image",
    "image_file": "image",
    "image_data": "image",
    "audio_url": "audio",
    "audios": "audio",
    "audio_data": "audio",
    "video": "file",
    "videos": "file",
    "video_url": "file",
    "input_video": "file",
    "files": "file",
    "file_id": "file",
    "file_ids": "file",
    "file_url": "file",
    "file_data": "file",
    "file_uri": "file",
    "inline_data": "file",
    "inlineData": "file",
    "fileData": "file",
    "attachment": "file",
    "attachments": "file",
    "media": "file",
    "media_url": "file",
}
"""Fields that hold a medium or its address, whatever the `type` beside them says: a provider may look at either."""
_SETTINGS = frozenset(
    {"tools", "functions", "response_format", "text", "audio", "metadata", "tool_choice", "modalities"}
)
"""Fields of a request that say how to answer, or describe such fields in a schema."""
_TOLD_APART = _SETTINGS | {"messages", "prediction"}
_PLAIN = frozenset({"role", "content"})
_FLAT = frozenset({str, int, float, bool, type(None)})  # values that hold no others
_EMPTY: tuple[Json, ...] = (None, False, "", (), MappingProxyType({}))


def unreadable_parts(document: Json) -> Iterator[tuple[str, str]]:
    """Yield kind and path of each part that is not text: an image by URL, a file by id, audio, what is not known."""
    if not is_object(document):
        return
    for name in ("prompt", "input"):
        prompt = document.get(name)
        if isinstance(prompt, tuple) and _has_token_numbers(prompt):
            yield "token_numbers", f"$.{name}"
    messages = document.get("messages")
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        if isinstance(message, MappingProxyType | dict) and not _is_text(message):
            yield from _parted(message, f"$.messages[{number}]")
    prediction = document.get("prediction")
    if is_object(prediction):
        yield from _parted(prediction, "$.prediction")
    for name, value in document.items():
        if (type(value) not in _FLAT or name in _HOLDERS) and name not in _TOLD_APART:
            yield from _held({name: value}, "$")


def _is_text(message: Mapping[str, Json]) -> bool:
    """Tell whether a message is a role and a text, as most are."""
    return message.keys() == _PLAIN and isinstance(message["content"], str)


def _parted(holder: Mapping[str, Json], path: str) -> Iterator[tuple[str, str]]:
    """Yield kind and path of what is not text in the parts of a message, and in the fields beside them."""
    content = holder.get("content")
    if isinstance(content, tuple):
        yield from _parts(content, f"{path}.content")
    if holder.keys() != _PLAIN:
        yield from _held({name: value for name, value in holder.items() if name != "content"}, path)
    if is_object(content):
        yield from _held(content, f"{path}.content")


def _parts(parts: tuple[Json, ...], path: str) -> Iterator[tuple[str, str]]:
    """Yield kind and path of parts that are not text, also of those in the parts of a tool's result."""
    for index, part in enumerate(parts):
        kind = part.get("type") if is_object(part) else None
        if kind not in _TEXT_PARTS:
            yield _OTHER_PARTS.get(str(kind), "unreadable_part"), f"{path}[{index}]"
        elif is_object(part):
            yield from _parted(part, f"{path}[{index}]")


def _held(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Yield kind and path of every field that holds a medium or its address, however deep.

    What stands in an answer's notes on its sources was not sent to anybody: it is their address.
    """
    if is_object(value):
        for name, item in value.items():
            kind = _HOLDERS.get(name)
            if kind is not None and item not in _EMPTY:
                yield kind, inside(path, name)
            elif (isinstance(item, tuple) or is_object(item)) and name != "annotations":
                yield from _held(item, inside(path, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, tuple) or is_object(item):
                yield from _held(item, f"{path}[{index}]")


def _has_token_numbers(prompt: tuple[Json, ...]) -> bool:
    """Tell whether a prompt is numbers of some vocabulary: text that nobody here can read."""
    return any(
        isinstance(item, int | float) or (isinstance(item, tuple) and _has_token_numbers(item)) for item in prompt
    )
