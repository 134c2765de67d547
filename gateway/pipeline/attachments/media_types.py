"""Media types that are known words: any other may be a client's own, with what nobody looks for there. Pure."""

import mimetypes

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
# What Python does not list in each of its versions.
_FURTHER = {
    "image/avif", "image/bmp", "image/heic", "image/heif", "image/jpg", "image/webp", "image/x-ms-bmp",
    "audio/aac", "audio/flac", "audio/m4a", "audio/mp3", "audio/mp4", "audio/mpga", "audio/ogg", "audio/opus",
    "audio/wav", "audio/wave", "audio/webm", "audio/x-flac", "audio/x-m4a", "audio/x-wav", "video/ogg", "video/webm",
    "application/csv", "application/gzip", "application/rtf", "application/vnd.ms-outlook", "application/x-bzip2",
    "application/x-gzip", "application/x-ndjson", "application/x-xz", "application/x-yaml", "application/yaml",
    "application/x-zip-compressed", "message/rfc822", "text/markdown", "text/rtf", "text/tab-separated-values",
    "text/x-markdown", "text/yaml",
    *(_OPEN_XML + word for word in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")),
    *(_OPEN_DOCUMENT + word for word in ("text", "spreadsheet", "presentation")),
}  # fmt: skip
_KNOWN = frozenset(_FURTHER) | frozenset(mimetypes.MimeTypes(filenames=()).types_map[True].values())


def is_known_type(media_type: str) -> bool:
    """Say whether a media type, as `image/png`, is a known word."""
    return media_type.lower() in _KNOWN
