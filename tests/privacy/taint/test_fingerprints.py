"""Passages of texts as hashes: equal where texts have enough in common, and never many."""

import random

import pytest

from gateway.privacy.taint.fingerprints import MOST, RUN, SURE, passages

KEY = b"k" * 32


def words(draw: random.Random, letters: int) -> str:
    """Random words with that many letters in all."""
    found: list[str] = []
    left = letters
    while left > 0:
        found.append("".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9)))[:left])
        left -= len(found[-1])
    return " ".join(found)


def test_what_two_texts_have_in_common_for_long_enough_is_always_found() -> None:
    """A long enough common passage is found, whatever stands around it and however its lines are broken."""
    draw = random.Random(7)
    for _ in range(200):
        shared = words(draw, SURE)
        one = f"{words(draw, draw.randint(0, 300))}\n{shared}\n{words(draw, draw.randint(0, 300))}"
        other = f"{words(draw, draw.randint(0, 90))} > {shared.replace(' ', chr(10) + '> ', 5).upper()}"
        assert set(passages(one, KEY)) & set(passages(other, KEY))


def test_other_texts_have_nothing_in_common() -> None:
    """Different texts share no hash, nor does the same text under another key."""
    draw = random.Random(8)
    text = words(draw, 3_000)
    assert not set(passages(text, KEY)) & set(passages(words(draw, 3_000), KEY))
    assert not set(passages(text, KEY)) & set(passages(text, b"x" * 32))


def test_short_texts_have_none_and_each_longer_one_has() -> None:
    """A text has passages from `RUN` letters and digits on."""
    draw = random.Random(9)
    text = words(draw, 400)
    for length in range(300):
        assert bool(passages("".join(text.split())[:length], KEY)) == (length >= RUN)


@pytest.mark.parametrize("unit", ["a", "ab ", "é", "1", "\n", "中", "\ud800"])
def test_runs_of_one_thing_have_one_passage_at_most(unit: str) -> None:
    """A run of one character or word has at most one passage, however long it is."""
    assert len(passages(unit * 20_000, KEY)) <= 1


def test_a_long_text_is_remembered_by_a_bounded_number() -> None:
    """A long text keeps a bounded number of passages: the same every time, and a subset of all."""
    text = words(random.Random(10), 200_000)
    some, everything = passages(text, KEY, MOST), passages(text, KEY)
    assert len(some) == MOST < len(everything) < 200_000 / 30
    assert set(some) <= set(everything)
