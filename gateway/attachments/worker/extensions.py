"""What a file's name promises, for the one question whether its bytes keep it."""

from gateway.attachments.worker.kinds import Format

_WRITTEN = frozenset({Format.TEXT, Format.HTML, Format.XML, Format.MAIL, Format.EMPTY})
_PROMISES: dict[str, frozenset[Format]] = {
    extension: formats
    for extensions, formats in (
        ("pdf", frozenset({Format.PDF})),
        ("docx docm dotx xlsx xlsm xltx pptx pptm ppsx potx vsdx", frozenset({Format.OOXML, Format.OLE})),
        ("odt ods odp odg ott ots otp", frozenset({Format.ODF})),
        ("doc xls ppt msg", frozenset({Format.OLE, Format.RTF, Format.HTML, Format.XML, Format.OOXML})),
        ("rtf", frozenset({Format.RTF})),
        ("png jpg jpeg jpe gif webp bmp tif tiff heic heif avif ico jp2 jxl psd", frozenset({Format.PICTURE})),
        ("mp3 wav flac ogg oga opus m4a aac amr aif aiff mid wma", frozenset({Format.AUDIO, Format.VIDEO})),
        ("mp4 m4v mov mkv webm avi wmv mpg mpeg flv 3gp ogv", frozenset({Format.VIDEO, Format.AUDIO})),
        ("zip jar", frozenset({Format.ZIP})),
        ("gz tgz bz2 xz", frozenset({Format.PACKED})),
        ("tar", frozenset({Format.TAR})),
        ("7z rar zst lz4 cab", frozenset({Format.ARCHIVE})),
        ("eml html htm xhtml svg xml csv tsv txt md json yaml yml ini log py js ts c h java sql tex", _WRITTEN),
    )
    for extension in extensions.split()
}


def agrees(name: str, format_: Format) -> bool:
    """Say whether a name's extension fits the format; one that is not known here fits everything."""
    _, dot, extension = name.rpartition(".")
    promised = _PROMISES.get(extension.strip().lower()) if dot else None
    return promised is None or format_ in promised
