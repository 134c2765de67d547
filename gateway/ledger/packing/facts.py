"""What a policy saw, packed: what all requests of a gateway have in common is kept once, in a row of its own.

Most of a receipt is the state of targets, prices and budgets, which hardly change from one request to the next. Such a
pattern is the dictionary (RFC 1950, "preset dictionary") with which the facts of later requests are deflated: about
200 bytes instead of 1,000. What stands in the receipt's own columns is left out of them. INVARIANT: a pattern holds
nothing about a person, so that it may stay when requests go, and it never changes. Older rows have no pattern: their
facts are plain JSON.
"""

import zlib
from collections.abc import Sequence

import msgspec

from gateway.ledger.sql import Connection

# Members of the facts that are about the gateway, not about who asks or what is asked.
_IMPERSONAL = ("gpu", "targets", "electricity", "counts", "prices")
# And the words between them, in their order.
_WORDS = (
    b'"media":["image"],"attachments":[["pdf",1,true,true]],"logprobs":true,"format":"json_schema","inputs":1,'
    b'"tainted":true,"causes":["contact.email"],"doubts":[""],"findings":[["person.name",1,1.0],["contact.phone",1,'
    b'"budgets":{"day":{"spent":0.0,"limit":5.0,"resets":"T00:00:00Z"},"key:\1":{"spent":0.0,"month":{"spent":0.0,"limit":20.0},'
    b'"estimate":{"v":1,"id":"\0","model":"\3","dialect":"anthropic","endpoint":"chat","stream":true,"key":"\1",'
    b'"user":"\2","tags":\4,"tools":true,"turns":1,"max_tokens":1024,"size":1,"now":"20'
)
_BUDGETS = ("day", "month")
OWN = ("request_id", "key", "user", "model", "tags")
"""Columns of a receipt that its facts say again: there something shorter stands for them."""
_STANDS = (b"\0", b"\1", b"\2", b"\3", b"\4")  # for each of them; no JSON has these
_STOOD = b"".join(_STANDS)
_SHORT = 4  # what has fewer bytes may be part of other words, and gains nothing
_LEVEL = 6
_MOST = 32_000  # bytes of a pattern that deflate looks at
_MOST_BYTES = 2**22  # of one request's facts, unpacked
_PLAIN = 64  # shorter facts are not packed
_LOOK = 1_000  # requests between two looks whether another pattern would be better
_FIRST_LOOKS = (20, 200)  # besides: by then targets have been measured
_WORTH = 0.85  # of the packed size, that a new pattern must save

_ADD = (
    "INSERT INTO fact_patterns (number, content) "
    "VALUES ((SELECT coalesce(max(number), 0) + 1 FROM fact_patterns), ?) RETURNING number"
)

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class Pattern:
    """What the facts of many requests have in common. `number`: its row."""

    def __init__(self, number: int, content: bytes) -> None:
        self.number = number
        self.content = content
        # A small window is quicker to set up, and most patterns fit into it.
        bits, memory = (13, 6) if len(content) < 7_500 else (15, 8)
        self._first = zlib.compressobj(_LEVEL, zlib.DEFLATED, -bits, memory, zlib.Z_DEFAULT_STRATEGY, content)

    def pack(self, facts: bytes) -> bytes:
        """Return the facts deflated. Thread-safe."""
        stream = self._first.copy()
        return stream.compress(facts) + stream.flush()


class Patterns:
    """The pattern in use, and whether another one would be better. Used on the event loop's thread alone."""

    def __init__(self) -> None:
        self.current: Pattern | None = None
        self._seen = 0
        self._candidate: Pattern | None = None

    def better(self, facts: bytes) -> bytes | None:
        """Take note of a request's facts, and return the content of a pattern that is worth a row. None: none is."""
        if len(facts) < _PLAIN:
            return None
        candidate, self._candidate = self._candidate, None
        looking = self._seen in _FIRST_LOOKS or self._seen % _LOOK == 0
        self._seen += 1
        current = self.current
        if candidate and current and len(candidate.pack(facts)) < _WORTH * len(current.pack(facts)):
            return candidate.content
        if looking:
            content = pattern_of(facts)
            if content and current is None:
                return content
            if content:
                self._candidate = Pattern(0, content)
        return None


def pattern_of(facts: bytes) -> bytes:
    """Return what is not about a person in facts; empty where they can't be read."""
    try:
        members = _decode(facts)
        budgets = _decode(members.get("budgets", b"{}"))  # not those of keys and users
    except (msgspec.DecodeError, msgspec.ValidationError):
        return b""
    shared = {name: members[name] for name in _IMPERSONAL if name in members}
    shared["budgets"] = msgspec.Raw(_encode({name: budgets[name] for name in _BUDGETS if name in budgets}))
    return (_WORDS + _encode(shared))[-_MOST:]


def packed(facts: bytes, own: Sequence[object], pattern: Pattern | None) -> tuple[int | None, bytes]:
    """Return the number of the pattern (None: none) and the facts as they are kept. `own`: values of `OWN`."""
    if pattern is None or len(facts) < _PLAIN or len(facts.translate(None, _STOOD)) < len(facts):
        return None, facts
    for value, stand in zip(own, _STANDS, strict=True):
        if isinstance(value, str) and len(text := value.encode("utf-8", "replace")) >= _SHORT:
            facts = facts.replace(text, stand)
    return pattern.number, pattern.pack(facts)


def unpacked(kept: bytes, own: Sequence[object], pattern: bytes | None) -> bytes:
    """Return the facts of a request as they came.

    Args:
        kept: The facts as they are kept.
        own: Values of `OWN`.
        pattern: The content of theirs; None: they are plain.

    Raises:
        ValueError: They can't be read.
    """
    if pattern is None:
        return kept
    stream = zlib.decompressobj(-15, pattern)
    try:
        facts = stream.decompress(kept, _MOST_BYTES)  # whoever reads somebody else's ledger keeps his memory
    except zlib.error as error:
        raise ValueError(f"these facts can't be unpacked: {error}") from error
    if not stream.eof:
        raise ValueError("these facts can't be unpacked: they are cut off, or much too long")
    for value, stand in zip(reversed(own), reversed(_STANDS), strict=True):  # a later one may be in an earlier one
        text = _bytes(value)
        if facts.count(stand) * len(text) > _MOST_BYTES:
            raise ValueError("these facts can't be unpacked: they are much too long")
        facts = facts.replace(stand, text)
    return facts


def _bytes(value: object) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else b""


def newest(connection: Connection) -> Pattern | None:
    """Return the pattern that was added last; None: there is none."""
    row = connection.execute("SELECT number, content FROM fact_patterns ORDER BY number DESC LIMIT 1").fetchone()
    return None if row is None else Pattern(row[0], row[1])


def add(connection: Connection, content: bytes) -> Pattern:
    """Keep a pattern in a row of its own."""
    (row,) = connection.execute(_ADD, (content,)).fetchall()
    return Pattern(row[0], content)
