"""OpenDocument texts and tables, written part by part, with a value in each of the places that they have."""

# ruff: noqa: E501 - tables are read by their rows

import random
from collections.abc import Iterator
from html import escape

import msgspec

from tests.bench.attachments.corpus.archives import zipped
from tests.bench.attachments.corpus.facts import HARMLESS, fact
from tests.bench.attachments.corpus.layouts import Content, clean
from tests.bench.attachments.corpus.sample import Sample

_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" '
    'office:version="1.3"'
)


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Markup with a value (`{}`) in each part of the file."""

    body: str = ""
    before: str = ""
    style: str = ""
    meta: str = ""


_TEXT = {
    "body": Where(body="<text:p>{}</text:p>"),
    "spans": Where(body="<text:p><text:span>{1}</text:span><text:span>{2}</text:span></text:p>"),
    "header": Where(style="<style:header><text:p>{}</text:p></style:header>"),
    "annotation": Where(body="<text:p>ok<office:annotation><dc:creator>Q</dc:creator><text:p>{}</text:p></office:annotation></text:p>"),
    "tracked deletion": Where(before='<text:tracked-changes><text:changed-region text:id="c"><text:deletion><text:p>{}</text:p></text:deletion></text:changed-region></text:tracked-changes>'),
    "hidden text": Where(body='<text:p><text:hidden-text text:condition="ooow:1==1" text:string-value="{}" text:is-hidden="true"/></text:p>'),
    "footnote": Where(body='<text:p>ok<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>{}</text:p></text:note-body></text:note></text:p>'),
    "text box": Where(body="<text:p><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></text:p>"),
    "alt text": Where(body="<text:p><draw:frame><svg:desc>{}</svg:desc></draw:frame></text:p>"),
    "keyword": Where(meta="<meta:keyword>{}</meta:keyword>"),
    "own property": Where(meta='<meta:user-defined meta:name="Case">{}</meta:user-defined>'),
    "variable": Where(before='<text:user-field-decls><text:user-field-decl office:value-type="string" office:string-value="{}" text:name="case"/></text:user-field-decls>'),
}  # fmt: skip
_CELL = '<table:table table:name="{name}"{more}><table:table-row><table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell></table:table-row></table:table>'
_TABLE = {
    "cell": Where(body=_CELL.replace("{name}", "Two").replace("{more}", "")),
    "hidden sheet": Where(body=_CELL.replace("{name}", "Two").replace("{more}", ' table:display="false" table:style-name="hidden"')),
    "hidden row": Where(body='<table:table table:name="Two"><table:table-row table:visibility="collapse"><table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell></table:table-row></table:table>'),
    "annotation": Where(body='<table:table table:name="Two"><table:table-row><table:table-cell><office:annotation><text:p>{}</text:p></office:annotation></table:table-cell></table:table-row></table:table>'),
    "value without text": Where(body='<table:table table:name="Two"><table:table-row><table:table-cell office:value-type="string" office:string-value="{}"/></table:table-row></table:table>'),
    "label beside value": Where(body='<table:table table:name="Two"><table:table-row><table:table-cell><text:p>{label}</text:p></table:table-cell><table:table-cell><text:p>{value}</text:p></table:table-cell></table:table-row></table:table>'),
}  # fmt: skip


def document(kind: str, content: Content, where: Where, told: str) -> bytes:
    """Return the file: `kind` is `text` or `spreadsheet`."""
    label, _, value = told.partition(": ")
    half = len(told) - 4

    def filled(markup: str) -> str:
        for mark, text in (
            ("{}", told),
            ("{1}", told[:half]),
            ("{2}", told[half:]),
            ("{label}", label),
            ("{value}", value),
        ):
            markup = markup.replace(mark, escape(text))
        return markup

    paragraphs = "".join(f"<text:p>{escape(text)}</text:p>" for text in (content.title, *content.paragraphs))
    if kind == "spreadsheet":
        rows = (f"<table:table-row><table:table-cell office:value-type='string'><text:p>{escape(text)}</text:p></table:table-cell></table:table-row>"
                for text in (content.title, *content.paragraphs))  # fmt: skip
        paragraphs = f'<table:table table:name="One">{"".join(rows)}</table:table>'
    body = f"<office:body><office:{kind}>{filled(where.before)}{paragraphs}{filled(where.body)}</office:{kind}></office:body>"
    media = f"application/vnd.oasis.opendocument.{kind}"
    return zipped({
        "mimetype": media.encode(),
        "content.xml": f"<?xml version='1.0' encoding='UTF-8'?><office:document-content {_NAMES}>{body}</office:document-content>".encode(),
        "styles.xml": f"<office:document-styles {_NAMES}><office:master-styles><style:master-page style:name='Standard'>{filled(where.style)}</style:master-page></office:master-styles></office:document-styles>".encode(),
        "meta.xml": f"<office:document-meta {_NAMES}><office:meta>{filled(where.meta)}</office:meta></office:document-meta>".encode(),
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="{media}"/></manifest:manifest>'.encode(),
    })  # fmt: skip


def samples(rng: random.Random) -> Iterator[Sample]:
    """Yield every place with a value, and every fourth without one."""
    for ending, kind, places in (("odt", "text", _TEXT), ("ods", "spreadsheet", _TABLE)):
        for number, (place, where) in enumerate(places.items()):
            language = rng.choice(("es", "en"))
            one = fact(rng, language, short=ending == "ods")
            content = clean(rng, language)
            yield Sample(
                name=f"place-{number}.{ending}", data=document(kind, content, where, one.told), kind=ending,
                case=place, values=(one.value,), told=content.beside(one),
            )  # fmt: skip
            if number % 4 == 0:
                data = document(kind, clean(rng, language), where, HARMLESS[language])
                yield Sample(name=f"place-{number}-clean.{ending}", data=data, kind=ending, case=place)
