"""Office Open XML: every place where one can say something, and what makes a document not whole."""

import hashlib
import io

import pytest
from PIL import Image

from gateway.attachments.worker import ocr
from gateway.attachments.worker.office import open_xml
from gateway.core.attachment import FileKind
from tests.attachments.read import read
from tests.attachments.zip_files import RELATIONSHIPS, W, docx, pptx, xlsx

ID = "12345678Z"
P = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
EMPTY = P.format("x")
LINKS = "word/_rels/document.xml.rels"


def elsewhere(what: str, target: str) -> str:
    """A part that points out of the file."""
    one = f'<Relationship Id="r" Type="http://x/relationships/{what}" Target="{target}" TargetMode="External"/>'
    return f'<Relationships xmlns="{RELATIONSHIPS}">{one}</Relationships>'


def word(text: str, root: str = "w:x") -> str:
    """A part with one paragraph."""
    return f"<{root} {W}>{P.format(text)}</{root}>"


SAYS = {
    "a paragraph": (docx(P.format(ID)), ""),
    "several runs": (docx("<w:p><w:r><w:t>1234</w:t></w:r><w:r><w:t>5678Z</w:t></w:r></w:p>"), ""),
    "a table": (docx(f"<w:tbl><w:tr><w:tc>{P.format(ID)}</w:tc></w:tr></w:tbl>"), ""),
    "a text box": (docx(f"<w:p><w:r><w:pict><w:txbxContent>{P.format(ID)}</w:txbxContent></w:pict></w:r></w:p>"), ""),
    "hidden text": (docx(f"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{ID}</w:t></w:r></w:p>"), ""),
    "inserted": (docx(f'<w:p><w:ins w:author="x"><w:r><w:t>{ID}</w:t></w:r></w:ins></w:p>'), ""),
    "deleted": (docx(f"<w:p><w:del><w:r><w:delText>{ID}</w:delText></w:r></w:del></w:p>"), "before changes"),
    "what it was before": (
        docx(
            "<w:p><w:r><w:t>1234</w:t></w:r><w:del><w:r><w:delText>5678Z</w:delText></w:r></w:del>"
            "<w:ins><w:r><w:t>----</w:t></w:r></w:ins></w:p>"
        ),
        "before changes",
    ),
    "what it becomes": (
        docx(
            "<w:p><w:r><w:t>1234</w:t></w:r><w:del><w:r><w:delText>----</w:delText></w:r></w:del>"
            "<w:ins><w:r><w:t>5678Z</w:t></w:r></w:ins></w:p>"
        ),
        "",
    ),
    "a field": (docx(f'<w:p><w:r><w:instrText>HYPERLINK "{ID}"</w:instrText></w:r></w:p>'), "fields"),
    "a picture's description": (docx(f'<w:p><w:r><wp:docPr xmlns:wp="x" descr="{ID}"/></w:r></w:p>'), "attributes"),
    "an author of a change": (docx(f'<w:p><w:ins w:author="{ID}"/></w:p>'), "attributes"),
    "a simple field": (docx(f'<w:fldSimple w:instr="{ID}"/>'), "attributes"),
    "a choice of a form": (docx(f'<w:listItem w:displayText="x" w:value="{ID}"/>'), "attributes"),
    "the name of a form's field": (docx(f'<w:alias w:val="{ID}"/>'), "attributes"),
    "a variable": (docx(EMPTY, {"word/settings.xml": f"<s><docVar val='{ID}'/></s>"}), "other parts, attributes"),
    "a number of a list": (
        docx(EMPTY, {"word/numbering.xml": f"<n><lvlText val='{ID}'/></n>"}),
        "other parts, attributes",
    ),
    "a filter": (xlsx(f'<autoFilter><filter val="{ID}"/></autoFilter>'), "sheet 1, besides"),
    "a tag of a slide": (pptx({"ppt/tags/tag1.xml": f"<t><tag val='{ID}'/></t>"}), "other parts, attributes"),
    "a header": (docx(EMPTY, {"word/header1.xml": word(ID)}), "margin 1"),
    "a footer": (docx(EMPTY, {"word/footer2.xml": word(ID)}), "margin 2"),
    "a footnote": (docx(EMPTY, {"word/footnotes.xml": word(ID)}), "notes"),
    "a comment": (docx(EMPTY, {"word/comments.xml": word(ID)}), "comments"),
    "properties": (docx(EMPTY, {"docProps/core.xml": f"<p><a>x</a><b>{ID}</b></p>"}), "properties"),
    "custom data": (docx(EMPTY, {"customXml/item1.xml": f"<d><a b='{ID}'/></d>"}), "custom data 1, attributes"),
    "a part that nobody knows": (docx(EMPTY, {"word/strange.xml": word(ID)}), "other parts"),
    "a link": (docx(EMPTY, {LINKS: elsewhere("hyperlink", ID)}), "links"),
    "an embedded file": (docx(EMPTY, {"word/embeddings/a.docx": docx(P.format(ID))}), "embedded file"),
    "a slide": (pptx({"ppt/slides/slide2.xml": f"<p><a:t xmlns:a='x'>{ID}</a:t></p>"}), "slide 2"),
    "notes of a slide": (pptx({"ppt/notesSlides/notesSlide1.xml": f"<p><t>{ID}</t></p>"}), "notes 1"),
    "a comment on a slide": (pptx({"ppt/comments/comment1.xml": f"<p><text>{ID}</text></p>"}), "comments 1"),
    "a master": (pptx({"ppt/slideMasters/slideMaster1.xml": f"<p><t>{ID}</t></p>"}), "layout 1"),
    "a shared text": (xlsx('<row><c t="s"><v>0</v></c></row>', strings=(ID,)), "sheet 1"),
    "a shared text of no cell": (xlsx("", strings=(ID,)), "texts of no cell"),
    "an own text": (xlsx(f'<row><c t="inlineStr"><is><t>{ID}</t></is></c></row>'), "sheet 1"),
    "a hidden sheet": (xlsx("", f'<row><c t="str"><v>{ID}</v></c></row>', hidden=2), "sheet 2, hidden"),
    "a formula": (xlsx(f'<row><c><f>"{ID}"</f><v>0</v></c></row>'), "sheet 1, besides"),
    "a hint": (xlsx(f'<dataValidation prompt="{ID}"/>'), "sheet 1, besides"),
    "a margin": (xlsx(f"<oddHeader>{ID}</oddHeader>"), "sheet 1, besides"),
    "a comment on a cell": (xlsx("", parts={"xl/comments1.xml": f"<c><t>{ID}</t></c>"}), "comments 1"),
    "a name of a range": (
        xlsx("", parts={"xl/tables/table1.xml": f"<t><c name='{ID}'/></t>"}),
        "table 1, attributes",
    ),
    "the memory of a pivot table": (
        xlsx("", parts={"xl/pivotCache/pivotCacheRecords1.xml": f"<r><s v='{ID}'/></r>"}),
        "table 1, attributes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SAYS))
def test_every_place_is_read(name: str) -> None:
    """Shown or not: all text counts, and a document of only that is whole."""
    data, place = SAYS[name]
    said = read(data)
    assert ID in said.texts.get(place, ""), said.texts
    assert said.reasons == []


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("00000000", "1234567", "01234567"),
        ("000\\-00\\-0000", "78051120", "078-05-1120"),
        ("dd/mm/yyyy", "29358", "17/05/1980"),
        ("0.00E+00", "912345678", "912345678"),
        ("#,##0", "600123456", "600123456"),
        ("0.0%", "0.256", "25.6%"),
        ("General", "1.2345678E7", "12345678"),
        ("0", "12345678.9", "12345679\t12345678.9"),
        ("&quot;DNI &quot;0", "12345678", "DNI 12345678"),
    ],
)
def test_numbers_are_read_as_they_are_shown(code: str, value: str, shown: str) -> None:
    """An identifier that stands there as a number looks as it does on the screen; hidden digits stand beside it."""
    assert read(xlsx(f'<row><c s="1"><v>{value}</v></c></row>', formats=(code,))).texts["sheet 1"] == shown


