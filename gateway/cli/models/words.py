"""What `aduana models` says, in the language of whoever reads it."""

import os

from gateway.cli.models.spanish import SPANISH
from gateway.core.translation import Translator, language_from_locale


def say(sentence: str, **values: object) -> str:
    """Return an English sentence in the language that the environment asks for, with these values in its places."""
    return Translator(SPANISH, language_from_locale(os.environ))(sentence, **values)
