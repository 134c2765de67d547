"""What a picture file says besides its pixels: every place is read, and what nobody knows makes it not whole."""

import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from gateway.attachments.worker.picture import FORMATS
from tests.attachments.drawn import ID, encoded
from tests.attachments.read import Said, read

PICTURE = Image.new("RGB", (40, 30), "white")
XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>{ID}</dc:creator></x:xmpmeta>".encode()


def tagged(*tags: tuple[int, object], table: int | None = None) -> Image.Exif:
    """EXIF with these tags, in the main table or one below it."""
    exif = Image.Exif()
    for tag, value in tags:
        (exif if table is None else exif.get_ifd(table))[tag] = value
    return exif


def segment(marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(*segments: bytes, behind: bytes = b"") -> bytes:
    """A JPEG with more segments, and bytes behind its end."""
    plain = encoded(PICTURE, "JPEG")
    return plain[:2] + b"".join(segments) + plain[2:] + behind


def png(kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk, before its end."""
    plain = encoded(PICTURE)
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return plain[:-12] + chunk + plain[-12:]


def noted(packed: bool) -> PngInfo:
    """Text chunks of a PNG."""
    info = PngInfo()
    info.add_text("Author", ID, zip=packed)
    return info


def international() -> PngInfo:
    """The same with a language."""
    info = PngInfo()
    info.add_itxt("Author", f"Núñez {ID}", "es", "Autora", zip=True)
    return info


USER_COMMENT = tagged((ExifTags.Base.UserComment, b"UNICODE\0" + ID.encode("utf-16-le")), table=0x8769)
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0e\x1c\x02\x50\0\x09" + ID.encode()
LISTED = {
    "EXIF": encoded(PICTURE, "JPEG", exif=tagged((ExifTags.Base.Artist, ID))),
    "EXIF of a PNG": encoded(PICTURE, exif=tagged((ExifTags.Base.ImageDescription, ID))),
    "EXIF of a WebP": encoded(PICTURE, "WEBP", exif=tagged((ExifTags.Base.Copyright, ID))),
    "tags of a TIFF": encoded(PICTURE, "TIFF", description=ID),
    "a user's comment in UTF-16": encoded(PICTURE, "JPEG", exif=USER_COMMENT),
    "a title of Windows": encoded(PICTURE, "JPEG", exif=tagged((0x9C9B, f"{ID}\0".encode("utf-16-le")))),
    "XMP of a JPEG": encoded(PICTURE, "JPEG", xmp=XMP),
    "XMP of a WebP": encoded(PICTURE, "WEBP", xmp=XMP),
    "IPTC": jpeg(segment(0xED, IPTC)),
    "a comment of a JPEG": encoded(PICTURE, "JPEG", comment=ID.encode()),
    "two comments, of which Pillow keeps one": jpeg(segment(0xFE, ID.encode()), segment(0xFE, b"second")),
    "a comment of a GIF": encoded(PICTURE, "GIF", comment=ID.encode()),
    "text of a PNG": encoded(PICTURE, pnginfo=noted(packed=False)),
    "packed text of a PNG": encoded(PICTURE, pnginfo=noted(packed=True)),
    "text of a PNG with its language": encoded(PICTURE, pnginfo=international()),
    "text behind the pixels of a PNG": png(b"tEXt", b"Author\0" + ID.encode()),
}


@pytest.fixture(autouse=True)
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels are not looked at here."""
    monkeypatch.setattr("gateway.attachments.worker.ocr.installed", lambda: False)


def unread(said: Said) -> list[str]:
    """Reasons, but for those of the pixels."""
    return [reason for reason in said.reasons if reason not in ("unreadable", "photograph")]


@pytest.mark.parametrize("data", LISTED.values(), ids=LISTED)
def test_metadata_is_text(data: bytes) -> None:
    """An identifier in any of its places is read."""
    assert ID in read(data).all


def test_metadata_that_is_known_leaves_nothing_unread() -> None:
    """A picture with a comment, a camera's tags and a colour profile can still be whole."""
    camera = tagged((ExifTags.Base.Make, "Canon"), (ExifTags.Base.Orientation, 1), (ExifTags.Base.XResolution, 72.0))
    said = read(encoded(PICTURE, "JPEG", exif=camera, comment=b"hello", dpi=(72, 72)))
    assert unread(said) == []
    assert "Make: Canon" in said.all


GPS = tagged((1, "N"), (2, (40.0, 25.0, 0.48)), (3, "W"), (4, (3.0, 42.0, 13.68)), table=0x8825)
GPS[ExifTags.Base.Make] = "Canon"  # Pillow writes no table below an empty one


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_where_it_was_taken_is_read_and_never_whole(form: str) -> None:
    """No pattern knows that two numbers are somebody's home, so that such a picture stays a doubt."""
    said = read(encoded(PICTURE, form, exif=GPS))
    assert "GPS 40.41680N 3.70380W" in said.all
    assert "location" in said.reasons


def previewed() -> bytes:
    """A JPEG whose small picture for lists is another one, with a comment."""
    small = encoded(PICTURE, "JPEG", comment=ID.encode())
    ifd = struct.pack("<HHII", 0x0201, 4, 1, 44) + struct.pack("<HHII", 0x0202, 4, 1, len(small))
    tiff = b"II*\0" + struct.pack("<IHIH", 8, 0, 14, 2) + ifd + struct.pack("<I", 0)
    assert len(tiff) == 44
    return jpeg(segment(0xE1, b"Exif\0\0" + tiff + small))


UNKNOWN: dict[str, tuple[bytes, str]] = {
    "data behind a JPEG": (jpeg(behind=f"hidden {ID}".encode()), "polyglot"),
    "data behind a PNG": (encoded(PICTURE) + f"hidden {ID}".encode(), "polyglot"),
    "data behind a GIF": (encoded(PICTURE, "GIF") + f"hidden {ID}".encode(), "polyglot"),
    "data behind a WebP": (encoded(PICTURE, "WEBP") + f"hidden {ID}".encode(), "polyglot"),
    "data behind a BMP": (encoded(PICTURE, "BMP") + f"hidden {ID}".encode(), "polyglot"),
    "a segment that nobody knows": (jpeg(segment(0xE7, b"\0\1\2" + f"hidden {ID}".encode() + b"\xff")), "object"),
    "a segment of a number with more in it": (jpeg(segment(0xDD, f"hidden {ID}".encode())), "object"),
    "a chunk of a time with more in it": (png(b"tIME", f"hidden {ID}".encode()), "object"),
    "a chunk that nobody knows": (png(b"prVt", b"\0\1" + f"hidden {ID}".encode("utf-16-le")), "object"),
    "a maker's note": (
        encoded(PICTURE, "JPEG", exif=tagged((0x927C, b"\0\1" + f"owner {ID}".encode() + b"\0" * 9), table=0x8769)),
        "object",
    ),
}


@pytest.mark.parametrize(("data", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_nobody_knows_is_searched_for_letters_and_not_whole(data: bytes, reason: str) -> None:
    """Its letters are read as far as there are any."""
    said = read(data)
    assert ID in said.all
    assert reason in said.reasons


def test_a_thumbnail_is_a_picture_of_its_own() -> None:
    """It may show what was cut away from the picture later."""
    said = read(previewed())
    assert said.texts["thumbnail, comment"] == ID


@pytest.mark.parametrize("coding", ["ascii", "utf-16-be", "utf-16-le"])
def test_a_packed_colour_profile_is_unpacked(coding: str) -> None:
    """What its own texts say, and what stands behind it, counts."""
    profile = b"\1" * 128 + f"hidden {ID}".encode(coding) + b"\1\2"
    assert ID in read(png(b"iCCP", b"sRGB\0\0" + zlib.compress(profile))).all


def cut(data: bytes) -> bytes:
    """A file that ends in the middle of its metadata."""
    return data[: data.index(ID.encode()) + 4]


@pytest.mark.parametrize("data", [LISTED["EXIF"], LISTED["a comment of a GIF"], LISTED["text of a PNG"]])
@pytest.mark.parametrize("spoil", [cut, lambda data: data.replace(ID.encode(), b"\xff\xd9\0\0\xff\xff\xff\xff\0")])
def test_spoilt_metadata_ends_nothing(data: bytes, spoil: Callable[[bytes], bytes]) -> None:
    """A file that breaks off, or whose tags are wrong, is read as far as it goes."""
    assert read(spoil(data)).kind == "picture"


def test_only_formats_that_are_meant_are_opened() -> None:
    """Pillow knows many more, whose decoders nobody needs here."""
    assert set(FORMATS) == {"PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000"}
