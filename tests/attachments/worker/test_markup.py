"""HTML, SVG and XML: every place where one can say something, and what makes a page not whole."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from gateway.core.attachment import FileKind
from tests.attachments.read import read
from tests.attachments.zip_files import ODF, docx

ID = "12345678Z"
DATA = "data:text/plain;base64," + base64.b64encode(f"DNI {ID}".encode()).decode()
DOCX = base64.b64encode(docx(f"<w:p><w:r><w:t>{ID}</w:t></w:r></w:p>")).decode()
SVG = "<svg xmlns='http://www.w3.org/2000/svg'>{}</svg>"


def page(body: str) -> bytes:
    """A page with a body."""
    return f"<!doctype html><html><head><title>x</title></head><body>{body}</body></html>".encode()


SAYS = {
    "text": (page(f"<p>{ID}</p>"), ""),
    "several elements": (page("<p>1234<b>5678</b><i>Z</i></p>"), ""),
    "character references": (page("<p>&#49;2345678&#x5a;</p>"), ""),
    "a hidden element": (page(f"<p style='display:none' hidden>{ID}</p>"), ""),
    "a template": (page(f"<template><p>{ID}</p></template><noscript>x</noscript>"), ""),
    "a style": (page(f"<style>p::before {{ content: '{ID}' }}</style>"), ""),
    "a title": (f"<html><head><title>{ID}</title></head></html>".encode(), ""),
    "a comment": (page(f"<!-- {ID} -->"), "comments"),
    "a text for a picture": (page(f"<img alt='{ID}'>"), "attributes"),
    "a field": (page(f"<input value='{ID}'>"), "attributes"),
    "metadata": (f"<html><meta name='author' content='{ID}'></html>".encode(), "attributes"),
    "a link to a file beside it": (page(f"<a href='../letters/{ID}.html'>x</a>"), "addresses"),
    "a link": (page(f"<a href='https://example.org/?id={ID}'>x</a>"), "attributes"),
    "data of its own": (page(f"<p data-patient='{ID}'></p>"), "attributes"),
    "a file in a link": (page(f"<a href='{DATA}'>x</a>"), "embedded file 1"),
    "a document in a link": (page(f"<a href='data:application/x;base64,{DOCX}'>x</a>"), "embedded file 1"),
    "a text in a link": (page(f"<a href='data:,DNI%20{ID}'>x</a>"), "embedded file 1"),
    "SVG": (SVG.format(f"<text>{ID}</text>").encode(), ""),
    "parts of a text in SVG": (SVG.format("<text>1234<tspan>5678Z</tspan></text>").encode(), ""),
    "SVG's description": (SVG.format(f"<desc>{ID}</desc>").encode(), ""),
    "XML": (f"<?xml version='1.0'?><a><b>{ID}</b></a>".encode(), ""),
    "an attribute in XML": (f"<?xml version='1.0'?><a b='{ID}'/>".encode(), "attributes"),
    "a comment in XML": (f"<?xml version='1.0'?><a><!--{ID}--></a>".encode(), "comments"),
    "an instruction in XML": (f"<?xml version='1.0'?><a><?x {ID}?></a>".encode(), "comments"),
    "XML in UTF-16": (f"<?xml version='1.0' encoding='UTF-16'?><a>{ID}</a>".encode("utf-16"), ""),
    "XML in Latin-1": (f"<?xml version='1.0' encoding='ISO-8859-1'?><a>ñ{ID}</a>".encode("latin-1"), ""),
    "a flat OpenDocument": (f"<?xml version='1.0'?><office:d {ODF}><text:p>{ID}</text:p></office:d>".encode(), ""),
    "a file in a flat OpenDocument": (
        f"<?xml version='1.0'?><office:d {ODF}><office:binary-data>\n{DOCX}\n</office:binary-data></office:d>".encode(),
        "embedded file 1",
    ),
    "a page in an older encoding": (
        f"<html><meta charset='shift_jis'><p>名前 {ID}</p></html>".encode("shift_jis"),
        "",
    ),
}


@pytest.mark.parametrize("name", sorted(SAYS))
def test_every_place_is_read(name: str) -> None:
    """Shown or not: all text counts, and a page of only that is whole."""
    data, place = SAYS[name]
    said = read(data)
    assert ID in said.texts.get(place, ""), said.texts
    assert said.reasons == []
    assert said.kind is FileKind.WEB_PAGE


LAUGHS = "".join(f"<!ENTITY l{number + 1} '{f'&l{number};' * 10}'>" for number in range(9))
NOT_WHOLE = {
    "a script": (page("<script>document.write(1)</script>"), "program"),
    "a picture elsewhere": (page("<img src='https://x.example/a.png'>"), "external"),
    "a page elsewhere": (page("<iframe src='//x.example/'></iframe>"), "external"),
    "drawn letters": (SVG.format("<path d='M0 0C1 1 2 2 3 3'/>").encode(), "photograph"),
    "a file that is none": (page("<a href='data:text/plain;base64,!!!!'>x</a>"), "broken"),
    "XML that breaks its rules": (b"<?xml version='1.0'?><a><b></a>", "broken"),
    "an entity bomb": (
        f"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY l0 'ha'>{LAUGHS}]><l>&l9;</l>".encode(),
        "broken",
    ),
    "a file of this machine": (
        b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><l>&f;</l>",
        "broken",
    ),
    "bytes that are no text": (b"<html>\x00\x01\x02\xff\xfe</html>" * 10, "unknown_kind"),
}


@pytest.mark.parametrize("name", sorted(NOT_WHOLE))
def test_what_can_not_be_read_is_said(name: str) -> None:
    """A page that shows what nobody read is not whole."""
    data, reason = NOT_WHOLE[name]
    assert reason in read(data).reasons


def test_no_entity_is_expanded() -> None:
    """Neither a bomb nor a file of this machine becomes text."""
    for name in ("an entity bomb", "a file of this machine"):
        said = read(NOT_WHOLE[name][0])
        assert len(said.all) < 10_000
        assert "root:" not in said.all


def test_what_stands_in_a_data_url_is_read_once() -> None:
    """As the file that it is, not as base64 beside it."""
    assert DOCX[:20] not in read(SAYS["a document in a link"][0]).all


@pytest.mark.parametrize(
    "page",
    [
        f"<?xml version='1.0'?><a><n{ID}/></a>",
        f"<?xml version='1.0'?><a n{ID}=''/>",
        f"<?xml version='1.0'?><!DOCTYPE a PUBLIC '{ID}' 'x'><a>x</a>",
        f"<html><body><p n{ID}>x</p></body></html>",
        f"<html><body><p>x</p {ID}></body></html>",
        f"<html><body>x</n{ID}></body></html>",
        f"<html><body><p>x</p/{ID}></body></html>",
        f"<html><body><p>x</p </ {ID}></body></html>",
    ],
)
def test_names_of_elements_say_something(page: str) -> None:
    """Whatever stands between angle brackets counts."""
    assert ID.lower() in read(page.encode()).all.lower()


MARKS = (
    "<", "</", ">", "/>", "<!--", "-->", "--!>", "<!", "<![CDATA[", "]]>", "<?", "?>", '"', "'", "=", "/", " ", "\n",
    "\f", "&", "&#65;", "<b", "<b>", "</b", "</b>", "<a x=", "<title>", "</title>", "<style>", "</style>", "<iframe>",
    "<plaintext>", "<textarea>", "<xmp>", "<noscript>", "<script>", "</script>", "<1", "</1", "<a:b>",
)  # fmt: skip


@given(some.lists(some.sampled_from((*MARKS, None)), max_size=9))
@example(["<", None])
@example(["</", None])
@example(["<b", " ", None])
@example(["<style>", None])
@example(["<!--", None])
@example(["</b", " ", '"', ">", None, '"', ">"])
@example(["<xmp>", "</b", "<b", None, "\n", None, ">"])
def test_no_word_of_a_broken_page_is_lost(parts: list[str | None]) -> None:
    """However markup breaks off or is nested, with every Python: each word is said, or the page is not whole."""
    words = [f"w{number}ord" for number in range(len(parts))]
    said = read(
        ("<!doctype html><html>" + "".join(part or word for part, word in zip(parts, words, strict=True))).encode()
    )
    missing = [word for part, word in zip(parts, words, strict=True) if part is None and word not in said.all]
    assert said.reasons or not missing


def test_a_number_in_pieces_is_read_in_every_element() -> None:
    """What newer parsers would leave as it stands is read as markup, by every Python."""
    for element in ("title", "textarea", "iframe", "noembed", "noframes", "noscript", "xmp"):
        said = read(page(f"<{element}>1234<b>&#53;678</b><i>Z</i></{element}>"))
        assert ID in said.all, element


@pytest.mark.parametrize(
    "page",
    [
        f"<html><body><bdo dir=rtl>{ID[::-1]}</bdo></body></html>",
        f"<html><body><p style='unicode-bidi:bidi-override;direction:rtl'>{ID[::-1]}</p></body></html>",
        "<html><style>p:after{content:'678Z'} p:before{content:'12345'}</style><p> </p></html>",
    ],
)
def test_a_page_that_shows_letters_in_another_order_is_not_whole(page: str) -> None:
    """Nobody knows here what a browser would show."""
    assert "program" in read(page.encode()).reasons
