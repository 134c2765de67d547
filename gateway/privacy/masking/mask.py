"""Masking: a document with pseudonyms in the place of what was found. Pure; the mapping and chance are passed in.

A value is replaced wherever it stands as a whole word, in any case and (for numbers) with any separators: in every
string and key, in JSON inside strings, found there or not. Whether nothing is left is not for this module to say:
whoever calls inspects the result again. None instead of a document means: it can't be done in place.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from re import Match
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject, strings
from gateway.core.finding import Finding
from gateway.privacy.categories import maskable
from gateway.privacy.detectors.detector import re2
from gateway.privacy.masking.name_parts import parts_of, spellings_of
from gateway.privacy.masking.places import PseudonymPlaces
from gateway.privacy.masking.pseudonyms import Full, Pick, PseudonymEntry, Pseudonyms, essence, outlined
from gateway.privacy.names.given_names import is_given_name
from gateway.privacy.patterns import late

_MOST_VALUES = 2_000
_MOST_PARTS = 8_000  # shorter forms of full names, each in its spellings
_MOST_SURNAMES = 200
_CAPITALISED = r"[A-ZÀ-ÖØ-Þ][\w'’-]+"
_PEOPLE = frozenset({"person.name", "person.record"})
_SPANISH = late(
    r"[ñ¿¡]|\b(?:el|los|del|una?|que|para|escr[ií]bele|escribe|dile|llama|redacta|resume|haz|por|cita|mi|se|está|con)\b",
    re.IGNORECASE,
)
_SHOWN = late(
    r"(?:\b(?P<f>la|las|una|doña|dña\.?|sra\.?|srta\.?|señora|señorita|senyora|"
    r"(?:mi|tu|su|la meva|la seva|nuestra)\s\w+a)|"
    r"\b(?:el|los|un|don|d\.|sr\.?|señor|senyor|(?:mi|tu|su|el meu|el seu|nuestro)\s\w+o))"
    r"(?:\s(?:paciente?|cliente?|\w+[oa]r?))?[\s,]{1,2}\Z",
    re.IGNORECASE,
)
_DEEPEST = 8  # JSON inside strings of JSON
_STRUCTURE = frozenset({"role", "type", "model"})  # words of the protocol, never replaced
_LITERAL = late(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BETWEEN, _SPACE = r"[ .\-/]?", r"[\s\x{00A0}]+"
_PATTERN_BYTES = 1 << 26  # for the search over all values at once (RE2: linear time, however many there are)


class Masked(msgspec.Struct, frozen=True, kw_only=True):
    """Document with pseudonyms, the mapping that restores it, and how many findings of each category were masked."""

    document: JsonObject
    entries: tuple[PseudonymEntry, ...]
    counts: tuple[tuple[str, int], ...]
    parts: frozenset[str] = frozenset()
    """Values that are parts of full names: they count as whole words only."""


class _Collision(Exception):
    """Error of an object in which two keys would become one."""


def mask(
    document: JsonObject, findings: Sequence[Finding], known: Iterable[PseudonymEntry], pick: Pick, language: str = "en"
) -> Masked | None:
    """Return the document with these findings masked; None where one of them can't be replaced in place.

    `known` are the conversation's entries; their values are replaced too. The findings' places must be of `document`.
    """
    texts = dict(strings(document))
    values = _values(findings, texts)
    if values is None:
        return None
    language = language or _guessed(texts.values())
    before = tuple(known)
    names = Pseudonyms(before, "\n".join(texts.values()).lower(), pick, language)
    values |= _namesakes(values, texts)
    found = frozenset(values)
    for entry in before:
        values.setdefault(entry.original, entry.category)
    parts = _parts(values, found)
    values = {value: category for value, category in values.items() if value not in parts}
    if len(values) > _MOST_VALUES:
        return None
    genders = _genders(findings, texts) if language in ("es", "ca") else {}
    try:
        masked = _Masking(values, parts, genders, names).document(document)
    except (Full, _Collision):
        return None
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.category] = counts.get(finding.category, 0) + 1
    known_parts = frozenset(entry.original for entry in names.entries if entry.original in parts)
    return Masked(document=masked, entries=names.entries, counts=tuple(sorted(counts.items())), parts=known_parts)


def foreign(findings: Sequence[Finding], masked: Masked) -> tuple[Finding, ...]:
    """Return the findings in a masked document without those that lie inside one pseudonym, which are nobody's data."""
    if not findings or not masked.entries:
        return tuple(findings)
    own = PseudonymPlaces(strings(masked.document), [entry.pseudonym for entry in masked.entries])
    return tuple(finding for finding in findings if not own.hold(finding.path, finding.start, finding.end))


