"""README.md and README.es.md say the same: same structure, same commands, same links."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def readme(name: str) -> str:
    """A page's text."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """Its code blocks, with their language."""
    return re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def test_people_type_the_same_in_both() -> None:
    """The code blocks of both pages are identical, in the same order."""
    english = blocks(readme("README.md"))
    assert len(english) > 5
    assert blocks(readme("README.es.md")) == english


def shape(text: str) -> list[str]:
    """Headings by level, list items, table rows: the page's skeleton, in order."""
    return re.findall(r"^(#+ |- |\||\d+\. )", prose(text), re.MULTILINE)


def test_they_have_the_same_structure() -> None:
    """Headings, lists and tables are the same in number, level and order."""
    assert shape(readme("README.es.md")) == shape(readme("README.md"))


def linked(text: str) -> set[str]:
    """What a page links to, apart from its translation; a picture with words in Spanish counts as the English one."""
    found = {link.replace(".es.svg", ".svg") for link in re.findall(r"\]\(([^)#]+)\)", prose(text))}
    return found - {"README.md", "README.es.md"}


def test_they_lead_to_the_same_pages() -> None:
    """Both link to the same pages and pictures, and to each other."""
    assert linked(readme("README.es.md")) == linked(readme("README.md"))
    assert "(README.es.md)" in readme("README.md")
    assert "(README.md)" in readme("README.es.md")


def test_each_has_the_picture_in_its_own_language() -> None:
    """The flow is drawn twice, with the words of each page."""
    assert "(docs/flow.svg)" in readme("README.md")
    assert "(docs/flow.es.svg)" in readme("README.es.md")
    assert (REPOSITORY / "docs/flow.es.svg").is_file()


@pytest.mark.parametrize("name", ["README.md", "README.es.md"])
def test_links_lead_somewhere(name: str) -> None:
    """Each linked file of the repository exists."""
    missing = {target for target in linked(readme(name)) if "://" not in target and not (REPOSITORY / target).exists()}
    assert not missing


def figures(text: str) -> list[str]:
    """Numbers of the prose, in one notation: Spanish has the decimal comma, and a point or a space for thousands."""
    found = re.findall(r"\d[\d.,\u00a0\u202f]*", prose(text))
    return sorted(re.sub(r"\D", "", number) for number in found)


def test_they_state_the_same_figures() -> None:
    """No number is in one page and not in the other."""
    assert figures(readme("README.es.md")) == figures(readme("README.md"))
