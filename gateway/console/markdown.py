"""Pages of the guide as HTML. Pure. What is not Markdown in them is shown as text, and no link leads to a file."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from markdown_it.token import Token

Address = Callable[[str], str | None]
"""Returns the address for a link; None: its text stands without one."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A page: its first heading, and everything below as HTML that nothing needs to be escaped in."""

    title: str
    html: str


def written(text: str, address: Address) -> Written:
    """Return a Markdown text as a page. Headings get the names that links on GitHub have."""
    from markdown_it import MarkdownIt  # only once somebody reads the guide

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    title = ""
    if len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title, tokens = tokens[1].content, tokens[3:]
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following is not None:
            token.attrSet("id", slug(following.content))
        if token.type == "table_open":
            token.attrSet("class", "plain-table")
        if token.children:
            token.children = _linked(token.children, address)
    return Written(title=title, html=parser.renderer.render(tokens, parser.options, {}))


def slug(heading: str) -> str:
    """Return the name of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _linked(children: "Sequence[Token]", address: Address) -> "list[Token]":
    """Return the tokens with other addresses in their links; pictures become their descriptions."""
    kept: list[Token] = []
    left = 0  # links that were opened and lead nowhere
    for token in children:
        if token.type == "link_open":
            to = address(str(token.attrGet("href") or ""))
            if to is None:
                left += 1
                continue
            token.attrSet("href", to)
        elif token.type == "link_close" and left:
            left -= 1
            continue
        elif token.type == "image":
            token = token.copy(type="text", tag="", nesting=0, attrs={}, children=None)
        kept.append(token)
    return kept
