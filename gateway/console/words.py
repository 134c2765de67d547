"""The reader's language: sentences, numbers, money and times as a page writes them. Pure."""

import functools
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from gateway.console.spanish import ELSEWHERE, SPANISH
from gateway.core.limits import is_daily
from gateway.core.translation import LANGUAGES, Language, Translator
from gateway.core.usage import MICROS

LANGUAGE_COOKIE = "aduana_lang"
NAMES: Mapping[Language, str] = {"en": "English", "es": "Español"}
_SWAPPED = str.maketrans(",.", ".,")


class Words:
    """Writer of sentences, numbers, money and times for one reader."""

    def __init__(self, language: Language, *, currency: str, rate: float, zone: tzinfo | None = None) -> None:
        """Keep how this reader wants it.

        Args:
            language: The reader's language.
            currency: The currency that is shown.
            rate: How much one US dollar is in that currency.
            zone: The time zone of what is shown; None: the machine's own.
        """
        self.language = language
        self.currency = currency
        self.rate = rate
        self.say = Translator(SPANISH, language)
        self._zone = zone

    def tell(self, sentence: str) -> str:
        """Return a sentence of another room in the reader's language, also where names and numbers stand in it."""
        if self.language == "en" or not sentence:
            return sentence
        return "; ".join(_told(part, self.say) for part in sentence.split("; "))

    def budget(self, name: str) -> str:
        """Return what a budget is for: `day`, `month`, `key:name`, `user_day:name` and the like."""
        scope, _, of = name.partition(":")
        when = self.say("today") if is_daily(name) else self.say("this month")
        scope = scope.removesuffix("_day")
        if scope in ("day", "month"):
            return when
        return f"{self.limited(scope, of)}, {when}" if of else f"{self.say(scope)}, {when}"

    def limited(self, scope: str, name: str) -> str:
        """Return whom a limit is about: a key, user, tag or target, and its name."""
        return f"{self.say(scope)} {name}"

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with separators."""
        text = f"{value:,.{digits}f}"
        return text.translate(_SWAPPED) if self.language == "es" else text

    def share(self, value: float) -> str:
        """Return a share of 0 to 1 as a percentage."""
        return f"{self.number(value * 100)} %" if self.language == "es" else f"{self.number(value * 100)}%"

    def money(self, micros: float | None) -> str:
        """Return micro-dollars in the display currency; below 1, four digits, so that cents don't vanish."""
        if micros is None:
            return self.say("unknown")
        value = micros / MICROS * self.rate
        if 0 < abs(value) < 0.0001:
            return f"<{self.number(0.0001, 4)} {self.currency}"
        digits = 2 if abs(value) >= 1 or value == 0 else 4
        return f"{self.number(value, digits)} {self.currency}"

    def seconds(self, value: float | None) -> str:
        """Return a time span."""
        if value is None:
            return "–"
        if value < 60:
            return f"{self.number(value, 1)} s"
        if value < 3600:
            return f"{self.number(value / 60, 1)} min"
        return f"{self.number(value / 3600, 1)} h"

    def size(self, count: float | None) -> str:
        """Return a number of bytes in GiB, or MiB where it is small."""
        if count is None:
            return self.say("unknown")
        return f"{self.number(count / 2**30, 1)} GiB" if count >= 2**29 else f"{self.number(count / 2**20)} MiB"

    def moment(self, at: float) -> str:
        """Return a Unix time as day and time of day."""
        return f"{self.local(at):%Y-%m-%d %H:%M:%S}"

    def time(self, at: float) -> str:
        """Return the time of day of a Unix time."""
        return f"{self.local(at):%H:%M:%S}"

    def day(self, at: float) -> str:
        """Return the day of a Unix time."""
        return f"{self.local(at):%Y-%m-%d}"

    def zone(self, at: float) -> str:
        """Return the name of the time zone at a Unix time."""
        return f"{self.local(at):%Z}"

    def local(self, at: float) -> datetime:
        """Return a Unix time in the reader's time zone."""
        return datetime.fromtimestamp(at, UTC).astimezone(self._zone)


def _told(sentence: str, say: Translator) -> str:
    plain = say(sentence)
    if plain != sentence:
        return plain
    for pattern, translation in _patterns():
        match = pattern.fullmatch(sentence)
        if match is not None:
            return translation.format(**{name: _told(value, say) for name, value in match.groupdict().items()})
    return sentence


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the sentences of other rooms as patterns, with their translations."""
    found = []
    for sentence, translation in ELSEWHERE.items():
        pieces = re.split(r"\{(\w+)\}", sentence)
        text = "".join(f"(?P<{piece}>.+?)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces))
        found.append((re.compile(text, re.DOTALL), translation))
    return tuple(found)


def language_of(asked: str | None, kept: str | None, accepted: str) -> Language:
    """Return the language of a page.

    Args:
        asked: What the address asks for (`?lang=`).
        kept: What the visitor chose before.
        accepted: The header `Accept-Language`.
    """
    for wanted in (asked, kept):
        for language in LANGUAGES:
            if wanted == language:
                return language
    best: tuple[float, Language] = (0.0, "en")
    for part in accepted.lower().split(","):
        name, _, rest = part.strip().partition(";")
        for language in LANGUAGES:
            if name.split("-")[0] == language and _weight(rest) > best[0]:
                best = (_weight(rest), language)
    return best[1]


def _weight(rest: str) -> float:
    _, _, value = rest.replace(" ", "").partition("q=")
    try:
        return float(value) if value else 1.0
    except ValueError:
        return 0.0
