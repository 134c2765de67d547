"""Pictures: what is written in them is read, in whatever format, and what else they show makes them not whole."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gateway.attachments.worker import ocr
from gateway.attachments.worker.parts import Budget, Limits, Unread
from gateway.attachments.worker.picture import read_rendered
from gateway.core.attachment import FileKind, Piece
from tests.attachments.drawn import ID, encoded, font, photograph, scanned, written
from tests.attachments.read import Said
from tests.attachments.read import read as read_within

pytestmark = pytest.mark.skipif(not ocr.installed(), reason="the extra 'documents' is not installed")

LINE = f"DNI {ID}, Ibáñez"
PATIENT = Limits(seconds=600)  # other tests may want the same cores


def read(data: bytes, limits: Limits = PATIENT) -> Said:
    """Read a picture in this process."""
    return read_within(data, limits=limits)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_a_screenshot_of_text_is_read_whole(form: str) -> None:
    """Every letter of it, in each format that clients send."""
    said = read(encoded(written(mode="RGB", paper="white", ink="black"), form))
    assert said.kind is FileKind.PICTURE
    assert said.texts[""].splitlines() == [
        "Paciente: María Núñez Ibáñez",
        f"DNI: {ID}",
        "Teléfono 612 345 678, habitación 14",
    ]
    assert said.reasons == []
    assert said.pages == 1


@pytest.mark.parametrize("form", ["TIFF", "AVIF"])
def test_formats_whose_bytes_nobody_follows_are_read_and_not_whole(form: str) -> None:
    """What else such a file may hold is not known."""
    said = read(encoded(written([LINE]), form))
    assert ID in said.texts[""]
    assert said.reasons == ["object"]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF", "PNG"])
def test_every_frame_is_read(form: str) -> None:
    """Text in the third picture of an animation is seen, and where."""
    frames = [written([f"Frame number {number}"]) for number in range(2)] + [written([LINE])]
    frames = [frame.resize(frames[0].size) for frame in frames]
    said = read(encoded(frames[0], form, save_all=True, append_images=frames[1:]))
    assert ID in said.texts["frame 3"]
    assert said.pages == 3


def test_an_animation_of_too_many_frames_is_not_whole() -> None:
    """The first ones are read."""
    frames = [Image.new("L", (40, 40), number) for number in range(200)]
    said = read(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert "too_many_pages" in said.reasons


def clear(image: Image.Image) -> Image.Image:
    """White letters on nothing: what is behind decides whether they are seen."""
    layers = Image.new("RGBA", image.size, (255, 255, 255, 0))
    layers.paste(Image.new("RGBA", image.size, "white"), mask=Image.eval(image, lambda value: 255 - value))
    return layers


def hidden(image: Image.Image) -> Image.Image:
    """Letters that are wholly transparent: programs that drop transparency show them."""
    layers = image.convert("RGBA")
    layers.putalpha(Image.new("L", image.size, 0))
    return layers


@pytest.mark.parametrize("made", [clear, hidden])
def test_what_transparency_hides_is_read(made: Callable[[Image.Image], Image.Image]) -> None:
    """On whatever ground it is shown later."""
    assert ID in read(encoded(made(written([LINE])))).all


def sixteen_bit(image: Image.Image) -> Image.Image:
    """The same in few of many shades."""
    return Image.fromarray((np.asarray(image).astype(np.uint16) // 64 + 1000).astype(np.uint16))


def test_many_shades_are_read_and_not_whole() -> None:
    """Sixteen bits may hold more than eight show."""
    said = read(encoded(sixteen_bit(written([LINE]))))
    assert ID in said.texts[""]
    assert "object" in said.reasons


def test_a_picture_that_lies_on_its_side_by_its_metadata_is_read() -> None:
    """As telephones write them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    said = read(encoded(written([LINE]).rotate(90, expand=True), "JPEG", exif=exif))
    assert ID in said.texts[""]
    assert said.reasons == []


NOT_WHOLE = {
    "a photograph": (photograph(), "photograph"),
    "nothing at all": (Image.new("L", (200, 200), 255), "photograph"),
    "a single pixel": (Image.new("L", (1, 1)), "photograph"),
}


