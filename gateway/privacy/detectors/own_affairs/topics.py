"""Topics that are somebody's own business, without a model: words of health, money, law, work, plans, and their owner.

A word alone is a subject to talk about ("what are the symptoms of HIV?"). It becomes a confidence beside its owner:
a possessive ("my HIV diagnosis", "la nómina de mi mujer"), a subject who has it ("I tested positive for …"), or a firm
that has not told yet ("we will lay off 40 people before it is announced"). Pure; lexicons propose, windows decide.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from collections.abc import Callable
from re import Pattern

import msgspec

from gateway.privacy.detectors.detector import Detector, lexicon, words
from gateway.privacy.detectors.own_affairs import lexicon as lists
from gateway.privacy.patterns import late

_BEFORE, _AFTER, _NEAR = 96, 64, 260  # characters looked at on each side of a word
_MOST = 400  # hits of one lexicon that are looked at in a text: a whole book of medicine is nobody's confidence

_GAP = r"(?P<gap>(?:[\w'’-]+\s+){0,3})"
_OWNER = words(
    rf"(?:\b(?:my|our|mis?|nuestr[oa]s?)\s+(?:(?:{lists.KIN})(?:['’]s|s['’])\s+)?{_GAP})\Z"  # my …, my sister's …
)
_OF_OWNER = words(
    rf"\A\s+(?:[\w-]+\s+){{0,2}}?(?:(?:of|for|de|del|para)\s+(?:my|our|mis?|nuestr[oa]s?)\s+(?:{lists.KIN})\b|of (?:mine|ours)\b|(?:m[ií]|nuestr)[oa]s?\b(?!\s+\w))"
)
_SUBJECT = words(
    rf"(?:\b(?:i|we|yo)(?:['’](?:m|ve|d|re))?|\b(?:my|our|mi|nuestr[oa])\s+(?:{lists.KIN})(?:['’]s)?(?:\s+[A-Z][\w-]+)?|(?<![\w.])(?=(?:tengo|padezco|sufro|sufr[ií]|tomo|tuve|he|estoy|me)\b))"
    rf"\s*(?P<gap>(?:[\w'’-]+\s+){{0,7}})\Z"
)
_HAS = words(rf"\b(?:{lists.HAS})\b|\A\W*(?:{lists.HAS_SHORT})\b")
_BREAK = words(rf"\b(?:{lists.BREAKS})\b")
_NEUTRAL = words(rf"\A['’]?s?[\s-]+(?:{lists.NEUTRAL})\b")
_SPEECH = words(
    rf"[\"”»“][^\S\n]*(?:{lists.SPEECH})\b|[\"”»]\s+(?:[A-ZÁÉÍÓÚ]\w+|he|she|they)\s+(?:{lists.SPEECH})\b|\s[—–-]\s?(?:{lists.SPEECH})\b"
)


class _Topic(msgspec.Struct, frozen=True, kw_only=True):
    """Words of one topic: what one can own, what one can have, and phrases that say it all."""

    owned: str
    had: str = ""
    phrases: str


def _span(topic: _Topic) -> Callable[[str], tuple[int, int] | None]:
    """Return a search for the topic's first confidence in a text."""
    owned = lexicon(rf"\b(?:{topic.owned})\b")
    had = lexicon(rf"\b(?:{topic.had})\b") if topic.had else None
    phrases = lexicon(rf"\b(?:{topic.phrases})")

    def look(text: str) -> tuple[int, int] | None:
        for match in phrases.finditer(text):
            if real(text, match.start(), match.end()):
                return match.start(), match.end()
        for pattern, owner in ((owned, _owned), (had, _had)):
            for count, match in enumerate(pattern.finditer(text) if pattern is not None else ()):
                if count >= _MOST:
                    break
                start = owner(text, match.start(), match.end())
                if start is not None and real(text, match.start(), match.end()):
                    return start, match.end()
        return None

    return look


def _owned(text: str, start: int, end: int) -> int | None:
    """Return where the owner of the word begins; None: no person owns it."""
    before = _OWNER.search(text, max(0, start - _BEFORE), start)
    if before is not None and not _BREAK.search(before["gap"]):
        return before.start()
    return start if _OF_OWNER.match(text[end : end + _AFTER]) else None


