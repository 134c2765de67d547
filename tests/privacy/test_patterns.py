"""Patterns that are compiled late find what patterns find that were compiled at once."""

import re

import pytest

from gateway.privacy.patterns import late, late_re2


def test_a_late_pattern_finds_what_one_finds_that_was_compiled_at_once() -> None:
    """Also in any case, within bounds, and by its groups; before its first use it says what it looks for."""
    text = "Ana 12, ana 345"
    at_once, pattern = (
        re.compile(r"(?P<name>ana) ([0-9]+)", re.IGNORECASE),
        late(r"(?P<name>ana) ([0-9]+)", re.IGNORECASE),
    )

    assert pattern.pattern == at_once.pattern
    assert pattern.findall(text) == at_once.findall(text) == [("Ana", "12"), ("ana", "345")]
    assert [match.span("name") for match in pattern.finditer(text, 3)] == [(8, 11)]
    assert pattern.sub("-", text) == "-, -"
    assert pattern.fullmatch("ANA 1") is not None
    assert pattern.flags == at_once.flags


def test_a_late_pattern_of_linear_time_finds_the_same() -> None:
    """RE2's own methods and spans are there, too."""
    pattern = late_re2(r"(?i)\b(?:pin|code)\b")

    assert [match.span() for match in pattern.finditer("PIN, code")] == [(0, 3), (5, 9)]
    assert pattern.search("nothing") is None


def test_what_is_no_pattern_is_an_error_where_it_is_used() -> None:
    """Inspection then ends in a doubt; it never passes over a text with a pattern that finds nothing."""
    pattern = late("(")

    with pytest.raises(re.error):
        pattern.search("(")
