"""Screenshots, photographs of cards and letters, and what pictures carry beside their pixels."""

# ruff: noqa: E501 - tables are read by their rows

import io
import random
import struct
from collections.abc import Callable, Iterator, Sequence

import cv2
from PIL import ExifTags, Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from tests.bench.attachments.corpus import damage
from tests.bench.attachments.corpus.facts import HARMLESS, Fact, fact, named
from tests.bench.attachments.corpus.layouts import LAYOUTS, Content, clean
from tests.bench.attachments.corpus.pdfs import FONTS
from tests.bench.attachments.corpus.sample import Sample, Tier
from tests.bench.attachments.corpus.scans import rendered

Colour = tuple[int, int, int]
_DARK: tuple[Colour, Colour, Colour] = ((30, 30, 34), (224, 224, 228), (52, 53, 60))
_LIGHT: tuple[Colour, Colour, Colour] = ((250, 250, 250), (24, 24, 24), (228, 232, 240))


def font(size: int, name: str = "Vera.ttf") -> ImageFont.FreeTypeFont:
    """Return a typeface that comes with the PDF writer."""
    return ImageFont.truetype(str(FONTS / name), size)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """Return the file."""
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def window(lines: Sequence[str], size: int, colours: tuple[Colour, Colour, Colour]) -> Image.Image:
    """Return a window of a program with lines of text."""
    paper, ink, bar = colours
    image = Image.new("RGB", (1000, 90 + int(size * 2.1) * len(lines)), paper)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 1000, 40), fill=bar)
    draw.text((16, 11), "Inbox - Mail", font=font(14), fill=ink)
    for number, line in enumerate(lines):
        draw.text((24, 60 + int(size * 2.1) * number), line, font=font(size), fill=ink)
    return image


def _wrapped(content: Content, told: str, width: int) -> list[str]:
    lines: list[str] = []
    for text in (content.title, *content.paragraphs, told):
        while len(text) > width:
            at = text.rfind(" ", 0, width) if " " in text[:width] else width
            lines.append(text[:at])
            text = text[at:].strip()
        lines.append(text)
    return lines


_WINDOWS: dict[str, tuple[int, tuple[Colour, Colour, Colour], int]] = {
    "light": (16, _LIGHT, 90), "dark": (16, _DARK, 90), "small": (11, _LIGHT, 130), "small, dark": (11, _DARK, 130),
    "tiny": (9, _LIGHT, 150), "large": (28, _LIGHT, 54),
}  # fmt: skip


def _pale_grey(lines: Sequence[str]) -> Image.Image:
    return window(lines, 14, ((255, 255, 255), (170, 170, 170), (240, 240, 240)))


def _coloured(lines: Sequence[str]) -> Image.Image:
    return window(lines, 15, ((24, 70, 140), (255, 236, 150), (10, 40, 90)))


def screens(rng: random.Random) -> Iterator[Sample]:
    """Yield screenshots in several sizes and colours."""
    looks: dict[str, tuple[Callable[[Sequence[str]], Image.Image], int]] = {
        name: (lambda lines, size=size, colours=colours: window(lines, size, colours), width)
        for name, (size, colours, width) in _WINDOWS.items()
    }
    looks |= {"pale grey": (_pale_grey, 100), "coloured": (_coloured, 90)}
    for number, (case, (draw, width)) in enumerate(looks.items()):
        for turn, language in enumerate(("es", "en")):
            one = fact(rng, language, short=bool(turn))
            content = clean(rng, language)
            image = draw(_wrapped(content, one.told, width))
            data = encoded(image, "JPEG", quality=80) if turn and number % 2 else encoded(image, "PNG")
            ending = "jpg" if turn and number % 2 else "png"
            yield Sample(
                name=f"screen-{number}-{turn}.{ending}",
                data=data,
                kind="screenshot",
                case=f"{case}, {language}",
                tier=Tier.SCREEN,
                values=(one.value,),
                told=content.beside(one),
                ink=True,
            )
        if number % 2 == 0:
            image = draw(_wrapped(clean(rng, "es"), HARMLESS["es"], width))
            yield Sample(
                name=f"screen-{number}-clean.png",
                data=encoded(image, "PNG"),
                kind="screenshot",
                case=case,
                tier=Tier.SCREEN,
                ink=True,
            )
    one = named(rng, "es", "IBAN")
    code = cv2.QRCodeEncoder.create().encode(one.told)
    image = Image.new("RGB", (500, 400), "white")
    image.paste(Image.fromarray(code).convert("RGB").resize((260, 260), Image.Resampling.NEAREST), (120, 100))
    ImageDraw.Draw(image).text((120, 40), "Escanee para pagar", font=font(20), fill="black")
    yield Sample(
        name="screen-qr.png",
        data=encoded(image, "PNG"),
        kind="screenshot",
        case="QR code",
        tier=Tier.SCREEN,
        values=(one.value,),
        told=one.told,
        ink=True,
    )


