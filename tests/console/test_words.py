"""The reader's language, and numbers, money and times as it writes them."""

import pytest

from gateway.console.words import Words, language_of


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "language"),
    [
        (None, None, "", "en"),
        (None, None, "es-ES,es;q=0.9,en;q=0.8", "es"),
        (None, None, "de;q=1, en;q=0.3, es;q=0.7", "es"),
        (None, None, "fr, en;q=0.5, es;q=0.5", "en"),
        (None, None, "es;q=0, en;q=0.1", "en"),
        (None, None, "es;q=nonsense, en;q=0.1", "en"),
        (None, "es", "en", "es"),
        ("en", "es", "es", "en"),
        ("xx", "es", "en", "es"),
        (None, "xx", "es", "es"),
    ],
)
def test_the_language_of_a_page(asked, kept, accepted, language) -> None:
    """The address counts before what was chosen once, and that before what the browser says."""
    assert language_of(asked, kept, accepted) == language


def test_numbers_and_money() -> None:
    """Spanish has points between thousands and a comma before cents; small amounts keep their digits."""
    english, spanish = (Words(language, currency="EUR", rate=0.5) for language in ("en", "es"))  # type: ignore[arg-type]
    assert (english.money(2_469_000_000), spanish.money(2_469_000_000)) == ("1,234.50 EUR", "1.234,50 EUR")
    assert (english.money(1_800), spanish.money(1_800)) == ("0.0009 EUR", "0,0009 EUR")
    assert (english.money(1), english.money(0)) == ("<0.0001 EUR", "0.00 EUR")
    assert (english.money(None), spanish.money(None)) == ("unknown", "desconocido")
    assert (english.share(0.42), spanish.share(0.42)) == ("42%", "42 %")
    assert [english.seconds(value) for value in (None, 5.0, 90.0, 5400.0)] == ["–", "5.0 s", "1.5 min", "1.5 h"]
    assert spanish.budget("key:laptop") == "clave laptop, este mes"
    assert spanish.budget("user_day:ana") == "usuario ana, hoy"
    assert spanish.budget("user") == "usuario, este mes"
