"""Cells of a table beside the heads of their columns."""

import io
import zipfile

import pytest

from gateway.attachments.worker.columns import Columns, of_separated
from tests.attachments.read import read
from tests.attachments.zip_files import docx, odf, pptx

ROWS = "id{0}item{0}Passport number\n1{0}chairs, six{0}-\n2{0}a table{0}379230804\n"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_number_far_below_its_head_is_told_beside_it(separator: str) -> None:
    """A number without check digits counts by the word at the head of its column."""
    said = read(ROWS.format(separator).encode(), "stock.csv")
    assert "Passport number: 379230804" in said.texts["by columns"].splitlines()


@pytest.mark.parametrize("text", ["", "One line, and no more", "Dear Ana,\nthe chairs, six of them, came.\nBye"])
def test_a_letter_is_no_table(text: str) -> None:
    """Commas in sentences make no columns."""
    assert of_separated(text) == ""


def test_a_word_among_the_numbers_does_not_hide_the_head() -> None:
    """The first head of a column still counts below a cell such as `pending`; the latest counts as well."""
    columns = Columns()
    for cell in ("Phone", "pending", "612 345 678"):
        columns.take([(0, cell)])
    assert columns.text().split("\n") == ["Phone: 612 345 678", "pending: 612 345 678"]


def test_long_columns_are_told_by_their_first_cells() -> None:
    """A table of a million rows is not told twice."""
    columns = Columns()
    columns.take([(0, "Phone")])
    for number in range(1000):
        columns.take([(0, f"{number:09}")])
    assert len(columns.text().split("\n")) < 100


def test_a_cell_of_a_workbook_is_told_beside_the_cell_above_it() -> None:
    """Empty cells before a value do not shift it to another column's head."""
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Item</t></is></c>'
        '<c r="AB1" t="inlineStr"><is><t>Passport</t></is></c></row>'
        '<row r="2"><c r="AB2"><v>379230804</v></c></row>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "xl/workbook.xml", '<workbook xmlns:r="r"><sheets><sheet name="a" r:id="i"/></sheets></workbook>'
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", '<Relationships><Relationship Id="i" Target="s.xml"/></Relationships>'
        )
        archive.writestr("xl/s.xml", f"<worksheet><sheetData>{rows}</sheetData></worksheet>")
    assert read(target.getvalue()).texts["sheet 1, by columns"] == "Passport: 379230804"


VALUE = "379230804"
HEADS, FIRST, SECOND = ("Item", "Passport number"), ("chairs", "-"), ("tables", VALUE)


def joined(row: str, cell: str, rows: tuple[tuple[str, ...], ...]) -> str:
    """Return the rows of a table, of which these are the forms of a row and of a cell."""
    return "".join(row.format("".join(map(cell.format, cells))) for cells in rows)


def in_word(*rows: tuple[str, ...]) -> bytes:
    """A text document with a table."""
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    return docx(f"<w:tbl>{joined('<w:tr>{}</w:tr>', cell, rows)}</w:tbl>")


def in_slides(*rows: tuple[str, ...]) -> bytes:
    """A slide with a table."""
    cell = "<a:tc><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
    table = joined("<a:tr>{}</a:tr>", cell, rows)
    return pptx({"ppt/slides/slide1.xml": f"<p:sld xmlns:p='p' xmlns:a='a'><a:tbl>{table}</a:tbl></p:sld>"})


def in_open_document(kind: str, *rows: tuple[str, ...]) -> bytes:
    """A sheet, or a table of a text."""
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    table = joined("<table:table-row>{}</table:table-row>", cell, rows)
    return odf(kind, f"<table:table>{table}</table:table>")


def in_html(*rows: tuple[str, ...], end: str = "</td>") -> bytes:
    """A page with a table."""
    table = joined("<tr>{}</tr>", f"<td>{{}}{end}", rows)
    return f"<html><body><table>{table}</table></body></html>".encode()