def _values(findings: Sequence[Finding], texts: Mapping[str, str]) -> dict[str, str] | None:
    """Return each found value with its category; None: one of them is no piece of a text that could be replaced."""
    values: dict[str, str] = {}
    for finding in findings:
        text = texts.get(finding.path, "")
        value = text[finding.start : finding.end].strip()
        if not maskable(finding.category) or not value or "\n" in value or "\r" in value:
            return None
        readings = _unescaped(value) if "\\" in value and _is_json(text) else []
        if (finding.encoded and not readings) or any("\n" in reading or "\r" in reading for reading in readings):
            return None
        for reading in (value, *readings):
            values.setdefault(reading, finding.category)
    return values


def _guessed(texts: Iterable[str]) -> str:
    """Return the language of texts that are too short to tell it by their small words."""
    return "es" if any(_SPANISH.search(text) for text in texts) else "en"


def _namesakes(values: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, str]:
    """Return others of the same surname, as `Dina Haddad` beside `Adrián Haddad`: relatives are seldom found alike."""
    surnames = {name.split()[-1]: category for name, category in values.items() if category in _PEOPLE and " " in name}
    if not surnames or len(surnames) > _MOST_SURNAMES:
        return {}
    pattern = re.compile(rf"(?<!\w)({_CAPITALISED})[ \t]({'|'.join(map(re.escape, surnames))})(?!\w)")
    return {
        match[0]: surnames[match[2]]
        for text in texts.values()
        for match in pattern.finditer(text)
        if is_given_name(match[1], alone=True) or text[match.start() - 2 : match.start() - 1].islower()
    }


def _parts(values: Mapping[str, str], found: Collection[str]) -> dict[str, str]:
    """Return shorter forms of the full names among values, each with the full name. Who is named first has them.

    A first and last name that was `found` by itself is no part: it may be somebody else's.
    """
    parts: dict[str, str] = {}
    for value, category in values.items():
        for part in parts_of(value) if category in _PEOPLE else ():
            for spelling in spellings_of(part):
                if (spelling not in found or _is_short(spelling)) and len(parts) < _MOST_PARTS:
                    parts.setdefault(spelling, value)
    return parts


def _is_short(name: str) -> bool:
    """Tell whether a name is one word, or initials and one."""
    return sum(len(word.strip(".,")) > 1 for word in name.split()) < 2


