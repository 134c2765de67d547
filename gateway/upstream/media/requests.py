"""What an OpenAI-compatible server is sent for pictures, speech and transcripts: JSON, or a form with files. Pure."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.attachment import FileContent, content_of
from gateway.core.document import Json, JsonObject, encode
from gateway.core.errors import TargetError, TargetRejected
from gateway.core.request import MediaWork
from gateway.upstream.media.sounds import speech_wanted
from gateway.upstream.media.transcripts import transcript_wanted

JSON_TYPE = "application/json"
FORM_TYPE = "multipart/form-data"
MEDIA_PATHS = {
    MediaWork.GENERATIONS: "/images/generations",
    MediaWork.EDITS: "/images/edits",
    MediaWork.VARIATIONS: "/images/variations",
    MediaWork.TRANSCRIPTIONS: "/audio/transcriptions",
    MediaWork.TRANSLATIONS: "/audio/translations",
    MediaWork.SPEECH: "/audio/speech",
}
_FORMS = frozenset({MediaWork.EDITS, MediaWork.VARIATIONS, MediaWork.TRANSCRIPTIONS, MediaWork.TRANSLATIONS})
FILE_FIELDS = frozenset({"image", "mask", "file"})
"""Fields of a document that hold files, as data URLs."""
# Models that always answer in base64, and refuse to be asked for it. Source: OpenAI's API reference.
_BASE64_ALWAYS = re.compile(r"(?:^|[/.:])(?:chatgpt|gpt)-image", re.IGNORECASE)
_EXTENSIONS = {"jpeg": "jpg", "mpeg": "mp3", "x-wav": "wav", "wave": "wav", "x-m4a": "m4a", "octet-stream": "bin"}
# Source: stable-diffusion.cpp, examples/server/routes_openai.cpp and routes_sdapi.cpp.
_SETTINGS_IN_PROMPT = "<sd_cpp_extra_args>"
_QUOTED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})  # as browsers do (WHATWG, multipart/form-data)


class SentBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is sent: the path behind the base URL, the body and its type."""

    path: str
    content: bytes
    content_type: str = JSON_TYPE


def media_body(target: str, work: MediaWork, document: JsonObject) -> SentBody:
    """Return what a server is sent for a document.

    Raises:
        TargetError: A file in the document can't be read.
        TargetRejected: The prompt has settings of the server in it.
    """
    match work:
        case MediaWork.GENERATIONS | MediaWork.EDITS | MediaWork.VARIATIONS:
            check_prompt(target, document)
            document = _base64_wanted(document)
        case MediaWork.TRANSCRIPTIONS | MediaWork.TRANSLATIONS:
            document = transcript_wanted(document)
        case MediaWork.SPEECH:
            document = speech_wanted(document)
    path = MEDIA_PATHS[work]
    if work not in _FORMS:
        return SentBody(path=path, content=encode(document))
    content, content_type = form_of(target, document)
    return SentBody(path=path, content=content, content_type=content_type)


def check_prompt(target: str, document: JsonObject) -> None:
    """Refuse a prompt that sd-server would read as settings.

    They could name files on its machine, and bring pictures, sizes and numbers past labels, limits and budgets.

    Raises:
        TargetRejected: The prompt has such settings in it.
    """
    prompt = document.get("prompt")
    if isinstance(prompt, str) and _SETTINGS_IN_PROMPT in prompt:
        raise TargetRejected(
            f"The target {target!r} is sent no prompt with {_SETTINGS_IN_PROMPT}: sd-server would read settings there. "
            "Leave it out; requests in AUTOMATIC1111's API have fields for steps, seeds and samplers."
        )


def _base64_wanted(document: JsonObject) -> JsonObject:
    """Return the document that asks for pictures themselves, and not for addresses, which are never followed."""
    fields = {name: value for name, value in document.items() if name != "response_format"}
    if not _BASE64_ALWAYS.search(str(document.get("model"))):
        fields["response_format"] = "b64_json"
    return MappingProxyType(fields)


def form_of(target: str, document: JsonObject) -> tuple[bytes, str]:
    """Return a document as a form (RFC 7578), and the type that names its boundary.

    Raises:
        TargetError: A file in the document can't be read.
    """
    parts = [part for name, value in document.items() for part in _parts(target, name, value)]
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        for piece in part:
            digest.update(piece)
    boundary = digest.hexdigest()
    begin, end = f"--{boundary}\r\n".encode(), f"--{boundary}--\r\n".encode()
    pieces = [piece for part in parts for piece in (begin, *part, b"\r\n")]  # joined once: files are large
    return b"".join([*pieces, end]), f"{FORM_TYPE}; boundary={boundary}"


def _parts(target: str, name: str, value: Json) -> Iterator[tuple[bytes, bytes]]:
    """Yield the parts of one field, each its head and its content: several of one name where it is an array."""
    if isinstance(value, tuple):
        named = name if len(value) == 1 and name in FILE_FIELDS else f"{name}[]"
        for item in value:
            yield from _part(target, named, item, is_file=name in FILE_FIELDS)
    else:
        yield from _part(target, name, value, is_file=name in FILE_FIELDS)


def _part(target: str, name: str, value: Json, *, is_file: bool) -> Iterator[tuple[bytes, bytes]]:
    disposition = f'Content-Disposition: form-data; name="{name.translate(_QUOTED)}"'
    if is_file and isinstance(value, str):
        file = content_of(value)
        if file is None:
            raise TargetError(f"The target {target!r} can't be sent the file in {name!r}.", status=400)
        head = f'{disposition}; filename="{_file_name(file)}"\r\nContent-Type: {file.media_type}\r\n\r\n'
        yield head.encode("utf-8", "replace"), file.data
    elif value is not None:
        yield f"{disposition}\r\n\r\n".encode("utf-8", "replace"), _text(value)


def _text(value: Json) -> bytes:
    match value:
        case str():
            return value.encode("utf-8", "replace")
        case bool():
            return b"true" if value else b"false"
        case Mapping() | tuple():
            return encode(value)
        case _:
            return str(value).encode()


def _file_name(file: FileContent) -> str:
    """Return a name of ours for a file: the client's own could be content. Servers go by its extension."""
    kind, _, form = file.media_type.partition("/")
    return f"{kind}.{_EXTENSIONS.get(form, form)}"
