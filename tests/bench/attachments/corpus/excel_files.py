"""Excel files with a value in each of the places that they have."""

# ruff: noqa: E501 - tables are read by their rows

import re
from html import escape

import openpyxl
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.packaging.custom import StringProperty
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from tests.bench.attachments.corpus.layouts import Content
from tests.bench.attachments.corpus.package import THEN, Place, repacked, saved


def sheet(content: Content, told: str = "") -> openpyxl.Workbook:
    """Return a workbook with the cells that everybody sees."""
    book = openpyxl.Workbook()
    book.properties.creator, book.properties.created, book.properties.modified = "", THEN, THEN
    first = book.active
    first.title = "Data"
    for row in (
        (content.title,),
        *((text,) for text in content.paragraphs),
        *content.rows,
        *([(told,)] if told else []),
    ):
        first.append(row)
    return book


def _sheet_hidden(state: str) -> Place:
    def make(content: Content, told: str) -> bytes:
        book = sheet(content)
        other = book.create_sheet("Other")
        other["C7"], other.sheet_state = told, state
        return saved(book)

    return make


def _hidden_column(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.active["K3"] = told
    book.active.column_dimensions["K"].hidden = True
    return saved(book)


def _hidden_row(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.active["A40"] = told
    book.active.row_dimensions[40].hidden = True
    return saved(book)


def _label_and_value(content: Content, told: str) -> bytes:
    book = sheet(content)
    label, _, value = told.partition(": ")
    book.active["E1"], book.active["E2"] = label, value
    return saved(book)


def _number_cell(content: Content, told: str) -> bytes:
    book = sheet(content)
    label, _, value = told.partition(": ")
    digits = "".join(filter(str.isdigit, value))
    exact = digits == value.replace(" ", "") and len(digits) < 16
    book.active["E1"], book.active["F1"] = label, int(digits) if exact else value
    return saved(book)


def _sheet_comment(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.active["A1"].comment = Comment(told, "Q")
    return saved(book)


def _sheet_header(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.active.oddFooter.center.text = told
    return saved(book)


def _sheet_name(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", told)[-31:])
    return saved(book)


def _defined_name(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.defined_names["Holder"] = DefinedName("Holder", attr_text=f'"{told}"', comment="")
    return saved(book)


def _validation(content: Content, told: str) -> bytes:
    book = sheet(content)
    rule = DataValidation(
        type="list", formula1='"yes,no"', promptTitle="Note", prompt=told[:250], showInputMessage=True
    )
    rule.add("A1")
    book.active.add_data_validation(rule)
    return saved(book)


def _formula(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.active["B9"] = f'=IF(A1="","","{told}")'
    return saved(book)


def _chart(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.active["H1"], book.active["H2"] = 3, 5
    chart = BarChart()
    chart.title = told
    chart.add_data(Reference(book.active, min_col=8, min_row=1, max_row=2))
    book.active.add_chart(chart, "E5")
    return saved(book)


def _sheet_property(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.custom_doc_props.append(StringProperty(name="Case", value=told))
    return saved(book)


def _sheet_part(name: str, body: str) -> Place:
    return lambda content, told: repacked(saved(sheet(content)), {}, {name: body.replace("{}", escape(told)).encode()})


def _link(content: Content, told: str) -> bytes:
    book = sheet(content)
    book.active["A2"].hyperlink = f"https://example.org/?q={told}"
    book.active["A2"].hyperlink.tooltip = told
    return saved(book)


EXCEL: dict[str, Place] = {
    "cell": lambda content, told: saved(sheet(content, told)), "label beside value": _label_and_value, "number": _number_cell,
    "hidden sheet": _sheet_hidden("hidden"), "very hidden sheet": _sheet_hidden("veryHidden"), "hidden column": _hidden_column,
    "hidden row": _hidden_row, "comment": _sheet_comment, "footer": _sheet_header, "name of a sheet": _sheet_name,
    "defined name": _defined_name, "hint of a cell": _validation, "formula": _formula, "title of a chart": _chart,
    "own property": _sheet_property, "link": _link,
    "cache of a pivot": _sheet_part("xl/pivotCache/pivotCacheDefinition1.xml", '<pivotCacheDefinition xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cacheFields><cacheField name="a"><sharedItems><s v="{}"/></sharedItems></cacheField></cacheFields></pivotCacheDefinition>'),
    "threaded comment": _sheet_part("xl/threadedComments/threadedComment1.xml", '<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"><threadedComment ref="A1" id="1"><text>{}</text></threadedComment></ThreadedComments>'),
    "text box": _sheet_part("xl/drawings/drawing9.xml", '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><xdr:sp><xdr:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></xdr:txBody></xdr:sp></xdr:wsDr>'),
}  # fmt: skip