def _genders(findings: Sequence[Finding], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the gender of people where the word before their name shows it: `la paciente`, `don`, `mi compañera`."""
    genders: dict[str, str] = {}
    for finding in findings:
        text = texts.get(finding.path, "")
        before = text[max(0, finding.start - 40) : finding.start]
        shown = _SHOWN.search(before) if finding.category in _PEOPLE else None
        if shown is not None:
            genders.setdefault(text[finding.start : finding.end].strip(), "f" if shown["f"] else "m")
    return genders


def _unescaped(value: str) -> list[str]:
    """Return what a value in the text of JSON means, and what that means if it is JSON's text again."""
    found: list[str] = []
    while "\\" in value and len(found) < _DEEPEST:
        try:
            value = json.loads(f'"{value}"')
        except ValueError:
            break
        found.append(value)
    return found


def _is_json(text: str) -> bool:
    """Tell whether a string is the text of a JSON object or array."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class _Masking:
    """One pass over a document."""

    def __init__(
        self, values: Mapping[str, str], parts: Mapping[str, str], genders: Mapping[str, str], names: Pseudonyms
    ) -> None:
        self._values = values
        self._parts = parts
        self._genders = genders
        self._in_words = {" ".join(part.split()): part for part in parts}
        self._categories = sorted(set(values.values()))
        self._known = {essence(category, value): category for value, category in values.items()}
        self._names = names
        self._pattern: Any = None
        if values:
            options = re2.Options()
            options.max_mem, options.case_sensitive, options.log_errors = _PATTERN_BYTES, False, False
            longest = sorted((*values, *parts), key=len, reverse=True)
            try:
                self._pattern = re2.compile("|".join(map(self._spelled, longest)), options)
            except re2.error as error:
                raise Full from error

    def _spelled(self, value: str) -> str:
        if value not in self._parts:
            return _spellings(value)
        # A part must not begin inside a word: what it took there would hide a whole one ("qu[e Urrutia]").
        edge = r"\b" if value[0].isascii() else ""
        return f"(?-i:{edge}{_spellings(value)})"

    def document(self, document: JsonObject) -> JsonObject:
        """Return the masked document."""
        return self._object(document)

    def _object(self, value: Mapping[str, Json]) -> JsonObject:
        fields: dict[str, Json] = {}
        for key, item in value.items():
            name = self._text(key, _DEEPEST)
            if name in fields:
                raise _Collision
            fields[name] = item if key in _STRUCTURE and isinstance(item, str) else self._json(item)
        return MappingProxyType(fields)

    def _json(self, value: Json) -> Json:
        match value:
            case str():
                return self._text(value, 0)
            case tuple():
                return tuple([self._json(item) for item in value])
            case Mapping():
                return self._object(value)
            case _:
                return value

    def _text(self, text: str, depth: int) -> str:
        if self._pattern is None:
            return text
        if depth < _DEEPEST and _is_json(text):
            return _LITERAL.sub(self._literal(depth + 1), text)
        parts: list[str] = []
        done = 0
        for match in self._pattern.finditer(text):
            start, end = match.span()
            if _whole(text, start, end):
                parts += (text[done:start], self._pseudonym(match[0]))
                done = end
        return "".join((*parts, text[done:])) if parts else text

    def _literal(self, depth: int) -> Callable[[Match[str]], str]:
        """Return the replacement for strings of JSON inside a string.

        They are read, masked, and written as JSON again, if they changed.
        """

        def masked(match: Match[str]) -> str:
            inner = str(json.loads(match[0], strict=False))
            changed = self._text(inner, depth)
            return match[0] if changed == inner else json.dumps(changed, ensure_ascii=False)

        return masked

    def _pseudonym(self, value: str) -> str:
        category = self._values.get(value)
        part = self._in_words.get(" ".join(value.split())) if category is None else None
        if part is not None and not self._is_value(value):
            whole = self._parts[part]
            return self._names.of(
                value, self._values[whole], whole=whole, gender=self._genders.get(whole, "")
            ).pseudonym
        if category is None:
            readings = (self._known.get(essence(category, value)) for category in self._categories)
            category = next((found for found in readings if found is not None), self._categories[0])
        return self._names.of(value, category, gender=self._genders.get(value, "")).pseudonym

    def _is_value(self, value: str) -> bool:
        """Tell whether it is another spelling of a value that was found itself."""
        return any(self._known.get(essence(category, value)) == category for category in self._categories)


def _spellings(value: str) -> str:
    """Return a pattern for a value: numbers with any separators, words with any space between them."""
    if "@" not in value and outlined(value):
        return _BETWEEN.join(re2.escape(part) for part in re.findall(r"\w|[^\w .\-/]+", value))
    return _SPACE.join(re2.escape(part) for part in value.split())


def _whole(text: str, start: int, end: int) -> bool:
    """Tell whether what stands there is no piece of a longer word, number or address."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if "@" in text[start:end]:
        further = text[end + 1 : end + 2].isalnum()
        return not (_in_word(before) or before in tuple("+.-")) and not (
            _in_word(after) or after == "-" or (after == "." and further)
        )
    return not (_in_word(before) and _in_word(text[start])) and not (_in_word(after) and _in_word(text[end - 1]))


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