def card(one: Fact, title: str, colour: Colour, rng: random.Random) -> Image.Image:
    """Return a plastic card with a printed pattern, a face and a number."""
    image = Image.new("RGB", (860, 540), colour)
    draw = ImageDraw.Draw(image)
    for step in range(0, 1400, 14):
        shade = tuple(max(0, level - 14) for level in colour)
        draw.arc((step - 700, -200, step + 300, 700), 0, 360, fill=shade, width=2)
    draw.text((40, 30), title, font=font(34, "VeraBd.ttf"), fill=(20, 20, 60))
    draw.rounded_rectangle((40, 120, 280, 430), 12, fill=(205, 180, 160))
    draw.ellipse((100, 160, 220, 310), fill=(150, 110, 90))
    name = rng.choice(("ETXEBERRIA RUIZ, LUCIA", "MUÑOZ ORTEGA, JAVIER", "HOLLOWAY, MARGARET"))
    draw.text((320, 150), name, font=font(28), fill=(15, 15, 15))
    draw.text((320, 250), one.label, font=font(20), fill=(70, 70, 70))
    draw.text((320, 290), one.value, font=font(40, "VeraBd.ttf"), fill=(15, 15, 15))
    return image


def photographs(rng: random.Random) -> Iterator[Sample]:
    """Yield photographs of cards and letters on a table."""
    shots = (
        ("es", "DNI", "ESPAÑA - DOCUMENTO NACIONAL", (226, 214, 226), 0.04), ("es", "NIE", "PERMISO DE RESIDENCIA", (236, 206, 206), 0.07),
        ("es", "card", "BANCO DEL NORTE", (120, 160, 210), 0.05), ("en", "NHS", "NATIONAL HEALTH CARD", (190, 214, 240), 0.06), ("en", "SSN", "SOCIAL SECURITY", (222, 228, 236), 0.09),
        ("es", "NSS", "TARJETA SANITARIA", (200, 230, 210), 0.05), ("en", "card", "NORTHERN BANK", (210, 180, 90), 0.08), ("es", "passport", "PASAPORTE", (210, 190, 170), 0.06),
    )  # fmt: skip
    for number, (language, kind, title, colour, slant) in enumerate(shots):
        one = named(rng, language, kind)
        image = damage.in_perspective(card(one, title, colour, rng), damage.wood((1280, 960), rng), rng, slant)
        image = damage.noisy(damage.blurred(damage.shaded(image, 0.35), 0.6), rng, 6)
        yield Sample(
            name=f"photo-{number}.jpg",
            data=encoded(image, "JPEG", quality=82),
            kind="photograph",
            case=f"card: {kind}, {language}",
            tier=Tier.PHOTO,
            values=(one.value,),
            told=one.told,
            ink=True,
        )
    for number, layout in enumerate(("clinic letter", "payslip", "invoice")):
        content = LAYOUTS[layout](rng, rng.choice(("es", "en")))
        page = rendered(content, "word processor", 200).crop((0, 0, 1654, 1200))
        image = damage.in_perspective(page, damage.wood((1800, 1400), rng), rng, 0.04)
        image = damage.noisy(damage.blurred(damage.shaded(image, 0.3), 0.7), rng, 6)
        yield Sample(
            name=f"photo-letter-{number}.jpg",
            data=encoded(image, "JPEG", quality=80),
            kind="photograph",
            case=f"letter: {layout}",
            tier=Tier.PHOTO,
            values=tuple(one.value for one in content.facts),
            told=content.told,
            ink=True,
        )
    for number in range(2):
        yield Sample(
            name=f"photo-{number}-clean.jpg",
            data=encoded(damage.wood((900, 700), rng), "JPEG", quality=80),
            kind="photograph",
            case=f"table {number}",
            tier=Tier.PHOTO,
            ink=True,
        )


_XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>'


def _exif(told: str, tag: int = ExifTags.Base.ImageDescription) -> Image.Exif:
    exif = Image.Exif()
    exif[tag] = told
    return exif


