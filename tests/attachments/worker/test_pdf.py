"""PDF: every place where one can say something, and what makes it not whole."""

import io
from collections.abc import Iterable, Mapping

import pytest
from PIL import Image

from gateway.attachments.worker import picture
from gateway.attachments.worker.parts import Budget, Limits, Parts
from tests.attachments.pdf_files import file_of, objects_of, pdf, saved_again, shown, stream
from tests.attachments.read import read

pytest.importorskip("pypdfium2", reason="the extra 'documents' is not installed")

ID = "12345678Z"
SECRET = ID.encode()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a>%s</a></x:xmpmeta>" % SECRET
GREY = b"/Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceGray /BitsPerComponent 8"


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Sizes of the pages that were given to the reader of pictures, which says nothing here."""
    sizes: list[tuple[int, int]] = []

    def look(image: Image.Image, budget: Budget) -> Parts:
        sizes.append(image.size)
        yield from ()

    monkeypatch.setattr(picture, "read_rendered", look)
    return sizes


def test_pages_are_read_in_order() -> None:
    """Each page is a piece of its own, and a plain PDF is whole."""
    said = read(pdf("María Núñez", "second", f"DNI {ID}"))
    assert said.texts == {"page 1": "María Núñez", "page 2": "second", "page 3": f"DNI {ID}"}
    assert said.reasons == []
    assert said.pages == 3


def noted(kind: bytes, words: bytes, catalogue: bytes = b"", more: Mapping[int, bytes] | None = None) -> bytes:
    """A PDF with an annotation."""
    note = b"<< /Type /Annot /Subtype /%s /Rect [10 10 200 30] %s >>" % (kind, words)
    extra = {500: note} | dict(more or {})
    return file_of(objects_of([shown("x")], page=b"/Annots [500 0 R]", catalogue=catalogue, extra=extra))


def shown_by(kind: bytes, words: bytes, content: bytes) -> bytes:
    """A PDF with an annotation that shows something of its own."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 190 20] /Resources << /Font << /F1 3 0 R >> >>"
    more = {501: stream(content, form)}
    return noted(kind, words + b" /AP << /N 501 0 R >>", b"/AcroForm << /Fields [500 0 R] >>", more=more)


def field(words: bytes) -> bytes:
    """A PDF with a form of one field."""
    return noted(b"Widget", words, b"/AcroForm << /Fields [500 0 R] >>")


def beside(catalogue: bytes, *extra: bytes) -> bytes:
    """A PDF with objects from 500 on that its catalogue leads to."""
    return file_of(objects_of([shown("x")], catalogue=catalogue, extra=dict(enumerate(extra, 500))))


def attached(name: bytes, content: bytes) -> bytes:
    """A PDF with a file in it."""
    names = b"/Names << /EmbeddedFiles << /Names [(a) 500 0 R] >> >>"
    entry = b"<< /Type /Filespec /F (%s) /EF << /F 501 0 R >> >>" % name
    return beside(names, entry, stream(content, b"/Type /EmbeddedFile"))


def in_a_form_object() -> bytes:
    """A PDF whose page only calls what it shows."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
    resources = b"/XObject << /X1 500 0 R >>"
    return file_of(objects_of([b"/X1 Do"], resources=resources, extra={500: stream(shown(ID), form)}))


def in_a_layer() -> bytes:
    """A PDF with a layer that viewers don't show."""
    return file_of(
        objects_of(
            [b"/OC /MC0 BDC " + shown(ID) + b"EMC"],
            catalogue=b"/OCProperties << /OCGs [500 0 R] /D << /OFF [500 0 R] >> >>",
            resources=b"/Properties << /MC0 500 0 R >>",
            extra={500: b"<< /Type /OCG /Name (layer) >>"},
        )
    )


def described() -> bytes:
    """A PDF whose figure has a text for those who can't see it."""
    tree = {
        500: b"<< /Type /StructTreeRoot /K 501 0 R /ParentTree 502 0 R >>",
        501: b"<< /Type /StructElem /S /Figure /P 500 0 R /Pg 10 0 R /Alt (%s) /K 0 >>" % SECRET,
        502: b"<< /Nums [0 [501 0 R]] >>",
    }
    catalogue = b"/MarkInfo << /Marked true >> /StructTreeRoot 500 0 R"
    return file_of(objects_of([shown("x")], page=b"/StructParents 0", catalogue=catalogue, extra=tree))


