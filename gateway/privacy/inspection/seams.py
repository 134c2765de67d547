"""Values that are cut between strings: texts of a document that stand beside each other, read together. Pure.

Beside each other are neighbours in the document's order, also with one text between them, and those of one lane, which
is one field of one role: pages of tool results have a sentence of the model between them. Short pieces in a row (an
array of a card's groups, an object with one group a key) are put together as a whole.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, product
from typing import TypeAlias

import msgspec

from gateway.core.document import JsonObject, Leaf, Place, leaves
from gateway.core.finding import Finding
from gateway.privacy.decoding.budget import DecodingLimit
from gateway.privacy.inspection.walk import OF_THE_API, leaves_by_role
from gateway.privacy.patterns import late

_ENDS = 240  # characters at the ends of neighbouring texts
_LONGEST_ARRAY = 40  # numbers; a longer array is a table
_LONGEST_NUMBER = 10**12
_MOST_PIECES = 24
_MOST_VALUES = 200_000  # of JSON inside a text
_DEEPEST = 3  # JSON in strings of JSON in strings
_MOST_LETTERS = 48
_PIECE = late(r"[0-9A-Za-z]{0,11}[0-9][0-9A-Za-z]{0,11}|[A-Z]{1,2}")
_LISTED = late(
    r"[\[({]\s{0,9}(?:[\"']?[0-9A-Za-z]{1,12}[\"']?\s{0,9},\s{0,9}){1,23}[\"']?[0-9A-Za-z]{1,12}[\"']?\s{0,9}[\])}]"
)
_LONGEST_CUT = 65_536  # characters of an encoding in pieces; each piece is read by itself too
_CUT = late(r"[A-Za-z0-9+/_-]{4,4096}={0,2}")
_LAST = late(r"(?<![0-9A-Za-z])[0-9A-Z]{0,11}[0-9]\Z")
_FIRST = late(r"[0-9][0-9A-Z]{0,11}(?![0-9A-Za-z])")
_WORD = late(r"[0-9A-Za-z]+")
_DIGIT, _WORDS = late(r"[0-9]"), late(r"[^\w+/=-]+")
_OPEN = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_+/=-.@")  # not the end of a sentence
_NO_DIGIT = late(r"[^0-9]+")
_BEGINS = late(r"\s*[.@]?([\w+/=-]{1,48})")
_NEAR = 48  # characters at an end that are looked at
_LEAST_DIGITS, _LEAST_LETTERS = 5, 14  # of the shortest identifier, and of the shortest key
_ACCOUNT = frozenset({(4, 4, 2, 10), (4, 4, 12), (4, 4, 4, 4, 4), (8, 2, 10)})
_FEW = 3  # rows of one shape from which they are a table


class Text(msgspec.Struct, frozen=True):
    """A text in a document: where it stands, its lane (role and field), and what it may be a part of."""

    place: Place
    text: str
    lane: str
    piece: bool  # short, as the groups of an identifier are
    cut: bool  # letters as of an encoding that was cut up
    digit_first: bool  # there is a digit near its beginning
    digit_last: bool


class Row(msgspec.Struct, frozen=True):
    """Short pieces in a row, put together, and the lengths that they have."""

    place: Place
    text: str
    shape: tuple[int, ...]
    source: int = -1  # which row of a table it is cut out of, where one has more readings


class Order:
    """Texts of a document in its order, as they are added."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self._pieces = False  # whether any of them is one: most documents have none
        self._digits = False  # whether any begins or ends with digits
        self._cuts = 0  # how many may be of an encoding that was cut up

    @property
    def promising(self) -> bool:
        """Whether anything may be cut between its texts; in most documents nothing can be."""
        return self._pieces or self._digits or self._cuts > 1

    def add(self, place: Place, leaf: Leaf, lane: str = "") -> None:
        """Add a value; numbers count as they are written, tables of them don't count."""
        if isinstance(leaf, str):
            self._append(place, leaf, lane)
        elif isinstance(leaf, tuple):
            if len(leaf) <= _LONGEST_ARRAY:
                for number in leaf:
                    self.add((place, "0"), number, lane)
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool) and _is_count(leaf):
            self._append(place, str(int(leaf)), lane)

    def _append(self, place: Place, leaf: str, lane: str) -> None:
        text = _text(place, leaf, f"{lane}.{_field(place)}")
        self.texts.append(text)
        self._pieces = self._pieces or text.piece
        self._digits = self._digits or text.digit_first or text.digit_last
        self._cuts += text.cut

    def neighbours(self) -> Iterator[tuple[Text, Text, str, str]]:
        """Yield pairs of texts with the end of the first and the beginning of the second, where a value may go on."""
        texts = self.texts
        last_of: dict[str, int] = {}
        for at, second in enumerate(texts):
            in_lane = last_of.get(second.lane, -1)
            last_of[second.lane] = at
            for one in (at - 1, at - 2, in_lane) if in_lane < at - 2 else (at - 1, at - 2):
                first = texts[max(one, 0)]
                if one >= 0 and (first.digit_last or second.digit_first) and _go_on(first, second):
                    yield first, second, first.text[-_ENDS:], second.text[:_ENDS]
        if self._pieces:
            yield from self._bridged()

    def _bridged(self) -> Iterator[tuple[Text, Text, str, str]]:
        """Yield the texts around short pieces, with the pieces before the second one."""
        texts = self.texts
        at = 0
        while at < len(texts):
            end = at
            while end < len(texts) and texts[end].piece:
                end += 1
            if at < end and (at > 0 or end < len(texts)) and end - at <= _MOST_PIECES:
                between = "".join(text.text for text in texts[at:end])
                first, second = texts[max(at - 1, 0)], texts[min(end, len(texts) - 1)]
                if at > 0:
                    yield first, second, first.text[-_ENDS:], between
                if end < len(texts):
                    yield first, second, between, second.text[:_ENDS]
                if at > 0 and end < len(texts):
                    yield first, second, first.text[-_ENDS:], between + second.text[:_ENDS]
            at = end + 1

    def together(self) -> Iterator[str]:
        """Yield what neighbouring texts say together: all in their order, those of each lane, and over one between."""
        yield "".join(text.text for text in self.texts)
        lanes: dict[str, list[str]] = {}
        for text in self.texts:
            lanes.setdefault(text.lane, []).append(text.text)
        yield from map("".join, lanes.values())
        for first, second in zip(self.texts, self.texts[2:], strict=False):
            yield first.text[-_ENDS:] + second.text[:_ENDS]

    def cut_up(self) -> Iterator[tuple[Place, str]]:
        """Yield pieces of equal length in a row that an encoding may have been cut into, put together."""
        if self._cuts < 2:
            return
        row: list[Text] = []
        longest = 0
        for text in (*self.texts, None):
            if text is not None and text.cut:
                longest = len(row[0].text) if row else len(text.text)
                if len(text.text) <= longest and (not row or len(row[-1].text) == longest):
                    row.append(text)
                    continue
            if len(row) > 1 and len(row) * longest <= _LONGEST_CUT and not all(map(_plain_word, row)):
                yield row[0].place, "".join(one.text for one in row)
            row = [text] if text is not None and text.cut else []

    def rows(self) -> Iterator[Row]:
        """Yield short pieces that stand in a row: those of one array or object, and those between two other texts."""
        if not self._pieces:
            return
        row: list[Text] = []
        for text in (*self.texts, None):
            if text is not None and text.piece:
                row.append(text)
                continue
            if row:
                yield from _rows_of(row)
            row = []
        yield from self._in_lanes()

    def _in_lanes(self) -> Iterator[Row]:
        """Yield short pieces that follow one another in one role's turns, with other roles' texts between them.

        A longer text before them may end with the first piece, and one behind them begin with the last.
        """
        runs: dict[str, list[Text]] = {}
        for text in self.texts:
            if text.lane.startswith("."):
                continue
            run = runs.setdefault(text.lane, [])
            if text.piece and len(run) <= _MOST_PIECES:
                run.append(text)
                continue
            yield from _readings(run, text)
            runs[text.lane] = [text]
        for run in runs.values():
            yield from _readings(run, None)


