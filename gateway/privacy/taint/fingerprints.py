"""Keyed hashes of passages, by which a text is known again inside another: quoted, in a transcript, in a tool's result.

Winnowing (Schleimer, Wilkerson, Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003) over the
letters and digits of a text, so that line breaks, quote marks, bullets and JSON around them don't matter. Whatever two
texts have in common for `SURE` letters and digits (about 200 characters) gives both at least one equal hash; a hash is
equal only where `RUN` of them are. Pure.
"""

import unicodedata
from hashlib import blake2b
from typing import Any

from gateway.late_module import late_module
from gateway.privacy.patterns import late

np: Any = late_module("numpy")  # 10 MB, and texts of a few words have no passages

RUN = 96
_WINDOW = 64
SURE = RUN + _WINDOW - 1
MOST = 2_048  # passages of one text that are remembered; of a longer one those whose beginnings hash lowest
_SIZE = 16
_ESCAPES = late(r"\\(?:[nrt]|u[0-9a-fA-F]{4})")
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())
_WORDS = late(r"[^\W_]+")
_MIX = 0x9E3779B97F4A7C15
_STEPS = [pow(0x100000001B3, 2**power, 2**64) for power in range(4)]  # for 2, 4, 8 and 16 characters

Numbers = Any  # numpy's arrays of uint64: the package's own types say no more


def letters(text: str) -> str:
    """Return the letters and digits of a text, in small letters: what is left of it whatever stands around them."""
    if "\\" in text:
        text = _ESCAPES.sub(" ", text)
    if text.isascii():
        return text.lower().encode().translate(None, _NO_LETTERS).decode()
    return "".join(_WORDS.findall(unicodedata.normalize("NFC", text).lower()))


def file_hash(data: bytes, key: bytes) -> bytes:
    """Return the hash by which a file is known again, 16 bytes: the very same bytes, in whatever encoding they came."""
    return blake2b(data, key=key, digest_size=_SIZE, person=b"aduana-file").digest()


def passages(text: str, key: bytes, most: int | None = None) -> tuple[bytes, ...]:
    """Return the hashes of a text's passages, 16 bytes each, in order; none for a short text. Linear in its length."""
    return passages_of(letters(text), key, most) if len(text) >= RUN else ()


def passages_of(plain: str, key: bytes, most: int | None = None) -> tuple[bytes, ...]:
    """Return the hashes of the passages of what `letters` left of a text."""
    if len(plain) < RUN:
        return ()
    places = _places(plain, most)
    encoded = plain.encode("utf-32-le", "surrogatepass")
    found = (
        blake2b(encoded[4 * at : 4 * (at + RUN)], key=key, digest_size=_SIZE, person=b"aduana-passage").digest()
        for at in places
    )
    return tuple(dict.fromkeys(found))


def _places(plain: str, most: int | None) -> list[int]:
    """Return where passages begin: the lowest hash of every window of places, each beginning once."""
    hashes = _grams(np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64))
    hashes = hashes[: len(plain) - RUN + 1]
    lowest = _over_window(hashes, np.minimum)
    padded = np.zeros(len(hashes) + min(_WINDOW, len(hashes)) - 1, np.uint64)
    padded[len(padded) - len(hashes) : len(padded) - len(hashes) + len(lowest)] = lowest
    chosen = np.flatnonzero(_over_window(padded, np.maximum, len(hashes)) == hashes)
    first: dict[int, int] = {}
    for place, number in zip(chosen.tolist(), hashes[chosen].tolist(), strict=True):
        first.setdefault(number, place)
    if most is not None and len(first) > most:
        return sorted(first[number] for number in sorted(first)[:most])
    return list(first.values())


def _grams(codes: Numbers) -> Numbers:
    """Return a hash of the 16 characters at each place, mixed so that its order is as good as random.

    Args:
        codes: Code points, shape `(n,)`, uint64; the answer has shape `(n - 15,)`.
    """
    for power, step in enumerate(_STEPS):
        codes = codes[: -(2**power)] * np.uint64(step) + codes[2**power :]
    codes = (codes ^ (codes >> np.uint64(29))) * np.uint64(_MIX)
    return codes ^ (codes >> np.uint64(32))


def _over_window(values: Numbers, choose: Any, places: int | None = None) -> Numbers:
    """Return the extreme of each window, by doubling: six steps whatever the window."""
    window = min(_WINDOW, len(values) if places is None else places)
    size = 1
    while 2 * size <= window:
        values = choose(values[:-size], values[size:])
        size *= 2
    rest = window - size
    return choose(values[:-rest], values[rest:]) if rest else values
