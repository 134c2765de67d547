"""Keyed hashes of lines, by which a short text is known again: a turn, a line or a sentence, as a whole. Pure.

Of each only letters and digits count, as of passages. What has fewer than `LEAST` of them ("Thank you very much.")
identifies nothing and has no hash.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from gateway.privacy.patterns import late
from gateway.privacy.taint.fingerprints import letters

LEAST = 24  # letters and digits
_SIZE = 16
_AROUND = 400  # characters of a sentence, at most, on each side of a place in it
_BREAK = late(r"[\n\r]+|(?<![.!?…。！？])[.!?…。！？]++(?=[\s\"'»”’)\]]|$)")
_PART = late(r"[:;,|()\[\]{}<>«»“”\"]+")


def lines(text: str) -> Iterator[str]:
    """Yield the letters and digits of a text, of its lines and sentences, and of their parts between strong marks."""
    if len(text) < LEAST:
        return
    yield from _long(letters(text))
    for sentence in _BREAK.split(text):
        if len(sentence) < LEAST:
            continue
        yield from _long(letters(sentence))
        for part in _PART.split(sentence):
            if LEAST <= len(part) < len(sentence):
                yield from _long(letters(part))


def line_hashes(plains: Iterable[str], key: bytes) -> tuple[bytes, ...]:
    """Return the hashes of lines, 16 bytes each, each once."""
    return tuple(
        dict.fromkeys(
            blake2b(plain.encode("utf-8", "surrogatepass"), key=key, digest_size=_SIZE, person=b"aduana-line").digest()
            for plain in plains
        )
    )


def sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the sentence or line begins and ends in which the place from `start` to `end` lies."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    breaks = [match.end() for match in _BREAK.finditer(before)]
    following = _BREAK.search(after)
    begin = start - len(before) + (breaks[-1] if breaks else 0)
    return begin, end + (following.end() if following is not None else len(after))


def _long(plain: str) -> Iterator[str]:
    if len(plain) >= LEAST:
        yield plain
