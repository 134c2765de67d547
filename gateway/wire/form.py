"""A form's fields (multipart/form-data) as one JSON document, which is what is inspected, decided on and sent. Pure.

A file becomes a data URL, so that the one walk over the document sees it. Its name stays here: servers go by the type.
"""

import math
from collections.abc import Iterable
from types import MappingProxyType

import msgspec

from gateway.core.attachment import data_url
from gateway.core.document import Json, JsonObject
from gateway.core.errors import BadRequest
from gateway.wire.file_types import media_type_of

MOST_FIELDS = 64
"""The most parts that a form may have."""
_LONGEST_NAME = 64
_WHOLE_NUMBERS = frozenset({"n", "partial_images", "output_compression", "seed"})
_NUMBERS = frozenset({"temperature", "speed"})
_FLAGS = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a form. `file_name` None: it is a text."""

    name: str
    content: bytes
    file_name: str | None = None
    declared: str = ""  # the media type that the client says it has


def form_document(fields: Iterable[FormField], files: frozenset[str], unnamed: str = "") -> JsonObject:
    """Return the document of a form. A field that stands there several times, or as `name[]`, becomes an array.

    Args:
        fields: The form's parts, in order.
        files: Names of the fields that may hold files.
        unnamed: The model for a form that names none.

    Raises:
        BadRequest: A field has no name, is no text, or is a file where none may be; or there are too many.
    """
    found: dict[str, list[Json]] = {}
    arrays: set[str] = set()
    for number, field in enumerate(fields):
        name = field.name.removesuffix("[]")
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable() or number >= MOST_FIELDS:
            raise _bad("The form has a field without a name or with a long one, or too many fields.")
        if name != field.name or name in found:
            arrays.add(name)
        found.setdefault(name, []).append(_value(field, name, files))
    document: dict[str, Json] = {name: tuple(values) if name in arrays else values[0] for name, values in found.items()}
    if unnamed and document.get("model") in (None, ""):
        document["model"] = unnamed
    return MappingProxyType(document)


def _value(field: FormField, name: str, files: frozenset[str]) -> Json:
    if field.file_name is not None or name in files:
        if name not in files:
            raise _bad(f"The form may have files in {', '.join(sorted(files))} only.", name)
        return data_url(media_type_of(field.content, field.file_name or "", field.declared), field.content)
    try:
        text = field.content.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad(f"'{name}': is no text in UTF-8.", name) from None
    return _typed(name, text)


def _typed(name: str, text: str) -> Json:
    """Return a form's text as the JSON value that it stands for; what does not fit stays one, to be refused later."""
    try:
        if name in _WHOLE_NUMBERS:
            return int(text)
        if name in _NUMBERS:
            number = float(text)
            return number if math.isfinite(number) else text
    except ValueError:
        return text
    return _FLAGS.get(text, text) if name == "stream" else text


def _bad(message: str, param: str | None = None) -> BadRequest:
    return BadRequest(message, param=param, code="invalid_form")
