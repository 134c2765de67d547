"""Other readings of what is written in digits: a letter that looks like one, and what an unsure letter may be instead.

A number with a wrong digit fails its checksum, so that nobody would find it. Other readings can only add findings.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from gateway.attachments.worker.ocr.letters import Letter, Line

_DIGITS = str.maketrans("OoQDIl|!iZzSsGbTBgqA", "00001111122556678994")
_LETTERS = str.maketrans("0124568", "OIZASGB")  # of which check letters are made
_WORD = re.compile(r"[^\s,;:()]+")
_CHECKED = re.compile(r"\w\d{6,}[A-Z]")  # the last letter is a check letter, not a digit
_IBAN = re.compile(  # how one begins: a country, two digits
    "(?:AD|AT|BE|BG|CH|CY|CZ|DE|DK|EE|ES|FI|FR|GB|GR|HR|HU|IE|IS|IT|LI|LT|LU|LV|MC|MT|NL|NO|PL|PT|RO|SE|SI|SK|SM)"
    r"[\dOoQDIl|!iZzSsGbTBgqA]{2}"
)
_FEWEST = 3  # letters of a word that is a number
_SHARE = 0.4  # of them digits
_SURE = 0.95
_MOST = 8  # readings of one line
_UNSURE = 5  # letters of a word that are exchanged one by one


def other_readings(line: Line) -> Iterator[str]:
    """Yield what else a line may say; nothing where it has no numbers, or they leave no doubt."""
    text = line.text
    words = [(found.start(), found.end()) for found in _WORD.finditer(text)]
    readings = [_readings(line.letters[begin:end]) for begin, end in words] if len(text) == len(line.letters) else []
    seen = {text}
    for number in range(min(_MOST, max(map(len, readings), default=0))):
        parts, last = [], 0
        for (begin, end), others in zip(words, readings, strict=True):
            parts += [text[last:begin], others[number] if number < len(others) else text[begin:end]]
            last = end
        reading = "".join([*parts, text[last:]])
        if reading not in seen:
            seen.add(reading)
            yield reading


def _readings(letters: Sequence[Letter]) -> list[str]:
    """Return other readings of one word."""
    word = "".join(letter.text for letter in letters)
    digits = sum(letter.isdigit() for letter in word)
    if _IBAN.fullmatch(word):
        return [word[:2] + word[2:].translate(_DIGITS)] if digits == 1 else []
    if digits < _SHARE * sum(letter.isalnum() for letter in word) or len(word) < _FEWEST or not digits:
        return []
    return list(dict.fromkeys(reading for reading in (*_alike(letters), *_exchanged(letters)) if reading != word))


def _alike(letters: Sequence[Letter]) -> Iterator[str]:
    """Yield the word with letters as digits: all that may be, or all but those that begin or end it."""
    word = "".join(letter.text for letter in letters)
    folded = word.translate(_DIGITS)
    if _CHECKED.fullmatch(word) and letters[-1].sureness >= _SURE:
        folded = folded[:-1] + word[-1]
    for head, tail in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0)):
        end = len(word) - tail
        yield word[:head] + folded[head:end] + word[end:]
    if letters[-1].sureness < _SURE:
        yield folded[:-1] + word[-1].translate(_LETTERS)


def _exchanged(letters: Sequence[Letter]) -> Iterator[str]:
    """Yield the word with its unsure letters exchanged, one by one and all together."""
    unsure = [place for place, letter in enumerate(letters) if letter.other]
    for places in (*([place] for place in unsure[:_UNSURE]), unsure):
        yield "".join(_chosen(letters, places))


def _chosen(letters: Sequence[Letter], places: Iterable[int]) -> Iterator[str]:
    exchanged = set(places)
    for place, letter in enumerate(letters):
        yield letter.other if place in exchanged else letter.text