def _user_comment(image: Image.Image, told: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"ASCII\0\0\0" + told.encode("ascii", "replace")
    return encoded(image, "JPEG", exif=exif)


def _gps(image: Image.Image, told: str) -> bytes:
    exif = Image.Exif()
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[1], place[2], place[3], place[4] = "N", (40.0, 25.0, 0.4), "W", (3.0, 42.0, 13.6)
    return encoded(image, "JPEG", exif=exif)


def _chunk(told: str, kind: str) -> PngInfo:
    info = PngInfo()
    if kind == "iTXt":
        info.add_itxt("Comment", told, "es", "", zip=True)
    else:
        info.add_text("Comment", told, zip=kind == "zTXt")
    return info


def _thumbnail(image: Image.Image, told: str) -> bytes:
    small = encoded(window([told], 9, _LIGHT).crop((0, 40, 420, 110)), "JPEG", quality=90)
    plain = encoded(image, "JPEG")
    entry = struct.Struct("<HHII")  # of TIFF 6.0: tag, type (4: a number of 32 bits), count, value
    first = struct.pack("<HI", 0, 14)  # no entries; the second directory, of the small picture, comes next
    second = struct.pack("<H", 2) + entry.pack(0x0201, 4, 1, 44) + entry.pack(0x0202, 4, 1, len(small)) + bytes(4)
    body = b"Exif\0\0II*\0\x08\0\0\0" + first + second + small
    return plain[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + plain[2:]


METADATA: dict[str, tuple[str, Callable[[Image.Image, str], bytes]]] = {
    "EXIF description": ("jpg", lambda image, told: encoded(image, "JPEG", exif=_exif(told))), "EXIF artist, WebP": ("webp", lambda image, told: encoded(image, "WEBP", exif=_exif(told, ExifTags.Base.Artist))),
    "EXIF comment": ("jpg", _user_comment), "EXIF GPS": ("jpg", _gps), "JPEG comment": ("jpg", lambda image, told: encoded(image, "JPEG", comment=told.encode())),
    "XMP, JPEG": ("jpg", lambda image, told: encoded(image, "JPEG", xmp=_XMP.replace("{}", told).encode())), "PNG tEXt": ("png", lambda image, told: encoded(image, "PNG", pnginfo=_chunk(told, "tEXt"))),
    "PNG zTXt": ("png", lambda image, told: encoded(image, "PNG", pnginfo=_chunk(told, "zTXt"))), "PNG iTXt": ("png", lambda image, told: encoded(image, "PNG", pnginfo=_chunk(told, "iTXt"))),
    "GIF comment": ("gif", lambda image, told: encoded(image.convert("P"), "GIF", comment=told.encode())), "behind the end": ("png", lambda image, told: encoded(image, "PNG") + told.encode()), "thumbnail": ("jpg", _thumbnail),
}  # fmt: skip


def _frames(image: Image.Image, told: str) -> bytes:
    second = window(["", told], 16, _LIGHT).resize(image.size)
    return encoded(image, "GIF", save_all=True, append_images=[second], duration=900)


def _pages(image: Image.Image, told: str) -> bytes:
    return encoded(image, "TIFF", save_all=True, append_images=[window([told, ""], 16, _LIGHT)])


def _see_through(image: Image.Image, told: str) -> bytes:
    layer = image.convert("RGBA")
    drawn = Image.new("RGBA", image.size, (255, 255, 255, 0))
    ImageDraw.Draw(drawn).text((20, 20), told, font=font(16), fill=(20, 20, 20, 255))
    drawn.putalpha(0)
    layer.paste(drawn, (0, image.height - 60), None)
    return encoded(layer, "PNG")


PIXELS: dict[str, tuple[str, Callable[[Image.Image, str], bytes]]] = {
    "second frame": ("gif", _frames), "second page": ("tif", _pages), "transparent pixels": ("png", _see_through),
}  # fmt: skip


def carried(rng: random.Random) -> Iterator[Sample]:
    """Yield pictures with a value beside or behind what everybody sees."""
    for number, (case, (ending, make)) in enumerate((METADATA | PIXELS).items()):
        language = rng.choice(("es", "en"))
        one = fact(rng, language, short=True)
        told = "GPS: 40.416777, -3.703778" if case == "EXIF GPS" else one.told
        value = "40.41" if case == "EXIF GPS" else one.value
        image = window(_wrapped(clean(rng, language), "", 90), 16, _LIGHT)
        ink = case in PIXELS
        tier = Tier.SCREEN if ink else Tier.TEXT
        yield Sample(
            name=f"carried-{number}.{ending}",
            data=make(image, told),
            kind="picture",
            case=case,
            tier=tier,
            values=(value,),
            told=told,
            ink=ink,
        )
        if number % 5 == 1:
            yield Sample(
                name=f"carried-{number}-clean.{ending}",
                data=make(image, HARMLESS[language]),
                kind="picture",
                case=case,
                tier=tier,
                ink=ink,
            )


def samples(rng: random.Random) -> Iterator[Sample]:
    """Yield all pictures."""
    yield from screens(rng)
    yield from photographs(rng)
    yield from carried(rng)
