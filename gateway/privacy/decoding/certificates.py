"""Certificates, requests for them, lists of revoked ones and public keys: what their bytes say. Pure, bounded.

They are made to be shown, and hold names of people all the same. What does not parse is none; of a certificate that was
cut off, all that is there has to parse, up to the cut.
"""

from collections.abc import Iterator

_SEQUENCE, _INTEGER, _BITS, _OCTETS = 0x30, 0x02, 0x03, 0x04
_CONSTRUCTED = 0x20
_STRINGS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "latin-1",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_LONGEST = {0x01: 1, _INTEGER: 2_100, 0x05: 0, 0x06: 64, 0x0A: 8, 0x17: 17, 0x18: 24}
"""Bytes of truth, numbers (of the largest RSA keys), nothing, names of kinds, and times."""
_DEEPEST, _MOST = 24, 4_000  # elements in each other, and in all


class _NotWhole(Exception):
    """Error of bytes that are no elements of DER from their beginning to their end."""


def held(data: bytes) -> list[bytes] | None:
    """Return what a certificate or a public key holds: its strings in UTF-8, and its bits; None: it is none."""
    if data[:1] != b"\x30":
        return None
    for cut in (False, True):
        if not (_is_cut(data) if cut else _is_certified(data)):
            continue
        walk = _Walk(data, cut=cut)
        try:
            walk.gather(0, len(data), 0)
        except _NotWhole:
            continue
        return walk.found
    return None


def _is_cut(data: bytes) -> bool:
    """Tell whether it begins as a certificate, a request or a list of revoked ones that says that it is longer."""
    try:
        outer, begin, said = _head(data, 0, len(data))
        inner, inside, inner_said = _head(data, begin, len(data))
    except _NotWhole:
        return False
    longer = inside + inner_said < begin + said > len(data) >= _SHORTEST_CUT
    return outer == inner == _SEQUENCE and longer and data[inside : inside + 3] in _BEGINNINGS


def _head(data: bytes, at: int, until: int) -> tuple[int, int, int]:
    """Return tag, beginning and length of the element at a place, as it says (X.690, 8.1).

    Raises:
        _NotWhole: There is none.
    """
    if at + 2 > until or data[at] & 0x1F == 0x1F:
        raise _NotWhole
    tag, length, begin = data[at], data[at + 1], at + 2
    if length >= 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or begin + size > until:
            raise _NotWhole
        length, begin = int.from_bytes(data[begin : begin + size], "big"), begin + size
    return tag, begin, length


def _element(data: bytes, at: int, until: int, *, cut: bool = False) -> tuple[int, int, int]:
    """Return tag, beginning and end of the element at a place.

    Args:
        data: The bytes.
        at: The place.
        until: Where it has to end.
        cut: Where `until` is the end of the bytes, an element of some kinds may be longer.

    Raises:
        _NotWhole: There is none, or it is longer.
    """
    at_the_cut = cut and until == len(data)
    if at_the_cut and at + _LONGEST_HEAD > until:
        return 0x05, until, until  # of a few bytes of an element's head, nothing can be told
    tag, begin, length = _head(data, at, until)
    if begin + length <= until:
        return tag, begin, begin + length
    if not at_the_cut or length > _LONGEST_CUT.get(tag, 0):
        raise _NotWhole
    return tag, begin, until


_LONGEST_HEAD = 4  # bytes of tag and length
_BEGINNINGS = (b"\xa0\3\2", b"\2\1\0", b"\2\1\1")  # a version: of a certificate, a request, a list of revoked ones
_SHORTEST_CUT = 48  # bytes
_LONGEST_CUT = (
    dict.fromkeys(_STRINGS, 256)
    | {0x30: 65_535, 0x31: 512, 0xA0: 8_192, 0xA3: 8_192, _BITS: 4_096, _OCTETS: 4_096, _INTEGER: 20}
    | {0x06: 64, 0x17: 17, 0x18: 24, 0x81: 256, 0x82: 256, 0x86: 512}
)
"""How long an element says to be that was cut off: as in certificates, and not as chance has it."""


def _elements(data: bytes, at: int, until: int, *, cut: bool = False) -> Iterator[tuple[int, int, int]]:
    while at < until:
        tag, begin, at = _element(data, at, until, cut=cut)
        yield tag, begin, at


def _is_certified(data: bytes) -> bool:
    """Tell whether it is a sequence of what is certified, an algorithm and bits (RFC 5280), or a public key."""
    try:
        _, begin, end = _element(data, 0, len(data))
        parts = [(tag, stop - start) for tag, start, stop in _elements(data, begin, end)]
    except _NotWhole:
        return False
    if end != len(data):
        return False
    tags = [tag for tag, _ in parts]
    if tags == [_INTEGER, _INTEGER]:  # RSA's own form of a public key: modulus, exponent, and nothing else
        return parts[0][1] >= 64
    return tags in ([_SEQUENCE, _BITS], [_SEQUENCE, _SEQUENCE, _BITS])


class _Walk:
    """Walk over elements in elements, which gathers what they hold."""

    def __init__(self, data: bytes, *, cut: bool) -> None:
        self._data = data
        self._cut = cut
        self._left = _MOST
        self.found: list[bytes] = []

    def gather(self, at: int, until: int, depth: int) -> None:
        """Gather what stands between two places, which has to be elements to the last byte.

        Raises:
            _NotWhole: It is not, or more than a certificate has.
        """
        for tag, begin, end in _elements(self._data, at, until, cut=self._cut):
            self._left -= 1
            if depth > _DEEPEST or self._left < 0:
                raise _NotWhole
            if tag & _CONSTRUCTED:
                self.gather(begin, end, depth + 1)
            elif tag in _STRINGS:
                self.found.append(self._data[begin:end].decode(_STRINGS[tag], "replace").encode())
            elif tag in _LONGEST:
                if end - begin > _LONGEST[tag]:
                    raise _NotWhole
                self.found.append(self._data[begin:end])
            else:
                self._inside(begin + (tag == _BITS), end, depth)

    def _inside(self, begin: int, end: int, depth: int) -> None:
        """Gather what octets or bits hold: elements again, as in an extension or a key, or else themselves."""
        before = len(self.found)
        try:
            if begin < end:
                self.gather(begin, end, depth + 1)
                return
        except _NotWhole:
            del self.found[before:]
        self.found.append(self._data[begin:end])
