"""Pictures and sounds of a request: their bytes, as clients of every dialect send them, and their places in the prompt.

Everything that can be refused is refused here, before any of it is decoded: addresses, what is no picture, too many of
them, too large ones.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping, Sequence

import msgspec

from gateway.core.errors import BadRequest
from gateway.core.request import ChatRequest, Media, MediaPart, Message
from gateway.engine.media import MediaSpan, Piece, digest_of, numbers_of
from gateway.engine.messages import unpack_tokens
from gateway.engine.pictures import PictureFault, size_of

MOST_MEDIA = 32  # of one request
MOST_BYTES = 20 * 2**20  # of one picture or sound
MOST_TOGETHER = 256 * 2**20  # bytes of all of a request, which travel to the worker in one message
_DATA = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_BLANK = re.compile(r"\s+")


class GivenMedium(msgspec.Struct, frozen=True, kw_only=True):
    """One picture or sound of a request. `width` and `height` in pixels, of a picture; `param`: where it stands."""

    data: bytes
    param: str
    sound: bool = False
    width: int = 0
    height: int = 0


class MeasuredMedium(msgspec.Struct, frozen=True, kw_only=True):
    """One picture or sound, and what stands in the prompt for it."""

    given: GivenMedium
    pieces: tuple[Piece, ...]


def media_parts(request: ChatRequest) -> list[MediaPart]:
    """Return all parts of a conversation that are not text, in order."""
    return [part for message in request.messages for part in message.parts if isinstance(part, MediaPart)]


def read_media(request: ChatRequest, *, sees: bool, hears: bool) -> list[GivenMedium]:
    """Return the pictures and sounds of a conversation, in order.

    Args:
        request: the conversation.
        sees: whether the model takes pictures.
        hears: whether it takes sounds.

    Raises:
        BadRequest: one of them can't be taken.
    """
    parts = media_parts(request)
    if len(parts) > MOST_MEDIA:
        raise BadRequest(f"{len(parts)} pictures and sounds; at most {MOST_MEDIA} are possible.", param="messages")
    if sum(len(part.source) for part in parts) * 3 // 4 > MOST_TOGETHER:
        raise BadRequest(f"Pictures and sounds are larger than {MOST_TOGETHER // 2**20} MB together.", param="messages")
    return [_read(part, sees=sees, hears=hears) for part in parts]


def _read(part: MediaPart, *, sees: bool, hears: bool) -> GivenMedium:
    match part.kind:
        case Media.IMAGE if sees:
            return _picture(part)
        case Media.AUDIO if hears:
            data = _bytes(part, "sound")
            if not _is_sound(data):
                raise BadRequest("The sound can't be read: WAV and MP3 can.", param=part.param)
            return GivenMedium(data=data, param=part.param, sound=True)
        case Media.IMAGE:
            raise BadRequest("This model sees no pictures.", param=part.param)
        case Media.AUDIO:
            raise BadRequest("This model hears no sound.", param=part.param)
        case _:
            raise BadRequest("This model reads no files.", param=part.param)


def _picture(part: MediaPart) -> GivenMedium:
    data = _bytes(part, "picture")
    try:
        width, height = size_of(data)
    except PictureFault as fault:
        raise BadRequest(f"The picture {fault}.", param=part.param) from fault
    return GivenMedium(data=data, param=part.param, width=width, height=height)


def _bytes(part: MediaPart, what: str) -> bytes:
    text = part.source
    head = _DATA.match(text)
    if head is not None:
        text = text[head.end() :]
    elif ":" in text[:64]:
        raise BadRequest(
            f"A {what} by its address is not fetched here: send it as a data URL with base64.", param=part.param
        )
    if len(text) * 3 // 4 > MOST_BYTES:
        raise BadRequest(f"The {what} is larger than {MOST_BYTES // 2**20} MB.", param=part.param)
    text = _BLANK.sub("", text)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"The {what} is not valid base64.", param=part.param) from error
    if not data:
        raise BadRequest(f"The {what} is empty.", param=part.param)
    return data


def _is_sound(data: bytes) -> bool:
    """Say whether it begins as WAV or MP3 do. Formats that pack silence into nothing (FLAC) are not taken."""
    if data[:4] == b"RIFF":
        return data[8:12] == b"WAVE"
    return data[:3] == b"ID3" or (len(data) > 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0)


class Markers:
    """Marks that stand in a rendered prompt where pictures belong. Nobody can guess them, so no text can forge one."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(12)
        self._count = 0

    def marked(self, message: Message) -> Message:
        """Return a message whose text has a mark for each picture."""
        if not message.parts:
            return message
        text, previous = "", ""
        for part in message.parts:
            if isinstance(part, str):
                text += ("\n" if previous == "text" else "") + part
                previous = "text"
            else:
                text += f"<{self._name}:{self._count}>"
                self._count += 1
                previous = "medium"
        return msgspec.structs.replace(message, text=text)

    def split(self, rendered: str) -> list[str | int]:
        """Cut a rendered prompt at its marks, into texts and the numbers of pictures.

        Raises:
            BadRequest: the template dropped a picture, or repeated one.
        """
        pieces: list[str | int] = list(re.split(rf"<{self._name}:(\d+)>", rendered))
        pieces[1::2] = [int(number) for number in pieces[1::2]]
        if sorted(number for number in pieces if isinstance(number, int)) != list(range(self._count)):
            raise BadRequest("The model's chat template has no place for one of the pictures.", param="messages")
        return pieces


class PromptBuilder:
    """Tokens of a prompt with pictures, as they come together."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.spans: list[MediaSpan] = []

    def add(self, medium: MeasuredMedium, number: int) -> None:
        """Add what stands for a picture or sound, the `number`th of the request."""
        digest, part = digest_of(medium.given.data), 0
        for piece in medium.pieces:
            if piece.text:
                self.tokens += unpack_tokens(piece.text)
                continue
            self.spans.append(
                MediaSpan(
                    start=len(self.tokens),
                    tokens=piece.tokens,
                    positions=piece.positions,
                    medium=number,
                    part=part,
                )
            )
            self.tokens += numbers_of(digest, part, piece.tokens)
            part += 1


def kept_sizes(media: Sequence[GivenMedium]) -> Mapping[tuple[int, int] | bytes, GivenMedium]:
    """Return the media to be measured, each size and each sound once."""
    return {key_of(given): given for given in media}


def key_of(given: GivenMedium) -> tuple[int, int] | bytes:
    """Return what decides how many tokens it takes: a picture's size, a sound's bytes."""
    return digest_of(given.data) if given.sound else (given.width, given.height)
