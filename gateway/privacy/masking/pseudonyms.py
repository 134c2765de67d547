"""Pseudonyms: what stands for a value while it is away. Pure; chance is passed in. Never for secrets.

A pseudonym keeps what grammar and format need (`Persona-K47`, `Señora-K47` where the text shows that,
`+34 6XX XXX K47`, `k47@mail.invalid`, `ESXX … XK47`) and nothing of the value but its outline. Tier 0 finds none of
them; a test holds that. Spellings of one value share the code at the end, and parts of a full name have a letter behind
it (`Persona-K47b`), so a reader sees that they mean the same, and each is restored as it was written.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

import msgspec

from gateway.privacy.patterns import late

Pick = Callable[[int], int]  # a random number from 0 to below the argument
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DOMAIN = "mail.invalid"  # reserved: nobody's address (RFC 2606)
_TRIES = 64
_FEWEST = 5  # letters and digits that a value needs so that its outline can be kept
_WORDS = {
    "es": {"person": "Persona", "custom": "Nombre", "network": "Equipo", "contact": "Lugar"},
    "ca": {"person": "Persona", "custom": "Nom", "network": "Equip", "contact": "Lloc"},
    "en": {"person": "Person", "custom": "Name", "network": "Host", "contact": "Place"},
}
_OTHER = {"es": "Dato", "ca": "Dada", "en": "Item"}
_GENDERED = {"es": ("Señor", "Señora"), "ca": ("Senyor", "Senyora")}
_TRANSLATED = (  # what a model makes of them in other languages
    "personne", "pessoa", "nome", "mr", "mrs", "ms", "sr", "sra", "mr.", "mrs.", "ms.", "sr.", "sra.", "lieu",
    "local", "luogo", "donnée", "hôte", "senor", "senora",
)  # fmt: skip
_HYPHENS = str.maketrans("‐‑‒–—−_ \u00a0\u202f", "----------")


NOUNS = sorted(
    {word.lower() for words in _WORDS.values() for word in words.values()}
    | {word.lower() for word in (*_OTHER.values(), *(noun for both in _GENDERED.values() for noun in both))}
    | set(_TRANSLATED),
    key=len,
    reverse=True,
)
PLURALS = ("", "s", "es")
_NOUN_STARTS = frozenset(
    word[:end] for noun in NOUNS for word in (noun, f"{noun}s", f"{noun}es") for end in range(1, len(word) + 1)
)
_CODE = late(r"(?P<noun>[^\W\d_]+\.?)-(?P<code>[A-Za-z][0-9]{2}[A-Za-z]*)")
SPOKEN = late(rf"(?<!\w)(?i:(?:{'|'.join(map(re.escape, NOUNS))})(?:e?s)?)-(?ai:[a-z][0-9]{{2}}[a-z]*)(?!\w)")
"""A pseudonym of a noun and a code as a model may write it, with any noun, in a text as `plainly` writes it."""


def plainly(text: str) -> str:
    """Return a text of equal length in which all hyphens, dashes and spaces are hyphens."""
    return text.translate(_HYPHENS)


def code_of(pseudonym: str) -> str | None:
    """Return the code of a pseudonym of a noun and a code, in small letters; None: it is of another shape."""
    match = _CODE.fullmatch(plainly(pseudonym))
    return match["code"].lower() if match is not None else None


def is_noun_start(word: str) -> bool:
    """Tell whether a word in small letters may begin a noun of a pseudonym, in any language or in the plural."""
    return word in _NOUN_STARTS


class PseudonymEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One spelling of a value, and what stands for it. `code` is shared by all spellings of the value."""

    original: str
    pseudonym: str
    category: str
    code: str

    def __repr__(self) -> str:
        return f"Entry({self.category}, …)"


class Full(Exception):
    """Error of a text that is full of pseudonyms: no free one was found."""


def outlined(value: str) -> bool:
    """Tell whether a value is a number or code whose outline can be kept."""
    marks = [character for character in value if character.isalnum()]
    return len(marks) >= _FEWEST and 2 * sum(character.isdigit() for character in marks) >= len(marks)


def essence(category: str, value: str) -> str:
    """Return what all spellings of a value have in common."""
    if "@" in value:
        return value.lower()
    if outlined(value):
        marks = "".join(character for character in value if character.isalnum()).upper()
        return marks[-9:] if category.startswith("contact.phone") else marks
    plain = unicodedata.normalize("NFKD", value)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


