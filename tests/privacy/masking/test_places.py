"""Where pseudonyms stand."""

import pytest

from gateway.privacy.masking.places import PseudonymPlaces

TEXT = "Ask Person-K47 and Person-K47b."


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [(4, 14, True), (4, 10, True), (19, 30, True), (0, 14, False), (4, 16, False), (4, 30, False), (4, 4, False)],
    ids=["whole", "a part", "the longer one", "begins before", "ends behind", "over two", "nothing"],
)
def test_what_lies_inside_one_pseudonym_is_held(start: int, end: int, held: bool) -> None:
    """Whatever reaches further, or over two of them, may be somebody's data."""
    places = PseudonymPlaces([("$.a", TEXT)], ["Person-K47", "Person-K47b"])
    assert places.hold("$.a", start, end) is held
    assert not places.hold("$.b", start, end)
    assert not PseudonymPlaces([("$.a", TEXT)], []).hold("$.a", start, end)


def test_a_pseudonym_holds_nothing_in_another_text_of_the_same_path() -> None:
    """A key with a dot has the path of a value inside an object: a real name there is not taken for a pseudonym."""
    places = PseudonymPlaces([("$.a.b", "Ask Ana López now"), ("$.a.b", TEXT)], ["Person-K47"])
    assert not places.hold("$.a.b", 4, 13)
