"""What a model writes of an answer is read again, whatever its template marks thoughts and calls with."""

from pathlib import Path

import pytest

from tests.standins import chat_templates
from tests.standins.chat_templates import ANSWERS, FOLDER, MORE, comes_back, opened, templates

ALL = dict(templates())
TABLE = Path(__file__).resolve().parents[5] / "docs" / "templates.md"


@pytest.mark.parametrize("name", ALL)
def test_the_page_says_what_works_with_a_template(name: str) -> None:
    """Made again by `python -m tests.standins.chat_templates > docs/templates.md`."""
    assert chat_templates.line(name, opened(ALL[name])) in TABLE.read_text("utf-8").splitlines()


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