Plausible: TypeAlias = Callable[[str, Row], bool]


def order_of(document: JsonObject) -> Order:
    """Return all values of a document in its order."""
    order = Order()
    for place, leaf, is_key, role in leaves_by_role(document):
        if not is_key and not (isinstance(leaf, str) and leaf in OF_THE_API):
            order.add(place, leaf, role)
    return order


def orders_inside(text: str, depth: int = 0) -> Iterator[Order]:
    """Yield the order of the values of JSON that a text is, and of the JSON in its strings; nothing for other texts.

    Raises:
        DecodingLimit: It has more values than are looked at.
    """
    begins = text[:64].lstrip()[:1]
    if not begins or begins not in "{[" or depth > _DEEPEST:
        return
    if text.count(",") + text.count("[") + text.count("{") > _MOST_VALUES:
        raise DecodingLimit
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return
    order = Order()
    for place, leaf, is_key in leaves(value):
        if not is_key:
            order.add(place, leaf)
            if isinstance(leaf, str):
                yield from orders_inside(leaf, depth + 1)
    yield order


def _field(place: Place) -> str:
    """Return the name of the field that a value stands in, an array's items in that of the array."""
    while place is not None:
        place, step = place
        if isinstance(step, str):
            return "content" if step == "text" else step
    return ""


def plausible(category: str, row: Row) -> bool:
    """Tell whether an account code, which has but two control digits, is written in groups as people write it."""
    shape = row.shape
    return category != "financial.account" or len(shape) == 2 or shape in _ACCOUNT or set(shape) <= {1, 2}


