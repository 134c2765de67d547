"""A ComfyUI workflow with named places, and the document that fills them. Pure.

A place is a text in the workflow's values: `{prompt}`, or `{steps:20}` with a value for requests that say nothing. One
that fills its whole text becomes the value itself, a number as a number; in a longer text it is written in.

Source: ComfyUI's `server.py` (`/prompt`, `/history`, `/view`, `/upload/image`); the file is what its menu "Export
(API)" saves.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject
from gateway.core.errors import TargetError, TargetProtocolError

_NAMES = (
    "prompt", "negative_prompt", "width", "height", "n", "seed", "steps", "cfg_scale", "sampler_name", "scheduler",
    "denoising_strength", "model", "image", "image_base64", "mask", "mask_base64",
)  # fmt: skip
_PLACE = re.compile(r"\{(" + "|".join(_NAMES) + r")(?::([^{}]*))?\}")
_DEFAULTS: Mapping[str, Json] = {
    "negative_prompt": "", "width": 1024, "height": 1024, "n": 1, "steps": 20, "cfg_scale": 7.0,
    "denoising_strength": 1.0,
}  # fmt: skip
_PICTURES = ("image", "mask")
_MOST_PICTURES = 64


class ViewedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that lies at the server, by the three words under which it is fetched."""

    filename: str
    subfolder: str = ""
    type: str = "output"


class _Status(msgspec.Struct, frozen=True):
    status_str: str = ""
    completed: bool = False


class _Entry(msgspec.Struct):
    outputs: dict[str, dict[str, Any]] = {}
    status: _Status = _Status()


_HISTORY = msgspec.json.Decoder(dict[str, _Entry], strict=False)
_FILES = msgspec.json.Decoder(list[ViewedFile], strict=False)


def places_of(workflow: Json) -> frozenset[str]:
    """Return the names of the places that a workflow has."""
    return frozenset(found[1] for text in _texts(workflow) for found in _PLACE.finditer(text))


def problem_with(workflow: Json) -> str:
    """Say in one sentence why something can't be used as a workflow; empty: it can."""
    if not isinstance(workflow, Mapping) or not workflow:
        return "is no JSON object: save it in ComfyUI by 'Export (API)'"
    if not all(isinstance(node, Mapping) and "class_type" in node for node in workflow.values()):
        return "has nodes without a 'class_type': save it in ComfyUI by 'Export (API)', not by 'Save'"
    if "prompt" not in places_of(workflow):
        return "has no place {prompt}: write it where the prompt is to stand"
    return ""


def values_of(document: JsonObject, *, seed: int) -> dict[str, Json]:
    """Return what a document says for each place, and what is taken where it says nothing. Pictures are not among it.

    `seed` is for requests that set none, or a negative one.
    """
    values: dict[str, Json] = dict(_DEFAULTS)
    values |= {name: document[name] for name in _said(document) if not name.startswith(_PICTURES)}
    size = document.get("size")
    if isinstance(size, str) and "x" in size:
        width, height = size.split("x", 1)
        values |= {"width": int(width), "height": int(height)}
    chosen = values.get("seed")
    values["seed"] = chosen if isinstance(chosen, int) and chosen >= 0 else seed
    return values


def filled(target: str, workflow: JsonObject, document: JsonObject, values: Mapping[str, Json]) -> JsonObject:
    """Return the workflow with its places filled; a place's own value goes before what is only taken for granted.

    Raises:
        TargetError: A place has no value, such as a picture that nobody sent.
    """
    said = _said(document) | ({"width", "height"} if document.get("size") else set())

    def value_of(name: str, own: str | None) -> Json:
        if own is not None and name not in said:
            return _number(own)
        if name not in values:
            raise TargetError(
                f"The workflow of the target {target!r} wants {name!r}, which the request does not have.", status=400
            )
        return values[name]

    changed = _filled(workflow, value_of)
    assert isinstance(changed, Mapping)
    return changed


def _said(document: JsonObject) -> set[str]:
    """Return the places for which a document has a value: a text or a number, for a list would be a link to a node."""
    return {
        name
        for name in _NAMES
        if document.get(name) not in (None, "")
        and (name.startswith(_PICTURES) or isinstance(document[name], str | int | float))
    }


def _filled(value: Json, value_of: Callable[[str, str | None], Json]) -> Json:
    match value:
        case str():
            whole = _PLACE.fullmatch(value)
            if whole is not None:
                return value_of(whole[1], whole[2])
            return _PLACE.sub(lambda found: _written(value_of(found[1], found[2])), value)
        case tuple():
            return tuple(_filled(item, value_of) for item in value)
        case Mapping():
            return MappingProxyType({key: _filled(item, value_of) for key, item in value.items()})
        case _:
            return value


def _written(value: Json) -> str:
    return value if isinstance(value, str) else str(value)


def _number(text: str) -> Json:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _texts(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case tuple():
            for item in value:
                yield from _texts(item)
        case Mapping():
            for item in value.values():
                yield from _texts(item)


def finished_files(target: str, number: str, body: bytes) -> tuple[ViewedFile, ...] | None:
    """Return the pictures of a finished work; None: it is not finished yet.

    Raises:
        TargetError: The server says that it failed.
        TargetProtocolError: Its words can't be read, or it finished without a picture.
    """
    try:
        entry = _HISTORY.decode(body).get(number)
        if entry is None:
            return None
        if entry.status.status_str == "error":
            raise TargetError(f"The workflow of the target {target!r} failed; ComfyUI's own log says why.")
        if not entry.status.completed and not entry.outputs:
            return None
        files = tuple(
            file
            for output in entry.outputs.values()
            for file in _FILES.decode(msgspec.json.encode(output.get("images") or []))
        )
    except (ValueError, RecursionError) as error:
        raise TargetProtocolError(f"The target {target!r} answered in words that can't be read.") from error
    if not files:
        raise TargetProtocolError(f"The workflow of the target {target!r} ended without a picture.")
    return files[:_MOST_PICTURES]
