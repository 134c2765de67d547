"""`Inspector.inspect`: every string of a document, in every view, through every detector. Never raises.

INVARIANT: what could not be looked at is a doubt, and a doubt makes the request sensitive.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from secrets import token_bytes

from gateway.core.document import Json, JsonObject, strings
from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.request import Media
from gateway.privacy.custom import Custom
from gateway.privacy.detectors import DETECTORS
from gateway.privacy.settings import InspectionSettings
from gateway.privacy.views import MAX_DEPTH, decoded, joined, seen

_LONGEST = 200_000  # characters given to a pattern at once; longer strings are cut with an overlap
_OVERLAP = 2_000
_NEIGHBOURS = 64
_DEFAULTS = InspectionSettings()


class _Spent(Exception):
    """A limit was passed; the argument is the doubt's reason."""


class _Run:
    """One inspection: its clock, its budget, and what it found."""

    def __init__(self, settings: InspectionSettings, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = clock() + settings.seconds
        self._left = settings.max_characters
        self.characters = 0
        self.doubts: dict[tuple[str, str], Doubt] = {}

    def spend(self, characters: int) -> None:
        """Raises _Spent when time or size is over."""
        self.characters += characters
        if self.characters > self._left:
            raise _Spent("size")
        if self._clock() > self._until:
            raise _Spent("time")

    def doubt(self, reason: str, path: str) -> None:
        """Once for each reason and place."""
        self.doubts.setdefault((reason, path), Doubt(reason=reason, path=path))


class Inspector:
    """Thread-safe. Remembers the findings of strings by keyed hash, never the strings."""

    def __init__(
        self,
        settings: InspectionSettings = _DEFAULTS,
        *,
        clock: Callable[[], float] = time.perf_counter,
        cache_dir: Path | None = None,
    ) -> None:
        """Raises ConfigurationError for a user's pattern that can't be used."""
        self._settings = settings
        self._clock = clock
        self._custom = Custom(settings.words, settings.patterns)
        self._key = token_bytes(32)
        self._known: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def inspect(self, document: JsonObject, media: frozenset[Media] = frozenset()) -> Inspection:
        """Everything that was found, and everything that could not be looked at."""
        run = _Run(self._settings, self._clock)
        for kind in sorted(media):
            run.doubt(kind.value, "$")
        findings: list[Finding] = []
        count = 0
        try:
            tails: list[str] = []
            for path, text in strings(document):
                count += 1
                findings.extend(self._string(path, text, run))
                if path.endswith((".content", ".text")):
                    tails.append(text)
            findings.extend(self._across(tails, run))
            _remote(document, run)
        except _Spent as spent:
            run.doubt(str(spent), "$")
        except Exception as error:  # noqa: BLE001 - doubt rises: whatever failed, the request counts as sensitive
            run.doubt(f"detector_failed:{type(error).__name__}", "$")
        return Inspection(
            findings=tuple(findings), doubts=tuple(run.doubts.values()), strings=count, characters=run.characters
        )

    def _string(self, path: str, text: str, run: _Run) -> tuple[Finding, ...]:
        if len(text) < 4:
            return ()
        digest = blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()
        with self._lock:
            known = self._known.get(digest)
            if known is not None:
                self._known.move_to_end(digest)
        if known is None:
            known = tuple(self._scan(text, run))
            with self._lock:
                self._known[digest] = known
                while len(self._known) > self._settings.cached_strings:
                    self._known.popitem(last=False)
        return tuple(_placed(finding, path) for finding in known)

    def _scan(self, text: str, run: _Run) -> Iterator[Finding]:
        """All views of one string, breadth first, each text once."""
        views = [text]
        done: set[str] = set()
        for depth in range(MAX_DEPTH + 1):
            deeper: list[str] = []
            for view in views:
                if view in done:
                    continue
                done.add(view)
                run.spend(len(view))
                yield from self._detect(view, run, exact=depth == 0 and view is text)
                plain = seen(view)
                more = [plain] if plain is not None else []
                more += joined(plain if plain is not None else view)
                for other in more:
                    if other not in done:
                        done.add(other)
                        run.spend(len(other))
                        yield from self._detect(other, run, exact=False)
                for source in (view, *more):
                    deeper.extend(decoded(source))
            views = deeper

    def _detect(self, text: str, run: _Run, *, exact: bool) -> Iterator[Finding]:
        for start in range(0, max(1, len(text)), _LONGEST - _OVERLAP):
            part = text[start : start + _LONGEST]
            folded = part.lower()
            for detector in DETECTORS:
                if not detector.hint(folded):
                    continue
                for match in detector.pattern.finditer(part):
                    if detector.check(match):
                        where = (start + match.start("value"), start + match.end("value")) if exact else (0, len(text))
                        yield _finding(detector.name, detector.category, *where, detector.confidence)
                run.spend(0)
            for category, begin, end in self._custom.find(part):
                yield _finding(
                    "custom", category, start + begin if exact else 0, start + end if exact else len(text), 1.0
                )
            if start + _LONGEST >= len(text):
                return

    def _across(self, texts: list[str], run: _Run) -> Iterator[Finding]:
        """Identifiers that were split over neighbouring messages."""
        for first, second in pairwise(texts):
            end, begin = first[-_NEIGHBOURS:].rstrip(), second[:_NEIGHBOURS].lstrip()
            if not end or not begin:
                continue
            run.spend(len(end) + len(begin))
            alone = {f.category for part in (end, begin) for f in self._detect(part, run, exact=False)}
            for finding in self._detect(end + begin, run, exact=False):
                if finding.category not in alone and finding.detector != "random_string":
                    yield _placed(finding, "$.messages")


def _finding(detector: str, category: str, start: int, end: int, confidence: float) -> Finding:
    return Finding(detector=detector, category=category, path="", start=start, end=end, confidence=confidence)


def _placed(finding: Finding, path: str) -> Finding:
    return Finding(
        detector=finding.detector,
        category=finding.category,
        path=path,
        start=finding.start,
        end=finding.end,
        confidence=finding.confidence,
    )


def _remote(document: Json, run: _Run) -> None:
    """Parts of a kind that is not text: an image by URL, a file by id, audio, anything that is not known."""
    if not isinstance(document, Mapping):
        return
    messages = document.get("messages")
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        parts = message.get("content") if isinstance(message, Mapping) else None
        for index, part in enumerate(parts if isinstance(parts, tuple) else ()):
            kind = part.get("type") if isinstance(part, Mapping) else None
            if kind not in ("text", "input_text", "output_text", "refusal", "tool_result", "tool_use", "thinking"):
                run.doubt("unreadable_part", f"$.messages[{number}].content[{index}]")
