"""PDFs whose value stands on or behind the page where nobody sees it, or where programs see something else."""

import io
from collections.abc import Callable

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, TextStringObject
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from tests.bench.attachments.corpus.layouts import Content
from tests.bench.attachments.corpus.pdfs import drawn, flowing, saved, written


def _white(content: Content, told: str) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(60, 200, told)

    return drawn(content, draw)


def _invisible(content: Content, told: str) -> bytes:
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(60, 200)
        text.setTextRenderMode(3)
        text.textOut(told)
        canvas.drawText(text)

    return drawn(content, draw)


def _covered(content: Content, told: str) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 200, told)
        canvas.rect(40, 180, 500, 50, fill=1)

    return drawn(content, draw)


def _tiny(content: Content, told: str) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 1)
        canvas.drawString(60, 200, told)

    return drawn(content, draw)


def _outside(content: Content, told: str) -> bytes:
    return drawn(content, lambda canvas: canvas.drawString(60, -300, told))


def _in_form(content: Content, told: str) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.beginForm("f")
        canvas.drawString(60, 200, told)
        canvas.endForm()
        canvas.doForm("f")

    return drawn(content, draw)


def _upright(content: Content, told: str) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.translate(580, 100)
        canvas.rotate(90)
        canvas.setFont("Helvetica", 8)
        canvas.drawString(0, 0, told)

    return drawn(content, draw)


def _last_page(content: Content, told: str) -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    for number in range(24):
        for line, text in enumerate((*content.paragraphs, *([told] if number == 23 else []))):
            canvas.drawString(50, 700 - 16 * line, text)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _older_revision(content: Content, told: str) -> bytes:
    first = flowing(Content(title=content.title, paragraphs=(*content.paragraphs, told)))
    writer = PdfWriter(io.BytesIO(first), incremental=True)
    stream = DecodedStreamObject()
    stream.set_data(b"BT /F1 12 Tf 72 700 Td (Draft) Tj ET")
    writer.pages[0][NameObject("/Contents")] = writer._add_object(stream)
    return saved(writer)


def _unnamed_object(content: Content, told: str) -> bytes:
    whole = flowing(content)
    at = whole.rindex(b"xref\n", 0, whole.rindex(b"startxref"))
    return whole[:at] + b"% " + told.encode() + b"\n" + whole[at:]  # inside, so that offsets of objects still hold


def _behind(content: Content, told: str) -> bytes:
    return flowing(content) + b"\n" + told.encode() + b"\n"


def _alternative(content: Content, told: str) -> bytes:
    writer = written(content)
    page = writer.pages[0]
    stream = DecodedStreamObject()
    hexadecimal = ("\ufeff" + told).encode("utf-16-be").hex()
    stream.set_data(
        page.get_contents().get_data()  # type: ignore[union-attr]
        + f"\n/Span << /ActualText <{hexadecimal}> >> BDC BT /F1 9 Tf 60 200 Td (.) Tj ET EMC".encode()
    )
    page[NameObject("/Contents")] = writer._add_object(stream)
    return saved(writer)


def _hidden_layer(content: Content, told: str) -> bytes:
    whole = drawn(content, lambda canvas: None)
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(whole)))
    layer = writer._add_object(
        DictionaryObject({NameObject("/Type"): NameObject("/OCG"), NameObject("/Name"): TextStringObject("layer")})
    )
    writer.root_object[NameObject("/OCProperties")] = DictionaryObject({
        NameObject("/OCGs"): ArrayObject([layer]),
        NameObject("/D"): DictionaryObject({NameObject("/OFF"): ArrayObject([layer])}),
    })  # fmt: skip
    page = writer.pages[0]
    page["/Resources"][NameObject("/Properties")] = DictionaryObject({NameObject("/L1"): layer})  # type: ignore[index]
    stream = DecodedStreamObject()
    safe = told.replace("\\", "\\\\").replace("(", r"\(").replace(")", r"\)").encode("cp1252")
    stream.set_data(
        page.get_contents().get_data()  # type: ignore[union-attr]
        + b"\n/OC /L1 BDC BT /F1 11 Tf 60 200 Td (" + safe + b") Tj ET EMC"
    )  # fmt: skip
    page[NameObject("/Contents")] = writer._add_object(stream)
    return saved(writer)


def _packed(content: Content, told: str) -> bytes:
    writer = written(Content(title=content.title, paragraphs=(*content.paragraphs, told)))
    for page in writer.pages:
        page.compress_content_streams()
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def _no_password(content: Content, told: str) -> bytes:
    writer = written(Content(title=content.title, paragraphs=(*content.paragraphs, told)))
    writer.encrypt(user_password="", owner_password="owner", algorithm="AES-256")
    return saved(writer)


def _password(content: Content, told: str) -> bytes:
    writer = written(Content(title=content.title, paragraphs=(*content.paragraphs, told)))
    writer.encrypt(user_password="secret", algorithm="AES-256")
    return saved(writer)


def _unmapped_font(content: Content, told: str) -> bytes:
    """The page shows the sentence; the text layer says something else."""
    return _with_table(content, told, b"1 beginbfrange <00> <FF> <0120> endbfrange")


def _lying_font(content: Content, told: str) -> bytes:
    """The text layer says other letters and digits than the page shows, and all of them are usual ones."""
    table = b"4 beginbfrange <20> <2F> <0020> <30> <39> [%s] <3A> <60> <003A> <61> <7A> [%s] endbfrange" % (
        b" ".join(b"<00%02X>" % (0x30 + (digit + 3) % 10) for digit in range(10)),
        b" ".join(b"<00%02X>" % (0x61 + (letter + 7) % 26) for letter in range(26)),
    )
    return _with_table(content, told, table)


def _with_table(content: Content, told: str, ranges: bytes) -> bytes:
    whole = flowing(Content(title=content.title, paragraphs=(*content.paragraphs, told)), "Vera", 12)
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(whole)))
    wrong = DecodedStreamObject()
    wrong.set_data(
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def 1 begincodespacerange <00> "
        b"<FF> endcodespacerange " + ranges + b" endcmap end end"
    )
    for font in writer.pages[0]["/Resources"]["/Font"].values():  # type: ignore[index]
        font.get_object()[NameObject("/ToUnicode")] = writer._add_object(wrong)
    return saved(writer)


def _replaced(content: Content, told: str) -> bytes:
    """Whoever copies or hears the sentence gets another one (ISO 32000-1, 14.9.4)."""

    def draw(canvas: Canvas) -> None:
        canvas._code.append("/Span << /ActualText (See the next page) >> BDC")
        canvas.drawString(60, 200, told)
        canvas._code.append("EMC")

    return drawn(content, draw)


HIDDEN: dict[str, Callable[[Content, str], bytes]] = {
    "white text": _white,
    "invisible text": _invisible,
    "covered text": _covered,
    "tiny text": _tiny,
    "outside of the page": _outside,
    "form object": _in_form,
    "upright text": _upright,
    "last of 24 pages": _last_page,
    "older revision": _older_revision,
    "comment between objects": _unnamed_object,
    "behind the end": _behind,
    "alternative text": _alternative,
    "hidden layer": _hidden_layer,
    "packed": _packed,
    "no password needed": _no_password,
    "password": _password,
    "unmapped font": _unmapped_font,
    "lying font": _lying_font,
    "replaced letters": _replaced,
}
