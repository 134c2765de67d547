"""Topics without names: a confidence is found by its words and whose they are; the same words about nobody are not."""

import pytest

from gateway.privacy import Inspector
from tests.privacy.topic_samples import CONFIDENCES, NOBODYS


@pytest.mark.parametrize(("category", "text"), CONFIDENCES)
def test_a_confidence_is_found(inspector: Inspector, category: str, text: str) -> None:
    """Confidences of health, money, law, work and plans are found, in English and Spanish."""
    found = {finding.category for finding in inspector.inspect({"prompt": text}).findings}
    assert any(name == category or name.startswith(f"{category}.") for name in found), found


@pytest.mark.parametrize("text", NOBODYS)
def test_a_subject_that_is_nobodys_is_not(inspector: Inspector, text: str) -> None:
    """Questions of fact, essays, code, maths, news and what characters of a story say."""
    assert inspector.inspect({"prompt": text}).findings == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Please explain my HIV diagnosis.", "my HIV"),
        ("Explain the deductions on my payslip.", "my payslip"),
        ("y la nómina de mi mujer", "nómina"),
        ("Turn our unreleased roadmap into slides.", "our unreleased roadmap"),
    ],
)
def test_the_finding_says_where(inspector: Inspector, text: str, words: str) -> None:
    """The span covers owner and word, so that a person sees why."""
    spans = [text[finding.start : finding.end] for finding in inspector.inspect({"prompt": text}).findings]
    assert any(words in span for span in spans), spans


@pytest.mark.parametrize("text", [text for _, text in CONFIDENCES] + list(NOBODYS))
def test_with_and_without_hyperscan_the_findings_are_equal(
    inspector: Inspector, plain_inspector: Inspector, text: str
) -> None:
    """The first pass proposes never too little, whatever the accents."""
    for spelling in (text, text.upper()):
        assert inspector.inspect({"p": spelling}).findings == plain_inspector.inspect({"p": spelling}).findings


@pytest.mark.parametrize("unit", ["my debt ", "mi deuda y ", "diagnosis ", "confidential ", "i have ", "we will fire "])
def test_long_runs_cost_in_proportion(unit: str) -> None:
    """Sixty thousand characters of a lexicon's words are inspected within the limit of time, without a doubt."""
    inspector = Inspector()
    assert inspector.inspect({"p": unit * (60_000 // len(unit))}).doubts == ()
