"""ZIP files and office documents that tests write themselves, part by part."""

import io
import zipfile
from collections.abc import Mapping

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:xlink="http://www.w3.org/1999/xlink"'
)
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"


def zipped(members: Mapping[str, bytes | str], *, packed: bool = True) -> bytes:
    """A ZIP of these members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def docx(body: str, parts: Mapping[str, bytes | str] | None = None) -> bytes:
    """A text document. `body`: the content of `w:body`."""
    document = f"<?xml version='1.0' encoding='UTF-8'?><w:document {W}><w:body>{body}</w:body></w:document>"
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document} | dict(parts or {}))


def xlsx(
    *sheets: str, strings: tuple[str, ...] = (), formats: tuple[str, ...] = (), hidden: int = 0,
    parts: Mapping[str, bytes | str] | None = None,
) -> bytes:  # fmt: skip
    """A workbook.

    Args:
        sheets: The content of each one's `worksheet`.
        strings: Texts that cells share.
        formats: Format codes of styles 1, 2, …
        hidden: The number of the sheet that is not shown.
        parts: More parts.
    """
    numbers = range(1, len(sheets) + 1)
    states = {number: ' state="veryHidden"' if number == hidden else "" for number in numbers}
    listed = "".join(f'<sheet name="s{n}" sheetId="{n}"{states[n]} r:id="r{n}"/>' for n in numbers)
    targets = "".join(f'<Relationship Id="r{n}" Type="sheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
    own = "".join(f'<numFmt numFmtId="{163 + n}" formatCode="{code}"/>' for n, code in enumerate(formats, 1))
    styles = "".join(f'<xf numFmtId="{163 + n}"/>' for n in range(1, len(formats) + 1))
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    pages = {
        f"xl/worksheets/sheet{n}.xml": f"<worksheet {S} {R}>{sheet}</worksheet>"
        for n, sheet in zip(numbers, sheets, strict=True)
    }
    looks = f'<numFmts>{own}</numFmts><cellXfs><xf numFmtId="0"/>{styles}</cellXfs>'
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.xml": f"<workbook {S} {R}><sheets>{listed}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONSHIPS}">{targets}</Relationships>',
            "xl/sharedStrings.xml": f"<sst {S}>{shared}</sst>",
            "xl/styles.xml": f"<styleSheet {S}>{looks}</styleSheet>",
        }
        | pages
        | dict(parts or {})
    )


def pptx(parts: Mapping[str, bytes | str]) -> bytes:
    """A presentation of these parts."""
    return zipped({"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<presentation/>"} | dict(parts))


def odf(kind: str, body: str, parts: Mapping[str, bytes | str] | None = None, styles: str = "") -> bytes:
    """An OpenDocument file. `kind`: text, spreadsheet or presentation; `body`: what stands in the element of it."""
    content = (
        f"<?xml version='1.0' encoding='UTF-8'?><office:document-content {ODF}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}></office:body>"
        "</office:document-content>"
    )
    mimetype = f"application/vnd.oasis.opendocument.{kind}"
    return zipped({"mimetype": mimetype, "content.xml": content, "META-INF/manifest.xml": "<m/>"} | dict(parts or {}))