def _is_count(number: float) -> bool:
    return 0 <= number < _LONGEST_NUMBER and number == number // 1


def _text(place: Place, text: str, lane: str) -> Text:
    return Text(
        place,
        text,
        lane,
        len(text) <= 12 and _PIECE.fullmatch(text) is not None,
        _CUT.fullmatch(text) is not None,
        _DIGIT.search(text, 0, _NEAR) is not None,
        _DIGIT.search(text, max(0, len(text) - _NEAR)) is not None,
    )


def _go_on(first: Text, second: Text) -> bool:
    """Tell whether an identifier or a key of a vendor may be cut there: by its digits, or by how long the word is."""
    if first.piece and second.piece:
        return False
    tail, head = first.text[-_NEAR:].rstrip(), second.text[:_NEAR]
    begins, last = _BEGINS.match(head), tail.rsplit(maxsplit=1)[-1:]
    if begins is None or not last or last[0][-1] not in _OPEN:
        return False
    digits = len(_NO_DIGIT.sub("", tail)) + len(_NO_DIGIT.sub("", head))
    letters = len(_WORDS.split(last[0].rstrip(".@"))[-1]) + len(begins[1])
    return digits >= _LEAST_DIGITS or letters >= _LEAST_LETTERS


def _rows_of(row: Sequence[Text]) -> Iterator[Row]:
    group: list[Text] = []
    groups = 0
    for text in (*row, None):
        if group and (text is None or (text.place or ((), ""))[0] is not (group[0].place or ((), ""))[0]):
            yield from _row_of(group)
            groups += 1
            group = []
        if text is not None:
            group.append(text)
    if groups > 1:
        yield from _row_of(row)


def _readings(run: Sequence[Text], behind: Text | None) -> Iterator[Row]:
    """Yield what pieces say alone, and with the end of the text before them and the beginning of the one behind."""
    pieces = [text for text in run if text.piece]
    if not pieces:
        return
    before = _LAST.search(run[0].text[-_NEAR:]) if not run[0].piece else None
    after = _FIRST.match(behind.text[:_NEAR]) if behind is not None else None
    heads = [[]] if before is None else [[], [_text(pieces[0].place, before[0], "")]]
    tails = [[]] if after is None else [[], [_text(pieces[0].place, after[0], "")]]
    for head, tail in product(heads, tails):
        yield from _row_of([*head, *pieces, *tail])


def _row_of(pieces: Sequence[Text]) -> Iterator[Row]:
    if 2 <= len(pieces) <= _MOST_PIECES:
        joined = "".join(piece.text for piece in pieces)
        if 8 <= len(joined) <= _MOST_LETTERS and not is_progression([piece.text for piece in pieces]):
            yield Row(pieces[0].place, joined, tuple(len(piece.text) for piece in pieces))


def _plain_word(text: Text) -> bool:
    """Tell whether a piece is of letters of one case, as words are, or a number."""
    return text.text.islower() or text.text.isdecimal()


def is_progression(pieces: Sequence[str]) -> bool:
    """Tell whether numbers go up or down by equal steps, as the headings and sizes of a table do."""
    if len(pieces) < _FEW or not all(map(str.isdecimal, pieces)):
        return False
    numbers = [int(piece) for piece in pieces]
    steps = {second - first for first, second in pairwise(numbers)}
    return len(steps) == 1 and steps != {0}


def listed(text: str) -> Iterator[Row]:
    """Yield the lists of short pieces that stand in a text, put together."""
    for match in _LISTED.finditer(text):
        words = _WORD.findall(match[0])
        yield from _row_of([_text(None, word, "") for word in words])


def whole(
    rows: Iterable[Row], find: Callable[[str], Sequence[Finding]], counts: Plausible = plausible
) -> Iterator[tuple[Row, Finding]]:
    """Yield rows that as a whole are something, with the finding.

    Rows of one shape, most of which are nothing, are a table of numbers: one in ten of them has a right check digit by
    chance. `find` returns what fills a text from its beginning to its end, `counts` tells whether people
    write such an identifier so.
    """
    shapes: dict[tuple[int, ...], dict[int, bool]] = {}
    found: list[tuple[Row, Finding]] = []
    for number, row in enumerate(rows):
        seen = shapes.setdefault(row.shape, {})
        findings = [finding for finding in find(row.text) if counts(finding.category, row)]
        source = -1 - number if row.source < 0 else row.source
        seen[source] = seen.get(source, False) or bool(findings)
        found += ((row, finding) for finding in findings)
    for row, finding in found:
        of_shape = shapes[row.shape].values()
        few = _FEW if row.source < 0 else 2
        if len(of_shape) < few or 2 * sum(of_shape) >= len(of_shape) + (row.source >= 0):
            yield row, finding
