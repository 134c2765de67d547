"""`Inspector.inspect`: every string of a document, in every view, through every detector. Never raises.

INVARIANT: what could not be looked at is a doubt, and a doubt makes the request sensitive.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import msgspec

from gateway.core.document import Json, JsonObject, strings
from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.request import Media
from gateway.privacy.decoding.budget import UNREADABLE, DecodingLimit
from gateway.privacy.decoding.views import MAX_DEPTH, TextView, ViewKind, broken, seam, views
from gateway.privacy.detectors.custom import Custom
from gateway.privacy.inspection.scanner import Hit, Scanner
from gateway.privacy.settings import InspectionSettings
from gateway.privacy.text_keys import TextKeys

_PIECE = 65_536  # characters scanned at once, with an overlap: time is looked at between pieces
_OVERLAP = 2_048
_SHORTEST = 4
_MOST_FINDINGS = 2_000  # in one text: a list of so many needs no further look to stay at home
_NEIGHBOURS = 240  # characters at the ends of neighbouring messages
_DEFAULTS = InspectionSettings()
_OF_THE_API = frozenset(
    {
        "role",
        "content",
        "user",
        "assistant",
        "system",
        "developer",
        "tool",
        "messages",
        "model",
        "type",
        "text",
        "stream",
    }
)  # its own words, in every message of every request
_OPAQUE = re.compile(
    r"\.(?:encrypted_content|signature|thought_signature|thoughtSignature|tool_call_id|call_id)\Z"
    r"|\.tool_calls\[\d+\]\.id\Z|\.reasoning_details\[\d+\]\.data\Z|\.redacted_thinking\b.*\.data\Z"
)
"""Where providers put what they alone can read, and ids: such a piece is no doubt there. What can be read counts."""
_TEXT_PARTS = frozenset(
    {"text", "input_text", "output_text", "refusal", "tool_result", "tool_use", "thinking", "summary_text", "reasoning"}
)

_OTHER_PARTS = {
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "input_audio": "audio",
    "audio": "audio",
    "file": "file",
    "input_file": "file",
    "document": "file",
}


class _Spent(Exception):
    """Error of an inspection that passed a limit; the argument is the doubt's reason."""


class _Failed(Exception):
    """Error of a detector; the argument is the name of what it raised."""


