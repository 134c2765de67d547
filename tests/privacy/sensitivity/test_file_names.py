"""Names of files: the judge reads the words in them, and nothing odd that only names have."""

import pytest

from gateway.privacy.sensitivity.file_names import as_words
from gateway.privacy.sensitivity.judge import Judge
from gateway.privacy.sensitivity.units import units

QUESTION = "What does it say?"


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(seconds=60.0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("place-6-clean.pdf", "place   clean    "),
        ("Invoice_10293.PDF", "Invoice          "),
        ("notes/2024/menú-boda.odt\nIMG_0042.jpg", "notes      menú boda    \nIMG         "),
        ("Ana owes 340 euros to Luis.docx", "Ana owes 340 euros to Luis     "),
        ("backup.tar.gz", "backup       "),
    ],
)
def test_a_name_is_its_words_in_their_places(name: str, words: str) -> None:
    """Signs, endings and numbers are blanks; a sentence keeps its numbers."""
    assert as_words(name) == words
    assert len(words) == len(name)


@pytest.mark.parametrize(
    "text",
    [
        "See report.pdf, please.", "my password is hunter2.", "a\nb.pdf", "example.com", "", "Hello! Read a.pdf",
        "¿Qué dice informe.pdf",
    ],
)  # fmt: skip
def test_what_is_more_than_a_name_is_read_as_it_stands(text: str) -> None:
    """Only a text that is nothing but names is one."""
    assert as_words(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "place-0-clean.odt", "nomina_marzo_2024.pdf", "Invoice_10293.pdf", "test-8000Hz-le-3ch-5S-24bit.wav",
        "dragonbox-Apache2-LLVM.txt", "mail-reply-all.png", "WhatsApp Image 2024-05-01 at 10.22.33.jpeg",
        "dialog-password.png", "Antarctica.txt", "12345.pdf",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [[], [("$.text", QUESTION)]], ids=["alone", "behind a question"])
def test_a_plain_name_is_nobodys_affair(judge: Judge, before: list[tuple[str, str]], name: str) -> None:
    """However odd a name looks: by itself it keeps no file at home."""
    every = units([*before, ("$.filename", name)])
    judged = judge.judge([unit.text for unit in every])
    assert not [found for unit, one in zip(every, judged, strict=True) for found in judge.findings(unit, one)]


@pytest.mark.parametrize(
    "name", ["Mum's scan shows it's in her bones.pdf", "préviens-Mathilde-que-son-CDD-ne-sera-pas-renouvelé.docx"]
)
def test_a_name_that_says_it_all_is_found_at_its_place(judge: Judge, name: str) -> None:
    """A sentence counts, also where signs stand for blanks."""
    (unit,) = units([("$.filename", name)])
    (judged,) = judge.judge([unit.text])
    findings = list(judge.findings(unit, judged))
    assert [found.path for found in findings] == ["$.filename"]
    assert all(0 <= found.start < found.end <= len(name) for found in findings)


@pytest.mark.parametrize(
    "told", ["My brother is in prison for fraud.", "Estoy embarazada y no se lo he dicho a nadie."]
)
@pytest.mark.parametrize("asked", ["Please fix the headings in chapter three of thesis.tex", "¿Qué dice informe.pdf"])
def test_what_is_told_before_a_question_about_a_file_counts(judge: Judge, told: str, asked: str) -> None:
    """A message that ends in a file's name is no name: its sentences are read as in any other."""
    every = units([("$.messages[0].content", f"Thanks for your help with the table yesterday. {told} {asked}")])
    judged = judge.judge([unit.text for unit in every])
    found = [finding for unit, one in zip(every, judged, strict=True) for finding in judge.findings(unit, one)]
    assert any(finding.category.startswith("topic.") for finding in found)
