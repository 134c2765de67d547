"""Words that many receipts have in common, each combination kept once, in a row of its own.

How a request was decided (by which rule of which policy, for which targets) says the same of thousands of requests. The
receipt then has the row's number and empty texts; `whole_receipts` is the table with all words in their places.
INVARIANT: a phrase holds nothing about a person, so that it may stay when requests go, and it never changes. Older
receipts have no phrase, and one whose words are rare has none either.
"""

from gateway.ledger.sql import Connection

COLUMNS = ("dialect", "endpoint", "label_source", "rule", "permitted", "policy_digest")
"""Columns of receipts whose words are shared."""

_MOST = 1_000  # phrases that are known at once, so that orders of many targets fill neither memory nor ledger
_NAMES = ", ".join(COLUMNS)
_NEWEST = f"SELECT number, {_NAMES} FROM phrases ORDER BY number DESC LIMIT {_MOST // 2}"  # noqa: S608 - our own names
_FIND = f"SELECT number FROM phrases WHERE {' AND '.join(f'{name} = ?' for name in COLUMNS)} LIMIT 1"  # noqa: S608
_ADD = (
    f"INSERT INTO phrases (number, {_NAMES}) VALUES ((SELECT coalesce(max(number), 0) + 1 FROM phrases), "  # noqa: S608
    f"{', '.join('?' * len(COLUMNS))}) RETURNING number"
)

Words = tuple[str, ...]
"""Words of a receipt, in the order of `COLUMNS`."""


class Phrases:
    """The phrases that receipts may use, and which one is worth a row. Used on the event loop's thread alone."""

    def __init__(self) -> None:
        self._numbers: dict[Words, int] = {}
        self._once: set[Words] = set()
        self._asked: set[Words] = set()
        self._wanted: Words | None = None

    def number(self, words: Words) -> int | None:
        """Return the number of these words' phrase; None: they have none yet, and are written out."""
        number = self._numbers.get(words)
        if number is None:
            self._missed(words)
        return number

    def _missed(self, words: Words) -> None:
        """Note words without a phrase: those that come again are worth one."""
        if words in self._asked or len(self._numbers) + len(self._asked) >= _MOST:
            return
        if words in self._once:
            self._once.discard(words)
            self._wanted = words
            return
        if len(self._once) >= _MOST:
            self._once.clear()
        self._once.add(words)

    def wanted(self) -> Words | None:
        """Return words that are worth a phrase, once. `learn` takes its number, when it is durable."""
        words, self._wanted = self._wanted, None
        if words is not None:
            self._asked.add(words)
        return words

    def learn(self, words: Words, number: int) -> None:
        """Use a phrase from now on; it is durable."""
        self._asked.discard(words)
        self._numbers[words] = number


def newest(connection: Connection) -> Phrases:
    """Return the phrases that were added last."""
    phrases = Phrases()
    for number, *words in connection.execute(_NEWEST).fetchall():
        phrases.learn(tuple(words), number)
    return phrases


def add(connection: Connection, words: Words) -> int:
    """Keep a phrase, and return its number; another gateway may have kept it before."""
    found = connection.execute(_FIND, words).fetchall() or connection.execute(_ADD, words).fetchall()
    return int(found[0][0])
