"""PDFs with a text layer, as several programs set them."""

import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import reportlab
from pypdf import PdfReader, PdfWriter
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from tests.bench.attachments.corpus.facts import HARMLESS
from tests.bench.attachments.corpus.layouts import LAYOUTS, Content, clean, clean_table
from tests.bench.attachments.corpus.sample import Sample

FONTS = Path(reportlab.__file__).parent / "fonts"
for name, file in (("Vera", "Vera.ttf"), ("VeraBd", "VeraBd.ttf"), ("VeraIt", "VeraIt.ttf")):
    pdfmetrics.registerFont(TTFont(name, FONTS / file))

Writer = Callable[[Content], bytes]


def flowing(content: Content, font: str = "Helvetica", size: float = 11) -> bytes:
    """Set paragraphs and a table, as word processors do."""
    target = io.BytesIO()
    style = ParagraphStyle("body", fontName=font, fontSize=size, leading=size * 1.4)
    head = ParagraphStyle("head", parent=style, fontSize=size + 3, leading=size * 2)
    story: list[object] = [Paragraph(content.title, head)]
    for text in content.paragraphs:
        story += [Paragraph(text, style), Spacer(1, 6)]
    if content.rows:
        look = [("GRID", (0, 0), (-1, -1), 0.5, colors.grey), ("FONT", (0, 0), (-1, -1), font, size)]
        story.append(Table(content.rows, style=look))
    SimpleDocTemplate(target, pagesize=A4, invariant=1).build(story)
    return target.getvalue()


def embedded_font(content: Content) -> bytes:
    """Set it in a font that is embedded in part."""
    return flowing(content, "Vera", 10)


def small_print(content: Content) -> bytes:
    """Set it in small type."""
    return flowing(content, "Times-Roman", 7.5)


def _canvas() -> tuple[Canvas, io.BytesIO]:
    target = io.BytesIO()
    return Canvas(target, pagesize=A4, invariant=1), target


def _lines(content: Content) -> list[str]:
    lines: list[str] = []
    for text in content.told.split("\n"):
        words, line = text.split(" "), ""
        for word in words:
            if len(line) + len(word) > 78:
                lines.append(line)
                line = ""
            line = f"{line} {word}" if line else word
        lines.append(line)
    return lines


def typewriter(content: Content) -> bytes:
    """Set line after line in Courier, as old programs print."""
    canvas, target = _canvas()
    for number, line in enumerate(_lines(content)):
        canvas.setFont("Courier", 10)
        canvas.drawString(50, 780 - 14 * number, line)
    canvas.save()
    return target.getvalue()


def letter_by_letter(content: Content) -> bytes:
    """Place every letter by itself, as some converters do."""
    canvas, target = _canvas()
    canvas.setFont("Helvetica", 11)
    for number, line in enumerate(_lines(content)):
        x = 50.0
        for letter in line:
            if letter != " ":
                canvas.drawString(x, 780 - 16 * number, letter)
            x += pdfmetrics.stringWidth(letter, "Helvetica", 11)
    canvas.save()
    return target.getvalue()


def spaced(content: Content) -> bytes:
    """Set it with wide gaps between letters."""
    canvas, target = _canvas()
    for number, line in enumerate(_lines(content)):
        text = canvas.beginText(40, 780 - 16 * number)
        text.setFont("Helvetica", 9)
        text.setCharSpace(1.6)
        text.textOut(line)
        canvas.drawText(text)
    canvas.save()
    return target.getvalue()


def in_boxes(content: Content) -> bytes:
    """Put each letter of a value into a box of its own, as forms do."""
    canvas, target = _canvas()
    canvas.setFont("Helvetica", 11)
    for number, line in enumerate(_lines(content)):
        y = 780 - 26 * number
        label, colon, value = line.partition(": ")
        if not colon or len(value) > 30:
            canvas.drawString(50, y, line)
            continue
        canvas.drawString(50, y, f"{label}:")
        x = 60 + pdfmetrics.stringWidth(label, "Helvetica", 11)
        for letter in value.replace(" ", ""):
            canvas.rect(x, y - 4, 14, 16)
            canvas.drawCentredString(x + 7, y, letter)
            x += 14
    canvas.save()
    return target.getvalue()


def two_columns(content: Content) -> bytes:
    """Set labels in one column and values in another, drawn column by column."""
    canvas, target = _canvas()
    canvas.setFont("Helvetica-Bold", 10)
    pairs = [line.partition(": ")[::2] for line in _lines(content)]
    for number, (label, _) in enumerate(pairs):
        canvas.drawString(50, 780 - 20 * number, label)
    canvas.setFont("Helvetica", 10)
    for number, (_, value) in enumerate(pairs):
        canvas.drawString(330, 780 - 20 * number, value)
    canvas.save()
    return target.getvalue()


def turned(content: Content) -> bytes:
    """Set it along the long side of a page that is shown turned."""
    canvas, target = _canvas()
    canvas.setPageRotation(90)
    canvas.rotate(90)
    canvas.setFont("Helvetica", 11)
    for number, line in enumerate(_lines(content)):
        canvas.drawString(50, -50 - 16 * number, line)
    canvas.save()
    return target.getvalue()


WRITERS: dict[str, Writer] = {
    "word processor": flowing, "embedded font": embedded_font, "small print": small_print, "typewriter": typewriter,
    "letter by letter": letter_by_letter, "spaced": spaced, "boxes": in_boxes,
    "two columns": two_columns, "turned": turned,
}  # fmt: skip


def written(content: Content) -> PdfWriter:
    """Return a writer with the page that everybody sees."""
    return PdfWriter(clone_from=PdfReader(io.BytesIO(flowing(content))))


def saved(writer: PdfWriter) -> bytes:
    """Return the file."""
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def drawn(content: Content, draw: Callable[[Canvas], None]) -> bytes:
    """Return a page with lines of text, on which something else is drawn."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    canvas.setFont("Helvetica", 10)
    for number, line in enumerate((content.title, *content.paragraphs)):
        canvas.drawString(50, 780 - 16 * number, line)
    draw(canvas)
    canvas.save()
    return target.getvalue()


def samples(rng: random.Random) -> Iterator[Sample]:
    """Yield every layout in two languages, each by another writer, and clean pages by all of them."""
    writers = list(WRITERS)
    rng.shuffle(writers)
    for number, (layout, make) in enumerate(LAYOUTS.items()):
        for shift, language in enumerate(("es", "en")):
            content = make(rng, language)
            writer = writers[(number + 4 * shift) % len(writers)]
            yield Sample(
                name=f"{layout}-{language}.pdf".replace(" ", "-"), data=WRITERS[writer](content), kind="pdf",
                told=content.told, case=f"{layout}, {language}, {writer}",
                values=tuple(one.value for one in content.facts),
            )  # fmt: skip
    for number, writer in enumerate(writers):
        language = ("es", "en")[number % 2]
        content = clean(rng, language, HARMLESS[language]) if number % 3 else clean_table(rng, language)
        yield Sample(name=f"clean-{number}.pdf", data=WRITERS[writer](content), kind="pdf", case=f"clean, {writer}")
