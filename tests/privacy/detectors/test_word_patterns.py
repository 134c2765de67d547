"""What is looked for beside words alone is what a search of the whole text finds."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.privacy import Inspector
from gateway.privacy.detectors.countries import tables
from gateway.privacy.detectors.detector import Detector
from gateway.privacy.detectors.word_patterns import BehindWord, BesideWords

NUMBERS = {
    "nl_bsn": ("BSN", "111222333"),
    "de_idnr": ("Steuer-ID", "86095742719"),
    "all_passport": ("passport", "C01X00T47"),
    "br_cpf": ("CPF", "390.533.447-05"),
    "fr_nir": ("numéro de sécurité sociale", "2 95 10 99 126 111 93"),
}
DETECTORS = {detector.name: detector for detector in tables.DETECTORS}
GAPS = st.integers(1, 130).map(lambda length: (" and so" * 20)[:length] + " ")
PIECES = st.sampled_from([*(piece for pair in NUMBERS.values() for piece in pair), "12", "7,5", "\n", "year"])
TEXTS = st.lists(st.tuples(PIECES, GAPS), max_size=8).map(lambda pairs: "".join(map("".join, pairs)))


def everywhere(detector: Detector, text: str) -> set[tuple[int, int]]:
    """Return the hits of a detector by a search of the whole text."""
    pattern = re.compile(detector.pattern.pattern, re.ASCII)
    return {match.span("value") for match in pattern.finditer(text) if detector.check(match)}


@settings(deadline=None)
@given(text=TEXTS)
@pytest.mark.parametrize("name", NUMBERS)
def test_the_search_beside_words_finds_what_a_search_of_all_finds(name: str, text: str) -> None:
    """Wherever words and numbers stand, however far apart."""
    assert isinstance(DETECTORS[name].pattern, BesideWords)
    assert set(DETECTORS[name].find(text)) >= everywhere(DETECTORS[name], text)


@pytest.mark.parametrize("length", range(60, 125, 3))
def test_a_number_between_two_of_its_words_is_found(inspector: Inspector, length: int) -> None:
    """Also where it begins beside the one and ends beside the other."""
    filler = ("we will ask you for it when you come to the office in the morning " * 2)[:length]
    for first, second, value in (("BSN", "BSN", "111222333"), ("passport", "passport number", "C01X00T47")):
        text = f"{first} {filler} {second}: {value}"
        found = {text[finding.start : finding.end] for finding in inspector.inspect({"p": text}).findings}
        assert value in found


def test_a_street_between_two_streets_is_found(inspector: Inspector) -> None:
    """The first one's surroundings end inside the second."""
    words = "nos vemos mañana por la tarde en la oficina con los papeles de la reunión y luego vamos a comer algo cerca"
    for length in range(70, len(words), 3):
        text = f"Calle Sol 7 {words[:length]} Calle Alcalá 45, Madrid"
        assert "contact.address" in {finding.category for finding in inspector.inspect({"p": text}).findings}


def test_a_word_that_ends_in_an_accent_is_one() -> None:
    """To the search in linear time such a letter is none."""
    pattern = BehindWord("logé|tel", r"\s?(?P<value>[0-9]+)")
    assert [match["value"] for match in pattern.finditer("logé 12, tel34, logée 56")] == ["12", "34"]
