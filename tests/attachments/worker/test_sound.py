"""Recordings: what their tags say. They are never whole here."""

import io
import struct
import wave

import pytest

from gateway.core.attachment import FileKind
from tests.attachments.read import read

ID = "12345678Z"


def tagged_mp3() -> bytes:
    """An MP3 with a title in UTF-16."""
    title = b"\x01" + f"DNI {ID}".encode("utf-16")
    frame = b"TIT2" + struct.pack(">I", len(title)) + b"\0\0" + title
    return b"ID3\x03\x00\x00" + bytes([0, 0, 0, len(frame)]) + frame + b"\xff\xfb\x90\x00" + bytes(413)


def tagged_wav() -> bytes:
    """A WAV with a comment."""
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    words = f"DNI {ID}".encode()
    info = b"INFOICMT" + struct.pack("<I", len(words)) + words
    data = target.getvalue() + b"LIST" + struct.pack("<I", len(info)) + info
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (tagged_mp3(), FileKind.SOUND),
        (tagged_wav(), FileKind.SOUND),
        (b"\x00\x00\x00\x18ftypisom" + bytes(100) + f"title {ID}".encode() + bytes(50), FileKind.VIDEO),
        (b"\x1a\x45\xdf\xa3" + bytes(100) + f"title {ID}".encode() + bytes(50), FileKind.VIDEO),
    ],
    ids=["MP3", "WAV", "MP4", "Matroska"],
)
def test_tags_are_read(data: bytes, kind: FileKind) -> None:
    """Titles and comments count; what is heard is still unknown."""
    said = read(data)
    assert ID in said.texts["tags"]
    assert said.reasons == ["recording"]
    assert said.kind is kind
