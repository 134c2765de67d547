"""Which names are a private person's affair. Pure.

A name of history, arithmetic or literature is nobody's data; the same name beside "write to" or "my colleague" is
somebody's. That can't be seen from the name, so what stands around it decides, and the list of the most cited names is
one signal among others.
"""

from functools import cached_property

from gateway.privacy.names import cues, prose
from gateway.privacy.names.public_names import is_public_name
from gateway.privacy.patterns import late

Span = tuple[int, int]  # start and end in a text

_BEFORE, _AFTER = 80, 60  # characters in which the words stand that say whose a name is
_NOBODY = 0.8  # probability from which a judge's word counts
_WORD = late(r"[^\W\d_][\w'’·-]*")
_INITIALS = late(r"(?:[^\W\d_]\.[ -]?){1,3}(?=[^\W\d_]{2})")
_PARTICLES = frozenset(
    {
        "de",
        "del",
        "la",
        "las",
        "los",
        "da",
        "do",
        "dos",
        "das",
        "di",
        "du",
        "van",
        "von",
        "der",
        "den",
        "bin",
        "al",
        "el",
        "y",
    }
)
_SHOUTED = 8  # letters from which a line in capitals is one


class Surroundings:
    """A text as it is read for names: what its paragraphs are about is looked at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._public: dict[str, bool] = {}
        self._problems: dict[str, bool] = {}
        self._told: dict[str, bool] = {}

    @cached_property
    def is_lower(self) -> bool:
        """Tell whether the text has no capitals, so that names have none either."""
        return self.text.islower()

    @cached_property
    def is_catalan(self) -> bool:
        """Tell whether the text has words that only Catalan has: there an article stands before a person's name."""
        return cues.CATALAN.search(self.text[:4_000]) is not None

    def is_shouted(self, place: int) -> bool:
        """Tell whether the line of a place is in capitals, so that they say nothing."""
        first, last = self.text.rfind("\n", 0, place) + 1, self.text.find("\n", place)
        line = self.text[first : last if last >= 0 else len(self.text)][:400]
        return line.isupper() and sum(map(str.isalpha, line)) >= _SHOUTED

    def is_public(self, span: Span) -> bool:
        """Tell whether the paragraph is about what everybody may know."""
        around = prose.paragraph(self.text, *span)
        if around not in self._public:
            self._public[around] = prose.is_public_prose(around)
        return self._public[around]

    def is_told(self, span: Span) -> bool:
        """Tell whether the paragraph asks for something to be done, or tells of the writer."""
        around = prose.paragraph(self.text, *span)
        if around not in self._told:
            self._told[around] = prose.is_told(around)
        return self._told[around]

    def is_problem(self, span: Span) -> bool:
        """Tell whether the paragraph is a problem of arithmetic."""
        around = prose.paragraph(self.text, *span)
        if around not in self._problems:
            self._problems[around] = prose.is_problem(around)
        return self._problems[around]

    @cached_property
    def is_made_up(self) -> bool:
        """Tell whether the text says at its beginning that it is a story or an example."""
        return prose.is_made_up(self.text[:2_000])


def is_private_name(
    text: str, span: Span, *, surroundings: Surroundings | None = None, sure: bool = True, nobody: float | None = None
) -> bool:
    """Tell whether a name is a private person's.

    Args:
        text: The text in which the name stands.
        span: Start and end of the name.
        surroundings: The same text as it is read for names; for many names in one text.
        sure: Whether it is surely a name; else a first name needs a word beside it that says so.
        nobody: Probability that the sentence is nobody's affair, where a judge has said so.
    """
    read = surroundings or Surroundings(text)
    before, after = _around(text, span)
    if cues.MINE.search(before):
        return True
    if is_public_name(text[slice(*span)]) or _is_cited(before, after):
        return False
    said = cues.INTRODUCED.search(before) is not None or cues.FIELD.search(before) is not None
    if nobody is not None and nobody > _NOBODY and not said:
        return False
    if read.is_problem(span) or read.is_public(span):
        return False
    if is_full(read, span):
        return not (said and read.is_made_up)
    return (said or is_meant(read, span) or (sure and read.is_told(span))) and not read.is_made_up


def is_near_others(span: Span, surroundings: Surroundings) -> bool:
    """Tell whether a first name counts in a text where another name does: it is a private person's, too."""
    before, after = _around(surroundings.text, span)
    if is_public_name(surroundings.text[slice(*span)]) or _is_cited(before, after):
        return False
    return not (surroundings.is_problem(span) or surroundings.is_public(span) or surroundings.is_made_up)


def is_full(read: Surroundings, span: Span) -> bool:
    """Tell whether a name is a full one: two words, or initials or a title before one."""
    name = read.text[slice(*span)]
    words = [word for word in _WORD.findall(name) if word.lower() not in _PARTICLES and len(word) > 1]
    if not (read.is_lower or read.is_shouted(span[0])):
        words = [word for word in words if word[0].isupper()]
    titled = cues.TITLE.search(read.text[max(0, span[0] - _BEFORE) : span[0]]) is not None
    return len(words) > 1 or (bool(words) and (titled or _INITIALS.match(name) is not None))


def is_meant(read: Surroundings, span: Span) -> bool:
    """Tell whether the words around a name say that somebody of that name is near: written to, spoken of, related."""
    before, after = _around(read.text, span)
    if any(cue.search(before) for cue in (cues.ADDRESSED, cues.RELATED, cues.OWNED_BEFORE, cues.TITLE)):
        return True
    if any(cue.match(after) for cue in (cues.OWNED_AFTER, cues.BESIDE_ME, cues.ACTS, cues.VOCATIVE_AFTER)):
        return True
    return cues.ARTICLE.search(before) is not None and read.is_catalan


def _around(text: str, span: Span) -> tuple[str, str]:
    return text[max(0, span[0] - _BEFORE) : span[0]], text[span[1] : span[1] + _AFTER]


def _is_cited(before: str, after: str) -> bool:
    """Tell whether a name is an author's, has dates of life behind it, or is part of a place's or a firm's name."""
    if cues.PLACE_BEFORE.search(before) or cues.PLACE_AFTER.match(after) or cues.CREDITED.search(before):
        return True
    if prose.LIFE.match(after) or prose.CITED_AFTER.match(after):
        return True
    return prose.is_by_line(before)
