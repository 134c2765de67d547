"""Pages of the guide: what is in them is shown, nothing of it is run, and links lead to pages that are there."""

from functools import partial

import pytest

from gateway.console.markdown import written
from gateway.console.views.guide import address


@pytest.mark.parametrize(
    ("link", "to"),
    [
        ("hardware.md", "/console/guide/hardware"),
        ("hardware.es.md", "/console/guide/hardware?lang=es"),
        ("README.md", "/console/guide"),
        ("README.es.md#en-casa", "/console/guide?lang=es#en-casa"),
        ("risks.md#prompt-injection", "/console/guide/risks#prompt-injection"),
        ("#memory", "#memory"),
        ("https://example.com/a", "https://example.com/a"),
        ("../settings.md", None),
        ("../../secret.md", None),
        ("javascript:alert(1)", None),
    ],
)
def test_where_a_link_leads(link, to) -> None:
    """Pages of the guide have addresses in the console; other documents did not come along."""
    assert address(link, spanish=False) == to


def test_a_spanish_page_leads_to_spanish_ones() -> None:
    """In either language, the link to the other one changes the language."""
    assert address("risks.es.md", spanish=True) == "/console/guide/risks"
    assert address("risks.md", spanish=True) == "/console/guide/risks?lang=en"


def test_a_page_is_shown_and_nothing_in_it_is_run() -> None:
    """HTML is text; a link to a file is its text; headings have names; pictures are their descriptions."""
    page = written(
        "# The <b>title</b>\n\n## A heading, at last\n\n<script>alert(1)</script> [set](../settings.md), "
        "[next](risks.md) [bad](javascript:alert(1)) ![A card](card.svg)\n\n| a | b |\n|---|---|\n| 1 | `x` |\n",
        partial(address, spanish=False),
    )
    assert page.title == "The <b>title</b>"
    assert '<h2 id="a-heading-at-last">' in page.html
    assert "<script" not in page.html
    assert "javascript:" not in page.html.replace("[bad](javascript:alert(1))", "")
    assert '<a href="/console/guide/risks">next</a>' in page.html
    assert "set, " in page.html
    assert "settings.md" not in page.html
    assert "A card" in page.html
    assert "<img" not in page.html
    assert "<td><code>x</code></td>" in page.html