def beside(draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    """Text with a drawing below it."""
    image = Image.new("L", (700, 300), 255)
    image.paste(written([LINE]), (0, 0))
    draw(ImageDraw.Draw(image))
    return image


def framed_photograph() -> Image.Image:
    """Text above a photograph."""
    image = Image.new("RGB", (700, 500), "white")
    image.paste(written([LINE]), (0, 0))
    image.paste(photograph(560, 320), (70, 140))
    return image


NOT_WHOLE |= {
    "a signature": (beside(lambda pen: pen.line([(400, 200), (450, 260), (470, 190), (520, 250)], 0, 3)), "drawing"),
    "a ring": (beside(lambda pen: pen.ellipse((300, 140, 430, 270), outline=0, width=4)), "drawing"),
    "letters that hardly show": (beside(lambda pen: pen.text((60, 160), f"DNI {ID}", 250, font(40))), ""),
    "letters of nearly the paper's colour": (beside(lambda pen: pen.text((60, 160), ID, 254, font(40))), ""),
    "a faint drawing": (beside(lambda pen: pen.polygon([(300, 150), (420, 160), (350, 260)], fill=238)), "drawing"),
    "text above a photograph": (framed_photograph(), "photograph"),
    "Cyrillic letters": (written(["Привет, Мария Иванова, паспорт 4510 123456, город Москва"]), "low_confidence"),
    "Cyrillic capitals that look Latin": (written(["АННА СТРЕК, РАК"]), "low_confidence"),
    "nothing but such capitals": (written(["ТОМАС МАТТЕО", "СНВ"]), "low_confidence"),
    "too much noise": (scanned(written([LINE], size=13), noise=110, blur=1.2), ""),
}


@pytest.mark.parametrize(("image", "reason"), NOT_WHOLE.values(), ids=NOT_WHOLE)
def test_what_shows_more_than_its_text_is_not_whole(image: Image.Image, reason: str) -> None:
    """Nobody here can say what else it shows."""
    said = read(encoded(image))
    assert said.reasons
    assert reason in (*said.reasons, "")


def table() -> Image.Image:
    """Cells with frames."""
    image = Image.new("L", (900, 320), 255)
    pen = ImageDraw.Draw(image)
    for y in range(20, 301, 70):
        pen.line((20, y, 880, y), 0, 2)
    for x in range(20, 881, 215):
        pen.line((x, 20, x, 300), 0, 2)
    for number in range(16):
        where = (45 + 215 * (number % 4), 36 + 70 * (number // 4))
        pen.text(where, f"{3571 * (number + 3)}", font=font(26), fill=0)
    return image


@pytest.mark.parametrize("ink", [0, 150, 235])
@pytest.mark.parametrize("size", [5, 6, 7, 8, 9])
def test_a_long_line_of_small_letters_is_no_rule(size: int, ink: int) -> None:
    """What is small enough to look like the frame of a table is read, or the picture is not whole."""
    image = Image.new("L", (1000, 300), 255)
    image.paste(written([LINE, "Annual report of the region"]), (0, 0))
    small = f"The patient Javier Munoz with DNI {ID} and telephone 612345678 has been in treatment since 2019"
    ImageDraw.Draw(image).text((40, 200), small, font=font(size), fill=ink)
    said = read(encoded(image))
    assert said.reasons or small.replace(" ", "") in said.all.replace(" ", "")


@pytest.mark.parametrize("shade", [252, 245, 240, 238, 220])
def test_a_pale_bar_behind_a_title_is_no_drawing(shade: int) -> None:
    """The edge of a bar is a rule, however pale: it has no letters."""
    image = Image.new("L", (900, 200), 255)
    ImageDraw.Draw(image).rectangle((0, 0, 900, 50), fill=shade)
    for y, line in ((8, "Inbox of the practice"), (90, LINE)):
        ImageDraw.Draw(image).text((20, y), line, font=font(26), fill=0)
    said = read(encoded(image))
    assert ID in said.texts[""]
    assert said.reasons == []


def test_frames_of_a_table_are_no_drawing() -> None:
    """All its cells are read, and nothing else is there."""
    said = read(encoded(table()))
    assert said.texts[""].split() == [f"{3571 * (number + 3)}" for number in range(16)]
    assert said.reasons == []


def bomb() -> bytes:
    """A PNG of a few hundred bytes with 20,000 × 20,000 pixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def heic() -> bytes:
    """The beginning of a HEIC file."""
    return b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(64)


BAD = {
    "more pixels than memory": (bomb(), "too_large"),
    "one pixel by 60,000": (encoded(Image.new("L", (1, 60_000))), "too_large"),
    "a JPEG cut off": (encoded(written([LINE]), "JPEG")[:-400], "broken"),
    "a PNG cut off": (encoded(written([LINE]))[:-400], "broken"),
    "a header alone": (encoded(written([LINE]))[:20], "unreadable"),
    "HEIC": (heic(), "unreadable"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD)
def test_bad_pictures_say_why(data: bytes, reason: str) -> None:
    """Each ends with a reason, and none with an error."""
    assert reason in read(data).reasons


def test_a_large_photograph_is_read_at_less_than_its_size() -> None:
    """Twenty million pixels need not be held."""
    image = Image.new("L", (5400, 4400), 255)
    image.paste(written([LINE], size=160), (500, 2000))
    assert ID in read(encoded(image, "JPEG")).texts[""]


def test_time_ends_the_reading() -> None:
    """What no time was left for is not whole."""
    assert read(encoded(written([LINE])), limits=Limits(seconds=0)).reasons == ["time"]


def test_a_picture_of_one_colour_is_whole() -> None:
    """The preview that templates of documents bring with them: an empty page, of which everything is known."""
    said = read(encoded(Image.new("RGB", (256, 192), "white"), "JPEG"))
    assert (said.texts, said.reasons) == ({}, [])


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_picture_of_nearly_one_colour_is_not_whole(form: str) -> None:
    """What is only a little lighter than its ground may be something, though nothing can be read."""
    image = Image.new("RGB", (256, 192), "white")
    image.paste((246, 246, 246), (96, 80, 112, 96))
    assert read(encoded(image, form)).reasons != []


def test_a_picture_whose_colours_hide_words_is_not_whole() -> None:
    """Below full black ink, and in colours beyond their range, one program shows an even ground and another words."""
    words = written([LINE]).convert("L")
    black, full = (Image.new("L", words.size, value) for value in (255, 255))
    below = Image.merge("CMYK", (words, words, words, black))
    beyond = Image.merge("YCbCr", (words.point(lambda shade: 80 + shade // 6), full, full))
    for image in (below, beyond):
        said = read(encoded(image, "JPEG", quality=95))
        assert ID in said.all or said.reasons != []


def test_an_empty_page_is_whole() -> None:
    """A rendered page on which nothing stands says nothing."""
    assert list(read_rendered(Image.new("RGB", (600, 800), "white"), Budget(PATIENT))) == []


def test_a_rendered_page_is_read() -> None:
    """A scan inside a PDF is read like a picture."""
    (piece,) = read_rendered(written([LINE]).convert("RGB"), Budget(PATIENT))
    assert isinstance(piece, Piece)
    assert piece.text == LINE
    assert piece.recognised


def test_without_the_extra_a_picture_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its metadata is read all the same."""
    monkeypatch.setattr(ocr, "installed", lambda: False)
    said = read(encoded(written([LINE]), "JPEG", comment=ID.encode()))
    assert said.texts == {"comment": ID}
    assert said.reasons == ["unreadable"]
    assert list(read_rendered(written([LINE]), Budget(PATIENT))) == [Unread(reason="unreadable")]


def test_two_pictures_in_one_file_are_both_read() -> None:
    """A picture behind the end of another is a file of its own."""
    first, second = encoded(written(["Nothing here"]), "JPEG"), encoded(written([LINE]), "JPEG")
    said = read(first + second)
    assert ID in said.texts["behind the end"]
    assert "polyglot" in said.reasons
