"""Parse and answer `/v1/images/generations`, `/edits` and `/variations`. Pure.

Sources: OpenAI's API reference ("Images", "Image streaming"). Fields that are not known stay in the document, are
inspected with it, and go on to targets that know them.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

from gateway.core.attachment import is_data_url
from gateway.core.delta import Delta, Picture, UsageReport
from gateway.core.document import Json, JsonObject
from gateway.core.errors import AduanaError, BadRequest
from gateway.core.request import Dialect, ImagesRequest, Media, MediaWork
from gateway.core.usage import Usage
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.encoding import encode_json, incomplete
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.openai.answer_fields import error_event, named_event

FILES = frozenset({"image", "mask"})
"""Fields of a form that hold files."""
_LONGEST_MODEL = 256
_MOST_PICTURES = 16
_MOST_MADE = 16
_LONGEST_WORD = 40
_SIZE = re.compile(r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")
_EVENT_KINDS = {MediaWork.GENERATIONS: "image_generation", MediaWork.EDITS: "image_edit"}


def parse_images(work: MediaWork, document: JsonObject) -> ImagesRequest:
    """Parse the document of a request for pictures.

    Raises:
        BadRequest: A field is missing, has the wrong type or is not served here.
    """
    refuse_overrides(document)
    document = _with_pictures(document)
    fields = Fields(document)
    model = fields.required_string("model", longest=_LONGEST_MODEL)
    if not model.isprintable():
        raise bad_field("model", "has control characters.")
    given = _pictures(fields, needed=work is not MediaWork.GENERATIONS)
    prompt = fields.string("prompt") if work is MediaWork.VARIATIONS else fields.required_string("prompt")
    _check_form(fields, work)
    return ImagesRequest(
        dialect=Dialect.OPENAI,
        model=model,
        document=document,
        stream=fields.boolean("stream"),
        media=frozenset({Media.IMAGE}) if given else frozenset(),
        work=work,
        text=prompt or "",
        n=fields.integer("n", 1, _MOST_MADE) or 1,
        size=_size(fields),
        quality=_word(fields, "quality"),
    )


def _with_pictures(document: JsonObject) -> JsonObject:
    """Return the document with its pictures in `image`: JSON bodies may have them in `images`, as objects."""
    changed: dict[str, Json] = {}
    images = document.get("images")
    if isinstance(images, tuple):
        changed["image"] = tuple([_address(item, f"images[{number}]") for number, item in enumerate(images)])
    if isinstance(mask := document.get("mask"), Mapping):
        changed["mask"] = _address(mask, "mask")
    if not changed:
        return document
    return MappingProxyType({name: value for name, value in document.items() if name != "images"} | changed)


def _address(item: Json, param: str) -> Json:
    address = item.get("image_url") if isinstance(item, Mapping) else item
    if not isinstance(address, str):
        raise bad_field(param, "must be a data URL, or an object with one in 'image_url'; files by id are not served.")
    return address


def _pictures(fields: Fields, *, needed: bool) -> bool:
    """Return whether the request has pictures.

    Raises:
        BadRequest: One is no data URL, or there is none where one is needed.
    """
    image, mask = fields.document.get("image"), fields.document.get("mask")
    every = image if isinstance(image, tuple) else () if image is None else (image,)
    if len(every) > _MOST_PICTURES:
        raise bad_field("image", f"must have at most {_MOST_PICTURES} pictures.")
    for name, item in (*(("image", item) for item in every), *((("mask", mask),) if mask is not None else ())):
        if not _is_file(item):
            raise bad_field(name, "must be a file of the form, or a data URL in base64; addresses are not fetched.")
    if needed and not every:
        raise bad_field("image", "is missing.")
    return bool(every) or mask is not None


def _is_file(item: Json) -> TypeGuard[str]:
    return isinstance(item, str) and is_data_url(item)


def _check_form(fields: Fields, work: MediaWork) -> None:
    """Refuse what can't be given: addresses of pictures, and a stream of variations.

    Raises:
        BadRequest: The request asks for it, or for what no server knows.
    """
    if fields.choice("response_format", ("b64_json", "url")) == "url":
        raise BadRequest(
            "'response_format': this gateway keeps no pictures, so it has no addresses of them. Use 'b64_json'.",
            param="response_format",
            code="not_supported",
        )
    fields.choice("output_format", ("png", "jpeg", "webp"))
    fields.choice("background", ("auto", "transparent", "opaque"))
    fields.integer("output_compression", 0, 100)
    fields.integer("partial_images", 0, 3)
    if work is MediaWork.VARIATIONS and fields.boolean("stream"):
        raise bad_field("stream", "variations are not streamed.")


def _size(fields: Fields) -> str:
    size = fields.string("size") or ""
    if size in ("", "auto"):
        return ""
    if not _SIZE.fullmatch(size):
        raise bad_field("size", "must be WIDTHxHEIGHT in pixels, as '1024x1024', or 'auto'.")
    return size


def _word(fields: Fields, name: str) -> str:
    word = fields.string(name, longest=_LONGEST_WORD) or ""
    return "" if word == "auto" else word


class ImagesStream:
    """Encoder of a streamed answer: previews, then the finished pictures."""

    def __init__(self, work: MediaWork, *, created: int) -> None:
        self._kind = _EVENT_KINDS[work]
        self._created = created
        self._made: list[Picture] = []
        self._complete = False

    def start(self) -> bytes:
        """Return nothing: events begin with the first picture."""
        return b""

    def encode(self, delta: Delta) -> bytes:
        """Return the event for one delta. A finished picture waits for the usage, which stands in its event."""
        match delta:
            case Picture(number=int(number)):
                return self._event("partial_image", delta, {"partial_image_index": number})
            case Picture():
                self._made.append(delta)
                return b""
            case UsageReport(usage=usage):
                self._complete = True
                told = {"usage": usage_fields(usage)}
                return b"".join([self._event("completed", picture, told) for picture in self._made])
            case _:
                return b""

    def end(self) -> bytes:
        """Return the clean end.

        Raises:
            TargetProtocolError: The answer did not come to its end.
        """
        if not self._complete:
            raise incomplete()
        return b""

    def error(self, error: AduanaError) -> bytes:
        """Return the end of an answer that failed."""
        return error_event(error)

    def _event(self, what: str, picture: Picture, more: Mapping[str, Any]) -> bytes:
        fields = {"b64_json": picture.base64, "created_at": self._created, **picture.facts, **more}
        return named_event({"type": f"{self._kind}.{what}", **fields})


class ImagesAssembly:
    """Collector of one whole answer."""

    def __init__(self, *, created: int) -> None:
        self._created = created
        self._made: list[Picture] = []
        self._usage: Usage | None = None

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        if isinstance(delta, Picture) and delta.number is None:
            self._made.append(delta)
        elif isinstance(delta, UsageReport):
            self._usage = delta.usage

    def body(self) -> bytes:
        """Return the whole answer.

        Raises:
            TargetProtocolError: The answer did not come to its end.
        """
        if self._usage is None or not self._made:
            raise incomplete()
        data = [
            {"b64_json": one.base64} | ({"revised_prompt": one.revised_prompt} if one.revised_prompt else {})
            for one in self._made
        ]
        facts = dict(self._made[0].facts)
        return encode_json({"created": self._created, "data": data, **facts, "usage": usage_fields(self._usage)})


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Return the `usage` object of pictures."""
    given, made = usage.prompt_tokens, usage.completion_tokens
    return {
        "input_tokens": given,
        "input_tokens_details": {"text_tokens": given - usage.input_image, "image_tokens": usage.input_image},
        "output_tokens": made,
        "output_tokens_details": {"text_tokens": made - usage.output_image, "image_tokens": usage.output_image},
        "total_tokens": given + made,
    }
