"""`Inspector.inspect`: every string of a document, in every view, through every detector. Never raises.

INVARIANT: what could not be looked at is a doubt, and a doubt makes the request sensitive.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.core.document import JsonObject, Leaf, Place, long_numbers, path_of
from gateway.core.finding import Finding, Inspection
from gateway.core.request import Media
from gateway.privacy.decoding.broken_values import broken, seam
from gateway.privacy.decoding.budget import UNREADABLE, DecodingLimit
from gateway.privacy.decoding.carried import SHORTEST as SHORTEST_MEDIUM
from gateway.privacy.decoding.carried import medium_in, reading
from gateway.privacy.decoding.icons import MOST_ICONS
from gateway.privacy.decoding.listings import bytes_of, read_numbers
from gateway.privacy.decoding.views import MAX_DEPTH, TextView, ViewKind, views
from gateway.privacy.detectors.custom import Custom
from gateway.privacy.detectors.high_entropy import is_turned_name
from gateway.privacy.inspection.marks import in_marks, marked
from gateway.privacy.inspection.parts import unreadable_parts
from gateway.privacy.inspection.run import Failed, Look, Run, Spent
from gateway.privacy.inspection.scanner import Hit, Scanner
from gateway.privacy.inspection.sealed import OPAQUE, SealedPieces
from gateway.privacy.inspection.seams import Order, Plausible, Row, listed, orders_inside, plausible, whole
from gateway.privacy.inspection.stretches import Stretch, stretches
from gateway.privacy.inspection.walk import OF_THE_API, leaves_by_role
from gateway.privacy.settings import InspectionSettings
from gateway.privacy.text_keys import TextKeys

_PIECE = 65_536  # characters scanned at once, with an overlap: time is looked at between pieces
_OVERLAP = 2_048
_SHORTEST = 4
_MOST_FINDINGS = 2_000  # in one text: a list of so many needs no further look to stay at home
_LEAST_BYTES = 8  # numbers in an array that may be bytes of a text
_BATCH = 8_192  # characters of readings that are scanned at once
_OF_ONE_LANE = frozenset({"assignment", "connection_settings"})  # words and anything: not of two fields side by side
_DEFAULTS = InspectionSettings()

Item = TypeVar("Item")


class _Seen(msgspec.Struct, frozen=True):
    """What one text holds: remembered by the text's key, wherever it stands."""

    findings: tuple[Finding, ...] = ()
    doubts: tuple[str, ...] = ()
    icons: frozenset[int] = frozenset()


_CLEAR = _Seen()


