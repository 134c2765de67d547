"""OpenDocument: every place where one can say something, and what makes a document not whole."""

import pytest

from gateway.core.attachment import FileKind
from tests.attachments.read import read
from tests.attachments.zip_files import ODF, odf

ID = "12345678Z"
P = "<text:p>{}</text:p>"
HIDDEN = (
    "<style:style style:name='ta1' style:family='table'><style:table-properties table:display='false'/></style:style>"
)


def cell(text: str, more: str = "") -> str:
    """A row with one cell."""
    return f"<table:table-row><table:table-cell {more}>{P.format(text)}</table:table-cell></table:table-row>"


def sheet(rows: str, more: str = "") -> str:
    """A table."""
    return f"<table:table table:name='t' {more}>{rows}</table:table>"


X = P.format("x")
DELETED = f"<text:tracked-changes><text:deletion>{P.format(ID)}</text:deletion></text:tracked-changes>"
NOTE = f"<text:p><office:annotation><dc:creator>{ID}</dc:creator></office:annotation></text:p>"
NOTES = f"<draw:page><presentation:notes>{P.format(ID)}</presentation:notes></draw:page>"
SAYS = {
    "a paragraph": (odf("text", P.format(ID)), ""),
    "several spans": (odf("text", P.format("1234<text:span>5678Z</text:span>")), ""),
    "a table": (odf("text", sheet(cell(ID))), ""),
    "deleted": (odf("text", DELETED), "before changes"),
    "hidden text": (odf("text", f"<text:p><text:hidden-text text:string-value='{ID}'/></text:p>"), "attributes"),
    "a number of a list": (odf("text", f"<text:list-level-style-number style:num-prefix='{ID}'/>"), "attributes"),
    "a field of a form": (odf("text", f"<form:text xmlns:form='x' form:current-value='{ID}'/>"), "attributes"),
    "a note": (odf("text", NOTE), ""),
    "a link": (odf("text", f"<text:p><text:a xlink:href='https://x.example/{ID}'>x</text:a></text:p>"), "attributes"),
    "a margin": (odf("text", X, {"styles.xml": f"<s {ODF}>{P.format(ID)}</s>"}), "margins"),
    "properties": (odf("text", X, {"meta.xml": f"<m><a>x</a><b>{ID}</b></m>"}), "properties"),
    "an embedded object": (
        odf("text", X, {"Object 1/content.xml": f"<o {ODF}>{P.format(ID)}</o>"}),
        "embedded object",
    ),
    "a cell": (odf("spreadsheet", sheet(cell("x")) + sheet(cell(ID))), "sheet 2"),
    "a hidden sheet": (odf("spreadsheet", sheet(cell(ID), "table:style-name='ta1'"), styles=HIDDEN), "sheet 1, hidden"),
    "beside an empty part": (odf("text", P.format(ID), {"Configurations2/accelerator/current.xml": ""}), ""),
    "a slide": (odf("presentation", f"<draw:page/><draw:page>{P.format(ID)}</draw:page>"), "slide 2"),
    "notes": (odf("presentation", NOTES), "slide 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SAYS))
def test_every_place_is_read(name: str) -> None:
    """Shown or not: all text counts, and a document of only that is whole."""
    data, place = SAYS[name]
    said = read(data)
    assert ID in said.texts.get(place, ""), said.texts
    assert said.reasons == []


def test_a_number_that_is_shown_shorter_is_read_whole() -> None:
    """The cell shows a rounded number; the file has all its digits."""
    said = read(odf("spreadsheet", sheet(cell("1,2E7", "office:value-type='float' office:value='12345678'"))))
    assert said.texts["sheet 1"] == "1,2E7\t12345678"


def test_kinds_are_told_apart() -> None:
    """By the type that the package begins with."""
    kinds = [read(odf(kind, "")).kind for kind in ("text", "spreadsheet", "presentation")]
    assert kinds == [FileKind.DOCUMENT, FileKind.SPREADSHEET, FileKind.PRESENTATION]


NOISE = bytes(range(255, 0, -1))
MANIFEST = "<m><file-entry full-path='content.xml'><encryption-data/></file-entry></m>"
NOT_WHOLE = {
    "encrypted": (odf("text", "", {"META-INF/manifest.xml": MANIFEST, "content.xml": NOISE}), "encrypted"),
    "macros": (odf("text", "", {"Basic/Standard/Module1.xml": "<m>Sub Main</m>"}), "program"),
    "a picture elsewhere": (odf("text", "<draw:image xlink:href='https://x.example/a.png'/>"), "external"),
    "bytes that nobody knows": (odf("text", "", {"ObjectReplacements/Object 1": bytes(range(256))}), "unknown_kind"),
    "entities": (odf("text", "", {"content.xml": "<!DOCTYPE d [<!ENTITY a 'b'>]><d>&a;</d>"}), "broken"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(NOT_WHOLE))
def test_what_can_not_be_read_is_said(name: str) -> None:
    """A document with anything in it that nobody read is not whole."""
    data, reason = NOT_WHOLE[name]
    assert reason in read(data).reasons


def test_settings_are_told_each_by_itself() -> None:
    """Measures of many windows in a row are no number of a card; what somebody hides in a setting is read."""
    items = "".join(
        f'<config:config-item config:name="{name}" config:type="int">{value}</config:config-item>'
        for name, value in (
            ("ViewAreaTop", 4539),
            ("Zoom", 6362),
            ("Left", 578763),
            (ID, "own words"),
            ("Cut", "41111<!--1-->11111<!---->11111"),
        )
    )
    settings = f'<office:x xmlns:office="o" xmlns:config="c">{items}<hidden a="{ID}"/></office:x>'
    lines = read(odf("text", "", {"settings.xml": settings})).texts["settings"].split("\n")
    assert lines == [
        "View Area Top",
        "Zoom",
        "Left: 578763",
        f"{ID}: own words",
        "Cut: 1: 411111111111111",
        f"hidden: a: {ID}",
    ]
