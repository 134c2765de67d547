"""Which texts of a request a further search reads, as the judge of sensitivity has sorted them. Pure.

The judge reads blanks where pseudonyms stand, so a masked request is sorted by its texts with blanks. It is read as it
is.
INVARIANT: a text that was masked, and what is judged together with it, is always searched: it was somebody's.
"""

from collections.abc import Collection, Mapping

from gateway.core.document import strings
from gateway.core.request import AnyRequest
from gateway.pipeline.attachments.found import covers
from gateway.privacy.decoding.carried import base64_in
from gateway.privacy.detectors.named_entities import is_speaker
from gateway.privacy.masking.blanks import blanked
from gateway.privacy.sensitivity.file_names import is_file_name
from gateway.privacy.sensitivity.judge import Judge, Judged
from gateway.privacy.sensitivity.units import Unit, units

Texts = list[tuple[str, str]]
"""Pairs of a path and the text that stands there, in the document's order."""


def texts_of(request: AnyRequest, read: Collection[str] = ()) -> Texts:
    """Return the texts of a request in which a letter stands.

    Of parts that were `read` whole as attachments, given by their paths, the base64 itself is left out: what it says
    is looked at in its own place, and its letters are no language.
    """
    return [
        (path, text)
        for path, text in strings(request.document)
        if any(map(str.isalpha, text)) and not (any(covers(part, path) for part in read) and base64_in(text))
    ]


def perhaps_private(texts: Texts, judge: Judge, blanks: Mapping[str, str]) -> Texts:
    """Return the texts that may be somebody's affair, and names of files; all, where the judge has not judged them."""
    sorted_out = _judged(texts, judge, blanks)
    if sorted_out is None:
        return texts
    masked = _masked(texts, blanks)
    wanted = {
        path
        for unit, one in sorted_out
        for _, path, _ in unit.parts
        if not judge.nobodys(one) or is_speaker(path) or _holds(unit, masked)
    }
    return [(path, text) for path, text in texts if path in wanted or is_file_name(text)]


def unsure(texts: Texts, judge: Judge, blanks: Mapping[str, str]) -> Texts:
    """Return the texts that the judge is not sure of; all, where it has not judged them.

    What it judged together is one text, with the path of its first part.
    """
    sorted_out = _judged(texts, judge, blanks)
    if sorted_out is None:
        return texts
    masked = _masked(texts, blanks)
    read: dict[str, list[str]] = {}
    for path, text in texts:
        read.setdefault(path, []).append(text)
    return [
        (unit.parts[0][1], "\n".join(text for _, path, _ in unit.parts for text in read[path]))
        for unit, one in sorted_out
        if judge.unsure(one) or _holds(unit, masked)
    ]


def _judged(texts: Texts, judge: Judge, blanks: Mapping[str, str]) -> list[tuple[Unit, Judged]] | None:
    every = units(blanked(texts, blanks))
    judged = judge.known([unit.text for unit in every])
    return None if judged is None else list(zip(every, judged, strict=True))


def _masked(texts: Texts, blanks: Mapping[str, str]) -> frozenset[str]:
    """Return the paths of texts in which a pseudonym stands."""
    both = zip(texts, blanked(texts, blanks), strict=True)
    return frozenset(path for (path, text), (_, read) in both if text != read)


def _holds(unit: Unit, paths: frozenset[str]) -> bool:
    return any(path in paths for _, path, _ in unit.parts)
