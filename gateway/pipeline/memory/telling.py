"""What of a sensitive request is remembered: what makes it sensitive, and what the client said about it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from gateway.core.finding import Finding
from gateway.core.request import AnyRequest
from gateway.pipeline.memory.passage_cache import PassageCache, bounded
from gateway.pipeline.ports import AttachedText
from gateway.policy import Sensitivity
from gateway.privacy.taint.document_texts import DocumentText, Whose, seams, since, texts_of
from gateway.privacy.taint.fingerprints import RUN, letters
from gateway.privacy.taint.lines import sentence
from gateway.privacy.taint.readings import readings
from gateway.privacy.taint.scope import Scope
from gateway.wire.built_in_tools import is_note, without_note
from gateway.wire.responses.compaction import WANTED

_BESIDE = 4 * RUN  # characters that surely hold the letters beside a sentence
_PLACED = ("$.tools", "$.functions", "$.response_format")  # beside the conversation, yet not about all of it


class Told(msgspec.Struct, frozen=True):
    """Hashes to remember, and the own turn (from 1) from which the conversation is sensitive; 0: it is not."""

    hashes: tuple[bytes, ...] = ()
    turn: int = 0


def told(
    request: AnyRequest,
    why: Sensitivity,
    cache: PassageCache,
    scope: Scope,
    attached: Sequence[AttachedText] = (),
) -> Told:
    """Return what a sensitive request tells that later requests must not give away.

    A reason that holds for the whole request (a tag, an image) makes all of it sensitive but what has left before, and
    so does a finding in a field beside the conversation (`metadata`). Other findings make their sentence sensitive, and
    the turn in which it stands; of what only continues an earlier conversation, nothing but the conversation goes on.
    What the gateway itself wrote into the request tells nothing. What was read of attachments counts as texts of their
    turn; where only a doubt makes the request sensitive, those that were read whole and are clean are not remembered.
    """
    if not why.whole and not why.findings:
        return Told()
    texts = (*texts_of(request), *(text for one in attached for text in one.texts))
    found = [(finding, _at(finding.path, texts)) for finding in why.findings]
    if why.whole or any(not spot or not all(map(_placed, spot)) for _, spot in found):
        cleared = {text.path for one in attached if not one.telling for text in one.texts}
        return Told(tuple(_everything([text for text in texts if text.path not in cleared], cache, scope)), 1)
    spots = [(finding, text) for finding, spot in found for text in spot]
    hashes = chain.from_iterable(_around(finding, text, cache, scope) for finding, text in spots)
    turns = max(text.turn for text in texts)
    return Told(tuple(hashes), min(since(text, turns) for _, text in spots))


def told_attached(attached: Sequence[AttachedText], cache: PassageCache, scope: Scope) -> tuple[bytes, ...]:
    """Return what is remembered of attachments that were read behind an answer: all of those that tell something."""
    return tuple(_everything([text for one in attached if one.telling for text in one.texts], cache, scope))


def _at(path: str, texts: Sequence[DocumentText]) -> list[DocumentText]:
    """Return the text at a path, or the texts of the list or object there; nothing where it is all of the request."""
    exact = [text for text in texts if text.path == path]
    if exact or path in ("$", "$.messages"):
        return exact
    return [text for text in texts if text.path.startswith((f"{path}[", f"{path}.", f"{path} "))]


def _placed(text: DocumentText) -> bool:
    return text.message or text.path.startswith(_PLACED)


def _everything(texts: Iterable[DocumentText], cache: PassageCache, scope: Scope) -> Iterator[bytes]:
    texts = tuple(text for text in texts if text.text != WANTED and not is_note(text.text))
    for text in texts:
        said = without_note(text.text) if text.whose is Whose.SHARED else text.text
        hashes = cache.of(cache.mark(said), said)
        yield from scope.passages(cache.telling(bounded(hashes.passages)), shared=text.whose is Whose.SHARED)
        if text.whose is Whose.OWN:
            yield from scope.short(cache.telling(bounded(hashes.lines)))
    for plain, text in seams(texts, ordered=False):
        found = cache.of_seam(cache.mark(plain), plain).passages
        yield from scope.passages(cache.telling(found), shared=text.whose is Whose.SHARED)


def _around(finding: Finding, text: DocumentText, cache: PassageCache, scope: Scope) -> Iterator[bytes]:
    """Yield the hashes of the sentence in which something was found, and of the client's own turn around it."""
    shared = text.whose is Whose.SHARED
    cut = finding.end <= finding.start  # it begins in an earlier text and ends in this one
    begin, end = sentence(text.text, *((0, 1) if cut else (finding.start, finding.end)))
    own = text.text[begin:end]
    before = letters(text.text[max(0, begin - _BESIDE) : begin])[1 - RUN :]
    behind = letters(text.text[end : end + _BESIDE])[: RUN - 1]
    plain = before + letters(own) + behind
    yield from scope.passages(cache.telling(cache.of_seam(cache.mark(plain), plain).passages), shared=shared)
    for reading in readings(own):
        hashes = cache.of(cache.mark(reading), reading)
        yield from scope.passages(cache.telling(bounded(hashes.passages)), shared=shared)
        yield from scope.short(cache.telling(bounded(hashes.lines)))
    if text.whose is Whose.OWN:
        yield from scope.short(cache.of(cache.mark(text.text), text.text).lines[:1])  # the turn as a whole
