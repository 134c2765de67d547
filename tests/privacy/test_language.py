"""The language of a text, where it is plain."""

import pytest

from gateway.privacy.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the capital of France, and how many people live in it?", "en"),
        ("¿Cuál es la capital de Francia y cuánta gente vive en ella? Dímelo con una frase.", "es"),
        ("Quelle est la capitale de la France et combien de gens y vivent dans le centre ?", "fr"),
        ("Was ist die Hauptstadt von Frankreich und wie viele Menschen leben in der Stadt?", "de"),
        ("Qual é a capital da França e como vivem as pessoas que não são de lá?", "pt"),
        ("Qual è la capitale della Francia e come si vive in una città che non è grande per gli altri?", "it"),
        ("Who sent this to the señor from the café, and what did he say about it?", "en"),
        ("THE_PRICE of2 THE house:the-garden,for(you)and.me, IN 2020", "en"),
        ("Paris", None),
        ("", None),
        ("def f(x): return x + 1  # 12345", None),
        ("東京はどこですか", None),
    ],
)
def test_the_language_is_told_where_it_is_plain(text, language):
    """A sentence is enough; a word is not, nor is code."""
    assert language_of(text) == language