class _Run:
    """One inspection: its clock, its budget, and what could not be looked at."""

    def __init__(self, settings: InspectionSettings, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = clock() + settings.seconds
        self._left = settings.max_characters
        self.characters = 0
        self.doubts: dict[tuple[str, str], Doubt] = {}

    def spend(self, characters: int) -> None:
        """Charge characters, and look at the clock.

        Raises:
            _Spent: Time or size is over.
        """
        self.characters += characters
        if self.characters > self._left:
            raise _Spent("size")
        if self._clock() > self._until:
            raise _Spent("time")

    def doubt(self, reason: str, path: str) -> None:
        """Note a doubt, once for each reason and place."""
        self.doubts.setdefault((reason, path), Doubt(reason=reason, path=path))


class _Seen(msgspec.Struct, frozen=True):
    """What one text holds: remembered by the text's key, wherever it stands."""

    findings: tuple[Finding, ...] = ()
    doubts: tuple[str, ...] = ()


class _Look:
    """One look at one text: it charges the run, and gathers what could not be read in the text."""

    def __init__(self, run: _Run) -> None:
        self.spend = run.spend
        self.doubts: dict[str, None] = {}

    def doubt(self, reason: str) -> None:
        """Note that a piece of the text could not be read."""
        self.doubts[reason] = None


class Inspector:
    """Inspection of documents. Thread-safe. Remembers the findings of strings by keyed hash, never the strings."""

    def __init__(
        self,
        settings: InspectionSettings = _DEFAULTS,
        *,
        clock: Callable[[], float] = time.thread_time,
        cache_dir: Path | None = None,
        hyperscan: bool = True,
    ) -> None:
        """Compile the patterns.

        `clock` counts work, not waiting for a core, or a busy machine would make every request sensitive.

        Raises:
            ConfigurationError: A pattern of the user's can't be used.
        """
        self._settings = settings
        self._clock = clock
        self._custom = Custom(settings.words, settings.patterns, settings.lists)
        self._scanner = Scanner(cache_dir=cache_dir, hyperscan=hyperscan)
        self._text_keys = TextKeys()
        # By hand, not cachetools.LRUCache: every string of every request is looked up here, and the library's look-up
        # takes 0.2 µs longer (1.13 and 0.90 million look-ups a second, in a conversation of 200 known messages).
        self._known: OrderedDict[int | tuple[int, int], _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def inspect(self, document: JsonObject, media: frozenset[Media] = frozenset()) -> Inspection:
        """Return everything that was found, and everything that could not be looked at. Never raises."""
        run = _Run(self._settings, self._clock)
        for kind in sorted(media):
            run.doubt(kind.value, "$")
        findings: list[Finding] = []
        count = 0
        here = "$"
        try:
            _unreadable(document, run)
            texts: list[tuple[int, str]] = []
            for here, text in _strings(document):
                count += 1
                if text in _OF_THE_API or len(text) < _SHORTEST:
                    continue
                mark = self._text_keys.of(text)
                seen = self._remembered(mark, self._all, text, here, run)
                if seen.findings:
                    findings.extend(msgspec.structs.replace(finding, path=here) for finding in seen.findings)
                for reason in seen.doubts:
                    if reason != UNREADABLE or not _OPAQUE.search(here):
                        run.doubt(reason, here)
                if here.endswith((".content", ".text")):
                    texts.append((mark, text))
            findings.extend(self._across(texts, run))
        except _Spent as spent:
            run.doubt(str(spent), here)
        except DecodingLimit:
            run.doubt("size", here)
        except _Failed as failed:
            run.doubt(f"detector_failed:{failed}", here)
        except Exception as error:  # noqa: BLE001 - doubt rises: whatever failed, the request counts as sensitive
            run.doubt(f"detector_failed:{type(error).__name__}", here)
        return Inspection(
            findings=tuple(findings), doubts=tuple(run.doubts.values()), strings=count, characters=run.characters
        )

    def _remembered(
        self,
        mark: int | tuple[int, int],
        look: Callable[[str, str, _Run], _Seen],
        text: str,
        other: str,
        run: _Run,
    ) -> _Seen:
        """Return what a text holds, looked for once. A text at which a limit was passed is looked at again."""
        with self._lock:
            known = self._known.get(mark)
            if known is not None:
                self._known.move_to_end(mark)
        if known is None:
            known = look(text, other, run)
            with self._lock:
                self._known[mark] = known
                while len(self._known) > self._settings.cached_strings:
                    self._known.popitem(last=False)
        return known

    def _all(self, text: str, path: str, run: _Run) -> _Seen:
        look = _Look(run)
        findings = tuple(self._each(text, run, look))
        return _Seen(findings, tuple(look.doubts))

    def _each(self, text: str, run: _Run, look: _Look) -> Iterator[Finding]:
        """Yield the findings of all views of one string, breadth first, each text once, each place and category once.

        Raises:
            _Spent: A limit of time, size, depth or findings was passed.
        """
        run.spend(len(text))
        level = [TextView(text)]
        done = {text}
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
                        raise _Spent("findings")
                for other in views(view, kinds, look):
                    if other.text not in done:
                        done.add(other.text)
                        deeper.append(other)
            if not deeper:
                return
            if depth == MAX_DEPTH:
                raise _Spent("depth")
            level = deeper

    def _view(self, view: TextView, kinds: set[ViewKind], run: _Run) -> Iterator[Finding]:
        """Yield the findings of one view; `kinds` receives what other views are worth making of it."""
        yield from (_found(view, hit) for hit in self._scan(view.text, run, kinds))
        pieces = list(broken(view.text)) if "\n" in view.text else []
        if not pieces:
            return
        together = "\n\n".join(text for text, _, _ in pieces)
        run.spend(len(together))
        if next(self._scan(together, run, joined=True), None) is None:
            return
        for text, start, end in pieces:
            for name, category, _, _, confidence in self._scan(text, run, joined=True):
                yield _found(view, Hit((name, category, start, end, confidence)))

    def _scan(self, text: str, run: _Run, kinds: set[ViewKind] | None = None, *, joined: bool = False) -> Iterator[Hit]:
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
                raise _Failed(type(error).__name__) from error
            for category, begin, end in self._custom.find(piece):
                yield Hit(("custom", category, start + begin, start + end, 1.0))
            if start + _PIECE >= len(text):
                return

    def _across(self, texts: list[tuple[int, str]], run: _Run) -> Iterator[Finding]:
        """Yield findings of identifiers that were split over neighbouring messages."""
        for (one, first), (other, second) in pairwise(texts):
            yield from self._remembered((one, other), self._pair, first, second, run).findings

    def _pair(self, first: str, second: str, run: _Run) -> _Seen:
        end, begin = first[-_NEIGHBOURS:], second[:_NEIGHBOURS]
        return _Seen(tuple(found for text in seam(end, begin) for found in self._joined((end, begin), text, run)))

    def _joined(self, pair: tuple[str, str], text: str, run: _Run) -> Iterator[Finding]:
        """Yield what the joined piece has that neither part has alone."""
        run.spend(len(text))
        alone = {hit[1] for part in pair for hit in self._scan(part, run)}
        for name, category, _, _, confidence in self._scan(text, run, joined=True):
            if category not in alone:
                yield Finding(
                    detector=name, category=category, path="$.messages", start=0, end=0, confidence=confidence
                )


def _found(view: TextView, hit: Hit) -> Finding:
    name, category, begin, end, confidence = hit
    start, stop = view.place(begin, end)
    encoded = view.decoded and view.client_text(start, stop) != view.text[begin:end]
    return Finding(
        detector=name, category=category, path="", start=start, end=stop, confidence=confidence, encoded=encoded
    )


_PLAIN = frozenset({"role", "content"})


def _strings(document: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield every text of the document as `(path, text)`, messages last.

    Messages that are a role of the API and a text are told in one step.
    """
    messages = document.get("messages")
    if not isinstance(messages, tuple):
        yield from strings(document)
        return
    yield from strings({name: value for name, value in document.items() if name != "messages"})
    for number, message in enumerate(messages):
        if isinstance(message, MappingProxyType | dict) and message.keys() == _PLAIN:
            content, role = message["content"], message["role"]
            if isinstance(content, str) and isinstance(role, str) and role in _OF_THE_API:
                yield f"$.messages[{number}].content", content
                continue
        yield from strings(message, f"$.messages[{number}]")


def _unreadable(document: Json, run: _Run) -> None:
    """Doubt parts of a kind that is not text: an image by URL, a file by id, audio, anything that is not known."""
    if not isinstance(document, Mapping):
        return
    for name in ("prompt", "input"):
        if _has_token_numbers(document.get(name)):
            run.doubt("token_numbers", f"$.{name}")
    messages = document.get("messages")
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        parts = message.get("content") if isinstance(message, MappingProxyType | dict) else None
        for index, part in enumerate(parts if isinstance(parts, tuple) else ()):
            kind = part.get("type") if isinstance(part, Mapping) else None
            if kind not in _TEXT_PARTS:
                run.doubt(_OTHER_PARTS.get(str(kind), "unreadable_part"), f"$.messages[{number}].content[{index}]")


def _has_token_numbers(value: Json) -> bool:
    """Tell whether a prompt is numbers of some vocabulary: text that nobody here can read."""
    items = value if isinstance(value, tuple) else ()
    return any(
        isinstance(item, int | float) or (isinstance(item, tuple) and _has_token_numbers(item)) for item in items
    )
