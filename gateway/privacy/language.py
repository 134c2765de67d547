"""Which language a text is in, by its most frequent small words. Pure; says nothing where it is not plain.

Function words are a closed class: lists of them tell European languages apart from a sentence or two onwards
(Grefenstette, "Comparing two language identification schemes", 1995).
"""

from collections.abc import Sequence

from gateway.privacy.patterns import late

_WORDS = {
    "en": "the of and to in is that it was for you with are this have not be on as by from or what how my can please",
    "es": "el la de que y en los del las un una por con para es no se lo como su al más este qué cómo mi pero hay",
    "fr": "le la les des et est un une dans que qui pour pas ne sur avec ce il au vous je plus mais comment mon être",
    "de": "der die das und ist nicht ein eine zu den mit von für auf ich sie es im dem wie was bitte auch mein oder",
    "pt": "o a os as de que e em um uma não para com do da dos das por se mais como mas meu você foi são isso",
    "it": "il lo la i gli le di che e un una per non con del della sono come mi più questo anche nel mio ma cosa",
    "ca": "el la els les de que i en un una per amb no és com dels del al més aquest què meu però ha són",
}
_BITS = 16  # for the count of one language: more words than a sample has
# What a word adds to the counts of all languages together, which are the digits of one number: so counting is a sum.
_ADDS: dict[str, int] = {}
for _place, _words in enumerate(_WORDS.values()):
    for _word in set(_words.split()):
        _ADDS[_word] = _ADDS.get(_word, 0) + (1 << _BITS * _place)
_ADDS_OF_BYTES = {word.encode(): adds for word, adds in _ADDS.items()}
_DIGIT = (1 << _BITS) - 1
_WORD = late(r"[^\W\d_]+")
# The letters of ASCII in small; all else divides words.
_LETTERS = bytes([ord(chr(code).lower()) if code < 128 and chr(code).isalpha() else ord(" ") for code in range(256)])
_SAMPLE = 2_000  # characters; more does not make it surer
_FEWEST = 3


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code; None: too short, mixed, or a language that is not known here."""
    sample = text[:_SAMPLE]
    words: Sequence[str | bytes]
    if sample.isascii():
        words = sample.encode().translate(_LETTERS).split()
        counts = sum(filter(None, map(_ADDS_OF_BYTES.get, words)))
    else:
        words = _WORD.findall(sample.lower())
        counts = sum(filter(None, map(_ADDS.get, words)))
    if not counts:
        return None
    seen = [(counts >> _BITS * place & _DIGIT, code) for place, code in enumerate(_WORDS)]
    (best, code), (second, _) = sorted(seen, reverse=True)[:2]
    plain = best >= _FEWEST and best * 8 >= len(words) and best * 5 >= second * 6
    return code if plain else None
