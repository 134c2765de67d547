"""Units: short strings of a document are judged together, long ones alone, and findings get their places back."""

from gateway.privacy.sensitivity.units import units

LONG = "A text of more than eighty letters is judged by itself, because it says enough without its neighbours."


def test_fields_of_a_record_are_one_text() -> None:
    """What a record says in three fields is read as three lines."""
    (unit,) = units([("$.a~key", "patient"), ("$.a", "Gonzalo Urrutia"), ("$.b", "VIH positivo")])
    assert unit.text == "patient\nGonzalo Urrutia\nVIH positivo"
    start = unit.text.index("VIH")
    assert unit.place(start, start + 3) == ("$.b", 0, 3)


def test_a_long_text_stands_alone_between_short_ones() -> None:
    """Order is kept, and words of the API are left out."""
    found = units([("$.r", "user"), ("$.a", "hello"), ("$.b", LONG), ("$.c", "bye"), ("$.d", "now")])
    assert [unit.text for unit in found] == ["hello", LONG, "bye\nnow"]
    assert found[1].place(2, 6) == ("$.b", 2, 6)


def test_how_to_answer_is_nothing_that_somebody_said() -> None:
    """The model's name and words for effort are not read into a sentence; any other text in their places is."""
    settings = [("$.model", "claude"), ("$.reasoning_effort~key", "reasoning_effort"), ("$.reasoning_effort", "high")]
    assert units(settings) == []
    (unit,) = units([*settings, ("$.verbosity", "Ana has HIV"), ("$.messages[0].content", "high")])
    assert unit.text == "Ana has HIV\nhigh"


def test_a_place_over_two_strings_is_that_of_the_larger_share() -> None:
    """A finding stands in one string."""
    (unit,) = units([("$.a", "one"), ("$.b", "two three")])
    assert unit.place(0, len(unit.text)) == ("$.b", 0, 9)


def test_many_short_strings_are_several_texts() -> None:
    """No text grows without end."""
    found = units((f"$[{number}]", f"value number {number}") for number in range(500))
    assert len(found) > 5
    assert max(len(unit.text) for unit in found) <= 1_300