TABLES = {
    "a text document": (in_word(HEADS, FIRST, SECOND), "by columns"),
    "a slide": (in_slides(HEADS, FIRST, SECOND), "slide 1, by columns"),
    "a text of OpenDocument": (in_open_document("text", HEADS, FIRST, SECOND), "by columns"),
    "a sheet of OpenDocument": (in_open_document("spreadsheet", HEADS, FIRST, SECOND), "sheet 1, by columns"),
    "a long sheet": (
        in_open_document("spreadsheet", HEADS, *[("chairs " * 20, "-")] * 600, SECOND),
        "sheet 1, by columns",
    ),
    "a page": (in_html(HEADS, FIRST, SECOND), "by columns"),
    "a page whose cells are not closed": (in_html(HEADS, FIRST, SECOND, end=""), "by columns"),
}


@pytest.mark.parametrize(("data", "place"), TABLES.values(), ids=TABLES)
def test_tables_of_all_kinds_of_documents_are_told_by_columns(data: bytes, place: str) -> None:
    """A number stands beside the head of its column, however far below."""
    assert f"Passport number: {VALUE}" in read(data).texts[place].splitlines()


@pytest.mark.parametrize(
    "rows",
    [
        "<tr><th colspan=2>Who<th>Passport</tr><tr><td>a<td>b<td>379230804</tr>",
        "<tr><th rowspan=2>Who<th>Passport</tr><tr><td>379230804</tr>",
        "<tr><th rowspan=3>Who<th>Passport</tr><tr><td>-</tr><tr><td>379230804</tr>",
        "<tr><td>Who<th>Passport</tr><tr><td><table><tr><td>1<td>2<td>3</table><td>379230804</tr>",
        "<tr><td>Who<th>\n Passport \n</tr><tr><td>a<td><p>late</p><p>379230804</p></tr>",
    ],
)
def test_cells_that_reach_into_others_shift_nothing(rows: str) -> None:
    """A cell over several columns or rows, or with a table inside, leaves the others in their columns."""
    said = read(f"<html><table>{rows}</table></html>".encode())
    assert "Passport: 379230804" in said.texts["by columns"].splitlines()


def test_a_cell_of_word_over_several_columns_shifts_nothing() -> None:
    """Word says in a cell's own properties over how many columns it goes."""
    wide = "<w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr><w:p><w:r><w:t>Who</w:t></w:r></w:p></w:tc>"
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    below = "".join(map(cell.format, ("a", "b", VALUE)))
    said = read(docx(f"<w:tbl><w:tr>{wide}{cell.format('Passport')}</w:tr><w:tr>{below}</w:tr></w:tbl>"))
    assert f"Passport: {VALUE}" in said.texts["by columns"].splitlines()


def test_empty_cells_of_a_sheet_are_counted() -> None:
    """OpenDocument writes many equal cells as one."""
    head = (
        "<table:table-cell table:number-columns-repeated='7'/><table:table-cell><text:p>{}</text:p></table:table-cell>"
    )
    rows = "".join(f"<table:table-row>{head.format(cell)}</table:table-row>" for cell in ("Passport", VALUE))
    said = read(odf("spreadsheet", f"<table:table>{rows}</table:table>"))
    assert said.texts["sheet 1, by columns"] == f"Passport: {VALUE}"


def test_a_changed_number_is_two_values() -> None:
    """A number that was struck out and the one that came in its place are no longer one."""
    changed = f"<w:del><w:r><w:delText>{VALUE}</w:delText></w:r></w:del><w:ins><w:r><w:t>112233445</w:t></w:r></w:ins>"
    rows = ("<w:r><w:t>Passport</w:t></w:r>", changed)
    cells = "".join(f"<w:tr><w:tc><w:p>{row}</w:p></w:tc></w:tr>" for row in rows)
    said = read(docx(f"<w:tbl>{cells}</w:tbl>"))
    assert f"Passport: {VALUE} 112233445" in " ".join(said.texts["by columns"].split())


def test_tables_within_tables_without_end_are_read() -> None:
    """A page of nothing but beginnings of tables costs no more than its length."""
    said = read(b"<html>" + b"<table><tr><td>" * 20_000 + b"Passport</html>")
    assert "Passport" in said.all