def _had(text: str, start: int, end: int) -> int | None:
    """Return where the person begins who has it; None: nobody does."""
    before = _clause(text[max(0, start - _BEFORE) : start])
    subject = _SUBJECT.search(before)
    if subject is None or not _HAS.search(subject["gap"]) or _BREAK.search(subject["gap"]):
        return None
    return start - len(before) + subject.start()


def _clause(text: str) -> str:
    """Return what follows the last stop."""
    return re.split(r"[.;:!?\n(]\s", text)[-1]


def real(text: str, start: int, end: int) -> bool:
    """Tell whether it is neither the subject of an essay or a field of study, nor what a character in a story says."""
    after = text[end : end + _AFTER]
    return _NEUTRAL.match(after) is None and _SPEECH.search(text, end, end + 2 * _AFTER) is None


_UNTOLD = lexicon(rf"\b(?:{lists.UNTOLD})\b")
_PLANS = words(rf"\b(?:{lists.PLANS})")
_FIRM = words(rf"\b(?:{lists.FIRM})\b")
_OWN_PLAN = lexicon(
    rf"\b(?:our|nuestr[oa]s?)\s(?:[\w'’-]+\s){{0,2}}(?:{lists.HUSHED})\s(?:[\w'’-]+\s){{0,2}}(?:{lists.OWN_PLANS})|"
    rf"\b(?:our|nuestr[oa]s?)\s(?:[\w'’-]+\s){{0,2}}(?:{lists.OWN_PLANS})\s(?:[\w'’-]+\s){{0,2}}(?:{lists.HUSHED})\b"
)


def _plan(text: str) -> tuple[int, int] | None:
    """Return where a plan of one's own firm stands that is not told yet; None: nowhere.

    It is said in one breath, or by three kinds of words near each other.
    """
    own = _OWN_PLAN.search(text)
    if own is not None:
        return own.start(), own.end()
    for count, match in enumerate(_UNTOLD.finditer(text)):
        if count >= _MOST:
            break
        around = text[max(0, match.start() - _NEAR) : match.end() + _NEAR]
        if _PLANS.search(around) and _FIRM.search(around):
            return match.start(), match.end()
    return None


def _proposal(*parts: str) -> str:
    return "(?i)" + "|".join(part for part in parts if part)


def _detector(name: str, category: str, source: str, topic: _Topic) -> Detector:
    return Detector(
        name=name,
        category=category,
        pattern=_NOTHING,
        proposal=_proposal(topic.owned, topic.had, topic.phrases),
        source=source,
        whole=_span(topic),
        confidence=0.6,
        joins=False,
    )


_NOTHING: Pattern[str] = late(r"(?!)")  # `whole` looks; `proposal` is what the first pass searches for

DETECTORS: tuple[Detector, ...] = (
    _detector(
        "health_topic",
        "health.personal",
        "words of illness, treatment and tests × a possessive or a subject who has them (en, es)",
        _Topic(owned=lists.HEALTH_OWNED, had=lists.ILLNESSES, phrases=lists.HEALTH_PHRASES),
    ),
    _detector(
        "money_topic",
        "financial.personal",
        "words of pay, debt, savings and taxes × a possessive, or a plight in the first person (en, es)",
        _Topic(owned=lists.MONEY_OWNED, phrases=lists.MONEY_PHRASES),
    ),
    _detector(
        "law_topic",
        "legal.case",
        "words of suits, divorces, crimes and papers × a possessive, or a plight in the first person (en, es)",
        _Topic(owned=lists.LAW_OWNED, phrases=lists.LAW_PHRASES),
    ),
    _detector(
        "work_topic",
        "legal.employment",
        "words of dismissal, reviews and harassment × a possessive, a first person or a firm (en, es)",
        _Topic(owned=lists.WORK_OWNED, phrases=lists.WORK_PHRASES),
    ),
    Detector(
        name="plan_topic",
        category="legal.confidential",
        pattern=_NOTHING,
        proposal=_proposal(lists.UNTOLD, lists.HUSHED),
        source="words of not yet told × a plan × one's own firm (en, es)",
        whole=_plan,
        confidence=0.6,
        joins=False,
    ),
)
