"""README.md and the guide, and their Spanish pages, say the same: same structure, same commands, same links."""

import re
import shlex
from pathlib import Path

import pytest

from gateway.cli import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[2]
GUIDE = REPOSITORY / "docs" / "guide"
ENGLISH = ["README.md", *sorted(f"docs/guide/{page.name}" for page in GUIDE.glob("*.md") if ".es." not in page.name)]
PAGES = pytest.mark.parametrize("name", ENGLISH)


def spanish(name: str) -> str:
    """The name of a page's translation."""
    return name.replace(".md", ".es.md")


def page(name: str) -> str:
    """A page's text."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """Its code blocks, with their language."""
    return re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def test_every_page_of_the_guide_has_its_translation() -> None:
    """No page is in one language alone, and each is in the list of its language."""
    assert len(ENGLISH) > 5
    assert sorted(f"docs/guide/{name.name}" for name in GUIDE.glob("*.es.md")) == sorted(map(spanish, ENGLISH[1:]))
    for index in ("docs/guide/README.md", "docs/guide/README.es.md"):
        others = {Path(name if ".es." not in index else spanish(name)).name for name in ENGLISH[2:]}
        assert others - linked(page(index), keep=True) <= {Path(index).name}


@PAGES
def test_people_type_the_same_in_both(name: str) -> None:
    """The code blocks of both pages are identical, in the same order."""
    assert blocks(page(spanish(name))) == blocks(page(name))


def shape(text: str) -> list[str]:
    """Headings by level, list items, table rows: the page's skeleton, in order."""
    return re.findall(r"^(#+ |- |\||\d+\. )", prose(text), re.MULTILINE)


@PAGES
def test_they_have_the_same_structure(name: str) -> None:
    """Headings, lists and tables are the same in number, level and order."""
    assert shape(page(spanish(name))) == shape(page(name))


def linked(text: str, *, keep: bool = False) -> set[str]:
    """What a page links to; unless `keep`, translations and pictures in Spanish count as the English ones."""
    found = set(re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose(text)))
    return found if keep else {re.sub(r"\.es\.(md|svg)$", r".\1", link) for link in found}


@PAGES
def test_they_lead_to_the_same_pages(name: str) -> None:
    """Both link to the same pages and pictures, and to each other."""
    assert linked(page(spanish(name))) == linked(page(name))
    assert Path(spanish(name)).name in linked(page(name), keep=True)
    assert Path(name).name in linked(page(spanish(name)), keep=True)


def test_each_has_the_picture_in_its_own_language() -> None:
    """The flow is drawn twice, with the words of each page."""
    assert "(docs/flow.svg)" in page("README.md")
    assert "(docs/flow.es.svg)" in page("README.es.md")
    assert (REPOSITORY / "docs/flow.es.svg").is_file()


@pytest.mark.parametrize("name", [*ENGLISH, *map(spanish, ENGLISH)])
def test_links_lead_somewhere(name: str) -> None:
    """Each linked file of the repository exists."""
    links = {link for link in linked(page(name), keep=True) if "://" not in link}
    assert not {link for link in links if not (REPOSITORY / name).parent.joinpath(link).exists()}


@pytest.mark.parametrize("name", ENGLISH)
def test_its_commands_exist(name: str) -> None:
    """Every `aduana COMMAND` in a page is a command of the program."""
    typed = re.findall(r"(?<![\w/.-])aduana ([a-z]+)", "\n".join(blocks(page(name))))
    inline = [shlex.split(code)[1] for code in re.findall(r"`(aduana [a-z][^`]*)`", prose(page(name)))]
    assert not {*typed, *inline} - {*COMMANDS}


def figures(text: str) -> list[str]:
    """Numbers of the prose, in one notation: Spanish has the decimal comma, and a point or a space for thousands."""
    found = re.findall(r"\d[\d.,\u00a0\u202f]*", prose(text))
    return sorted(re.sub(r"\D", "", number) for number in found)


@PAGES
def test_they_state_the_same_figures(name: str) -> None:
    """No number is in one page and not in the other."""
    assert figures(page(spanish(name))) == figures(page(name))
