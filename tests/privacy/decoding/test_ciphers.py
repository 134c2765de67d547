"""Morse is read, and text beside a word that says how it was turned is turned back."""

import pytest

from gateway.privacy import Inspector
from gateway.privacy.decoding.budget import Unlimited
from gateway.privacy.decoding.ciphers import MORSE, TURNED, unmorse, unturn


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-.... .---- ..--- ...-- ....- .....", "612345"),
        ("-..../.----/..---/...--/....-/.....", "612345"),
        (".- -. .- .--.-. .- .-.-.- . ...", "ANA@A.ES"),
        ("| --- | --- | --- |", "| --- | --- | --- |"),
        ("- - - - - - - -", "- - - - - - - -"),
    ],
)
def test_morse_is_read_and_rulers_are_not(text: str, said: str) -> None:
    """Letters and digits of Morse come out; lines and tables stay."""
    found = MORSE.search(text)
    assert (unmorse(found, Unlimited()) if found is not None else text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("zneghm@tznvy.pbz (rot13)", "martuz@gmail.com"),
        ("e`acbdfeg (ROT47)", "612435768"),
        ("876543216 al revés", "612345678"),
        ("Yhudqr5512 with a Caesar shift of 3", "Verano5512"),
        ("atbash: nzigz@xliivl.vh", "marta@correo.es"),
    ],
)
def test_a_hint_says_how_to_read_it(text: str, said: str) -> None:
    """The value stands in one of the readings."""
    assert any(said in unturn(match, Unlimited()) for match in TURNED.finditer(text))


def test_without_anything_to_turn_the_hint_is_nothing() -> None:
    """`reversed` alone, in prose or code, makes no other reading."""
    assert list(TURNED.finditer("Read the list reversed, and then backwards.")) == []


def test_more_hints_than_are_looked_at_are_a_doubt(inspector: Inspector) -> None:
    """However many words before it speak of turning, what is turned does not leave."""
    text = ("in reverse 87654x" + " and so on" * 40 + "\n") * 230 + "my DNI in reverse is Z87654321"
    assert [doubt.reason for doubt in inspector.inspect({"p": text}).doubts] == ["size"]


def test_a_key_that_reads_as_words_backwards_is_a_key(inspector: Inspector) -> None:
    """Only where a text was turned may a name in code stand backwards."""
    seen = inspector.inspect({"p": "access key nIatnuoM4enotSreviR7x9Q2"})
    assert "secret.shaped" in {finding.category for finding in seen.findings}
