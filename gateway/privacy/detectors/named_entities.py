"""Named entities, as a model labels them, become findings. Pure: the model runs elsewhere (`gateway.ner`).

A name alone is the user's choice (`NamePolicy`). A name together with something about health, money, law or contact is
`person.record`, whatever the choice. Cities and states alone are nobody's data.
"""

import enum
import re
from collections.abc import Iterator, Sequence

import msgspec

from gateway.core.finding import Finding
from gateway.privacy.names.given_names import is_given_name
from gateway.privacy.names.private_names import Surroundings, is_near_others, is_private_name
from gateway.privacy.names.spans import spans_of
from gateway.privacy.patterns import late

DETECTOR = "entities"
CATEGORIES = frozenset(
    {"person.name", "person.record", "contact.address", "contact.email", "contact.phone", "id.tax", "id.national",
     "id.passport", "id.licence", "financial.account"}
)  # fmt: skip

_NAMES = frozenset({"GIVEN_NAME", "SURNAME"})
_PLACES = frozenset({"STREET_NAME", "BUILDING_NUMBER", "SECONDARY_ADDRESS", "ZIP_CODE"})
_NUMBERS = {
    "EMAIL": "contact.email", "PHONE": "contact.phone", "TAX_ID": "id.tax", "GOVERNMENT_ID": "id.national",
    "PASSPORT": "id.passport", "DRIVERS_LICENSE": "id.licence", "BANK_ACCOUNT": "financial.account",
    "ROUTING_NUMBER": "financial.account",
}  # fmt: skip
_SURE = 0.9  # numbers look alike, so the model must be sure of them; tier 0 knows the checksums besides
_DIGITS = 5  # fewer are no identifier
_NAMED = late(
    r"passport|pasaporte|licen[cs]|permiso de conducir|carn[eé]|\bssn\b|social security|seguridad social|\bid\b|"
    r"identi|\bdn[ie]\b|\bni[ef]\b|\bcif\b|tax|fiscal|\bvat\b|account|acct|routing|cuenta|\biban\b|\bbank|\bbanco|"
    r"sort code|phone|\bcall|\btel\b|tel[eé]?f|m[oó]vil|mobile|\bcell|\bfax|whatsapp|\btext |contact|number|"
    r"n[uú]mero|reach|ring",
    re.IGNORECASE,
)  # without such a word near it, a hash or an order's number is as good an identifier for the model as any
_HASH = late(r"(?=.*[a-f])[0-9a-f-]{8,}")
_AROUND = 64, 32  # characters before and behind
_NEIGHBOUR = 40  # characters between the parts of one address
_SPEAKER = late(r"\$\.messages\[[0-9]+\]\.name")
_LISTED = 0.7  # confidence of a common given name that the model does not know
_COMPANIONS = ("health", "financial", "legal", "contact")


class NamePolicy(enum.StrEnum):
    """Which names count by themselves, without another finding beside them."""

    IGNORE = "ignore"
    FULL = "full"  # first and last name, a title and a name, or one that is introduced: my name is …, my son …
    ANY = "any"


class Entity(msgspec.Struct, frozen=True, array_like=True):
    """What the model saw at these characters of a text. `kind` is its own word, without B- and I-."""

    start: int
    end: int
    kind: str
    score: float


def joined(pieces: Sequence[Entity], text: str) -> list[Entity]:
    """Return entities from the model's word pieces, in order of their places: neighbours of one kind are one entity."""
    found: list[Entity] = []
    for piece in sorted(pieces, key=lambda one: (one.start, one.end)):
        last = found[-1] if found else None
        if last is not None and last.kind == piece.kind and not text[last.end : piece.start].strip(" "):
            end, score = max(last.end, piece.end), max(last.score, piece.score)
            found[-1] = Entity(last.start, end, piece.kind, score)
        else:
            found.append(piece)
    return found


def findings_of(path: str, text: str, entities: Sequence[Entity], names: NamePolicy) -> list[Finding]:
    """Return the findings in one string."""
    found = [*_of_names(path, text, entities, names), *_of_addresses(path, entities)]
    for entity in entities:
        category = _NUMBERS.get(entity.kind)
        if category is None or entity.score < _SURE:
            continue
        words = text[entity.start : entity.end]
        if "@" in words if category == "contact.email" else _is_number(words) and _is_named(text, entity):
            found.append(_finding(category, path, entity.start, entity.end, entity.score))
    return found


