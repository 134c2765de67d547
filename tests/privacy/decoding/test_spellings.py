"""Numbers that are said in words are read as the digits that they stand for."""

import pytest

from gateway.privacy.decoding.budget import Unlimited
from gateway.privacy.decoding.spellings import MAIL, SPELLED, unmail, unspell


def read(text: str) -> str:
    """Return a text with what it spells as digits and addresses."""
    for pattern, reading in ((SPELLED, unspell), (MAIL, unmail)):
        for match in reversed(list(pattern.finditer(text))):
            text = text[: match.start()] + reading(match, Unlimited()) + text[match.end() :]
    return text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("cinco cuatro tres seis dos uno", "543621"),
        ("seiscientos doce, treinta y cuatro, cincuenta y nueve", "6123459"),
        ("double four, triple nine, six oh", "4499960"),
        ("zéro six, soixante-dix-huit, quatre-vingt-dix-sept, vingt et un", "06789721"),
        ("null eins, vierunddreißig, fünf, siebzehn", "0134517"),
        ("nove um dois, três, meia, sete", "912367"),
        ("trentatré, ventuno, otto, zero", "332180"),
        ("vint-i-tres, sis u dos, nou", "236129"),
        ("X-ray nine two one eight four seven Lima", "X921847L"),
        ("plus three four six one two nine", "+346129"),
        ("nul zes drie vijf acht twee", "063582"),
        ("the gate code is fifty three sixty two", "the gate code is 5362\nPIN: 5362"),
        ("ana punto gil arroba correo punto es", "ana.gil@correo.es"),
        ("ana [at] correo [dot] es", "ana@correo.es"),
    ],
)
def test_words_say_digits(said: str, meant: str) -> None:
    """Eight languages, doubles, tens and hundreds, letters by name, signs of addresses."""
    assert read(said) == meant


@pytest.mark.parametrize(
    "text",
    ["one two three four five six seven", "diez nueve ocho siete seis cinco", "two of three", "we met at example.com"],
)
def test_counting_and_prose_stay_as_they_are(text: str) -> None:
    """Rows that count, few numbers and ordinary sentences are not rewritten."""
    assert read(text) == text
