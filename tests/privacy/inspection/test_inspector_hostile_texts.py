"""Texts that are made to keep a pattern busy.

One that could read a part in two ways would need 2²⁶ steps, and one that began anew at each character hours.
"""

import pytest

from gateway.privacy import Inspector
from gateway.privacy.sensitivity.passages import passages
from gateway.privacy.taint.lines import lines
from gateway.privacy.taint.readings import readings

_MANY = 26
_TEXTS = {
    "a variable": "password = $" + "a" * _MANY + "%1",
    "a placeholder": "password = your" + "_xx" * _MANY + "_5$q",
    "a name in lower case": "password = " + "a1_" * _MANY + "Q$x9",
    "a name with numbers behind it": "password = my_password" + "_v1" * _MANY + "$9Q",
    "a path": "password = " + "/a.b" * _MANY + "/$9Q",
    "a type": "password = " + "HTTP1" * _MANY + "%",
    "another type": "token: " + "AES1Http1" * _MANY + "%",
    "somebody who is introduced": ("me llamo Í" + "’" * 20 + "1\n") * 100,
    "somebody in a form": ("paciente: Í" + "’" * 20 + "1\n") * 100,
    "an old encoding of files": "begin 644 a\n" + "BZJ   \n" * _MANY + "é",
    "a long dump": "41" * 30_000,
    "stars in a word": "a" + "*" * 4 * _MANY + "\n<b",
}


@pytest.mark.parametrize("text", _TEXTS.values(), ids=_TEXTS)
def test_a_text_keeps_no_pattern_busy(plain_inspector: Inspector, text: str) -> None:
    """A text is read before its time is over, so that no request can hold up the others."""
    doubts = plain_inspector.inspect({"messages": ({"role": "user", "content": text},)}).doubts
    assert "time" not in {doubt.reason for doubt in doubts}


def test_a_long_run_of_signs_or_blanks_is_one() -> None:
    """The memory and the judge cut texts into lines and sentences in time that grows with the text alone."""
    run = 1_000_000
    assert list(lines("!" * run + "and so on")) == []
    assert len([*readings("41" * run)]) >= 1
    assert [*passages("so" + " " * run + "it is", lambda text: [(1, 0, len(text))])]