def page_of(content: bytes) -> bytes:
    """A PDF of one page."""
    return file_of(objects_of([content]))


PINNED = {501: b"<< /Type /Filespec /F (a.txt) /EF << /F 502 0 R >> >>", 502: stream(SECRET, b"/Type /EmbeddedFile")}
OUTLINE = b"<< /Type /Outlines /First 501 0 R /Last 501 0 R /Count 1 >>"
URI = b"/A << /S /URI /URI (https://example.org/?id=%s) >>" % SECRET
SAYS = {
    "white": (page_of(b"1 1 1 rg " + shown(ID)), "page 1"),
    "invisible": (page_of(shown(ID, more="3 Tr")), "page 1"),
    "tiny": (page_of(shown(ID, size=1, more="0.1 Tz")), "page 1"),
    "outside the page": (page_of(shown(ID, x=2000, y=-500)), "page 1"),
    "covered": (page_of(shown(ID) + b"0 0 595 842 re f"), "page 1"),
    "clipped away": (page_of(b"0 0 1 1 re W n " + shown(ID)), "page 1"),
    "upside down": (page_of(shown(ID, more="-1 0 0 -1 400 400 Tm")), "page 1"),
    "in a form object": (in_a_form_object(), "page 1"),
    "in a layer that is off": (in_a_layer(), "page 1"),
    "a note": (noted(b"Text", b"/Contents (%s)" % SECRET), "page 1, annotations"),
    "a hidden note": (noted(b"Text", b"/F 2 /Contents (%s)" % SECRET), "page 1, annotations"),
    "a note's author": (noted(b"Text", b"/T (%s)" % SECRET), "page 1, annotations"),
    "a link": (noted(b"Link", URI), "page 1, annotations"),
    "a form field": (field(b"/FT /Tx /T (name) /V (%s)" % SECRET), "page 1, annotations"),
    "a form field's choices": (field(b"/FT /Ch /T (who) /Opt [(a) (%s)]" % SECRET), "page 1, annotations"),
    "the outline": (beside(b"/Outlines 500 0 R", OUTLINE, b"<< /Title (%s) /Parent 500 0 R >>" % SECRET), "outline"),
    "metadata in XML": (beside(b"/Metadata 500 0 R", stream(XMP, b"/Type /Metadata")), "metadata 1"),
    "packed metadata": (beside(b"/Metadata 500 0 R", stream(XMP, b"/Type /Metadata", packed=True)), "metadata 1"),
    "an attachment": (attached(b"a.txt", SECRET), "attachment 1"),
    "an attachment's name": (attached(b"%s.txt" % SECRET, b"x"), "attachment 1, name"),
    "a PDF in a PDF": (attached(b"a.pdf", pdf(ID)), "attachment 1, page 1"),
    "a pinned file": (noted(b"FileAttachment", b"/FS 501 0 R", more=PINNED), "page 1, attachment 1"),
    "what an annotation shows": (shown_by(b"FreeText", b"", shown(ID, 5, 5)), "page 1, shown in annotations"),
    "what a hidden one shows": (shown_by(b"FreeText", b"/F 2", shown(ID, 5, 5)), "page 1, shown in annotations"),
    "what a field shows": (
        shown_by(b"Widget", b"/FT /Tx /T (a) /V (b)", shown(ID, 5, 5)),
        "page 1, shown in annotations",
    ),
    "a text for screen readers": (described(), "page 1, descriptions"),
}


@pytest.mark.parametrize("name", sorted(SAYS))
def test_every_place_is_read(name: str) -> None:
    """Hidden or not, on the page or beside it: all text counts, and a file of only that is whole."""
    data, place = SAYS[name]
    said = read(data)
    assert ID in said.texts.get(place, ""), said.texts
    assert said.reasons == []


def test_metadata_is_read() -> None:
    """Title, author and what else the file says of itself."""
    data = file_of(objects_of([shown("x")], extra={500: b"<< /Author (%s) >>" % SECRET}), b"/Info 500 0 R")
    assert read(data).texts["metadata"] == ID


