"""PowerPoint files with a value in each of the places that they have."""

# ruff: noqa: E501 - tables are read by their rows

from html import escape

import pptx
from pptx.util import Inches

from tests.bench.attachments.corpus.layouts import Content
from tests.bench.attachments.corpus.package import THEN, Place, repacked, saved


def slides(content: Content) -> "pptx.presentation.Presentation":
    """Return a presentation with a slide that everybody sees."""
    deck = pptx.Presentation()
    deck.core_properties.author, deck.core_properties.created = "", THEN
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = content.title, "\n".join(content.paragraphs)
    return deck


def _slide(content: Content, told: str) -> bytes:
    deck = slides(content)
    deck.slides[0].shapes.add_textbox(0, 0, Inches(4), Inches(1)).text_frame.text = told
    return saved(deck)


def _speaker_notes(content: Content, told: str) -> bytes:
    deck = slides(content)
    deck.slides[0].notes_slide.notes_text_frame.text = told
    return saved(deck)


def _slide_table(content: Content, told: str) -> bytes:
    deck = slides(content)
    table = deck.slides[0].shapes.add_table(1, 2, 0, 0, Inches(6), Inches(1)).table
    label, _, value = told.partition(": ")
    table.cell(0, 0).text, table.cell(0, 1).text = label, value
    return saved(deck)


def _slide_group(content: Content, told: str) -> bytes:
    deck = slides(content)
    group = deck.slides[0].shapes.add_group_shape().shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(4), Inches(1)).text_frame.text = told
    return saved(deck)


def _hidden_slide(content: Content, told: str) -> bytes:
    deck = slides(content)
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = told
    slide._element.set("show", "0")
    return saved(deck)


def _slide_alt_text(content: Content, told: str) -> bytes:
    deck = slides(content)
    shape = deck.slides[0].shapes.add_textbox(0, 0, Inches(4), Inches(1))
    shape._element._nvXxPr.cNvPr.set("descr", told)
    return saved(deck)


def _slide_master(content: Content, told: str) -> bytes:
    deck = slides(content)
    deck.slide_layouts[6].placeholders[0].text = told
    return saved(deck)


def _slide_comment(content: Content, told: str) -> bytes:
    body = f'<p:cmLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"><p:cm authorId="0" idx="1"><p:text>{escape(told)}</p:text></p:cm></p:cmLst>'
    return repacked(saved(slides(content)), {}, {"ppt/comments/comment1.xml": body.encode()})


POWERPOINT: dict[str, Place] = {
    "slide": _slide, "speaker notes": _speaker_notes, "table": _slide_table, "group": _slide_group,
    "hidden slide": _hidden_slide, "alt text": _slide_alt_text, "layout": _slide_master, "comment": _slide_comment,
}  # fmt: skip
