"""How words of names are compared: without accents and case. Pure."""

import unicodedata


def plain(word: str) -> str:
    """Return a word without accents and in small letters."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word)
    return "".join(one for one in parts if not unicodedata.combining(one)).casefold()