class Pseudonyms:
    """The pseudonyms of one conversation, growing.

    `text` holds every text of the request, in lower case: what stands there already is never chosen, and what was
    chosen before and stands there now is given up for another.
    """

    def __init__(self, known: Iterable[PseudonymEntry], text: str, pick: Pick, language: str) -> None:
        self._text = plainly(text)
        self._spoken = {code_of(found[0]) for found in SPOKEN.finditer(self._text)}
        self._pick = pick
        self._language = language if language in _WORDS else "en"
        self._entries: dict[str, PseudonymEntry] = {}
        self._groups: dict[str, tuple[str, str]] = {}  # essence → category, code
        self._taken: dict[str, str] = {}  # pseudonym in lower case → essence
        self._used: set[str] = set()  # codes
        for entry in known:
            if not self._stands(entry.pseudonym):
                self._keep(entry)

    @property
    def entries(self) -> tuple[PseudonymEntry, ...]:
        """Return everything that has a pseudonym."""
        return tuple(self._entries.values())

    def of(self, value: str, category: str, *, whole: str = "", gender: str = "") -> PseudonymEntry:
        """Return the entry of this spelling of a value; a new one where there is none.

        Args:
            value: The value as it is written.
            category: What it was found as.
            whole: The full name of which the value is a part: both share the code.
            gender: "m" or "f" where the text shows a person's.

        Raises:
            Full: No free pseudonym was found.
        """
        entry = self._entries.get(value)
        if entry is None:
            category, code = self._groups.get(essence(category, value), (category, ""))
            if whole and not code:
                entry = self._part(value, category, self.of(whole, category, gender=gender))
            entry = entry or self._new(value, category, code, gender)
            self._keep(entry)
        return entry

    def _part(self, value: str, category: str, whole: PseudonymEntry) -> PseudonymEntry | None:
        """Return an entry with the code of the full name and a letter behind it; None: no letter is free."""
        if code_of(whole.pseudonym) is None:
            return None
        noun = _CODE.fullmatch(whole.pseudonym)
        for letter in "bcdefghjklmn":
            pseudonym = _cased(value, f"{noun['noun'].capitalize()}-{whole.code}{letter}") if noun else ""
            if noun and self._free(pseudonym, value, category):
                return PseudonymEntry(original=value, pseudonym=pseudonym, category=category, code=whole.code + letter)
        return None

    def _keep(self, entry: PseudonymEntry) -> None:
        key = essence(entry.category, entry.original)
        self._entries[entry.original] = entry
        self._groups.setdefault(key, (entry.category, entry.code))
        self._taken[entry.pseudonym.lower()] = key
        self._used.add(entry.code.lower())

    def _new(self, value: str, category: str, code: str, gender: str = "") -> PseudonymEntry:
        for attempt in range(_TRIES):
            if not code:
                code = self._code(attempt)
            pseudonym = self._drawn(value, category, code, gender)
            if self._free(pseudonym, value, category):
                return PseudonymEntry(original=value, pseudonym=pseudonym, category=category, code=code)
            code = ""
        raise Full

    def _code(self, attempt: int) -> str:
        """Return a letter and two digits, longer when those run out."""
        while True:
            code = _LETTERS[self._pick(len(_LETTERS))] + f"{self._pick(100):02}"
            code += "".join(_LETTERS[self._pick(len(_LETTERS))] for _ in range(attempt // 8))
            if code.lower() not in self._used:
                return code
            attempt += 1

    def _free(self, pseudonym: str, value: str, category: str) -> bool:
        if any(entry.pseudonym == pseudonym for entry in self._entries.values()):
            return False
        taken = self._taken.get(pseudonym.lower())
        return taken in (None, essence(category, value)) and not self._stands(pseudonym)

    def _stands(self, pseudonym: str) -> bool:
        """Tell whether a pseudonym stands in the request's own texts, in any way in which it would be put back."""
        code = code_of(pseudonym)
        return plainly(pseudonym.lower()) in self._text or (code is not None and code in self._spoken)

    def _drawn(self, value: str, category: str, code: str, gender: str) -> str:
        if "@" in value:
            return _cased(value, f"{code.lower()}@{_DOMAIN}")
        if outlined(value) and len(code) < sum(map(str.isalnum, value)):
            return _outline(value, code, _shown(value, category))
        root = category.partition(".")[0]
        noun = _WORDS[self._language].get(root, _OTHER[self._language])
        if root == "person" and gender and self._language in _GENDERED:
            noun = _GENDERED[self._language][gender == "f"]
        return _cased(value, f"{noun}-{code}")


def _cased(value: str, pseudonym: str) -> str:
    if value.isupper() and len(value) > 1:
        return pseudonym.upper()
    return pseudonym.lower() if value.islower() else pseudonym


def _shown(value: str, category: str) -> int:
    """Return how many letters and digits at the front stay: an account's country, a telephone's country and kind."""
    if category == "financial.iban" and value[:2].isalpha():
        return 2
    if not category.startswith("contact.phone"):
        return 0
    front = re.match(r"\+(?:([0-9]{1,3})(?=[^0-9])|[0-9]{2})", value)
    shown = sum(character.isdigit() for character in front[0]) if front else 0
    marks = [character for character in value if character.isalnum()]
    return shown + (1 if marks[shown : shown + 1] and marks[shown] in "6789" else 0)


def _outline(value: str, code: str, shown: int) -> str:
    """Return the value with its separators, its first marks as they are, X for the others, and the code at its end."""
    marks = sum(character.isalnum() for character in value)
    shown = min(shown, max(0, marks - len(code) - 1))
    drawn: list[str] = []
    at = 0
    for character in value:
        if not character.isalnum():
            drawn.append(character if character in "-./:()+_" else " " if character.isspace() else "-")
            continue
        place = at - (marks - len(code))
        kept = at < shown and character.isascii()
        drawn.append(character if kept else code[place] if place >= 0 else "X")
        at += 1
    return "".join(drawn)
