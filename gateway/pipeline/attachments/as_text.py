"""Text in the place of attachments, for local targets that can't take these themselves. Pure.

INVARIANT: nothing here is for a cloud. What leaves is the document that was inspected, with its attachments as they
came.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from gateway.core.attachment import Reading
from gateway.core.document import Json, inside
from gateway.core.labels import Zone
from gateway.core.request import ChatRequest, GenerateRequest, Media
from gateway.core.target import MEDIA_CAPABILITY, TargetInfo
from gateway.pipeline.attachments.attached import Attached, AttachedItem
from gateway.pipeline.attachments.found import Found
from gateway.pipeline.reread import reread

_LONGEST_NAME = 200


def lacking(info: TargetInfo, media: frozenset[Media]) -> frozenset[Media]:
    """Return the media that a local target can't take itself, and is given as text."""
    if info.zone is not Zone.LOCAL:
        return frozenset()
    return frozenset(
        medium
        for medium in media & info.given_as_text
        if MEDIA_CAPABILITY[medium] not in info.capabilities
    )  # fmt: skip


def taken_by(info: TargetInfo, request: GenerateRequest, attached: Attached) -> GenerateRequest:
    """Return the request as a target takes it: with what was read of its attachments, where it can't take these."""
    media = lacking(info, request.media) if request.media else request.media
    if not media or not isinstance(request, ChatRequest):
        return request
    parts: dict[str, list[AttachedItem]] = {}
    for item in attached.items:
        if item.found.medium in media:
            parts.setdefault(item.found.part, []).append(item)
    document = dict(request.document)
    document["messages"] = _replaced(document.get("messages"), "$.messages", parts)
    return reread(request, MappingProxyType(document)) or request


def _replaced(value: Json, path: str, parts: Mapping[str, Sequence[AttachedItem]]) -> Json:
    """Return messages with a text part in the place of each of these parts; only what changes is copied."""
    if path in parts:
        return MappingProxyType({"type": "text", "text": "\n\n".join(map(told, parts[path]))})
    if not any(part.startswith(path) for part in parts):
        return value
    if isinstance(value, Mapping):
        return MappingProxyType({name: _replaced(item, inside(path, name), parts) for name, item in value.items()})
    if isinstance(value, tuple):
        return tuple(_replaced(item, inside(path, index), parts) for index, item in enumerate(value))
    return value


def told(item: AttachedItem) -> str:
    """Return what was read of an attachment, marked as such, and what could not be read."""
    called = _called(item.found)
    read = item.reading or Reading()
    said = [
        f"[{called}{f', {piece.place}' if piece.place else ''}, read by this gateway:]\n{piece.text}"
        for piece in read.pieces
    ]
    why = f": {', '.join(read.reasons)}" if read.reasons else ""
    if not said:
        return f"[{called} has no text.]" if read.whole else f"[{called} could not be read{why}.]"
    end = "read whole" if read.whole else f"of which not everything could be read{why}"
    return "\n\n".join([*said, f"[End of {called[0].lower()}{called[1:]}, {end}.]"])


def _called(found: Found) -> str:
    name = " ".join(found.name.split())[:_LONGEST_NAME].replace('"', "'")
    word = found.word.capitalize()
    return f'{word} "{name}"' if name else f"The {found.word}"
