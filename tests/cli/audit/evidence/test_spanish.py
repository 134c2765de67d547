"""`aduana audit verify` and `report` speak Spanish throughout."""

import re
from pathlib import Path

import gateway.cli.audit.evidence as evidence
from gateway.cli.audit.evidence.report import _PLACES
from gateway.cli.audit.evidence.spanish import SPANISH
from gateway.cli.audit.evidence.words import FAULTS, Sign
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome
from gateway.policy.proof.verdict import BUILT_IN_CEILING, BUILT_IN_STAY, ProofOutcome
from tests.cli.translated import assert_translated

FOLDER = Path(evidence.__file__).parent


def test_every_sentence_is_translated() -> None:
    """Sentences in the code, in the page and in data, each with the same values."""
    page = (FOLDER / "report.html").read_text(encoding="utf-8")
    in_page = set(re.findall(r'\bt\("((?:[^"\\]|\\.)+)"', page))
    words = {
        *(label.word for label in Label), *(zone.value for zone in Zone), *(one.value for one in Outcome),
        *(one.value for one in Sign), *(one.value for one in ProofOutcome), "running",
        BUILT_IN_CEILING, BUILT_IN_STAY,
    }  # fmt: skip
    assert len(in_page) > 40
    assert set(_PLACES.values()) == {"local", "cloud", "by nobody"}
    assert_translated(FOLDER, SPANISH, in_page | words | set(FAULTS.values()) | _from_names())


def _from_names() -> set[str]:
    """Return the sentences that the code holds in a variable before it says them."""
    source = (FOLDER / "words.py").read_text(encoding="utf-8")
    found = set()
    for text in re.findall(r"sentence = \(?\s*((?:\"[^\"]*\"\s*)+)\)?", source):
        found.add("".join(re.findall(r'"([^"]*)"', text)))
    return found