def test_what_a_change_took_away_is_still_there() -> None:
    """A text that was deleted, but only behind the old version of the file, is found in that version."""
    first = pdf(f"DNI {ID}", "stays")
    said = read(saved_again(first, {11: stream(shown("deleted"))}))
    assert said.texts["page 1"] == "deleted"
    assert said.texts["earlier version 1, page 1"] == f"DNI {ID}"
    assert "earlier version 1, page 2" not in said.texts
    assert said.reasons == []


def pictured(content: bytes = b"q 500 0 0 500 0 0 cm /I Do Q") -> bytes:
    """A PDF with a picture."""
    image, resources = stream(bytes(64 * 64), GREY), b"/XObject << /I 500 0 R >>"
    return file_of(objects_of([content], resources=resources, extra={500: image}))


def drawn_letters() -> bytes:
    """A PDF whose font's letters are drawings."""
    font = (
        b"<< /Type /Font /Subtype /Type3 /BaseFont /Helvetica /FontBBox [0 0 10 10] /FontMatrix [0.1 0 0 0.1 0 0] "
        b"/FirstChar 97 /LastChar 97 /CharProcs << /a 501 0 R >> /Encoding << /Type /Encoding /Differences [97 /a] >> "
        b"/Widths [10] >>"
    )
    letter = stream(b"10 0 d0 0 0 5 5 re f")
    return file_of(objects_of([b"BT /F2 12 Tf 72 700 Td (aaa) Tj ET"], extra={500: font, 501: letter})).replace(
        b"/F1 3 0 R", b"/F2 500 0 R"
    )


def patterned() -> bytes:
    """A PDF with a surface that letters are the pattern of."""
    words = (
        b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 200 50] /XStep 200 /YStep 50 "
        b"/Resources << /Font << /F1 3 0 R >> >>"
    )
    extra = {500: stream(shown(ID, 5, 5), words)}
    content = b"/Pattern cs /P1 scn 0 0 500 500 re f"
    return file_of(objects_of([content], resources=b"/Pattern << /P1 500 0 R >>", extra=extra))


def mistold() -> bytes:
    """A PDF whose font shows an identifier and says other letters, as one does that was cut down badly."""
    table = stream(
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def 1 begincodespacerange <00> "
        b"<FF> endcodespacerange 1 beginbfrange <00> <FF> <0100> endbfrange endcmap end end"
    )
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode 501 0 R >>"
    objects = objects_of([shown(f"DNI {ID} of the tenant")], extra={500: font, 501: table})
    return file_of(objects).replace(b"/F1 3 0 R", b"/F1 500 0 R")


@pytest.mark.parametrize(
    "data",
    [
        pictured(),
        page_of(b"0 0 m 1 1 2 2 3 3 c " * 40 + b"f"),
        drawn_letters(),
        shown_by(b"Stamp", b"", b"0 0 m 1 1 2 2 3 3 c " * 40 + b"f"),
        patterned(),
        mistold(),
    ],
    ids=["a picture", "letters as outlines", "letters as drawings", "a stamp", "a pattern", "a wrong table of letters"],
)
def test_what_a_page_shows_is_looked_at(data: bytes, seen: list[tuple[int, int]]) -> None:
    """A page that may show more than its text layer says goes to the reader of pictures, at 200 dpi."""
    read(data)
    assert seen == [(1653, 2339)]


@pytest.mark.parametrize(
    ("content", "sizes"),
    [
        (b"q 500 0 0 500 0 0 cm /I Do Q", [(1653, 2339)]),
        (b"q 500 0 0 500 0 0 cm /I Do Q 0 0 500 500 re f", [(1653, 2339), (64, 64)]),
        (b"q 500 0 0 500 0 0 cm /I Do Q q 500 0 0 500 50 50 cm /I Do Q", [(1653, 2339), (64, 64)]),
        (b"q 500 0 0 500 -400 0 cm /I Do Q", [(1653, 2339), (64, 64)]),
        (b"q 5 0 0 5 0 0 cm /I Do Q", [(1653, 2339), (64, 64)]),
        (b"/OC /OCProperties BDC q 500 0 0 500 0 0 cm /I Do Q EMC", [(1653, 2339), (64, 64)]),
    ],
    ids=["alone", "under a bar", "the same one twice", "half outside", "tiny", "in a layer"],
)
def test_a_picture_that_the_page_hides_is_looked_at(
    content: bytes, sizes: list[tuple[int, int]], seen: list[tuple[int, int]]
) -> None:
    """What is under a bar, outside of the page or too small to be seen stands in the file all the same."""
    read(pictured(content))
    assert seen == sizes


