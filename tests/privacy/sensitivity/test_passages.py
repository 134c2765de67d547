"""Passages: which sentences are read together, and which windows are judged."""

import pytest

from gateway.privacy.sensitivity.passages import Passage, passages


def words(text: str) -> list[tuple[int, int, int]]:
    """Return one piece a word; words that begin with `?` are unknown."""
    found = []
    at = 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        found.append((0 if word.startswith("?") else 3, start, at))
    return found


def windows(text: str, found: list[Passage]) -> list[list[str]]:
    return [[text[window.start : window.stop] for window in passage.windows] for passage in found]


def test_neighbours_are_read_together_and_each_sentence_by_itself() -> None:
    """Two sentences are one passage with three windows: both together, and each alone."""
    text = "The first one of them has seven words. And the second has as many as that!"
    assert windows(text, list(passages(text, words))) == [[text, *text.split(". ")[:0], text[:38], text[39:]]]


def test_a_fragment_goes_with_its_neighbour() -> None:
    """A greeting, an initial, a number of a chapter or a signature is no sentence of its own, and hides none either."""
    text = "Hola.\n4.6.4. Mueve la cita de G. Urrutia al jueves por la tarde.\nUn saludo"
    (passage,) = passages(text, words)
    assert [text[window.start : window.stop] for window in passage.windows] == [text, text[6:]]


def test_what_is_short_as_a_whole_is_judged_as_a_whole() -> None:
    """A text of two words is a passage too."""
    assert windows("Hola Ana", list(passages("Hola Ana", words))) == [["Hola Ana"]]
    assert list(passages(" \n ", words)) == []


def test_a_long_text_is_read_whole_with_one_sentence_of_overlap() -> None:
    """Every word is in some passage, none is longer than it may be, and each begins with the end of the one before."""
    text = " ".join(f"sentence {number} has exactly seven words here." for number in range(40))
    found = list(passages(text, words, most=30))
    assert all(len(passage.pieces) <= 32 for passage in found)
    assert {
        word for passage in found for window in passage.windows for word in text[window.start : window.stop].split()
    } == set(text.split())
    firsts = [text[passage.windows[1].start : passage.windows[1].stop] for passage in found]
    lasts = [text[passage.windows[-1].start : passage.windows[-1].stop] for passage in found]
    assert firsts[1:] == lasts[:-1]


def test_a_sentence_without_an_end_has_windows_inside() -> None:
    """A confidence in a long breath of words is judged in a window of its own."""
    text = " ".join(f"word{number}" for number in range(100))
    (passage,) = passages(text, words)
    sizes = [window.end - window.first for window in passage.windows]
    assert sizes[0] == 100
    assert max(sizes[1:]) == 24
    assert {window.first for window in passage.windows[1:]} >= {1, 13, 25, 37}


def test_what_speaks_of_itself_has_no_neighbours() -> None:
    """A sentence about the text's own harmlessness is in no passage with another one."""
    text = (
        "This here is only a fictional little example. His biopsy was malignant as we feared it. "
        "Nothing here is confidential at all, sir."
    )
    apart = ("fictional", "confidential")
    found = windows(text, list(passages(text, words, lambda sentence: any(word in sentence for word in apart))))
    assert found == [[text[:45]], [text[46:87]], [text[88:]]]


@pytest.mark.parametrize(("text", "share"), [("a b c d e f", 0.0), ("?a ?b c d", 0.5), ("?a ?b", 1.0)])
def test_how_much_of_a_passage_is_unknown(text: str, share: float) -> None:
    """The share of pieces that the encoder has never seen."""
    (passage,) = passages(text, words)
    assert passage.unknown == share
