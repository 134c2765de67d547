"""PDFs whose value stands beside the page: notes, forms, attachments, metadata. Their clean twins."""

# ruff: noqa: E501 - tables are read by their rows

import io
import random
from collections.abc import Callable, Iterator

from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText, Link, Popup, Text
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    TextStringObject,
)
from reportlab.pdfgen.canvas import Canvas

from tests.bench.attachments.corpus.facts import HARMLESS, fact
from tests.bench.attachments.corpus.layouts import Content, clean
from tests.bench.attachments.corpus.pdf_hidden import HIDDEN
from tests.bench.attachments.corpus.pdfs import drawn, flowing, saved, written
from tests.bench.attachments.corpus.sample import Sample

Place = Callable[[Content, str], bytes]
_RECT = (100, 300, 400, 340)


def _note(content: Content, told: str) -> bytes:
    writer = written(content)
    writer.add_annotation(0, Text(rect=_RECT, text=told))
    return saved(writer)


def _free_text(content: Content, told: str) -> bytes:
    writer = written(content)
    writer.add_annotation(0, FreeText(text=told, rect=_RECT))
    return saved(writer)


def _popup(content: Content, told: str) -> bytes:
    writer = written(content)
    parent = writer.add_annotation(0, Text(rect=_RECT, text="?"))
    popup = Popup(rect=_RECT, parent=parent)
    popup[NameObject("/Contents")] = TextStringObject(told)
    writer.add_annotation(0, popup)
    return saved(writer)


def _link(content: Content, told: str) -> bytes:
    writer = written(content)
    writer.add_annotation(0, Link(rect=_RECT, url=f"https://example.org/?q={told.replace(' ', '%20')}"))
    return saved(writer)


def _form_field(content: Content, told: str) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.acroForm.textfield(name="f1", value=told, x=80, y=300, width=430, height=20, maxlen=300)

    return drawn(content, draw)


def _field_without_look(content: Content, told: str) -> bytes:
    writer = written(content)
    field = DictionaryObject({
        NameObject("/FT"): NameObject("/Tx"), NameObject("/T"): TextStringObject("f1"), NameObject("/V"): TextStringObject(told),
        NameObject("/Subtype"): NameObject("/Widget"), NameObject("/Type"): NameObject("/Annot"),
        NameObject("/Rect"): ArrayObject([NumberObject(number) for number in _RECT]), NameObject("/F"): NumberObject(2),
    })  # fmt: skip
    reference = writer._add_object(field)
    writer.pages[0][NameObject("/Annots")] = ArrayObject([reference])
    writer.root_object[NameObject("/AcroForm")] = DictionaryObject(
        {NameObject("/Fields"): ArrayObject([reference]), NameObject("/NeedAppearances"): BooleanObject(True)}
    )
    return saved(writer)


def _default_value(content: Content, told: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(_field_without_look(content, "x"))))
    field = writer.pages[0]["/Annots"][0].get_object()  # type: ignore[index]
    field[NameObject("/DV")], field[NameObject("/TU")] = TextStringObject(told), TextStringObject("value")
    return saved(writer)


def _attached(content: Content, told: str) -> bytes:
    writer = written(content)
    writer.add_attachment("notes.txt", told.encode())
    return saved(writer)


def _attached_pdf(content: Content, told: str) -> bytes:
    writer = written(content)
    writer.add_attachment("inner.pdf", flowing(Content(title="Annex", paragraphs=(told,))))
    return saved(writer)


def _information(content: Content, told: str) -> bytes:
    writer = written(content)
    writer.add_metadata({"/Subject": told})
    return saved(writer)


def _own_information(content: Content, told: str) -> bytes:
    writer = written(content)
    writer.add_metadata({"/Case": told})
    return saved(writer)


def _xmp(content: Content, told: str) -> bytes:
    writer = written(content)
    stream = DecodedStreamObject()
    stream.set_data(
        b'<?xpacket begin="" id="W5M0"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
        + told.encode()
        + b"</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
    writer.root_object[NameObject("/Metadata")] = writer._add_object(stream)
    return saved(writer)


def _bookmark(content: Content, told: str) -> bytes:
    writer = written(content)
    writer.add_outline_item(told, 0)
    return saved(writer)


def _script(content: Content, told: str) -> bytes:
    writer = written(content)
    action = DictionaryObject({
        NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(f"app.alert('{told}');"),
    })  # fmt: skip
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(action)
    return saved(writer)


PLACES: dict[str, Place] = {
    "note": _note,
    "free text": _free_text,
    "popup": _popup,
    "link": _link,
    "form field": _form_field,
    "field without look": _field_without_look,
    "default of a field": _default_value,
    "attached text": _attached,
    "attached PDF": _attached_pdf,
    "information": _information,
    "own information": _own_information,
    "XMP": _xmp,
    "bookmark": _bookmark,
    "script": _script,
}


def samples(rng: random.Random) -> Iterator[Sample]:
    """Yield every place with a value, and every third without one."""
    for number, (place, make) in enumerate((PLACES | HIDDEN).items()):
        language = rng.choice(("es", "en"))
        one = fact(rng, language, short=place in {"link", "bookmark", "form field"})
        content = clean(rng, language)
        yield Sample(
            name=f"place-{number}.pdf", data=make(content, one.told), kind="pdf", case=place,
            values=(one.value,), told=content.beside(one),
        )  # fmt: skip
        if number % 3 == 0:
            yield Sample(
                name=f"place-{number}-clean.pdf", data=make(clean(rng, language), HARMLESS[language]), kind="pdf", case=place
            )  # fmt: skip