def test_a_page_of_text_is_not_looked_at(seen: list[tuple[int, int]]) -> None:
    """Lines of tables and underlines are no pictures."""
    read(page_of(shown("a table") + b"72 690 m 500 690 l S 72 600 400 80 re S " * 50))
    assert seen == []


def test_a_huge_page_becomes_a_picture_of_bounded_size(seen: list[tuple[int, int]]) -> None:
    """A poster is looked at with fewer dots an inch."""
    read(pictured().replace(b"[0 0 595 842]", b"[0 0 9595 9842]"))
    ((width, height),) = seen
    assert width * height <= 12_100_000


SCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
NOT_WHOLE = {
    "no page can be read": (b"%PDF-1.7\nnothing\n%%EOF", "broken"),
    "cut off": (pdf("one", "two")[:-300], "broken"),
    "letters without size": (page_of(shown(ID, size=0)), "object"),
    "a space without size": (page_of(shown("Hello") + shown(" ", size=0)), "object"),
    "letters before it": (b"DNI 12345678Z\n" + pdf("x"), "polyglot"),
    "a script": (beside(b"/Names << /JavaScript << /Names [(a) 500 0 R] >> >>", SCRIPT), "program"),
    "a script that a page starts": (beside(b"/OpenAction << /S /JavaScript /J#53 (app.alert) >>"), "program"),
    "a script in packed objects": (
        beside(b"", stream(b"1 0 << /S /JavaScript /JS (x) >>", b"/Type /ObjStm /N 1 /First 4", packed=True)),
        "program",
    ),
    "a film": (noted(b"RichMedia", b""), "object"),
    "a program behind it": (pdf("x") + b"\x00" * 10 + b"<script>" * 100, "polyglot"),
    "a ZIP behind it": (pdf("x") + bytes.fromhex("504b0506") + bytes(18), "polyglot"),
}


@pytest.mark.parametrize(
    "around", ["%s", "%s and more than a few bytes, as of a letter that somebody has put there by hand"]
)
def test_letters_around_a_file_are_read(around: str) -> None:
    """Programs pass over what stands before a PDF and behind it; it leaves with the file all the same."""
    letters = (around % f"DNI {ID}").encode()
    assert ID in read(pdf("x") + letters).texts["behind the end"]
    assert ID in read(letters + b"\n" + pdf("x")).texts["before the beginning"]


def test_spaces_that_stand_alone_lose_nothing() -> None:
    """Chromium writes the space behind a list's number as a text of its own: such a page is whole."""
    said = read(page_of(shown("1.") + shown(" ", x=90) + shown("Turn the key.", x=100)))
    assert said.reasons == []


def test_letters_without_width_are_read_or_missed() -> None:
    """Letters squeezed to nothing are no spaces."""
    said = read(page_of(shown("Hello") + shown(ID, more="0 Tz")))
    assert ID in " ".join(said.texts.values()) or said.reasons


@pytest.mark.parametrize("name", sorted(NOT_WHOLE))
def test_what_can_not_be_read_is_said(name: str) -> None:
    """A file with anything in it that nobody read is not whole, and says why."""
    data, reason = NOT_WHOLE[name]
    assert reason in read(data).reasons


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_an_encrypted_file_says_so(algorithm: str) -> None:
    """Only the password opens it. One that any reader opens is read, and yet not whole: its other texts are noise."""
    pypdf = pytest.importorskip("pypdf", reason="encrypts the file of this test")

    def encrypted(password: str) -> bytes:
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(ID)))
        writer.encrypt(password, "owner", algorithm=algorithm)
        target = io.BytesIO()
        writer.write(target)
        return target.getvalue()

    assert read(encrypted("secret")).reasons == ["encrypted"]
    opened = read(encrypted(""))
    assert (opened.texts, opened.reasons) == ({"page 1": ID}, ["encrypted"])


def lines(count: int) -> Iterable[str]:
    """Lines of text."""
    return (f"line {number}" for number in range(count))


def test_a_file_of_ten_thousand_pages_is_read_in_part() -> None:
    """The first pages are read, and the rest is said to be there."""
    said = read(pdf(*lines(10_000)), limits=Limits(pages=50))
    assert len(said.texts) == 50
    assert said.reasons == ["too_many_pages"]
    assert said.pages == 10_000
