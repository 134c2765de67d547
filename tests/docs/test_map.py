"""The map, the handbook for contributors and the pages in docs/ name only what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = ROOT / "gateway"
PAGES = [ROOT / "CONTRIBUTING.md", GATEWAY / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MAP = (GATEWAY / "README.md").read_text(encoding="utf-8")

# Looks like a path, and is none of the repository.
ELSEWHERE = {
    "state.json": "written into the state directory",
    "engine/compatibility.json": "written into the state directory",
    "aduana.yaml": "the user's own",
    "config.json": "the user's own",
    "tokenizer.json": "the user's own",
    "data.json": "the file of genai-prices",
}
OWN_WORDS = (
    *("label", "tag", "ceiling", "zone", "clearance", "receipt"),
    *("settlement", "finding", "doubt", "taint", "pseudonym", "residue"),
)


def paths(page: Path) -> list[str]:
    """What stands in backticks and is written like a file or a folder: `engine/scheduler/`, `pipeline/shadow.py`."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"`([\w.][\w./-]*(?:/|\.(?:py|md|yaml|yml|json|toml|svg)))`", prose)
    return sorted({path for path in found if path not in ELSEWHERE})


def exists(path: str, page: Path) -> bool:
    """Whether it is there, as seen from the top, from gateway/, from the page, or as a part of one of the rooms."""
    within = (room / path for room in GATEWAY.iterdir() if room.is_dir())
    return any(place.exists() for place in (ROOT / path, GATEWAY / path, page.parent / path, *within))


@pytest.mark.parametrize(
    ("page", "path"),
    [(page, path) for page in PAGES for path in paths(page)],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_every_path_that_a_page_names_exists(page: Path, path: str) -> None:
    """Nobody is sent to a file that was renamed."""
    assert exists(path, page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_to_a_file_and_a_heading(page: Path) -> None:
    """Links to files exist, and so do the headings that they name."""
    for target, anchor in re.findall(r"\]\(((?!https?:)[^)#]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_table_of_rooms_is_whole() -> None:
    """Each package of gateway/ has its row, and no row is of a package that is gone."""
    rows = re.findall(r"^\| `(\w+)/` \|", MAP, re.MULTILINE)
    rooms = sorted(path.parent.name for path in GATEWAY.glob("*/__init__.py"))
    assert sorted(rows) == rooms


@pytest.mark.parametrize("word", OWN_WORDS)
def test_each_word_of_our_own_is_in_the_glossary(word: str) -> None:
    """A newcomer finds what it means before they meet it in the code."""
    assert re.search(rf"^\| {word} \| .{{20,}} \|$", MAP, re.MULTILINE)
