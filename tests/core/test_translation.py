"""People read sentences in their own language."""

import pytest

from gateway.core.translation import Translator, language_from_locale

SPANISH = {"{count} models found": "{count} modelos encontrados", "Braces {stay}": "Las llaves {stay}"}


def test_a_sentence_is_told_in_the_readers_language_with_its_values():
    """Spanish where somebody translated it, else English; values stand where the translation wants them."""
    assert Translator(SPANISH, "es")("{count} models found", count=3) == "3 modelos encontrados"
    assert Translator(SPANISH, "es")("Nobody translated {this}.", this="that") == "Nobody translated that."
    assert Translator(SPANISH, "en")("{count} models found", count=3) == "3 models found"


def test_a_sentence_without_values_may_have_braces():
    """YAML in a sentence is no place for values."""
    assert Translator(SPANISH, "es")("Braces {stay}") == "Las llaves {stay}"


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es_MX.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "es"}, "es"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "es:en"}, "es"),
        ({"LANG": "es_ES.UTF-8", "LANGUAGE": "ca:es:en"}, "es"),
        ({"LANG": "es_ES.UTF-8", "LANGUAGE": ""}, "es"),
        ({"LANG": "est_EE"}, "en"),
        ({"LANG": "de_DE@euro"}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(environ, language):
    """The variables count in the order in which other programs read them."""
    assert language_from_locale(environ) == language
