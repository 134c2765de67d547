"""What a file is by its first bytes, for those that image and audio endpoints take; else what its name says. Pure."""

import re

_BY_BYTES = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "audio/webm"),
)
_OF_CONTAINERS = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BY_NAME = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "mpga": "audio/mpeg",
    "mpeg": "audio/mpeg",
    "m4a": "audio/m4a",
    "mp4": "audio/mp4",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "webm": "audio/webm",
}
_DECLARED = re.compile(r"(?:image|audio|video)/[a-z0-9.+-]{1,40}")
UNKNOWN = "application/octet-stream"


def media_type_of(data: bytes, name: str = "", declared: str = "") -> str:
    """Return a file's media type: by its bytes, else by its name's end, else as it was declared.

    The word is one of ours, or has the form of a medium's: a client's own words never go on to a server.
    """
    for begin, media_type in _BY_BYTES:
        if data.startswith(begin):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] in _OF_CONTAINERS:
        return _OF_CONTAINERS[data[8:12]]
    if data[4:8] == b"ftyp":
        return "audio/m4a" if data[8:11] == b"M4A" else "audio/mp4"
    by_name = _BY_NAME.get(name.rpartition(".")[2].lower())
    if by_name is not None:
        return by_name
    plain = declared.partition(";")[0].strip().lower()
    return plain if _DECLARED.fullmatch(plain) else UNKNOWN
