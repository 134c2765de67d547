"""Read pictures from the answers of OpenAI-compatible servers: one JSON, or events with previews. Pure.

Sources: OpenAI's API reference ("Images", "Image streaming"), stable-diffusion.cpp's `examples/server/api.md`.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.attachment import is_data_url
from gateway.core.delta import Delta, Finish, FinishReason, Picture, UsageReport
from gateway.core.document import Json, JsonObject
from gateway.core.errors import TargetProtocolError
from gateway.core.usage import Usage
from gateway.upstream.errors import complaint, fault_in_stream
from gateway.upstream.usage import estimated_usage, reported_usage, token_count

_FACTS = ("size", "quality", "background", "output_format")
_LONGEST_FACT = 40
_PREVIEW = ("image_generation.partial_image", "image_edit.partial_image")
_WHOLE = ("image_generation.completed", "image_edit.completed")


class _Picture(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Answer(msgspec.Struct):
    data: list[_Picture] | None = None
    usage: Any = None
    error: Any = None
    size: Any = None
    quality: Any = None
    background: Any = None
    output_format: Any = None


class _Event(_Answer, kw_only=True):
    type: str = ""
    b64_json: str | None = None
    partial_image_index: int | None = None


_ANSWERS = msgspec.json.Decoder(_Answer, strict=False)
_EVENTS = msgspec.json.Decoder(_Event, strict=False)


def read_pictures(target: str, document: JsonObject, body: bytes) -> tuple[Delta, ...]:
    """Return the deltas of an answer that came in one piece.

    Raises:
        AduanaError: The answer reports an error.
        TargetProtocolError: It can't be read, has no picture, or has an address in place of one.
    """
    try:
        answer = _ANSWERS.decode(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(target) from error
    if answer.error:
        raise fault_in_stream(target, complaint(answer.error))
    found = [
        Picture(
            base64=_base64(target, one),
            index=index,
            revised_prompt=one.revised_prompt or "",
            facts=_facts(answer),
        )
        for index, one in enumerate(answer.data or ())
    ]
    if not found:
        raise TargetProtocolError(f"The target {target!r} sent no picture.")
    return (*found, *ending(document, len(found), answer.usage, _facts(answer)))


def ending(document: JsonObject, pictures: int, usage: object, facts: Mapping[str, str]) -> Iterator[Delta]:
    """Yield what ends an answer: its usage as it was reported, else an estimate, with the pictures that were made."""
    counted = reported_usage(usage, answered=False)
    counted = estimated_usage(document, answer=0, reasoning=0) if counted is None else _with_pixels(counted, usage)
    yield Finish(reason=FinishReason.STOP)
    yield UsageReport(usage=_priced(counted, document, pictures, facts))


def _with_pixels(counted: Usage, usage: object) -> Usage:
    """Return the usage with the tokens that are pictures: of the answer all, where it does not say."""
    given, made = (_of_pictures(usage, name) for name in ("input_tokens_details", "output_tokens_details"))
    drawn = counted.output if made is None else min(made, counted.output)
    return msgspec.structs.replace(counted, input_image=min(given or 0, counted.input), output_image=drawn)


def _of_pictures(usage: object, details: str) -> int | None:
    found = usage.get(details) if isinstance(usage, Mapping) else None
    return token_count(found.get("image_tokens")) if isinstance(found, Mapping) else None


def _priced(usage: Usage, document: JsonObject, pictures: int, facts: Mapping[str, str]) -> Usage:
    """Return the usage with what a price per picture depends on: as the answer says it, else as it was asked for."""
    size, quality = (facts.get(name) or _said(document.get(name)) for name in ("size", "quality"))
    words = [word if word != "auto" else "" for word in (size, quality)]
    return msgspec.structs.replace(usage, pictures=pictures, picture_size=words[0], picture_quality=words[1])


class PictureEvents:
    """Reader of a streamed answer's events: previews, then the finished picture. One that came whole is read too."""

    def __init__(self, target: str, document: JsonObject) -> None:
        self._target = target
        self._document = document
        wanted = document.get("n")
        self._wanted = wanted if isinstance(wanted, int) else 1
        self._made = 0
        self.done = False

    def event(self, data: bytes) -> Iterator[Delta]:
        """Yield the deltas of one event's JSON; of one that says nothing of a picture none.

        Raises:
            AduanaError: The event reports an error.
            TargetProtocolError: It can't be read.
        """
        try:
            event = _EVENTS.decode(data)
        except (ValueError, RecursionError) as error:
            raise _unreadable(self._target) from error
        if event.error or event.type == "error":
            raise fault_in_stream(self._target, complaint(event.error or msgspec.json.decode(data)))
        if event.data:
            self.done = True
            yield from read_pictures(self._target, self._document, data)
        elif event.type.startswith(_PREVIEW) and event.b64_json:
            yield Picture(base64=event.b64_json, number=event.partial_image_index or 0, facts=_facts(event))
        elif event.type.startswith(_WHOLE):
            facts = _facts(event)
            text = _base64(self._target, _Picture(b64_json=event.b64_json))
            yield Picture(base64=text, index=self._made, facts=facts)
            self._made += 1
            self.done = self._made >= self._wanted
            if self.done:
                yield from ending(self._document, self._made, event.usage, facts)


def _base64(target: str, picture: _Picture) -> str:
    """Return a picture's base64.

    Raises:
        TargetProtocolError: There is none, or it is broken.
    """
    text = picture.b64_json or ""
    if not text and picture.url is not None:
        if not is_data_url(picture.url):
            raise TargetProtocolError(
                f"The target {target!r} sent an address in place of a picture, and addresses are not followed."
            )
        text = picture.url
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        if not base64.b64decode(text, validate=True):
            raise TargetProtocolError(f"The target {target!r} sent an empty picture.")
    except (binascii.Error, ValueError) as error:
        raise _unreadable(target) from error
    return text


def _facts(answer: _Answer) -> Mapping[str, str]:
    return MappingProxyType({name: text for name in _FACTS if (text := _said(getattr(answer, name)))})


def _said(value: Json) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_FACT else ""


def _unreadable(target: str) -> TargetProtocolError:
    return TargetProtocolError(f"The target {target!r} sent pictures that can't be read.")
