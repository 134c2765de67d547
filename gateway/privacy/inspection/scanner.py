"""One pass over a text that says which detectors and which views are worth a look, then those detectors.

With Hyperscan the pass costs microseconds, whatever the number of detectors; where it has no wheel every detector's
own pattern is tried instead. Both give the same findings: the pass only proposes, and never proposes too little.
"""

import threading
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.privacy.decoding.views import TRIGGERS, ViewKind
from gateway.privacy.decoding.worth import kinds_of
from gateway.privacy.detectors.gitleaks import vendor_rules
from gateway.privacy.detectors.published import Sought, is_published
from gateway.privacy.detectors.registry import DETECTORS
from gateway.privacy.inspection import hyperscan_db

_RULES = vendor_rules()
_KINDS: tuple[tuple[ViewKind, str], ...] = tuple(TRIGGERS.items())
_FIRST_KIND = len(DETECTORS) + len(_RULES)


def expressions() -> tuple[str, ...]:
    """Return what Hyperscan looks for, in bytes: one expression a detector, a rule and a kind of view."""
    return (
        *(hyperscan_db.widened(detector.proposal or detector.pattern.pattern) for detector in DETECTORS),
        *(hyperscan_db.widened(rule.expression) for rule in _RULES),
        *(hyperscan_db.widened(trigger, singles=False) for _, trigger in _KINDS),
    )


class Hit(tuple[str, str, int, int, float]):
    """Find of one detector: detector, category, start, end, confidence."""

    __slots__ = ()


class Scan:
    """What one text holds: hits, as they are asked for, and the kinds of views worth making of it."""

    def __init__(self, text: str, indices: list[int], kinds: frozenset[ViewKind]) -> None:
        self._text = text
        self._indices = indices
        self.kinds = kinds

    def hits(self, *, joined: bool = False) -> Iterator[Hit]:
        """Yield every hit that is no published sample.

        `joined`: only of detectors that make sense for a value put together from pieces.
        """
        text = self._text
        yield from (
            hit for hit in self._hits(joined=joined) if not is_published(text, hit[2], hit[3], Sought(hit[0], hit[1]))
        )

    def _hits(self, *, joined: bool) -> Iterator[Hit]:
        text = self._text
        folded = text.lower() if self._indices else ""
        for index in self._indices:
            if index >= len(DETECTORS):
                rule = _RULES[index - len(DETECTORS)]
                for start, end in rule.find(text, folded):
                    yield Hit((rule.name, rule.category, start, end, 0.9))
                continue
            detector = DETECTORS[index]
            if (joined and not detector.joins) or (detector.hint and not any(w in folded for w in detector.hint)):
                continue
            for start, end in detector.find(text):
                yield Hit((detector.name, detector.category, start, end, detector.confidence))


class Scanner:
    """All detectors in one pass. Thread-safe: the compiled database is shared, each thread has scratch space."""

    def __init__(self, *, cache_dir: Path | None = None, hyperscan: bool = True) -> None:
        self._local = threading.local()
        self._library: Any = _library() if hyperscan else None
        self._database: Any = None
        self._always: frozenset[int] = frozenset()
        if self._library is not None:
            self._database, self._always = hyperscan_db.open_database(self._library, expressions(), cache_dir)

    @property
    def fast(self) -> bool:
        """Tell whether Hyperscan is in use."""
        return self._database is not None

    def scan(self, text: str) -> Scan:
        """Pass over a text once, and return what it may hold."""
        if self._database is None:
            return Scan(text, list(range(_FIRST_KIND)), kinds_of(text))
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = self._library.Scratch(self._database)
        found: set[int] = set(self._always)
        self._database.scan(
            text.encode("utf-8", "replace"),
            lambda index, start, end, flags, context: found.add(index),
            scratch=scratch,
        )
        kinds = frozenset(_KINDS[index - _FIRST_KIND][0] for index in found if index >= _FIRST_KIND)
        return Scan(text, sorted(index for index in found if index < _FIRST_KIND), kinds)


@cache
def _library() -> Any:
    return import_module("hyperscan") if find_spec("hyperscan") else None
