"""Word files with a value in each of the places that they have."""

# ruff: noqa: E501 - tables are read by their rows

import io
import re
from html import escape

import docx
from docx.shared import Inches
from PIL import Image

from tests.bench.attachments.corpus.excel_files import sheet
from tests.bench.attachments.corpus.layouts import Content
from tests.bench.attachments.corpus.package import THEN, Place, repacked, saved

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word(content: Content, told: str = "") -> "docx.document.Document":
    """Return a document of Word's with the text that everybody sees."""
    document = docx.Document()
    document.core_properties.author, document.core_properties.created = "", THEN
    document.add_heading(content.title)
    for text in (*content.paragraphs, *([told] if told else [])):
        document.add_paragraph(text)
    if content.rows:
        table = document.add_table(rows=0, cols=len(content.rows[0]))
        for row in content.rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    return document


def _word_with(inside: str) -> Place:
    """Return a place made of markup in the body; `{}` is the value."""

    def make(content: Content, told: str) -> bytes:
        markup = inside.replace("{}", escape(told))
        return repacked(
            saved(word(content)), {"word/document.xml": lambda text: text.replace("<w:sectPr", markup + "<w:sectPr", 1)}
        )  # fmt: skip

    return make


def _split_runs(content: Content, told: str) -> bytes:
    document = word(content)
    paragraph = document.add_paragraph()
    for letter in told:
        paragraph.add_run(letter).bold = letter.isdigit()
    return saved(document)


def _word_header(content: Content, told: str) -> bytes:
    document = word(content)
    document.sections[0].header.paragraphs[0].text = told
    return saved(document)


def _word_footer(content: Content, told: str) -> bytes:
    document = word(content)
    document.sections[0].footer.add_table(1, 1, Inches(5)).cell(0, 0).text = told
    return saved(document)


def _word_comment(content: Content, told: str) -> bytes:
    document = word(content)
    document.add_comment(document.paragraphs[1].runs, text=told, author="Q", initials="Q")
    return saved(document)


def _word_commentator(content: Content, told: str) -> bytes:
    document = word(content)
    document.add_comment(document.paragraphs[1].runs, text="ok", author=told, initials="Q")
    return saved(document)


def _word_property(content: Content, told: str) -> bytes:
    document = word(content)
    document.core_properties.keywords = told
    return saved(document)


def _word_alt_text(content: Content, told: str) -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(picture, "PNG")
    document = word(content)
    document.add_picture(io.BytesIO(picture.getvalue()))
    return repacked(
        saved(document), {"word/document.xml": lambda text: re.sub('<wp:docPr( descr="")?', f'<wp:docPr descr="{escape(told)}"', text, count=1)}
    )  # fmt: skip


def _word_part(name: str, body: str) -> Place:
    """Return a place that is a part of its own; `{}` is the value."""
    return lambda content, told: repacked(saved(word(content)), {}, {name: body.replace("{}", escape(told)).encode()})


def _word_embedded(content: Content, told: str) -> bytes:
    return repacked(saved(word(content)), {}, {"word/embeddings/sheet1.xlsx": saved(sheet(content, told))})


_RUN = "<w:p><w:r>{props}<w:t>{}</w:t></w:r></w:p>"
WORD: dict[str, Place] = {
    "body": lambda content, told: saved(word(content, told)),
    "split runs": _split_runs,
    "header": _word_header,
    "footer table": _word_footer,
    "comment": _word_comment,
    "author of a comment": _word_commentator,
    "property": _word_property,
    "alt text": _word_alt_text,
    "hidden text": _word_with(_RUN.replace("{props}", "<w:rPr><w:vanish/></w:rPr>")),
    "tracked deletion": _word_with('<w:p><w:del w:id="9" w:author="Q" w:date="2024-05-03T00:00:00Z"><w:r><w:delText>{}</w:delText></w:r></w:del></w:p>'),
    "tracked insertion": _word_with('<w:p><w:ins w:id="9" w:author="Q" w:date="2024-05-03T00:00:00Z"><w:r><w:t>{}</w:t></w:r></w:ins></w:p>'),
    "field code": _word_with('<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>COMMENTS "{}"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'),
    "text box": _word_with('<w:p><w:r><w:pict xmlns:v="urn:schemas-microsoft-com:vml"><v:shape><v:textbox><w:txbxContent><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>'),
    "content control": _word_with('<w:sdt><w:sdtPr><w:alias w:val="{}"/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>ok</w:t></w:r></w:p></w:sdtContent></w:sdt>'),
    "footnote": _word_part("word/footnotes.xml", f'<w:footnotes {W}><w:footnote w:id="2"><w:p><w:r><w:t>{{}}</w:t></w:r></w:p></w:footnote></w:footnotes>'),
    "endnote": _word_part("word/endnotes.xml", f'<w:endnotes {W}><w:endnote w:id="2"><w:p><w:r><w:t>{{}}</w:t></w:r></w:p></w:endnote></w:endnotes>'),
    "custom XML": _word_part("customXml/item9.xml", "<case><holder>{}</holder></case>"),
    "custom XML attribute": _word_part("customXml/item9.xml", '<case holder="{}"/>'),
    "own property": _word_part("docProps/custom.xml", '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"><property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="2" name="Case"><vt:lpwstr>{}</vt:lpwstr></property></Properties>'),
    "document variable": _word_part("word/settings2.xml", f'<w:settings {W}><w:docVars><w:docVar w:name="Case" w:val="{{}}"/></w:docVars></w:settings>'),
    "glossary": _word_part("word/glossary/document.xml", f'<w:glossaryDocument {W}><w:docParts><w:docPart><w:docPartBody><w:p><w:r><w:t>{{}}</w:t></w:r></w:p></w:docPartBody></w:docPart></w:docParts></w:glossaryDocument>'),
    "embedded sheet": _word_embedded,
    "embedded HTML": _word_part("word/afchunk.html", "<html><body><p>{}</p></body></html>"),
}  # fmt: skip
