"""Texts that are made to keep a pattern busy. One that could read a part in two ways would need 2²⁶ steps here."""

import pytest

from gateway.privacy import Inspector

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
    "stars in a word": "a" + "*" * 4 * _MANY + "\n<b",
}


@pytest.mark.parametrize("text", _TEXTS.values(), ids=_TEXTS)
def test_a_text_keeps_no_pattern_busy(plain_inspector: Inspector, text: str) -> None:
    """A text is read before its time is over, so that no request can hold up the others."""
    doubts = plain_inspector.inspect({"messages": ({"role": "user", "content": text},)}).doubts
    assert "time" not in {doubt.reason for doubt in doubts}
