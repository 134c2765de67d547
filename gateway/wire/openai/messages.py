"""Parse OpenAI's `messages` into `Message`s and the kinds of media that they carry. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.core.document import Json
from gateway.core.request import Media, MediaPart, Message, ToolCall
from gateway.wire.body_fields import Fields, bad_field

_SPEAKERS = ("system", "developer", "user", "assistant")
_ROLES = ("system", "developer", "user", "assistant", "tool")
_TEXT_PARTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
_MEDIA_PARTS = {
    "image_url": Media.IMAGE,
    "input_image": Media.IMAGE,
    "input_audio": Media.AUDIO,
    "file": Media.FILE,
    "input_file": Media.FILE,
}
_MOST_MESSAGES = 100_000
_MOST_PARTS = 10_000
_MOST_CALLS = 1024
_LONGEST_NAME = 256


def parse_messages(body: Fields) -> tuple[tuple[Message, ...], frozenset[Media]]:
    """Return the conversation, and the kinds of media in it that are not text.

    Raises:
        BadRequest: there are no messages, or one of them is not as it must be.
    """
    given = body.items("messages", _MOST_MESSAGES)
    if not given:
        raise bad_field(body.param("messages"), "is missing or empty. Send at least one message.")
    media: set[Media] = set()
    messages = [
        _plain_text(one) or _message(body.inside(one, f"{body.param('messages')}[{number}]"), media.add)
        for number, one in enumerate(given)
    ]
    return tuple(messages), frozenset(media)


def _plain_text(given: Json) -> Message | None:
    """Return a message that is a role and a text, as nearly all are; None: it is more, or not as it must be."""
    if type(given) is not MappingProxyType or len(given) != 2:
        return None
    role, text = given.get("role"), given.get("content")
    return Message(role=role, text=text) if type(text) is str and role in _SPEAKERS and type(role) is str else None


def _message(given: Fields, found: Callable[[Media], None]) -> Message:
    role = given.choice("role", _ROLES)
    if role is None:
        raise bad_field(given.param("role"), "is missing.")
    calls = _tool_calls(given) if role == "assistant" else ()
    if role == "assistant" and given.document.get("audio") is not None:
        found(Media.AUDIO)
    content = given.document.get("content")
    if content is None and role != "assistant":
        raise bad_field(given.param("content"), "is missing.")
    call_id = given.string("tool_call_id", longest=_LONGEST_NAME)
    if role == "tool" and not call_id:
        raise bad_field(given.param("tool_call_id"), "is missing.")
    parts = _parts(content, given.param("content"))
    media = [part for part in parts if isinstance(part, MediaPart)]
    for part in media:
        found(part.kind)
    return Message(
        role=role,
        text="\n".join([part for part in parts if isinstance(part, str)]),
        name=given.string("name", longest=_LONGEST_NAME),
        tool_calls=calls,
        tool_call_id=call_id,
        reasoning=given.string("reasoning_content") or given.string("reasoning"),
        parts=parts if media else (),
    )


def _parts(content: Json, param: str) -> tuple[str | MediaPart, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (content,)
    if not isinstance(content, tuple):
        raise bad_field(param, "must be a string or an array of parts.")
    if len(content) > _MOST_PARTS:
        raise bad_field(param, f"must have at most {_MOST_PARTS} parts.")
    parts: list[str | MediaPart] = []
    for number, item in enumerate(content):
        part = Fields.inside(item, f"{param}[{number}]")
        kind = part.required_string("type")
        if kind in _TEXT_PARTS:
            text = part.string(_TEXT_PARTS[kind])
            if text is None:
                raise bad_field(part.param(_TEXT_PARTS[kind]), "is missing.")
            parts.append(text)
        else:
            # A kind of part that is not known here can't be read here either: it counts like a file.
            medium = _MEDIA_PARTS.get(kind, Media.FILE)
            parts.append(MediaPart(kind=medium, source=_source(part.document.get(kind)), param=part.param(kind)))
    return tuple(parts)


def _source(holder: Json) -> str:
    """Return the data or the address of a picture or a sound; empty: there is none."""
    if isinstance(holder, Mapping):
        holder = holder.get("url") or holder.get("data")
    return holder if isinstance(holder, str) else ""


def _tool_calls(given: Fields) -> tuple[ToolCall, ...]:
    calls: list[ToolCall] = []
    for call in given.objects("tool_calls", _MOST_CALLS):
        kind = call.choice("type", ("function", "custom")) or "function"
        inner = call.mapping(kind)
        if inner is None:
            raise bad_field(call.param(kind), "is missing.")
        arguments = inner.string("arguments" if kind == "function" else "input")
        calls.append(
            ToolCall(
                id=call.required_string("id", longest=_LONGEST_NAME),
                name=inner.required_string("name", longest=_LONGEST_NAME),
                arguments=arguments or "",
            )
        )
    return tuple(calls)