def test_cells_of_a_row_stand_in_a_line() -> None:
    """A heading, and below it a name with its number."""
    rows = (
        '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c t="s"><v>2</v></c><c><v>600123456</v></c></row>'
    )
    assert read(xlsx(rows, strings=("Name", "Phone", "Ana"))).texts["sheet 1"] == "Name\tPhone\nAna\t600123456"


def test_kinds_are_told_apart() -> None:
    """By what stands in the package, not by its name."""
    assert read(docx(EMPTY), "a.docx").kind is FileKind.DOCUMENT
    assert read(xlsx(""), "a.xlsx").kind is FileKind.SPREADSHEET
    assert read(pptx({"ppt/slides/slide1.xml": "<p/>"}), "a.pptx").kind is FileKind.PRESENTATION


def test_a_long_sheet_comes_in_pieces() -> None:
    """Each says from which row it is."""
    rows = f'<row><c t="str"><v>{"x" * 100}</v></c></row>' * 1000
    assert list(read(xlsx(rows)).texts)[:2] == ["sheet 1", "sheet 1, from row 650"]


NOT_WHOLE = {
    "macros": (docx(EMPTY, {"word/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)}), "program"),
    "an OLE object": (docx(EMPTY, {"word/embeddings/a.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}), "unreadable"),
    "bytes that nobody knows": (docx(EMPTY, {"word/media/a.emf": bytes(range(256))}), "unknown_kind"),
    "a picture elsewhere": (
        docx(EMPTY, {LINKS: elsewhere("image", "https://x.example/a.png")}),
        "external",
    ),
    "broken XML": (docx("<w:p>"), "broken"),
    "entities": (docx(EMPTY, {"word/x.xml": "<!DOCTYPE d [<!ENTITY a 'b'>]><d>&a;</d>"}), "broken"),
    "cut off": (docx(EMPTY)[:-30], "broken"),
    "a cell that points nowhere": (xlsx('<row><c t="s"><v>7</v></c></row>'), "broken"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(NOT_WHOLE))
def test_what_can_not_be_read_is_said(name: str) -> None:
    """A document with anything in it that nobody read is not whole."""
    data, reason = NOT_WHOLE[name]
    assert reason in read(data).reasons


@pytest.mark.skipif(not ocr.installed(), reason="the extra 'documents' is not installed")
def test_the_empty_preview_of_a_template_leaves_a_document_whole() -> None:
    """Libraries that write documents put their template's preview into each: a white page."""
    preview = io.BytesIO()
    Image.new("RGB", (395, 512), "white").save(preview, "JPEG")
    said = read(docx(EMPTY, {"docProps/thumbnail.jpeg": preview.getvalue()}))
    assert said.reasons == []


def test_only_the_very_printer_of_a_template_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known by its digest: any other, and the same bytes under another name, are read."""
    template = b"<?xml version='1.0'?><a>the printer upstairs</a>"
    monkeypatch.setattr(open_xml, "_TEMPLATE_PRINTER", hashlib.sha256(template).hexdigest())
    printer = "ppt/printerSettings/printerSettings1.bin"
    assert "upstairs" not in read(pptx({printer: template})).all
    assert "upstairs" in read(pptx({"ppt/other.xml": template})).all
    assert ID in read(pptx({printer: template.replace(b"the", ID.encode())})).all


def test_the_printer_of_the_template_of_python_pptx_is_known() -> None:
    """What programs make with it says nothing of a printer."""
    library = pytest.importorskip("pptx", reason="writes the file of this test; of the extra 'bench-attachments'")
    target = io.BytesIO()
    library.Presentation().save(target)
    assert "printer" not in read(target.getvalue()).texts