class Inspector:
    """Inspection of documents. Thread-safe. Remembers the findings of strings by keyed hash, never the strings."""

    def __init__(
        self,
        settings: InspectionSettings = _DEFAULTS,
        *,
        clock: Callable[[], float] = time.thread_time,
        cache_dir: Path | None = None,
        hyperscan: bool = True,
        sealed: SealedPieces | None = None,
    ) -> None:
        """Compile the patterns.

        `clock` counts work, not waiting for a core, or a busy machine would make every request sensitive. `sealed`:
        what clouds have sealed; None: nothing is known of it.

        Raises:
            ConfigurationError: A pattern of the user's can't be used.
        """
        self._settings = settings
        self._clock = clock
        self._custom = Custom(settings.words, settings.patterns, settings.lists)
        self._scanner = Scanner(cache_dir=cache_dir, hyperscan=hyperscan)
        self._text_keys = TextKeys()
        self._medium_keys = TextKeys()  # of texts of which only what their bytes say was read
        self._reading_keys = TextKeys()  # of readings of several texts together, of which only `_CLEAR` is remembered
        self._sealed = sealed or SealedPieces()
        # By hand, not cachetools.LRUCache: every string of every request is looked up here, and the library's look-up
        # takes 0.2 µs longer (1.13 and 0.90 million look-ups a second, in a conversation of 200 known messages).
        self._known: OrderedDict[int, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def inspect(
        self, document: JsonObject, media: frozenset[Media] = frozenset(), *, letters: bool = True
    ) -> Inspection:
        """Return everything that was found, and everything that could not be looked at. Never raises.

        Without `letters`, a text that is a medium in base64 and nothing else is a doubt whose letters are not searched.
        """
        run = Run(self._settings, self._clock, letters=letters)
        for kind in sorted(media):
            run.doubt(kind.value, "$")
        findings: list[Finding] = []
        order = Order()
        count = 0
        place: Place = None
        try:
            for reason, path in unreadable_parts(document):
                run.step()
                run.doubt(reason, path)
            for place, leaf, is_key, lane in leaves_by_role(document):
                run.step()
                if isinstance(leaf, str):
                    count += 1
                    if leaf in OF_THE_API:
                        continue
                    if len(leaf) >= _SHORTEST:
                        self._text(leaf, place, findings, run)
                elif leaf is not None:
                    for text in self._texts_of(leaf, place, run):
                        count += 1
                        self._text(text, place, findings, run)
                if not is_key:
                    order.add(place, leaf, lane)
            place = None
            findings.extend(self._across(order, run))
            for stretch in stretches(document):
                findings.extend(self._together(stretch, run))
        except Spent as spent:
            run.doubt(str(spent), path_of(place))
        except DecodingLimit:
            run.doubt("size", path_of(place))
        except Failed as failed:
            run.doubt(f"detector_failed:{failed}", path_of(place))
        except Exception as error:  # noqa: BLE001 - doubt rises: whatever failed, the request counts as sensitive
            run.doubt(f"detector_failed:{type(error).__name__}", path_of(place))
        return Inspection(
            findings=tuple(findings), doubts=tuple(run.doubts.values()), strings=count, characters=run.characters,
            letters=not run.passed_over,
        )  # fmt: skip

    def _text(self, text: str, place: Place, findings: list[Finding], run: Run) -> None:
        """Look at one text, and note what it holds at its place."""
        seen = None if run.letters or len(text) <= SHORTEST_MEDIUM else self._of_medium(text, run)
        if seen is None:
            seen = self._remembered(text, run)
        if seen.icons:
            run.icons |= seen.icons
            if len(run.icons) > MOST_ICONS:
                run.doubt(Media.IMAGE.value, path_of(place))
        if seen.findings or seen.doubts:
            here = path_of(place)
            findings.extend(
                msgspec.structs.replace(finding, path=here)
                for finding in seen.findings
                if not self._sealed.forgives(text, here, finding.category)
            )
            for reason in seen.doubts:
                if reason != UNREADABLE or not OPAQUE.search(here):
                    run.doubt(reason, here)

    def _of_medium(self, text: str, run: Run) -> _Seen | None:
        """Return what the bytes of a medium say, where its letters need not be searched; None: the text is none."""
        mark = self._medium_keys.of(text)
        known = self._recalled(mark)
        if known is None:
            medium = medium_in(text)
            if medium is None:
                return None
            look = Look(run)
            findings = tuple(self._each(reading(text, medium, look), run, look))
            known = _Seen(findings, tuple(look.doubts), frozenset(look.icons))
            self._remember(mark, known)
        run.passed_over = True
        return known

    def _together(self, stretch: Stretch, run: Run) -> Iterator[Finding]:
        """Yield what texts of one message say together and none of them says alone."""
        run.step()
        text, alone, doubts = stretch.text, set[tuple[str, str]](), set[str]()
        places: list[tuple[str, int, int]] = []
        begin = 0
        for piece in stretch.pieces:
            seen = self._remembered(piece.text, run)
            alone.update((found.category, piece.text[found.start : found.end]) for found in seen.findings)
            places += [(found.category, begin + found.start, begin + found.end) for found in seen.findings]
            begin += len(piece.text) + 1
            doubts.update(seen.doubts)
        seen = self._remembered(text, run)
        for finding in seen.findings:
            known = (finding.category, text[finding.start : finding.end]) in alone or any(
                category == finding.category and finding.start <= start and end <= finding.end
                for category, start, end in places  # the same, read once more with what is around it
            )
            if not known:
                path, start, end = stretch.place(finding.start, finding.end)
                yield msgspec.structs.replace(finding, path=path, start=start, end=end)
        for reason in seen.doubts:
            if reason not in doubts:
                run.doubt(reason, stretch.path)

    def _texts_of(self, leaf: Leaf, place: Place, run: Run) -> Iterator[str]:
        """Yield what numbers say: those that are long enough for an identifier, and an array of bytes as text."""
        numbers = leaf if isinstance(leaf, tuple) else (leaf,) if isinstance(leaf, int | float) else ()
        for _, text in long_numbers(numbers):
            run.step()
            yield text
        whole_numbers = [number for number in numbers if type(number) is int]
        if len(whole_numbers) == len(numbers) >= _LEAST_BYTES:
            data = bytes_of(whole_numbers)
            look = Look(run)
            said = read_numbers(data, look) if data is not None else None
            for reason in look.doubts:
                run.doubt(reason, path_of(place))
            if said is not None:
                yield said

    def _remembered(self, text: str, run: Run) -> _Seen:
        """Return what a text holds, looked for once. A text at which a limit was passed is looked at again."""
        mark = self._text_keys.of(text)
        known = self._recalled(mark)
        if known is None:
            known = self._all(text, run)
            self._remember(mark, known)
        return known

    def _recalled(self, mark: int) -> _Seen | None:
        with self._lock:
            known = self._known.get(mark)
            if known is not None:
                self._known.move_to_end(mark)
        return known

    def _remember(self, mark: int, seen: _Seen) -> None:
        with self._lock:
            self._known[mark] = seen
            while len(self._known) > self._settings.cached_strings:
                self._known.popitem(last=False)

    def _all(self, text: str, run: Run) -> _Seen:
        look = Look(run)
        findings = (*self._each(TextView(text), run, look), *self._inside(text, run))
        return _Seen(findings, tuple(look.doubts), frozenset(look.icons))

    def _inside(self, text: str, run: Run) -> Iterator[Finding]:
        """Yield identifiers that are cut between the strings and numbers of JSON in a text, or of a list in it."""
        for order in orders_inside(text):
            yield from self._across(order, run)
        yield from self._rows(listed(text), run)
        yield from self._rows(marked(text, run.step), run, in_marks)

    def _each(self, first: TextView, run: Run, look: Look) -> Iterator[Finding]:
        """Yield the findings of all views of one string, breadth first, each text once, each place and category once.

        Raises:
            Spent: A limit of time, size, depth or findings was passed.
        """
        run.spend(len(first.text))
        level = [first]
        done = {first.text}
        seen: set[tuple[str, int, int]] = set()
        for depth in range(MAX_DEPTH + 1):
            deeper: list[TextView] = []
            for view in level:
                kinds: set[ViewKind] = set()
                for finding in self._view(view, kinds, run):
                    key = (finding.category, finding.start, finding.end)
                    if key not in seen:
                        seen.add(key)
                        yield finding
                    if len(seen) > _MOST_FINDINGS:
                        raise Spent("findings")
                for other in views(view, kinds, look):
                    if other.text not in done:
                        done.add(other.text)
                        deeper.append(other)
            if not deeper:
                return
            if depth == MAX_DEPTH:
                raise Spent("depth")
            level = deeper

    def _view(self, view: TextView, kinds: set[ViewKind], run: Run) -> Iterator[Finding]:
        """Yield the findings of one view; `kinds` receives what other views are worth making of it.

        A value that stands whole beside a line's end is not told again as one that is broken there: it can be masked.
        """
        intact: set[tuple[str, str, str]] = set()
        for hit in self._scan(view.text, run, kinds):
            if not (view.turned and is_turned_name(hit[1], view.text[hit[2] : hit[3]])):
                intact.add(_value(view.text, hit))
                yield _found(view, hit)
        pieces = list(broken(view.text, run.step)) if "\n" in view.text else []
        if not pieces:
            return
        together = "\n\n".join(text for text, _, _ in pieces)
        run.spend(len(together))
        if next(self._scan(together, run, joined=True), None) is None:
            return
        for text, start, end in pieces:
            for hit in self._scan(text, run, joined=True):
                if _value(text, hit) not in intact:
                    yield _found(view, Hit((*hit[:2], start, end, hit[4])))

    def _scan(self, text: str, run: Run, kinds: set[ViewKind] | None = None, *, joined: bool = False) -> Iterator[Hit]:
        for start in range(0, max(1, len(text)), _PIECE - _OVERLAP):
            piece = text[start : start + _PIECE]
            run.spend(0)
            try:
                scan = self._scanner.scan(piece)
                if kinds is not None:
                    kinds |= scan.kinds
                for name, category, begin, end, confidence in scan.hits(joined=joined):
                    yield Hit((name, category, start + begin, start + end, confidence))
            except (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError) as error:
                raise Failed(type(error).__name__) from error
            for category, begin, end in self._custom.find(piece):
                yield Hit(("custom", category, start + begin, start + end, 1.0))
            if start + _PIECE >= len(text):
                return

    def _across(self, order: Order, run: Run) -> Iterator[Finding]:
        """Yield findings of identifiers that are cut between texts that stand beside each other."""
        if not order.promising:
            return
        yield from self._rows(order.rows(), run)
        yield from self._cut_up(order, run)
        pairs = (((first, second, end, begin), seam(end, begin)) for first, second, end, begin in order.neighbours())
        for first, second, end, begin in self._suspects(pairs, run):
            for finding in self._joined(end, begin, run):
                if first.lane == second.lane or finding.detector not in _OF_ONE_LANE:
                    yield msgspec.structs.replace(finding, path=path_of(second.place))

    def _cut_up(self, order: Order, run: Run) -> Iterator[Finding]:
        """Yield what an encoding says that is cut over strings in a row; hashes in a row are no key."""
        for place, text in order.cut_up():
            for finding in self._remembered(text, run).findings:
                if finding.encoded:
                    yield msgspec.structs.replace(finding, path=path_of(place), start=0, end=0)

    def _rows(self, found: Iterable[Row], run: Run, counts: Plausible = plausible) -> Iterator[Finding]:
        """Yield findings of identifiers that stand in pieces in a row; `counts` says which are written so."""
        rows = tuple(run.stepping(found))
        if not rows:
            return
        telling = {row.text for row in self._suspects(((row, (row.text,)) for row in rows), run)}
        for row, finding in whole(rows, lambda text: self._filling(text, run) if text in telling else (), counts):
            yield msgspec.structs.replace(finding, path=path_of(row.place))

    def _suspects(self, items: Iterable[tuple[Item, tuple[str, ...]]], run: Run) -> Iterator[Item]:
        """Yield the items of which some reading may hold something: their readings are scanned many at once."""
        batch: list[tuple[Item, tuple[str, ...]]] = []
        size = 0
        for item, readings in items:
            run.step()
            if readings:
                batch.append((item, readings))
                size += sum(map(len, readings))
            if size >= _BATCH:
                yield from self._suspects_of(batch, run)
                batch, size = [], 0
        yield from self._suspects_of(batch, run)

    def _suspects_of(self, batch: Sequence[tuple[Item, tuple[str, ...]]], run: Run) -> Iterator[Item]:
        together = "\n\n".join(reading for _, readings in batch for reading in readings)
        run.spend(len(together))
        if not together:
            return
        mark = self._reading_keys.of(together)
        if self._recalled(mark) is _CLEAR:
            return
        if next(self._scan(together, run, joined=True), None) is None:
            self._remember(mark, _CLEAR)
        else:
            yield from (item for item, _ in batch)

    def _filling(self, text: str, run: Run) -> Sequence[Finding]:
        """Return what fills a text from its beginning to its end."""
        run.spend(len(text))
        hits = self._scan(text, run, joined=True)
        return [_at_seam(hit) for hit in hits if hit[2:4] == (0, len(text))]

    def _joined(self, end: str, begin: str, run: Run) -> Iterator[Finding]:
        """Yield what two texts have together that neither has alone."""
        alone: set[str] | None = None
        for text in seam(end, begin):
            run.spend(len(text))
            for hit in self._scan(text, run, joined=True):
                if alone is None:
                    alone = {found[1] for part in (end, begin) for found in self._scan(part, run)}
                if hit[1] not in alone:
                    yield _at_seam(hit)


def _at_seam(hit: Hit) -> Finding:
    """Return a finding that stands in no one text: it has no span, and so it can't be masked in place."""
    return Finding(detector=hit[0], category=hit[1], path="$", start=0, end=0, confidence=hit[4])


def _value(text: str, hit: Hit) -> tuple[str, str, str]:
    """Return detector and category of a hit, and its value without white space."""
    return hit[0], hit[1], "".join(text[hit[2] : hit[3]].split())


def _found(view: TextView, hit: Hit) -> Finding:
    name, category, begin, end, confidence = hit
    start, stop = view.place(begin, end)
    encoded = view.decoded and view.client_text(start, stop) != view.text[begin:end]
    return Finding(
        detector=name, category=category, path="", start=start, end=stop, confidence=confidence, encoded=encoded
    )
