"""Sentences in the language of whoever reads them. English sentences are the keys, as in gettext. Pure.

Each part that talks to people keeps its own dictionary of English → Spanish beside itself, in `spanish.py`.
"""

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "es")
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the order of gettext


class Translator:
    """Function from an English sentence to the reader's language. What nobody translated stays English.

    `tell = Translator(SPANISH, "es")`, then `tell("{count} models found", count=3)`.
    """

    def __init__(self, catalogue: Mapping[str, str], language: Language) -> None:
        self.language = language
        self._catalogue = catalogue if language == "es" else {}

    def __call__(self, sentence: str, **values: object) -> str:
        """Return the sentence in the reader's language, with these values in its places (`{name}`)."""
        translated = self._catalogue.get(sentence, sentence)
        return translated.format(**values) if values else translated


def language_from_locale(environ: Mapping[str, str]) -> Language:
    """Return the language that a person's environment asks for; English where it asks for none that is spoken here."""
    wanted = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    for locale in wanted.split(":"):
        code = re.split(r"[_.@-]", locale.lower())[0]
        for language in LANGUAGES:
            if code == language:
                return language
    return "en"
