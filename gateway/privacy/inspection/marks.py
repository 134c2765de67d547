"""Identifiers cut by marks within one text: cells of a table, items of a list, tags, quotes, emphasis, lines. Pure.

Only what has a check digit or letter is put together here, and only from groups as people write them: tables and lists
of numbers are everywhere, and one number in ten has a right check digit by chance.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from gateway.privacy.inspection.seams import Row, is_progression, plausible
from gateway.privacy.patterns import late, late_re2

_MOST_PIECES = 24  # of a chain: a longer one is a listing of numbers
_WIDEST = 8  # pieces of one identifier
_LONGEST = 34  # letters and digits of an IBAN
_MOST_OF_A_SHAPE = 12  # rows that tell whether a shape is a table's
_MOST_OF_A_WIDTH = 300  # rows of as many cells
_FEW_READINGS = 2  # of one shape in a row: one number more stands beside the identifier
_TOKEN = r"(?:[0-9A-Z]{1,12}|[0-9]{1,8}[a-z])(?![0-9A-Za-z])"  # noqa: S105 - of an identifier
_RUN = rf"{_TOKEN}(?:[ .-]{_TOKEN}){{0,6}}"
_GAPS = {
    "cell": r"[ \t]{0,20}\|{1,2}[ \t]{0,20}",
    "line": r"[ \t]{0,9}[|-]?[ \t]{0,9}\r?\n[ \t]{0,9}(?:(?:[-*+>•|]|[0-9]{1,2}[.)])[ \t]{0,9}){0,2}",
    "tag": r"[ .-]?(?:</?[A-Za-z][^<>\n]{0,60}>\s{0,9}){1,6}[ .-]?",
    "quote": r"[\"'][ \t]{0,9},\s{0,9}[\"']",
    "emphasis": r"[ .-]?(?:\*{1,3}|_{1,2}|`)[ .-]?",
}
_GAP = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _GAPS.items())
_CHAIN = late(rf"(?<![0-9A-Za-z])(?=[A-Z]{{0,5}}[ :]?[A-Z]{{0,2}}[0-9]){_RUN}(?:(?:{'|'.join(_GAPS.values())}){_RUN})+")
_NEXT = late(rf"(?:{_GAP})(?=[0-9A-Z])")
_MAY = late_re2(r"[0-9][ \t.\-]{0,9}(?:[\"'`*_|<]|\r?\n)[^0-9A-Za-z]{0,40}(?:[^\n]{0,80}>)?[^0-9a-z]{0,12}[0-9A-Z]")
_NAMES = late(r"\A(?:[A-Z]{3,}[ .-])+")  # the identifier's own word before its first piece
_BETWEEN = late(r"[ .-]+")
_SHAPES = late(
    r"[0-9]{12}|[0-9]{15,16}|[0-9]{20}"
    r"|[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}|[0-9]{7,8}[A-Za-z]|[XYZ][0-9]{7}[A-Za-z]|[A-W][0-9]{7}[0-9A-J]"
)
_ISSUERS = late(r"4|5[1-5]|2[2-7]|3[47]|6[0245]")
_CHECKED = frozenset({"id.national", "id.tax", "id.health", "financial.card", "financial.iban", "financial.account"})
_GROUPED = frozenset(
    {(4, 4, 4, 4), (4, 6, 5), (2, 8, 2), (2, 10), (4, 4, 2, 10), (4, 4, 12), (8, 2, 10)}
)  # digits alone


def marked(text: str, step: Callable[[], None]) -> Iterator[Row]:
    """Yield the groups of an identifier's shape that only marks divide in a text, put together.

    `step` is called for each row that is looked at, and may raise.
    """
    if _MAY.search(text) is None:
        return
    shapes: Counter[tuple[int, ...]] = Counter()
    widths: Counter[int] = Counter()
    for match in _CHAIN.finditer(text):
        for pieces in _pieces(match[0]):
            shape = tuple(map(len, pieces))
            step()
            shapes[shape] += 1
            widths[len(pieces)] += 1
            if shapes[shape] > _MOST_OF_A_SHAPE or widths[len(pieces)] > _MOST_OF_A_WIDTH:
                continue  # a table, of which this has been enough
            if 2 <= len(pieces) <= _MOST_PIECES:
                yield from _of_one(list(_windows(pieces)), shapes.total())


def in_marks(category: str, row: Row) -> bool:
    """Tell whether a category has a check, and people write it so; of cards only the widespread issuers' count."""
    if category == "financial.card" and _ISSUERS.match(row.text) is None:
        return False
    return category in _CHECKED and plausible(category, row)


def _pieces(run: str) -> Iterator[list[str]]:
    """Yield the pieces of a chain between marks of one kind."""
    group: list[str] = []
    kind, at = None, 0
    for gap in _NEXT.finditer(run):
        piece = run[at : gap.start()]
        if kind not in (None, gap.lastgroup):
            yield [*group, piece]
            group = []
        group.append(piece)
        kind, at = gap.lastgroup, gap.end()
    yield [*group, run[at:]]


def _of_one(rows: Sequence[Row], source: int) -> Iterator[Row]:
    """Yield readings of one row, those of a shape that only few have as of one source: any of them may be right."""
    readings = Counter(row.shape for row in rows)
    for row in rows:
        yield Row(None, row.text, row.shape, source) if readings[row.shape] <= _FEW_READINGS else row


def _windows(pieces: Sequence[str]) -> Iterator[Row]:
    groups_of = [tuple(_BETWEEN.split(piece)) for piece in pieces]
    for first in range(len(pieces) - 1):
        head = tuple(_BETWEEN.split(_NAMES.sub("", pieces[first])))
        for end in range(first + 2, min(first + _WIDEST, len(pieces)) + 1):
            groups = (*head, *chain.from_iterable(groups_of[first + 1 : end]))
            joined = "".join(groups)
            if len(joined) > _LONGEST:
                break
            shape = tuple(map(len, groups))
            if _SHAPES.fullmatch(joined) is None or (joined.isdecimal() and shape not in _GROUPED):
                continue
            if not is_progression(groups):
                yield Row(None, joined, shape)
