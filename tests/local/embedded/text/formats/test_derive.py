"""What a model writes of an answer is read again, whatever its template marks thoughts and calls with."""

import shutil
from pathlib import Path

import pytest

from tests.standins import chat_templates
from tests.standins.chat_templates import ANSWERS, FOLDER, MORE, PAGE, comes_back, opened, templates

ALL = dict(templates())


@pytest.mark.parametrize("name", ALL)
def test_the_page_says_what_works_with_a_template(name: str) -> None:
    """Made again by `python -m tests.standins.chat_templates`."""
    assert chat_templates.line(name, ALL[name]) in PAGE.read_text("utf-8").splitlines()


def test_the_page_is_what_its_command_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command keeps marked rows, whose templates are not here; every other row is of a template that is."""
    monkeypatch.delenv(MORE, raising=False)
    before = PAGE.read_text("utf-8")
    assert chat_templates.page(before) == before


def test_a_template_from_elsewhere_has_a_marked_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row is replaced while its folder is named, and kept afterwards; an unmarked row without a template goes."""
    shutil.copy(FOLDER / "microsoft-Phi-3.5-mini-instruct.jinja", tmp_path / "mine.jinja")
    monkeypatch.setenv(MORE, str(tmp_path))
    page = chat_templates.page("| mine \\* | old |\n| other \\* | old |\n| gone | old |\n")
    assert sum(line.startswith("| mine \\* | `<tool_call>` |") for line in page.splitlines()) == 1
    assert "| other \\* | old |" in page
    assert "| gone |" not in page
    monkeypatch.delenv(MORE)
    assert chat_templates.page(page) == page


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("what", ANSWERS)
def test_answers_come_back(name: str, what: str) -> None:
    """Text, thought and calls with their arguments, in pieces of one letter, of some and of all."""
    assert comes_back(opened(ALL[name]), ANSWERS[what])


def test_a_template_without_calls_is_read_in_the_words_that_it_is_told_in() -> None:
    """A model that knows no tools is shown a format, and is read in that one."""
    template = opened(FOLDER / "microsoft-Phi-3.5-mini-instruct.jinja")
    prompt = template.render((chat_templates.QUESTION,), chat_templates.TOOLS)
    assert '<tool_call>\n{"name": "<function name>", "arguments": {"<argument>": "<value>"}}\n</tool_call>' in prompt


def test_the_templates_of_a_folder_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has another model's template sees what works with it."""
    (tmp_path / "mine.jinja").write_text("{{ messages[0].content }}", "utf-8")
    monkeypatch.setenv(MORE, str(tmp_path))
    assert "mine" in dict(templates())