def records(named: Sequence[tuple[str, Entity]], findings: Sequence[Finding]) -> list[Finding]:
    """Return `person.record` where any name stands in one request with a finding of another person's matter.

    A name inside an address (`ana.lopez@…`) is a part of that contact data, and so stands beside none of it.

    Args:
        named: Pairs of a path and the name that stands there.
        findings: All that was found in the request.
    """
    beside = [finding for finding in findings if finding.category.startswith(_COMPANIONS)]
    contact = [finding for finding in beside if finding.category.startswith("contact")]
    for path, name in named:
        if len(beside) > len(contact) or (contact and not _is_inside(path, name, contact)):
            return [_finding("person.record", path, name.start, name.end, name.score)]
    return []


def _is_inside(path: str, name: Entity, findings: Sequence[Finding]) -> bool:
    return any(
        finding.path == path and finding.start <= name.start and name.end <= finding.end and not finding.encoded
        for finding in findings
    )


def is_speaker(path: str) -> bool:
    """Tell whether the name of a message's author stands at a path."""
    return _SPEAKER.fullmatch(path) is not None


def is_name(entity: Entity) -> bool:
    """Tell whether the entity is a first or last name."""
    return entity.kind in _NAMES


def _of_names(path: str, text: str, entities: Sequence[Entity], names: NamePolicy) -> Iterator[Finding]:
    if names is NamePolicy.IGNORE:
        return
    people = [entity for entity in entities if is_name(entity)]
    if _SPEAKER.fullmatch(path):
        if _is_somebody(text) or any(_is_sure(entity) for entity in people):
            yield _finding("person.name", path, 0, len(text), _LISTED)
        return
    read = Surroundings(text)
    spans = [(span, _seen(text, span, people)) for span in spans_of(read, [(one.start, one.end) for one in people])]
    private = {
        span
        for span, seen in spans
        if names is NamePolicy.ANY or is_private_name(text, span, surroundings=read, sure=seen.sure)
    }
    for span, seen in spans:
        if span in private or (private and seen.sure and is_near_others(span, read)):
            yield _finding("person.name", path, *span, seen.score)


class _Seen(msgspec.Struct, frozen=True):
    """How sure it is that a name is one."""

    sure: bool
    score: float


def _seen(text: str, span: tuple[int, int], people: Sequence[Entity]) -> _Seen:
    seen = [entity for entity in people if entity.start < span[1] and span[0] < entity.end]
    sure = is_given_name(text[slice(*span)]) or any(_is_sure(entity) for entity in seen)
    return _Seen(sure, max((entity.score for entity in seen), default=_LISTED))


def _is_somebody(name: str) -> bool:
    """Tell whether a speaker's name is a person's (`ana_ruiz`), and not a program's (`get_weather`)."""
    words = [word for word in re.split(r"[\W\d_]+", name) if word]
    return is_given_name(" ".join(words), alone=len(words) == 1)


def _is_sure(entity: Entity) -> bool:
    return entity.kind == "GIVEN_NAME" and entity.score >= _SURE


def _of_addresses(path: str, entities: Sequence[Entity]) -> Iterator[Finding]:
    """Yield findings of different parts of an address close together. A number and a postcode alone are none."""
    groups: list[list[Entity]] = []
    for part in (entity for entity in entities if entity.kind in _PLACES):
        if groups and part.start - groups[-1][-1].end <= _NEIGHBOUR:
            groups[-1].append(part)
        else:
            groups.append([part])
    for group in groups:
        kinds = {part.kind for part in group}
        if len(kinds) > 1 and kinds != {"BUILDING_NUMBER", "ZIP_CODE"}:
            score = min(part.score for part in group)
            yield _finding("contact.address", path, group[0].start, group[-1].end, score)


def _is_number(words: str) -> bool:
    return sum(map(str.isdigit, words)) >= _DIGITS and _HASH.fullmatch(words) is None


def _is_named(text: str, entity: Entity) -> bool:
    before, after = _AROUND
    return _NAMED.search(text, max(0, entity.start - before), entity.end + after) is not None


def _finding(category: str, path: str, start: int, end: int, score: float) -> Finding:
    return Finding(
        detector=DETECTOR, category=category, path=path, start=start, end=end, confidence=round(min(score, 1.0), 3)
    )
