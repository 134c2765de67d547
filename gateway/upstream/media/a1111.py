"""Pictures as AUTOMATIC1111's web UI, Forge and stable-diffusion.cpp's sd-server make them (`/sdapi/v1`). Pure.

Source: the models of `modules/api/models.py` in AUTOMATIC1111's stable-diffusion-webui, as its `/docs` shows them.
"""

import base64
import binascii
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.attachment import content_of
from gateway.core.delta import Delta, Extra, Picture
from gateway.core.document import Json, JsonObject, encode
from gateway.core.errors import TargetError, TargetProtocolError
from gateway.core.provider_fields import OF_A1111
from gateway.core.request import MediaWork
from gateway.upstream.media.pictures import ending
from gateway.upstream.media.requests import SentBody, check_prompt

ANY_MODEL = "default"
"""The name of a model that stands for whatever the server has loaded."""
_INFO = "info"


class _Answer(msgspec.Struct):
    images: list[str] | None = None
    info: Any = None


class _Progress(msgspec.Struct):
    progress: float = 0.0


_ANSWERS = msgspec.json.Decoder(_Answer, strict=False)
_PROGRESS = msgspec.json.Decoder(_Progress, strict=False)


def a1111_body(target: str, work: MediaWork, document: JsonObject) -> SentBody:
    """Return what such a server is sent for a document.

    Raises:
        TargetError: The document asks for what this API has no words for.
        TargetRejected: The prompt has settings of the server in it.
    """
    check_prompt(target, document)
    fields: dict[str, Json] = {name: value for name, value in document.items() if name in OF_A1111}
    fields["prompt"] = document.get("prompt") or ""
    size = document.get("size")
    if isinstance(size, str) and "x" in size:
        width, height = size.split("x", 1)
        fields |= {"width": int(width), "height": int(height)}
    fields["batch_size"] = document.get("n") or 1
    model = document.get("model")
    if isinstance(model, str) and model != ANY_MODEL:
        fields["override_settings"] = MappingProxyType({"sd_model_checkpoint": model})
    if work is MediaWork.GENERATIONS:
        return SentBody(path="/sdapi/v1/txt2img", content=encode(MappingProxyType(fields)))
    given = document.get("image")
    images = given if isinstance(given, tuple) else (given,)
    fields["init_images"] = images
    mask = document.get("mask")
    if isinstance(mask, str):
        fields["mask"] = mask
    if any(not isinstance(one, str) or content_of(one) is None for one in images):
        raise TargetError(f"The target {target!r} can't be sent the picture.", status=400)
    return SentBody(path="/sdapi/v1/img2img", content=encode(MappingProxyType(fields)))


def read_a1111(target: str, document: JsonObject, body: bytes) -> tuple[Delta, ...]:
    """Return the deltas of an answer.

    Raises:
        TargetProtocolError: It can't be read, or has no picture.
    """
    try:
        answer = _ANSWERS.decode(body)
        found = [_plain(one) for one in answer.images or ()]
    except (ValueError, RecursionError) as error:
        raise TargetProtocolError(f"The target {target!r} sent pictures that can't be read.") from error
    if not found:
        raise TargetProtocolError(f"The target {target!r} sent no picture.")
    told: tuple[Delta, ...] = ()
    if isinstance(answer.info, str) and answer.info:
        told = (Extra(fields=MappingProxyType({_INFO: answer.info})),)
    pictures = [Picture(base64=one, index=index) for index, one in enumerate(found)]
    return (*pictures, *told, *ending(document, len(found), None, MappingProxyType({})))


def _plain(text: str) -> str:
    text = text.partition(",")[2] if text.startswith("data:") else text
    try:
        if base64.b64decode(text, validate=True):
            return text
    except binascii.Error as error:
        raise ValueError("not base64") from error
    raise ValueError("an empty picture")


def read_progress(body: bytes) -> float | None:
    """Return how much of its work such a server has done, 0 to 1; None: it does not say."""
    try:
        share = _PROGRESS.decode(body).progress
    except (ValueError, RecursionError):
        return None
    return share if 0.0 <= share <= 1.0 else None
