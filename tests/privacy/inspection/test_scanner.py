"""Texts with very many candidates: the same findings, or a doubt that says that there were too many."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.privacy import InspectionSettings, Inspector
from gateway.privacy.detectors.detector import Detector, near, rx, words


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(InspectionSettings(seconds=60, cached_strings=0))


def test_a_list_of_thousands_is_a_doubt(inspector: Inspector) -> None:
    """It stays at home whatever its category's label, and inspection does not spend a second on it."""
    many = "\n".join(f"user{number}@clinic-north.org" for number in range(3000))
    inspection = inspector.inspect({"prompt": many})
    assert [doubt.reason for doubt in inspection.doubts] == ["findings"]
    few = "\n".join(f"user{number}@clinic-north.org" for number in range(300))
    inspection = inspector.inspect({"prompt": few})
    assert len(inspection.findings) == 300
    assert not inspection.doubts


_CONTEXT = words(r"passport|pasaporte")
_NUMBERS = Detector(
    name="fake", category="id.passport", pattern=rx(r"\b(?P<value>[0-9]{9})\b"), source="",
    check=lambda match: near(match, _CONTEXT),
)  # fmt: skip


@given(st.lists(st.sampled_from(["123456789", "passport", "Pasaporte", "word " * 9, "ñ", "\n"]), max_size=120))
def test_the_hundredth_candidate_is_seen_as_the_first(parts: list[str]) -> None:
    """Whether a word stands near does not depend on how many other candidates the text has."""
    text = " ".join(parts)
    expected = [
        match.span()
        for match in re.finditer(r"\b[0-9]{9}\b", text)
        if _CONTEXT.search(text, max(0, match.start() - 64), match.end() + 32)
    ]
    assert set(expected) <= set(_NUMBERS.find(text))
    for start, end in set(_NUMBERS.find(text)) - set(expected):  # a word that is half inside counts, too
        assert _CONTEXT.search(text, max(0, start - 64 - 9), end + 32 + 9)


def test_runs_of_escapes_are_taken_off() -> None:
    """JSON in JSON in JSON: a secret behind any number of backslashes that the depth allows."""
    inspector = Inspector(InspectionSettings())
    plain = '{"iban": "ES9121000418450200051332"}'
    for depth in range(4):
        assert {finding.category for finding in inspector.inspect({"p": plain}).findings} >= {"financial.iban"}, depth
        plain = '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
