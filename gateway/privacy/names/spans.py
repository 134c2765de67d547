"""Where names stand: what a model has labelled, made whole, and given names that it does not know. Pure."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from collections.abc import Iterator, Sequence

from gateway.privacy.names.given_names import ALSO_WORDS, GIVEN_NAMES
from gateway.privacy.names.private_names import Span, Surroundings, is_meant
from gateway.privacy.names.spelling import plain
from gateway.privacy.patterns import late

_INNER = r"(?:(?:[A-Z]\.?|d[aeiou]s?|del|la|van|von|der|den|bin|al|el|i)[ \t])"  # between first and last name
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-Ž]"
_LINK = late(rf"[ \t]?(?:{_INNER}){{0,2}}|['’-]|(?:(?<=[ .]{_CAPITAL})\.)?[ \t]?(?:{_CAPITAL}\.[ \t]?){{0,2}}")
_MORE = late(rf"(?:(?<=[ .]{_CAPITAL})\.)?(?:[ \t]{_CAPITAL}\.?)?[ \t]{_INNER}{{0,2}}({_CAPITAL}[\w'’·-]+)")
_MORE_SMALL = late(
    r"[ \t](?:(?:de|del|de la|van|von)[ \t])?(?!(?:que|qui|and|or|y|i|o|to|that|who|about|for|from|is|was|has|will|if|a|en|de|por|para|per|amb|con|"
    r"with|the|el|la|no|se|me|li|le|because|porque|perquè|today|tomorrow|hoy|mañana|ja|ya|how|why|cómo|com|but|pero)\b)([^\W\d_]{3,})"
    r"(?=[ \t](?:que|that|to|and|about|if|i|y|no|se|can|wants|has|is|was|will|porque|perquè|because|por|for|he|she|they|in|en)\b|[,.:;!?\n]|\Z)"
)
_INITIALS = late(rf"(?<![\w.])(?:{_CAPITAL}\.[ -]?){{1,3}}\Z")
_WORD = late(r"[^\W\d_]+(?:['’·-][^\W\d_]+)*")
_ELIDED = late(r"[lL]['’]")
_OPENERS = """
dile dime escribe llama digue escriu ajuda ask tell write call email remind text message reply help draft summarise summarize please hola hi hello
hey dear don doña mr mrs ms dr sr sra note nota tenant inquilino patient paciente hazme haz resume pasa contesta re asunto subject resum canvia
recorda avui hoy today
"""
_OPENING = frozenset(_OPENERS.split())


def spans_of(read: Surroundings, labelled: Sequence[Span]) -> Iterator[Span]:
    """Yield the places of names in their order, without overlaps.

    `labelled` are the places of first and last names as a model saw them, in their order.
    """
    done = -1
    for start, end in sorted({*_whole(read, labelled), *_listed(read)}, key=lambda span: (span[0], -span[1])):
        if start >= done:
            done = end
            yield start, end


def _whole(read: Surroundings, labelled: Sequence[Span]) -> Iterator[Span]:
    """Yield labelled names, joined with their neighbours and with what belongs to them before and behind."""
    words = [word for word in (_trimmed(read, span) for span in labelled) if word is not None]
    at = 0
    while at < len(words):
        start, end = words[at]
        at += 1
        while at < len(words) and (words[at][0] < end or _LINK.fullmatch(read.text, end, words[at][0]) is not None):
            end = max(end, words[at][1])
            at += 1
        yield _extended(read, start, end)


def _trimmed(read: Surroundings, span: Span) -> Span | None:
    """Return a labelled place over whole words, without small words in a text with capitals; None: nothing is left."""
    start, end = span
    text = read.text
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    words = list(_WORD.finditer(text, start, end))
    plainly = read.is_lower or read.is_shouted(start)
    while words and plain(words[0][0]) in _OPENING:
        words.pop(0)
    while not plainly and words and not words[-1][0][0].isupper():
        words.pop()
    while not plainly and words and not words[0][0][0].isupper():
        words.pop(0)
    return (words[0].start(), words[-1].end()) if words else None


def _extended(read: Surroundings, start: int, end: int) -> Span:
    initials = _INITIALS.search(read.text, max(0, start - 12), start)
    if initials is not None:
        start = initials.start()
    if read.is_lower:
        more = _MORE_SMALL.match(read.text, end)
        return start, more.end(1) if more else end
    for _ in range(2):
        more = _MORE.match(read.text, end)
        if more is None or plain(more[1]) in _OPENING:
            break
        end = more.end(1)
    return start, end


def _listed(read: Surroundings) -> Iterator[Span]:
    """Yield common given names, with what follows them; those that are words as well only where somebody is meant."""
    for word in _WORD.finditer(read.text):
        article = _ELIDED.match(word[0])
        start = word.start() + (article.end() if article else 0)
        name = read.text[start : word.end()]
        known = plain(name)
        if known not in GIVEN_NAMES or not (name[0].isupper() or read.is_lower):
            continue
        if known not in ALSO_WORDS or is_meant(read, (start, word.end())):
            yield _extended(read, start, word.end())
